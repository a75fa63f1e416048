//! Trains a classifier of CIFAR-10's images and says how good it is:
//!
//! ```console
//! cargo run --release --example cifar10 --features image,report -- --data DIR --recipe quick
//! ```
//!
//! `DIR` holds `train/cat/0001.jpg` and so on, and `test/`; or CIFAR-10's binary files, `data_batch_1.bin` to
//! `test_batch.bin`. The recipe follows airbench (Jordan 2024, *94% on CIFAR-10 in 3.29 Seconds on a Single
//! GPU*, and its later version with Muon): a whitening first layer, convolutions that start as identities,
//! label smoothing, alternating flips, orthogonal steps that shrink to nothing, and for evaluation a mean
//! over the mirrored image.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use typenet::Flat;
use typenet::data::{
    Augment, Border, Channels, Examples, ImageFolder, ImageOptions, Images, Resize,
};
use typenet::prelude::*;
use typenet::report::Report;

network! {
    /// The net of airbench: 24 whitening filters, then three groups of two convolutions. Airbench94 has 64
    /// and 256 channels.
    pub struct AirNet<const FIRST: usize, const REST: usize>: [3, 32, 32] -> [10] {
        block group(out) {
            conv2d(out, kernel = 3, padding = 1, bias = false), max_pool2d(2), batch_norm(momentum = 0.4), gelu,
            conv2d(out, kernel = 3, padding = 1, bias = false), batch_norm(momentum = 0.4), gelu,
        }

        #[init(whitening)] #[frozen] whiten: conv2d(24, kernel = 2), gelu,
        group1: group(FIRST),
        group2: group(REST),
        group3: group(REST),
        max_pool2d(3),
        flatten,
        head: linear(10, bias = false),
        scale(0.111),
    }
}

/// How long to train.
#[derive(Clone, Copy, PartialEq, Debug, ValueEnum)]
enum Recipe {
    /// Minutes.
    Quick,
    /// Most of an hour.
    Full,
}

#[derive(Parser)]
struct Arguments {
    /// The folder of the data set.
    #[arg(long)]
    data: PathBuf,
    /// How long to train.
    #[arg(long, value_enum, default_value_t = Recipe::Quick)]
    recipe: Recipe,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Epochs, in place of the recipe's.
    #[arg(long)]
    epochs: Option<usize>,
    /// Where `report.html` and the weights go.
    #[arg(long, default_value = "run")]
    out: PathBuf,
}

const BATCH: usize = 500;

type Image = [[[f32; 32]; 32]; 3];

/// A set of images for the net.
type Set = Images<Image>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    match arguments.recipe {
        Recipe::Quick => train::<32, 128>(&arguments, 13),
        Recipe::Full => train::<64, 256>(&arguments, 10),
    }
}

/// Trains a net of such widths, tests it and writes what came of it.
fn train<const FIRST: usize, const REST: usize>(
    arguments: &Arguments,
    epochs: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { data, recipe, seed, out, .. } = arguments;
    let (seed, epochs) = (*seed, arguments.epochs.unwrap_or(epochs));
    let start = Instant::now();
    let (mut train, mut test) = read(data)?;
    let statistics = train.channel_statistics()?;
    train.normalize(&statistics)?;
    test.normalize(&statistics)?;
    println!(
        "{} images to train on, {} to test on, read in {:.1} s",
        train.len(),
        test.len(),
        start.elapsed().as_secs_f64()
    );

    let mut net = AirNet::<FIRST, REST>::seeded(seed);
    net.init_from_data(&sample(&train, 5_000)?)?;
    pass_on(&mut net.group1.conv2d_1.weight);
    pass_on(&mut net.group1.conv2d_2.weight);
    pass_on(&mut net.group2.conv2d_1.weight);
    pass_on(&mut net.group2.conv2d_2.weight);
    pass_on(&mut net.group3.conv2d_1.weight);
    pass_on(&mut net.group3.conv2d_2.weight);
    let augment = Augment::new().border(Border::Reflect).random_crop(2).alternating_flip();
    let train = train.augmented(augment, seed)?;

    // Filters take orthogonal steps; norms, and the head, those of AdamW.
    let muon = Muon::new(0.12)
        .momentum(0.6)
        .weight_decay(0.1)
        .adamw_learning_rate(0.01)
        .group("head", |head| head.use_muon(false))
        .schedule(Schedule::polynomial(epochs, 1.0));
    let start = Instant::now();
    let loss = CrossEntropy::new().label_smoothing(0.2);
    let history = Trainer::new(muon)
        .loss(loss)
        .batch(BATCH)
        .epochs(epochs)
        .seed(seed)
        .fit(&mut net, &train, None)?;
    println!("{history}");
    println!("trained in {:.0} s", start.elapsed().as_secs_f64());

    let test = test.to_dataset()?;
    println!("test accuracy: {:.2} %", 100.0 * accuracy(&net, &test, false));
    println!("with mirrored images: {:.2} %", 100.0 * accuracy(&net, &test, true));
    Report::new(&net)
        .history(&history)
        .seed(seed)
        .setting("recipe", format!("{recipe:?}"))
        .setting("batch", BATCH)
        .test(&CrossEntropy::new(), &test)?
        .wrong_images(&test)?
        .save(out)?;
    net.save(out.join("weights.safetensors"))?;
    println!("{}", out.join("report.html").display());
    Ok(())
}

/// Lets the first filters pass on the input's channels as they are.
fn pass_on<const OUT: usize, const IN: usize>(weight: &mut [[[[f32; 3]; 3]; IN]; OUT]) {
    for (channel, filter) in weight.iter_mut().enumerate().take(IN) {
        filter.as_flat_mut().fill(0.0);
        filter[channel][1][1] = 1.0;
    }
}

/// The training and the test set.
fn read(folder: &Path) -> Result<(Set, Set), typenet::Error> {
    if folder.join("test_batch.bin").exists() {
        return Images::from_cifar10(folder);
    }
    let open = |part: &str| {
        let options = ImageOptions::new(Resize::Exact, Channels::Rgb);
        ImageFolder::new(folder.join(part), options).open()
    };
    Ok((open("train")?, open("test")?))
}

/// Some images in memory, from all over the set.
fn sample(train: &Set, count: usize) -> Result<Dataset<Image>, typenet::Error> {
    let step = (train.len() / count).max(1);
    let indices: Vec<usize> = (0..train.len()).step_by(step).take(count).collect();
    train.select(&indices)?.to_dataset()
}

/// The share of images that are classified right; with the mean of an image's and its mirror image's
/// logits, if asked for.
fn accuracy<const FIRST: usize, const REST: usize>(
    net: &AirNet<FIRST, REST>,
    test: &Dataset<Image>,
    mirrored: bool,
) -> f64 {
    let mut logits = net.outputs(test.inputs());
    if mirrored {
        let mut images = test.inputs().to_vec();
        images.iter_mut().flatten().flatten().for_each(|row| row.reverse());
        for (logits, others) in logits.iter_mut().zip(net.outputs(&images)) {
            logits.iter_mut().zip(others).for_each(|(logit, other)| *logit += other);
        }
    }
    let right =
        logits.iter().zip(test.targets()).filter(|(logits, label)| logits.largest() == **label);
    right.count() as f64 / test.len() as f64
}
