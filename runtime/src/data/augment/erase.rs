//! Changes that hide a part of the image.

use super::draw::Dice;
use super::picture::Picture;

/// How often a rectangle is drawn that may not fit.
const TRIES: usize = 10;

/// Hides a square of this side around a pixel, or what of it is in the image.
pub(super) fn cutout(picture: &mut Picture<'_>, size: usize, dice: &mut Dice) {
    let [rows, columns] = [picture.height, picture.width].map(|side| {
        let center = dice.whole(0, side - 1);
        let end = (center + size - size / 2).min(side);
        center.saturating_sub(size / 2)..end
    });
    erase(picture, rows, columns);
}

/// Hides a rectangle of this share of the area and this ratio of height to width.
pub(super) fn erasing(
    picture: &mut Picture<'_>,
    probability: f64,
    scale: [f64; 2],
    ratio: [f64; 2],
    dice: &mut Dice,
) {
    if !dice.happens(probability) {
        return;
    }
    let (height, width) = (picture.height, picture.width);
    for _ in 0..TRIES {
        let area = (height * width) as f64 * dice.between(scale[0], scale[1]);
        let aspect = libm::exp(dice.between(libm::log(ratio[0]), libm::log(ratio[1])));
        let rows = libm::round(libm::sqrt(area * aspect)) as usize;
        let columns = libm::round(libm::sqrt(area / aspect)) as usize;
        if rows < height && columns < width {
            let top = dice.whole(0, height - rows);
            let left = dice.whole(0, width - columns);
            return erase(picture, top..top + rows, left..left + columns);
        }
    }
}

/// 0 is the mean of normalised images, and black of others.
fn erase(picture: &mut Picture<'_>, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
    let width = picture.width;
    for plane in picture.planes() {
        for y in rows.clone() {
            plane[y * width..][columns.clone()].fill(0.0);
        }
    }
}
