//! Changes that move whole pixels.

use super::draw::Dice;
use super::picture::{Border, Picture, Scratch};

/// Moves the image by up to `padding` pixels in each direction: what is cut at random from the image with
/// so many more around it.
pub(super) fn crop(
    picture: &mut Picture<'_>,
    padding: usize,
    border: Border,
    dice: &mut Dice,
    scratch: &mut Scratch,
) {
    let [down, right] = [(); 2].map(|()| dice.whole(0, 2 * padding) as isize - padding as isize);
    if [down, right] != [0, 0] {
        shift(picture, down, right, border, &mut scratch.old);
    }
}

/// Takes the pixels of each row from `right` columns further right, and each row from `down` rows below.
fn shift(picture: &mut Picture<'_>, down: isize, right: isize, border: Border, old: &mut Vec<f32>) {
    old.clear();
    old.extend_from_slice(picture.numbers);
    let (height, width) = (picture.height, picture.width);
    // The columns whose pixels are in the image.
    let first = (-right).clamp(0, width as isize) as usize;
    let end = (width as isize - right).clamp(0, width as isize) as usize;
    for channel in 0..picture.channels {
        let black = picture.black(channel);
        for y in 0..height {
            let new = &mut picture.numbers[(channel * height + y) * width..][..width];
            let Some(from) = border.pixel(y as isize + down, height) else {
                new.fill(black);
                continue;
            };
            let row = &old[(channel * height + from) * width..][..width];
            if first < end {
                let start = (first as isize + right) as usize;
                new[first..end].copy_from_slice(&row[start..][..end - first]);
            }
            for x in (0..first.min(width)).chain(end.max(first)..width) {
                let pixel = border.pixel(x as isize + right, width);
                new[x] = pixel.map_or(black, |pixel| row[pixel]);
            }
        }
    }
}

/// Left becomes right.
pub(super) fn flip_horizontally(picture: &mut Picture<'_>) {
    let width = picture.width;
    picture.numbers.chunks_exact_mut(width).for_each(<[f32]>::reverse);
}

/// Top becomes bottom.
pub(super) fn flip_vertically(picture: &mut Picture<'_>) {
    let (height, width) = (picture.height, picture.width);
    for plane in picture.planes() {
        for y in 0..height / 2 {
            let (above, below) = plane.split_at_mut((height - 1 - y) * width);
            above[y * width..][..width].swap_with_slice(&mut below[..width]);
        }
    }
}
