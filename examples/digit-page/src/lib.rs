//! A net that tells drawn digits apart, with its weights, what makes its input of a drawing, and the
//! page to draw on. The example `server` serves them; the example `web` runs them in the browser.

mod normalize;
mod picture;

use typenet::prelude::*;

pub use picture::Picture;

network! {
    /// A convolutional net for 8×8 grey images of digits. `train.rs` wrote its weights.
    #[weights("digits.safetensors")]
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

/// The page: it calls the function `predict` of the script beside it, `predict.js`.
pub const PAGE: &str = include_str!("../page/index.html");

/// A drawing as the net's input: brought to the size and the strength of line of the images that it
/// has learnt. `None` when nothing is drawn.
pub fn input(picture: &Picture<'_>) -> Option<Input<DigitNet>> {
    normalize::normalized(picture)
}
