//! Trains the net of the page, and writes its weights, those of the page without a server too:
//! `cargo run --release -p typenet-digit-page --example train_digits`.

use half::f16;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use typenet::prelude::*;
use typenet_digit_page::{DigitNet, Picture, input};

const DIGITS: &[u8] = include_bytes!("../../data/digits.csv.gz");
const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/digits.safetensors");
/// Half as long, for the download.
const HALVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web/parameters.f16");

/// How often each image is drawn anew.
const DRAWN: usize = 30;
/// Rows and columns of such a drawing.
const SIDE: usize = 48;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let digits = Dataset::<Input<DigitNet>>::from_csv_reader("digits.csv.gz", DIGITS, &csv)?;
    let (train, test) = digits.split_at(1437, 7)?;

    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut images = train.inputs().to_vec();
    let mut labels = train.targets().to_vec();
    for (image, &label) in train.inputs().iter().zip(train.targets()) {
        let drawn: Vec<_> = (0..DRAWN).filter_map(|_| redrawn(image, &mut rng)).collect();
        labels.resize(labels.len() + drawn.len(), label);
        images.extend(drawn);
    }
    println!("{} images to train on, {} to test on", images.len(), test.len());

    let mut net = DigitNet::seeded(42);
    let sgd = Sgd::new(0.05).momentum(0.9).nesterov(true).weight_decay(5e-4);
    let history = Trainer::new(sgd.schedule(Schedule::cosine(20)))
        .loss(CrossEntropy::new().label_smoothing(0.05))
        .batch(128)
        .epochs(20)
        .fit(&mut net, &Dataset::from_inputs(&images, labels)?, Some(&test))?;
    println!("{history}");
    net.save(WEIGHTS)?;
    let halves = net.parameters_flat().iter().flat_map(|&x| f16::from_f32(x).to_le_bytes());
    std::fs::write(HALVES, halves.collect::<Vec<u8>>())?;

    let drawn = test.inputs().iter().map(|image| redrawn(image, &mut rng));
    let right = drawn
        .zip(test.targets())
        .filter(|(image, label)| image.as_ref().is_some_and(|image| net.predict(image) == **label));
    println!("drawn anew: {:.2} % right", 100.0 * right.count() as f64 / test.len() as f64);
    Ok(())
}

/// An image drawn somewhat slanted, turned, wider or narrower, with other lines, and brought back to
/// 8×8 as a drawing on the page is.
fn redrawn(image: &Input<DigitNet>, rng: &mut impl Rng) -> Option<Input<DigitNet>> {
    let (turn, slant) = (rng.random_range(-0.2..0.2_f32), rng.random_range(-0.2..0.2_f32));
    let wide = rng.random_range(0.75..1.3_f32);
    let edge = rng.random_range(0.3..0.55_f32);
    let waves = rng.random_range(0.0..0.2_f32);
    let phases = [rng.random_range(0.0..6.3_f32), rng.random_range(0.0..6.3_f32)];
    let (sin, cos) = turn.sin_cos();
    let middle = 0.5 * SIDE as f32;
    let shade = |i: usize| {
        let y = (i / SIDE) as f32 + 0.5 - middle;
        let x = (i % SIDE) as f32 + 0.5 - middle;
        let (x, y) = (cos * x + sin * y, cos * y - sin * x);
        let (x, y) = ((x + slant * y) / wide, y);
        // 10 pixels of 8×8 in the picture's height, so that a digit stays within it.
        let (x, y) = (10.0 * x / SIDE as f32, 10.0 * y / SIDE as f32);
        let x = x + waves * (y + phases[0]).sin() + 4.0;
        let y = y + waves * (x + phases[1]).sin() + 4.0;
        if between(&image[0], x, y) > edge { 0 } else { 255 }
    };
    let pixels: Vec<u8> = (0..SIDE * SIDE).map(shade).collect();
    input(&Picture::new(SIDE, SIDE, &pixels)?)
}

/// An image's ink at a point, between the middles of its pixels.
fn between(image: &[[f32; 8]; 8], x: f32, y: f32) -> f32 {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let (right, down) = (x - left, y - top);
    let at = |row: f32, column: f32| {
        let inside = (0.0..8.0).contains(&row) && (0.0..8.0).contains(&column);
        if inside { image[row as usize][column as usize] } else { 0.0 }
    };
    let across = |row| at(row, left) * (1.0 - right) + at(row, left + 1.0) * right;
    across(top) * (1.0 - down) + across(top + 1.0) * down
}
