//! The net, for the program that trains it and for those that use it.

use typenet::prelude::*;

network! {
    /// Tells handwritten digits apart, in grey images of 8×8 pixels.
    #[cfg_attr(feature = "pretrained", weights("digits.safetensors"))]
    pub struct Digits: [1, 8, 8] -> [10] {
        conv1: conv2d(16, kernel = 3, padding = 1), relu,
        conv2: conv2d(32, kernel = 3, padding = 1), relu,
        max_pool2d(2),
        flatten,
        dropout(0.25),
        fc1: linear(64), relu,
        fc2: linear(10),
    }
}

/// The images to train on, and those to test with.
pub fn data() -> Result<[Dataset<Input<Digits>>; 2], typenet::Error> {
    // One digit a line: 64 numbers from 0 (paper) to 16 (ink), and which digit it is.
    let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.csv.gz");
    let (train, test) = Dataset::from_csv(path, &csv)?.split(0.2, 7)?;
    Ok([train, test])
}
