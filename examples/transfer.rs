//! ResNet-18 learns a folder of pictures, first its head alone, then its last stage too:
//!
//! ```console
//! cargo run --release --example transfer --features image -- --data DIR --weights resnet18.safetensors
//! ```
//!
//! `DIR` holds `cat/0001.jpg` and so on, four folders; without it, four hundred pictures of shapes are
//! drawn. `--weights` takes torchvision's weights as a safetensors file, which one line of Python writes:
//! `safetensors.torch.save_file(torchvision.models.resnet18(weights="DEFAULT").state_dict(), "resnet18.safetensors")`.
//! Without them the stages start from random numbers, and the head finds little to build on.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::Normalization;
use typenet::data::{
    Augment, Border, Channels, Examples, ImageFolder, ImageOptions, Images, Resize,
};
use typenet::image::{Rgb, RgbImage, imageops::FilterType};
use typenet::prelude::*;
use typenet::train::update_bn;

/// How many folders there are.
const CLASSES: usize = 4;

network! {
    /// The zoo's ResNet-18, with a head for so many classes.
    pub struct Transfer: [3, 224, 224] -> [self::CLASSES] {
        block basic(out) {
            residual {
                conv1: conv2d(out, kernel = 3, padding = 1, bias = false), bn1: batch_norm, relu,
                conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            }
            relu,
        }
        block down(out) {
            residual {
                conv1: conv2d(out, kernel = 3, stride = 2, padding = 1, bias = false),
                bn1: batch_norm, relu,
                conv2: conv2d(out, kernel = 3, padding = 1, bias = false), bn2: batch_norm,
            } shortcut {
                #[name("downsample.0")]
                downsample: conv2d(out, kernel = 1, stride = 2, bias = false),
                #[name("downsample.1")]
                downsample_bn: batch_norm,
            }
            relu,
        }

        conv1: conv2d(64, kernel = 7, stride = 2, padding = 3, bias = false), bn1: batch_norm, relu,
        max_pool2d(3, stride = 2, padding = 1),
        #[name("layer1.0")] layer1_0: basic(64),
        #[name("layer1.1")] layer1_1: basic(64),
        #[name("layer2.0")] layer2_0: down(128),
        #[name("layer2.1")] layer2_1: basic(128),
        #[name("layer3.0")] layer3_0: down(256),
        #[name("layer3.1")] layer3_1: basic(256),
        #[name("layer4.0")] layer4_0: down(512),
        #[name("layer4.1")] layer4_1: basic(512),
        global_avg_pool,
        fc: linear(self::CLASSES),
    }
}

#[derive(Parser)]
struct Arguments {
    /// A folder with a folder of pictures for each class.
    #[arg(long)]
    data: Option<PathBuf>,
    /// torchvision's weights of ResNet-18, as a safetensors file.
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Epochs of each of the two parts.
    #[arg(long, default_value_t = 2)]
    epochs: usize,
}

type Set = Images<Input<Transfer>>;
type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible {
    let Arguments { data, weights, epochs } = Arguments::parse();
    let folder = match data {
        Some(folder) => folder,
        None => shapes(&std::env::temp_dir().join("typenet-shapes"))?,
    };
    let options = ImageOptions::new(Resize::Crop(FilterType::Triangle), Channels::Rgb);
    let images: Set = ImageFolder::new(&folder, options).open()?;
    if images.classes() != CLASSES {
        let found = images.class_names().join(", ");
        return Err(format!(
            "{} has other than {CLASSES} classes: {found}; change `CLASSES`",
            folder.display()
        )
        .into());
    }
    let (mut train, mut test) = images.split_stratified(0.25, 1)?;

    let mut net = Transfer::seeded(1);
    let normalization = match &weights {
        Some(path) => {
            net.load_weights(path, &LoadOptions::new().keep("fc."))?;
            // That of the images of ImageNet which torchvision's weights were trained on.
            Normalization { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] }
        }
        None => train.channel_statistics()?,
    };
    train.normalize(&normalization)?;
    test.normalize(&normalization)?;
    let test = test.to_dataset()?;
    if weights.is_none() {
        // A frozen batch norm uses its running statistics, which a new net has not.
        update_bn(&mut net, &train, 8)?;
    }
    println!("{} pictures to train on, {} to test on", train.len(), test.len());
    let train = train
        .augmented(Augment::new().border(Border::Reflect).random_crop(16).horizontal_flip(), 1)?;

    net.set_all_trainable(false);
    net.set_trainable("fc", true)?;
    run("the head", &mut net, AdamW::new(3e-3), &train, &test, epochs)?;
    net.set_trainable("layer4_0", true)?;
    net.set_trainable("layer4_1", true)?;
    let adam = AdamW::new(1e-4).group("fc", |group| group.learning_rate(1e-3));
    run("the last stage and the head", &mut net, adam, &train, &test, epochs)?;

    let path = std::env::temp_dir().join("transfer.safetensors");
    net.save(&path)?;
    println!("{}", path.display());
    Ok(())
}

/// Trains what is trainable, and says how good the net is.
fn run(
    what: &str,
    net: &mut Transfer,
    adam: AdamW,
    train: &impl Examples<Input<Transfer>, usize>,
    test: &Dataset<Input<Transfer>>,
    epochs: usize,
) -> Fallible {
    let start = Instant::now();
    let loss = CrossEntropy::new();
    Trainer::new(adam).loss(loss.clone()).batch(8).epochs(epochs).fit(net, train, None)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}, {epochs} epochs in {seconds:.0} s: {}", evaluate(net, &loss, test)?);
    Ok(())
}

/// Draws a hundred pictures of each of four shapes, unless they are there: any size, place, colours and
/// background.
fn shapes(folder: &Path) -> Fallible<PathBuf> {
    type Inside = fn(f32, f32) -> bool;
    let shapes: [(&str, Inside); CLASSES] = [
        ("circle", |x, y| x.hypot(y) < 1.0),
        ("cross", |x, y| (x.abs() < 0.35 || y.abs() < 0.35) && x.abs().max(y.abs()) < 1.0),
        ("square", |x, y| x.abs().max(y.abs()) < 0.85),
        ("triangle", |x, y| y < 0.8 && y > 2.0 * x.abs() - 1.0),
    ];
    if folder.join("triangle/0099.png").exists() {
        return Ok(folder.to_owned());
    }
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for (name, inside) in shapes {
        std::fs::create_dir_all(folder.join(name))?;
        for number in 0..100 {
            let mut colour =
                || -> [f32; 3] { std::array::from_fn(|_| random.random_range(0.0..255.0)) };
            let (ink, paper) = (colour(), colour());
            let size = random.random_range(30.0..80.0f32);
            let [x0, y0]: [f32; 2] = std::array::from_fn(|_| random.random_range(80.0..144.0));
            // Waves over shape and paper, each in its own direction.
            let waves: [[f32; 2]; 2] =
                std::array::from_fn(|_| [0; 2].map(|_| random.random_range(-0.6..0.6)));
            let picture = RgbImage::from_fn(224, 224, |x, y| {
                let (x, y) = (x as f32, y as f32);
                let is_in = inside((x - x0) / size, (y - y0) / size);
                let (colour, [a, b]) = if is_in { (ink, waves[0]) } else { (paper, waves[1]) };
                let light = 0.8 + 0.2 * (a * x + b * y).sin();
                Rgb(colour.map(|part| (light * part) as u8))
            });
            picture.save(folder.join(format!("{name}/{number:04}.png")))?;
        }
    }
    Ok(folder.to_owned())
}
