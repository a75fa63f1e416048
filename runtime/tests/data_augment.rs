//! Random changes of images: what each does, how often, and that nothing else decides it than seed, epoch
//! and index.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "data_augment/colors.rs"]
mod colors;
#[path = "data_augment/mistakes.rs"]
mod mistakes;
#[path = "data_augment/moves.rs"]
mod moves;
#[path = "data_augment/sources.rs"]
mod sources;

use typenet_runtime::data::{ArrayShape, Augment, Draw};

/// An image of numbers 0..=1 that are all different.
pub(crate) fn image<I: ArrayShape + Clone>() -> I {
    let len = I::LEN as f32;
    let numbers: Vec<f32> =
        (0..I::LEN).map(|i| ((i * 7 % I::LEN) as f32 + 0.5) / (len + 1.0)).collect();
    I::from_flat(&numbers).unwrap().clone()
}

/// The image after the changes of a draw.
pub(crate) fn changed<I: ArrayShape + Clone>(augment: &Augment, image: &I, draw: Draw) -> I {
    let mut image = image.clone();
    augment.apply(&mut image, draw).unwrap();
    image
}

/// Draws for so many images, over seeds and epochs.
pub(crate) fn draws(count: usize) -> impl Iterator<Item = Draw> {
    (0..count).map(|i| Draw { seed: (i % 3) as u64, epoch: i / 3 % 7, index: i / 21 })
}

pub(crate) fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Whether something happened about as often as it should: within five deviations.
pub(crate) fn is_about(count: usize, of: usize, probability: f64) -> bool {
    let expected = of as f64 * probability;
    let deviation = (expected * (1.0 - probability)).sqrt();
    (count as f64 - expected).abs() <= 5.0 * deviation + 1e-9
}
