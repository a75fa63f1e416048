//! Uses the trained net, whose weights are part of the program.

use net::Digits;
use typenet::prelude::*;

/// A seven.
const IMAGE: [&str; 8] = [
    ".######.", //
    ".######.",
    ".....##.",
    "....##..",
    "...##...",
    "...##...",
    "..##....",
    "..##....",
];

fn main() {
    let net = Digits::pretrained();
    let mut image = [[[0.0; 8]; 8]];
    for (row, line) in image[0].iter_mut().zip(IMAGE) {
        for (ink, mark) in row.iter_mut().zip(line.chars()) {
            *ink = if mark == '#' { 1.0 } else { 0.0 };
        }
    }
    for (digit, probability) in net.top_k(&image, 3) {
        println!("{digit}: {:.1} %", 100.0 * probability);
    }
}
