//! A net with everything that a run keeps, small data, and how runs are compared.

use typenet::data::Csv;
use typenet::prelude::*;
use typenet::train::{Epoch, History};

network! {
    pub(crate) struct Net: [1, 8, 8] -> [10] {
        conv1: conv2d(4, kernel = 3, padding = 1), bn1: batch_norm, relu,
        max_pool2d(2),
        dropout(0.2),
        flatten,
        fc: linear(10),
    }
}

network! {
    /// Without batch norm and dropout.
    pub(crate) struct Plain: [1, 8, 8] -> [10] {
        flatten, fc1: linear(16), relu, fc2: linear(10),
    }
}

pub(crate) type Digits = Dataset<Input<Net>>;

pub(crate) fn digits(count: usize) -> Digits {
    let bytes: &[u8] = include_bytes!("../../data/digits.csv.gz");
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    Dataset::from_csv_reader("digits.csv.gz", bytes, &csv).unwrap().take(count)
}

/// A trainer that uses everything that a run keeps.
pub(crate) fn trainer() -> Trainer<CrossEntropy, AdamW> {
    let adamw = AdamW::new(0.01).schedule(Schedule::one_cycle(6)).amsgrad(true);
    Trainer::new(adamw)
        .loss(CrossEntropy::new())
        .batch(16)
        .epochs(6)
        .seed(9)
        .validation(0.2)
        .clip_grad_norm(1.0)
        .progress(false)
}

pub(crate) fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// What does not depend on the clock.
fn without_time(epoch: &Epoch) -> Epoch {
    Epoch { seconds: 0.0, images_per_second: 0.0, ..epoch.clone() }
}

#[track_caller]
pub(crate) fn same_history(a: &History, b: &History) {
    let epochs = |history: &History| history.epochs.iter().map(without_time).collect::<Vec<_>>();
    assert_eq!(epochs(a), epochs(b));
    assert_eq!(a.batch_losses, b.batch_losses);
    assert_eq!(a.learning_rates, b.learning_rates);
    assert_eq!(a.stopped, b.stopped);
}
