//! A trained net's layers under another head: `cargo run --release --example finetune`.
//!
//! A net learns the digits 0 to 6. Its convolutions, read from its weight file, then serve a net that
//! tells 7, 8 and 9 apart from five images of each: first with these layers frozen, then with all
//! layers, slowly. A net that starts from random weights learns from the same images beside it.

use typenet::prelude::*;

network! {
    /// What both nets see in an image.
    pub struct Features: [1, 8, 8] -> [32, 2, 2] {
        conv1: conv2d(16, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
        conv2: conv2d(32, kernel = 3, padding = 1, bias = false), bn2: batch_norm, relu,
        max_pool2d(2),
        conv3: conv2d(32, kernel = 3, padding = 1), relu,
        max_pool2d(2),
    }
}

network! {
    /// 0 to 6.
    pub struct Seven: [1, 8, 8] -> [7] { features: self::Features, flatten, fc: linear(7) }
}

network! {
    /// 7, 8 and 9.
    pub struct Three: [1, 8, 8] -> [3] { features: self::Features, flatten, fc: linear(3) }
}

type Digits = Dataset<Input<Seven>>;
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

const DIGITS: &[u8] = include_bytes!("../data/digits.csv.gz");

fn main() -> Fallible {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Dataset::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (many, _) = some_classes(&digits, 0, 7)?.split_stratified(0.2, 1)?;
    let rest = some_classes(&digits, 7, 10)?;
    let (few, test) = first_of_each(&rest, 5)?;

    let folder = std::env::temp_dir().join("typenet-finetune");
    std::fs::create_dir_all(&folder)?;
    let weights = folder.join("seven.safetensors");
    let mut seven = Seven::seeded(1);
    trainer(5e-3, 15).fit(&mut seven, &many, None)?;
    seven.save(&weights)?;
    println!("trained on {} images of 0 to 6: {}", many.len(), weights.display());

    let accuracy = |net: &Three| -> Fallible<f64> {
        Ok(100.0 * evaluate(net, &CrossEntropy::new(), &test)?.accuracy().unwrap_or_default())
    };
    println!("then {} images of 7, 8 and 9, tested on {}:", few.len(), test.len());

    let mut scratch = Three::seeded(2);
    trainer(5e-3, 60).fit(&mut scratch, &few, None)?;
    println!("  all layers, from random weights      {:6.2} %", accuracy(&scratch)?);

    let mut net = Three::seeded(2);
    net.load_weights(&weights, &LoadOptions::new().keep("fc."))?;
    net.set_trainable("features", false)?;
    trainer(5e-3, 30).fit(&mut net, &few, None)?;
    println!("  the head, on the trained features    {:6.2} %", accuracy(&net)?);

    net.set_all_trainable(true);
    trainer(5e-4, 30).fit(&mut net, &few, None)?;
    println!("  then all layers, a tenth as fast     {:6.2} %", accuracy(&net)?);
    Ok(())
}

fn trainer(learning_rate: f32, epochs: usize) -> Trainer<CrossEntropy, AdamW> {
    let schedule = Schedule::cosine(epochs);
    Trainer::new(AdamW::new(learning_rate).schedule(schedule))
        .loss(CrossEntropy::new())
        .batch(10)
        .epochs(epochs)
}

/// The images of the classes from `first` to before `end`, which are counted from 0 there.
fn some_classes(digits: &Digits, first: usize, end: usize) -> Fallible<Digits> {
    let pairs = digits.inputs().iter().zip(digits.targets());
    let (inputs, labels): (Vec<_>, Vec<_>) = pairs
        .filter(|(_, label)| (first..end).contains(label))
        .map(|(input, label)| (*input, label - first))
        .unzip();
    Ok(Dataset::from_inputs(&inputs, labels)?)
}

/// The first `count` images of each class, and the others.
fn first_of_each(digits: &Digits, count: usize) -> Fallible<(Digits, Digits)> {
    let mut seen = vec![0; digits.classes()];
    let is_early: Vec<bool> = digits
        .targets()
        .iter()
        .map(|&label| {
            seen[label] += 1;
            seen[label] <= count
        })
        .collect();
    let part = |early: bool| {
        let pairs = digits.inputs().iter().zip(digits.targets()).zip(&is_early);
        let (inputs, labels): (Vec<_>, Vec<_>) = pairs
            .filter(|(_, is)| **is == early)
            .map(|((input, label), _)| (*input, *label))
            .unzip();
        Dataset::from_inputs(&inputs, labels)
    };
    Ok((part(true)?, part(false)?))
}
