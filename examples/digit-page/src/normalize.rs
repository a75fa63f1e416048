//! From a drawing of any size to the 8×8 numbers that the net has learnt from.
//!
//! The images of its data set were made of bitmaps of 32×32, in which each digit is as high as the
//! bitmap, mostly three quarters as wide at most, and has been given lines so thick that they cover
//! three tenths of it, whatever the digit (0.30 ± 0.03). A pixel of 8×8 says how much of 4×4 is ink.

use crate::picture::{Bounds, Ink, Picture};

/// Rows and columns of the data set's bitmaps.
const BITMAP: usize = 32;
/// Rows and columns of its images.
const IMAGE: usize = 8;
/// How wide a digit is at most, of its height: a wider one is squeezed.
const WIDEST: f32 = 0.75;
/// How much of a bitmap is ink.
const INK: f32 = 0.30;

/// The longer side of a drawing in the field in which its lines get their thickness.
const SIDE: usize = 2 * BITMAP;
/// How far lines may grow: that of a 1 as thin as can be needs 13.
const MARGIN: usize = 20;
const FIELD: usize = SIDE + 2 * MARGIN;
/// How far lines may shrink.
const SHRINK: f32 = 8.0;
/// Half steps between the least and the most.
const STEPS: usize = 2 * (MARGIN - 1) + 2 * SHRINK as usize;

/// The net's input for a drawing; `None` when there is no ink in it.
pub(crate) fn normalized(picture: &Picture<'_>) -> Option<[[[f32; IMAGE]; IMAGE]; 1]> {
    let ink = picture.ink()?;
    let distances = Distances::of(&ink, ink.bounds()?);
    Some([distances.image(distances.level()?)])
}

/// How far each place of the field is from the edge of the ink: less than zero within it.
struct Distances(Vec<f32>);

impl Distances {
    fn of(ink: &Ink, bounds: Bounds) -> Distances {
        let inked = in_field(ink, bounds);
        let outside = distances(&inked);
        let paper: Vec<bool> = inked.iter().map(|ink| !ink).collect();
        let inside = distances(&paper);
        // The edge is half way between ink and paper.
        let signed = |(out, within): (f32, f32)| if out > 0.0 { out - 0.5 } else { 0.5 - within };
        Distances(outside.into_iter().zip(inside).map(signed).collect())
    }

    /// Up to which distance places count as ink, so that the bitmap has as much as in the data set.
    fn level(&self) -> Option<f32> {
        let level = |step: usize| 0.5 * step as f32 - SHRINK;
        // The higher the level, the more ink.
        let (mut below, mut above) = (0, STEPS);
        while below < above {
            let middle = below.midpoint(above);
            if self.covered(level(middle)).is_none_or(|ink| ink < INK) {
                below = middle + 1;
            } else {
                above = middle;
            }
        }
        let off = |step| Some(((self.covered(level(step))? - INK).abs(), level(step)));
        let nearest = [above.saturating_sub(1), above].into_iter().filter_map(off);
        nearest.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, level)| level)
    }

    /// How much of its bitmap the ink up to a level covers.
    fn covered(&self, level: f32) -> Option<f32> {
        let bounds = self.bounds(level)?;
        let count = self.0.iter().filter(|&&distance| distance <= level).count();
        let (height, width) = (bounds.height() as f32, bounds.width() as f32);
        Some(count as f32 * (WIDEST * height / width).min(1.0) / (height * height))
    }

    fn bounds(&self, level: f32) -> Option<Bounds> {
        let inked = self.0.iter().enumerate().filter(|&(_, &distance)| distance <= level);
        Bounds::around(inked.map(|(i, _)| (i / FIELD, i % FIELD)))
    }

    /// The bitmap of the ink up to a level, and of that the 4×4 blocks.
    fn image(&self, level: f32) -> [[f32; IMAGE]; IMAGE] {
        let mut image = [[0.0; IMAGE]; IMAGE];
        let Some(bounds) = self.bounds(level) else { return image };
        let (height, width) = (bounds.height() as f32, bounds.width() as f32);
        let down = height / BITMAP as f32;
        let across = down * (width / (WIDEST * height)).max(1.0);
        let middle = bounds.left as f32 + 0.5 * width;
        for row in 0..BITMAP {
            for column in 0..BITMAP {
                let y = bounds.top as f32 + (row as f32 + 0.5) * down;
                let x = middle + (column as f32 + 0.5 - 0.5 * BITMAP as f32) * across;
                if self.at(y, x) <= level {
                    let block = BITMAP / IMAGE;
                    image[row / block][column / block] += 1.0 / (block * block) as f32;
                }
            }
        }
        image
    }

    /// The distance at a point, between the middles of places.
    fn at(&self, y: f32, x: f32) -> f32 {
        let cell = |at: f32| {
            let at = (at - 0.5).clamp(0.0, (FIELD - 2) as f32 + 0.999);
            (at as usize, at.fract())
        };
        let ((row, down), (column, right)) = (cell(y), cell(x));
        let of = |row: usize, column: usize| self.0[row * FIELD + column];
        let across = |row| of(row, column) * (1.0 - right) + of(row, column + 1) * right;
        across(row) * (1.0 - down) + across(row + 1) * down
    }
}

