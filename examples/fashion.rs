//! LeNet-5 on Fashion-MNIST: `cargo run --release --example fashion -- --data DIR [--epochs 5]`.
//!
//! DIR holds the four IDX files, as Debian's package `dataset-fashion-mnist` installs them in
//! `/usr/share/datasets/fashion-mnist`; compressed or not.

use std::path::{Path, PathBuf};

use clap::Parser;
use typenet::prelude::*;

network! {
    /// LeNet-5 (LeCun et al., 1998) for 28×28 grey images, with ReLU and maximum pooling.
    pub struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

/// Trains LeNet-5 on Fashion-MNIST.
#[derive(Parser)]
struct Arguments {
    /// The folder with the IDX files.
    #[arg(long)]
    data: PathBuf,
    /// How often to go through the 60,000 training images.
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Decides the first weights and the order of the images.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to save the weights.
    #[arg(long, default_value = "fashion.safetensors")]
    save: PathBuf,
}

const CLASSES: [&str; 10] = [
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot",
];

fn main() {
    if let Err(error) = run(&Arguments::parse()) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> Result<(), typenet::Error> {
    let mut train = read(&arguments.data, "train")?.with_class_names(CLASSES);
    let mut test = read(&arguments.data, "t10k")?.with_class_names(CLASSES);
    let statistics = train.channel_statistics(1)?;
    train.normalize(&statistics)?;
    test.normalize(&statistics)?;
    println!("{}\n", LeNet5::summary());

    let mut net = LeNet5::seeded(arguments.seed);
    // The rate falls to a tenth twice: after 60 % and after 80 % of the epochs.
    let decays = [arguments.epochs * 3 / 5, arguments.epochs * 4 / 5];
    let sgd = Sgd::new(0.015).momentum(0.9).weight_decay(5e-4);
    let history = Trainer::new(sgd.schedule(Schedule::milestones(&decays, 0.1)))
        .loss(CrossEntropy::new())
        .batch(64)
        .epochs(arguments.epochs)
        .seed(arguments.seed)
        .fit(&mut net, &train, Some(&test))?;
    for epoch in &history.epochs {
        println!("{epoch}");
    }

    let result = evaluate(&net, &CrossEntropy::new(), &test)?;
    if let (Some(confusion), Some(top_3)) = (&result.confusion, result.top_k(3)) {
        println!("\n{confusion}\n\namong the first three: {:.2} %", 100.0 * top_3);
    }
    net.save(&arguments.save)?;
    println!("weights saved to {}", arguments.save.display());
    println!("test accuracy: {:.2} %", 100.0 * result.accuracy().unwrap_or(f64::NAN));
    Ok(())
}

/// One of the two sets, whether its files are compressed or not.
fn read(folder: &Path, set: &str) -> Result<Dataset<Input<LeNet5>>, typenet::Error> {
    let file = |what: &str| {
        let plain = folder.join(format!("{set}-{what}-ubyte"));
        if plain.exists() { plain } else { folder.join(format!("{set}-{what}-ubyte.gz")) }
    };
    Dataset::from_idx(file("images-idx3"), file("labels-idx1"), 10)
}
