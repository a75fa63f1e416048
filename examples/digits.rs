//! Trains a small conv net on handwritten digits that are part of this program, and shows what it
//! learnt: `cargo run --release --example digits`. No arguments, no network.

use typenet::prelude::*;

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
const WEIGHTS: &str = "digits.safetensors";

fn main() -> Result<(), typenet::Error> {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Dataset::<Input<DigitNet>>::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (train, test) = digits.split_at(1437, 7)?;
    println!("{}\n", DigitNet::summary());
    println!("{} images to train on, {} to test on", train.len(), test.len());

    let mut net = DigitNet::seeded(42);
    let sgd = Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(5e-4);
    let start = std::time::Instant::now();
    let history = Trainer::new(sgd.schedule(Schedule::cosine(30)))
        .loss(CrossEntropy::new())
        .batch(32)
        .epochs(30)
        .fit(&mut net, &train, Some(&test))?;
    for epoch in history.epochs.iter().step_by(5).chain(history.epochs.last()) {
        println!("{epoch}");
    }
    println!("trained in {:.1} s\n", start.elapsed().as_secs_f64());

    let result = evaluate(&net, &CrossEntropy::new(), &test)?;
    if let Some(confusion) = &result.confusion {
        println!("{confusion}\n");
    }
    for (image, &label) in test.inputs().iter().zip(test.targets()).take(3) {
        show(&net, image, label);
    }

    net.save(WEIGHTS)?;
    let loaded = DigitNet::load(WEIGHTS)?;
    let same = loaded.predict_batch(test.inputs()) == net.predict_batch(test.inputs());
    println!(
        "saved to {WEIGHTS}, loaded again: {} predictions",
        if same { "same" } else { "OTHER" }
    );

    println!("test accuracy: {:.2} %", 100.0 * result.accuracy().unwrap_or(f64::NAN));
    Ok(())
}

/// Draws an image in the terminal, with what the net thinks it is.
fn show(net: &DigitNet, image: &Input<DigitNet>, label: usize) {
    let guesses = net.top_k(image, 3);
    println!("a {label}:");
    for (i, row) in image[0].iter().enumerate() {
        let line: String = row.iter().map(|&ink| shade(ink).repeat(2)).collect();
        match guesses.get(i) {
            Some((class, p)) => println!("  {line}   {class}: {:6.2} %", 100.0 * p),
            None => println!("  {line}"),
        }
    }
    println!();
}

fn shade(ink: f32) -> &'static str {
    match ink {
        x if x < 0.15 => " ",
        x if x < 0.4 => "░",
        x if x < 0.65 => "▒",
        x if x < 0.9 => "▓",
        _ => "█",
    }
}
