//! Trains a small net on the embedded digits and writes what came out of it as one HTML page:
//! `cargo run --release --example report --features report` writes `run/report.html`.

use typenet::prelude::*;
use typenet::report::Report;

network! {
    /// A convolutional net for 8×8 grey images of digits.
    pub struct DigitNet: [1, 8, 8] -> [10] {
        conv1: conv2d(16, kernel = 3, padding = 1), relu,
        conv2: conv2d(32, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        dropout(0.25),
        fc1: linear(64), relu,
        fc2: linear(10),
    }
}

const DIGITS: &[u8] = include_bytes!("../data/digits.csv.gz");
const SEED: u64 = 42;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Dataset::<Input<DigitNet>>::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (train, test) = digits.split_at(1437, 7)?;

    let (batch, epochs, learning_rate) = (32, 30, 0.05);
    let mut net = DigitNet::seeded(SEED);
    let history =
        Trainer::new(Sgd::new(learning_rate).momentum(0.9).schedule(Schedule::cosine(epochs)))
            .loss(CrossEntropy::new())
            .batch(batch)
            .epochs(epochs)
            .seed(SEED)
            .validation(0.1)
            .fit(&mut net, &train, None)?;

    Report::new(&net)
        .history(&history)
        .seed(SEED)
        .setting("optimiser", format!("SGD, momentum 0.9, learning rate {learning_rate}, cosine"))
        .setting("batch", batch)
        .test(&CrossEntropy::new(), &test)?
        .wrong_images(&test)?
        .save("run")?;
    println!("run/report.html");
    Ok(())
}