/// The ink in the middle of the field, its longer side [`SIDE`] long. A place with any ink is ink: a
/// thin line must not get lost.
fn in_field(ink: &Ink, bounds: Bounds) -> Vec<bool> {
    let longer = bounds.height().max(bounds.width());
    let scaled = |length: usize| (length * SIDE).div_ceil(longer).min(SIDE);
    let (rows, columns) = (scaled(bounds.height()), scaled(bounds.width()));
    let (top, left) = ((FIELD - rows) / 2, (FIELD - columns) / 2);
    let mut inked = vec![false; FIELD * FIELD];
    for row in 0..rows {
        let ys = share(row, rows, bounds.height());
        for column in 0..columns {
            let xs = share(column, columns, bounds.width());
            let any = |y| xs.clone().any(|x| ink.at(bounds.top + y, bounds.left + x));
            inked[(top + row) * FIELD + left + column] = ys.clone().any(any);
        }
    }
    inked
}

/// Which of `many` the `index`-th of `parts` has: one at least.
fn share(index: usize, parts: usize, many: usize) -> std::ops::Range<usize> {
    let first = index * many / parts;
    first..((index + 1) * many / parts).max(first + 1)
}

/// How far each place of the field is from the next one that is in the set, as far as lines may grow.
fn distances(set: &[bool]) -> Vec<f32> {
    // First along the rows, then of those the least along the columns.
    let far = (FIELD * FIELD) as f32;
    let mut along = vec![far; FIELD * FIELD];
    for (row, set) in along.chunks_exact_mut(FIELD).zip(set.chunks_exact(FIELD)) {
        let mut last = FIELD as f32;
        for (distance, &is_in) in row.iter_mut().zip(set) {
            last = if is_in { 0.0 } else { last + 1.0 };
            *distance = last;
        }
        last = FIELD as f32;
        for (distance, &is_in) in row.iter_mut().zip(set).rev() {
            last = if is_in { 0.0 } else { last + 1.0 };
            *distance = distance.min(last);
        }
    }
    let mut squares = vec![far; FIELD * FIELD];
    for row in 0..FIELD {
        let near = row.saturating_sub(MARGIN)..(row + MARGIN + 1).min(FIELD);
        let of_row = &mut squares[row * FIELD..][..FIELD];
        for other in near {
            let down = row.abs_diff(other) as f32;
            for (square, across) in of_row.iter_mut().zip(&along[other * FIELD..][..FIELD]) {
                *square = square.min(across * across + down * down);
            }
        }
    }
    squares.into_iter().map(f32::sqrt).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of `side`×`side` with ink where `is_ink` says, of coordinates in 0..=1.
    fn image(side: usize, is_ink: impl Fn(f32, f32) -> bool) -> Option<[[f32; 8]; 8]> {
        let at = |i: usize| (i as f32 + 0.5) / side as f32;
        let shade = |i: usize| if is_ink(at(i % side), at(i / side)) { 0 } else { 255 };
        let pixels: Vec<u8> = (0..side * side).map(shade).collect();
        Some(normalized(&Picture::new(side, side, &pixels)?)?[0])
    }

    /// A ring, as thick as `thick`.
    fn ring(side: usize, radius: f32, thick: f32) -> [[f32; 8]; 8] {
        let is_ink = |x: f32, y: f32| {
            let from_middle = ((x - 0.5) / 0.7).hypot(y - 0.5);
            (from_middle - radius).abs() < 0.5 * thick
        };
        image(side, is_ink).unwrap_or_default()
    }

    #[test]
    fn an_empty_picture_has_no_image() {
        assert_eq!(image(20, |_, _| false), None);
        assert_eq!(image(20, |_, _| true), None);
    }

    #[test]
    fn size_place_and_thickness_of_line_hardly_matter() {
        let usual = ring(100, 0.3, 0.08);
        for (side, radius, thick) in
            [(300, 0.3, 0.08), (100, 0.4, 0.04), (100, 0.15, 0.06), (40, 0.4, 0.1)]
        {
            let other = ring(side, radius, thick);
            let off: f32 = usual
                .as_flattened()
                .iter()
                .zip(other.as_flattened())
                .map(|(a, b)| (a - b).abs())
                .sum();
            assert!(off / 64.0 < 0.08, "{side} {radius} {thick}: {off}, {other:?}");
        }
    }

    #[test]
    fn three_tenths_are_ink() {
        for picture in [ring(100, 0.3, 0.02), ring(64, 0.4, 0.2)] {
            let ink: f32 = picture.as_flattened().iter().sum::<f32>() / 64.0;
            assert!((ink - INK).abs() < 0.04, "{ink}");
        }
    }

    #[test]
    fn a_thin_line_is_a_thick_one_in_the_middle() {
        let image = image(300, |x, y| (x - 0.2).abs() < 0.003 && (0.1..0.9).contains(&y))
            .unwrap_or_default();
        assert!(image.iter().all(|row| row[0] == 0.0 && row[7] == 0.0), "{image:?}");
        assert!(image.iter().all(|row| row[3] > 0.4 && row[4] > 0.4), "{image:?}");
    }

    #[test]
    fn odd_shapes_are_no_trouble() {
        for side in [1, 2, 3, 50] {
            let _ = image(side, |x, _| x < 0.4);
            let _ = image(side, |_, y| (y - 0.5).abs() < 0.01);
            let _ = image(side, |x, y| (x * 37.0 + y * 91.0).fract() < 0.5);
        }
    }
}
