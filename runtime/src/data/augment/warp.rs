//! Changes that move pixels by fractions of a pixel: rotation, scale, translation and elastic deformation.
//! Those that follow one another are one map, so that the image is interpolated once.

use rand::RngExt;

use super::draw::Dice;
use super::picture::{Border, Picture, Scratch};

/// From where each pixel is taken: `matrix · (position + field) + shift`, positions from the centre of the
/// image, column first.
#[derive(Clone, Copy)]
pub(super) struct Warp {
    matrix: [[f64; 2]; 2],
    shift: [f64; 2],
    /// Whether the scratch memory has a field.
    has_field: bool,
    border: Border,
}

/// A part of such a map.
#[derive(Clone, Copy)]
pub(super) enum Move {
    /// Counter-clockwise, in degrees.
    Rotation(f64),
    /// To so many times the size.
    Scale(f64),
    /// By so many columns and rows.
    Translation([f64; 2]),
}

impl Warp {
    pub(super) fn new(border: Border) -> Warp {
        Warp { matrix: [[1.0, 0.0], [0.0, 1.0]], shift: [0.0; 2], has_field: false, border }
    }

    /// Whether a change can be put into the same map.
    pub(super) fn takes(&self, border: Border) -> bool {
        !self.has_field && self.border == border
    }

    /// The map that makes the changes so far, and then this one. A new pixel is taken from where the
    /// earlier changes would take the pixel at `inverse · position + back`.
    pub(super) fn then(self, change: Move) -> Warp {
        let (inverse, back) = match change {
            Move::Rotation(degrees) => {
                let (sin, cos) = libm::sincos(degrees.to_radians());
                // Rows run downwards.
                ([[cos, -sin], [sin, cos]], [0.0; 2])
            }
            Move::Scale(factor) => ([[1.0 / factor, 0.0], [0.0, 1.0 / factor]], [0.0; 2]),
            Move::Translation([x, y]) => ([[1.0, 0.0], [0.0, 1.0]], [-x, -y]),
        };
        let [first, second] = self.matrix;
        let row = |row: [f64; 2]| {
            let column = |c: usize| row[0] * inverse[0][c] + row[1] * inverse[1][c];
            [column(0), column(1)]
        };
        let add = |row: [f64; 2], shift: f64| row[0] * back[0] + row[1] * back[1] + shift;
        Warp {
            matrix: [row(first), row(second)],
            shift: [add(first, self.shift[0]), add(second, self.shift[1])],
            ..self
        }
    }

    /// Adds random displacements: numbers of -1..1, smoothed by a Gaussian of the standard deviation
    /// `sigma`, times `alpha`; both in pixels.
    pub(super) fn then_elastic(
        self,
        [height, width]: [usize; 2],
        alpha: f64,
        sigma: f64,
        dice: &mut Dice,
        scratch: &mut Scratch,
    ) -> Warp {
        gaussian(sigma, alpha, &mut scratch.kernel);
        for field in &mut scratch.field {
            field.clear();
            let random = dice.generator();
            field.extend((0..height * width).map(|_| 2.0 * random.random::<f32>() - 1.0));
            scratch.old.resize(height * width, 0.0);
            // Along the rows, then along the columns; the square root of alpha is in each.
            smooth(field, &mut scratch.old, &scratch.kernel, width, 1);
            smooth(&scratch.old, field, &scratch.kernel, height, width);
        }
        Warp { has_field: true, ..self }
    }

    /// Takes every pixel from its place, by bilinear interpolation.
    pub(super) fn apply(&self, picture: &mut Picture<'_>, scratch: &mut Scratch) {
        let Scratch { old, field, .. } = scratch;
        old.clear();
        old.extend_from_slice(picture.numbers);
        let (height, width) = (picture.height, picture.width);
        let area = height * width;
        let center = [(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0];
        let black: [f32; 4] =
            std::array::from_fn(|c| if c < picture.channels { picture.black(c) } else { 0.0 });
        for y in 0..height {
            for x in 0..width {
                let at = y * width + x;
                let mut from = [x as f64 - center[0], y as f64 - center[1]];
                if self.has_field {
                    from = [from[0] + f64::from(field[0][at]), from[1] + f64::from(field[1][at])];
                }
                let place = |row: [f64; 2], shift| row[0] * from[0] + row[1] * from[1] + shift;
                let column = place(self.matrix[0], self.shift[0]) + center[0];
                let row = place(self.matrix[1], self.shift[1]) + center[1];
                let taps = Taps::new([row, column], [height, width], self.border);
                for (channel, plane) in old.chunks_exact(area).enumerate() {
                    let black = black.get(channel).copied();
                    let black = black.unwrap_or_else(|| picture.black(channel));
                    picture.numbers[channel * area + at] = taps.read(plane, black);
                }
            }
        }
    }
}

/// The four pixels around a place, and the share of the lower and of the right ones.
struct Taps {
    pixels: [Option<usize>; 4],
    down: f32,
    right: f32,
}

impl Taps {
    fn new([row, column]: [f64; 2], [height, width]: [usize; 2], border: Border) -> Taps {
        let (top, left) = (libm::floor(row), libm::floor(column));
        // A place that is out of all reach is as black, or as mirrored, as one that is nearer.
        let [y, x] = [top, left].map(|at| at.clamp(-1e9, 1e9) as isize);
        let pixel =
            |y: isize, x: isize| Some(border.pixel(y, height)? * width + border.pixel(x, width)?);
        Taps {
            pixels: [pixel(y, x), pixel(y, x + 1), pixel(y + 1, x), pixel(y + 1, x + 1)],
            down: (row - top) as f32,
            right: (column - left) as f32,
        }
    }

    fn read(&self, plane: &[f32], black: f32) -> f32 {
        let [a, b, c, d] = self.pixels.map(|pixel| pixel.map_or(black, |pixel| plane[pixel]));
        let mix = |from: f32, to: f32, share: f32| from * (1.0 - share) + to * share;
        mix(mix(a, b, self.right), mix(c, d, self.right), self.down)
    }
}

/// The weights of a Gaussian up to four deviations, which add up to `√total`: twice applied, to `total`.
fn gaussian(sigma: f64, total: f64, kernel: &mut Vec<f32>) {
    let radius = libm::ceil(4.0 * sigma) as i64;
    let weight = |at: i64| libm::exp(-((at * at) as f64) / (2.0 * sigma * sigma));
    let sum: f64 = (-radius..=radius).map(weight).sum();
    let factor = libm::sqrt(total) / sum;
    kernel.clear();
    kernel.extend((-radius..=radius).map(|at| (weight(at) * factor) as f32));
}

/// Smooths lines of `len` numbers that stand `stride` apart; there are zeros around them.
fn smooth(from: &[f32], to: &mut [f32], kernel: &[f32], len: usize, stride: usize) {
    let radius = kernel.len() / 2;
    to.fill(0.0);
    for (tap, &weight) in kernel.iter().enumerate() {
        // `to[at] += weight · from[at + tap − radius]`, along each line.
        let start = radius.saturating_sub(tap);
        let end = (len + radius).saturating_sub(tap).min(len);
        if start >= end {
            continue;
        }
        let source = start + tap - radius;
        if stride == 1 {
            for (to, from) in to.chunks_exact_mut(len).zip(from.chunks_exact(len)) {
                let pairs = to[start..end].iter_mut().zip(&from[source..]);
                pairs.for_each(|(to, from)| *to += weight * from);
            }
        } else {
            let count = (end - start) * stride;
            let pairs = to[start * stride..][..count].iter_mut().zip(&from[source * stride..]);
            pairs.for_each(|(to, from)| *to += weight * from);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::draw::Draw;
    use super::*;

    fn warped(numbers: &[f32], [height, width]: [usize; 2], warp: Warp) -> Vec<f32> {
        let mut numbers = numbers.to_vec();
        let mut picture =
            Picture { numbers: &mut numbers, channels: 1, height, width, normalization: None };
        warp.apply(&mut picture, &mut Scratch::default());
        numbers
    }

    fn near(found: &[f32], expected: &[f32]) -> bool {
        found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-5)
    }

    #[test]
    fn known_moves_do_what_they_say() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let moved = |moves: &[Move], border| {
            let warp = moves.iter().fold(Warp::new(border), |warp, &one| warp.then(one));
            warped(&image, [3, 3], warp)
        };
        let turned = [3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0];
        assert!(near(&moved(&[Move::Rotation(90.0)], Border::Zeros), &turned));
        let back = [Move::Rotation(90.0), Move::Rotation(-90.0)];
        assert!(near(&moved(&back, Border::Replicate), &image));

        let right = Move::Translation([1.0, 0.0]);
        let expected = [0.0, 1.0, 2.0, 0.0, 4.0, 5.0, 0.0, 7.0, 8.0];
        assert_eq!(moved(&[right], Border::Zeros), expected);
        let expected = [2.0, 1.0, 2.0, 5.0, 4.0, 5.0, 8.0, 7.0, 8.0];
        assert_eq!(moved(&[right], Border::Reflect), expected);
        let half_down = Move::Translation([0.0, 0.5]);
        let expected = [0.5, 1.0, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5];
        assert_eq!(moved(&[half_down], Border::Zeros), expected);

        // To the right, then turned: it is upwards then, and the other way round it is not.
        let up = moved(&[right, Move::Rotation(90.0)], Border::Zeros);
        assert!(near(&up, &[2.0, 5.0, 8.0, 1.0, 4.0, 7.0, 0.0, 0.0, 0.0]), "{up:?}");
        let other = moved(&[Move::Rotation(90.0), right], Border::Zeros);
        assert!(near(&other, &[0.0, 3.0, 6.0, 0.0, 2.0, 5.0, 0.0, 1.0, 4.0]), "{other:?}");

        let twice = moved(&[Move::Scale(2.0)], Border::Zeros);
        assert_eq!(twice, [3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.5, 7.0]);
        let half = moved(&[Move::Scale(0.5)], Border::Zeros);
        assert_eq!(half, [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn outside_reach_there_is_black_or_a_mirror_image() {
        let far = Warp::new(Border::Zeros).then(Move::Translation([1e300, -1e300]));
        assert_eq!(warped(&[1.0; 6], [2, 3], far), [0.0; 6]);
        for border in [Border::Reflect, Border::Replicate] {
            let far = Warp::new(border).then(Move::Translation([1e300, -1e300]));
            assert_eq!(warped(&[1.0; 6], [2, 3], far), [1.0; 6]);
        }
    }

    #[test]
    fn smoothing_is_a_convolution() {
        for (height, width, taps) in [(5, 7, 3), (4, 3, 9), (1, 6, 5), (6, 1, 5), (9, 8, 1)] {
            let from: Vec<f32> = (0..height * width).map(|i| (i * 7 % 11) as f32).collect();
            let kernel: Vec<f32> = (0..taps).map(|i| 1.0 + i as f32).collect();
            let naive = |y: usize, x: usize, vertical: bool| -> f32 {
                let radius = taps as isize / 2;
                let tap = |tap: usize| {
                    let by = tap as isize - radius;
                    let (y, x) = if vertical {
                        (y as isize + by, x as isize)
                    } else {
                        (y as isize, x as isize + by)
                    };
                    let inside =
                        (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
                    if inside { kernel[tap] * from[y as usize * width + x as usize] } else { 0.0 }
                };
                (0..taps).map(tap).sum()
            };
            for vertical in [false, true] {
                let mut to = vec![f32::NAN; from.len()];
                let (len, stride) = if vertical { (height, width) } else { (width, 1) };
                smooth(&from, &mut to, &kernel, len, stride);
                for (at, found) in to.iter().enumerate() {
                    let expected = naive(at / width, at % width, vertical);
                    assert!((found - expected).abs() <= 1e-3, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_kernel_has_the_sum_and_the_deviation_that_it_should() {
        for (sigma, total) in [(1.0, 1.0), (4.0, 34.0), (7.5, 100.0)] {
            let mut kernel = Vec::new();
            gaussian(sigma, total, &mut kernel);
            let sum: f64 = kernel.iter().map(|&x| f64::from(x)).sum();
            assert!((sum * sum / total - 1.0).abs() <= 1e-5, "{sum}");
            let radius = (kernel.len() / 2) as f64;
            let squares: f64 =
                (0..kernel.len()).map(|i| f64::from(kernel[i]) * (i as f64 - radius).powi(2)).sum();
            assert!(((squares / sum).sqrt() / sigma - 1.0).abs() <= 0.02);
        }
    }

    proptest! {
        /// One map for several moves against maps that are interpolated one by one: the same for an
        /// image that is linear, as far from the border.
        #[test]
        fn moves_add_up(
            angles in prop::array::uniform2(-40.0f64..40.0),
            factor in 0.8f64..1.2,
            by in prop::array::uniform2(-3.0f64..3.0),
        ) {
            let side = 41;
            let image: Vec<f32> =
                (0..side * side).map(|i| (i / side) as f32 * 0.3 + (i % side) as f32).collect();
            let moves = [
                Move::Rotation(angles[0]),
                Move::Translation(by),
                Move::Scale(factor),
                Move::Rotation(angles[1]),
            ];
            let new = Warp::new(Border::Replicate);
            let at_once = moves.iter().fold(new, |warp, &one| warp.then(one));
            let at_once = warped(&image, [side; 2], at_once);
            let one_by_one =
                moves.iter().fold(image, |image, &one| warped(&image, [side; 2], new.then(one)));
            for y in 15..26 {
                for x in 15..26 {
                    let (a, b) = (at_once[y * side + x], one_by_one[y * side + x]);
                    prop_assert!((a - b).abs() <= 1e-3, "{} {}", a, b);
                }
            }
        }

        /// Against bilinear interpolation by the book, in f64, over the image with its surroundings.
        #[test]
        fn interpolation_is_bilinear(
            height in 1..9usize,
            width in 1..9usize,
            angle in -180.0f64..180.0,
            factor in 0.3f64..3.0,
            by in prop::array::uniform2(-5.0f64..5.0),
            is_elastic: bool,
            border in prop::sample::select(vec![Border::Zeros, Border::Reflect, Border::Replicate]),
        ) {
            let numbers: Vec<f32> =
                (0..height * width).map(|i| ((i * 37 + 11) % 17) as f32 / 16.0).collect();
            let mut scratch = Scratch::default();
            let mut warp = Warp::new(border)
                .then(Move::Rotation(angle))
                .then(Move::Scale(factor))
                .then(Move::Translation(by));
            if is_elastic {
                let mut dice = Dice::of(Draw::default());
                warp = warp.then_elastic([height, width], 6.0, 1.5, &mut dice, &mut scratch);
            }
            let field = scratch.field.clone();
            let mut found = numbers.clone();
            let mut picture =
                Picture { numbers: &mut found, channels: 1, height, width, normalization: None };
            warp.apply(&mut picture, &mut scratch);

            let step = |at: i64, len: usize| {
                let len = len as i64;
                let mut at = at;
                while !(0..len).contains(&at) {
                    at = match border {
                        Border::Zeros => return None,
                        Border::Replicate => at.clamp(0, len - 1),
                        Border::Reflect if len == 1 => 0,
                        Border::Reflect if at < 0 => -at,
                        Border::Reflect => 2 * (len - 1) - at,
                    };
                }
                Some(at as usize)
            };
            let value = |y: i64, x: i64| match (step(y, height), step(x, width)) {
                (Some(y), Some(x)) => f64::from(numbers[y * width + x]),
                _ => 0.0,
            };
            let (sin, cos) = angle.to_radians().sin_cos();
            for (at, &found) in found.iter().enumerate() {
                let [mut x, mut y] = [at % width, at / width].map(|at| at as f64);
                let [cx, cy] = [width, height].map(|side| (side as f64 - 1.0) / 2.0);
                if is_elastic {
                    x += f64::from(field[0][at]);
                    y += f64::from(field[1][at]);
                }
                let [x, y] = [(x - cx - by[0]) / factor, (y - cy - by[1]) / factor];
                let [x, y] = [cos * x - sin * y + cx, sin * x + cos * y + cy];
                let (x0, y0) = (x.floor(), y.floor());
                let (px, py) = (x - x0, y - y0);
                let (x0, y0) = (x0 as i64, y0 as i64);
                let expected = (1.0 - py) * ((1.0 - px) * value(y0, x0) + px * value(y0, x0 + 1))
                    + py * ((1.0 - px) * value(y0 + 1, x0) + px * value(y0 + 1, x0 + 1));
                prop_assert!((f64::from(found) - expected).abs() <= 1e-4, "{} {}", found, expected);
            }
        }
    }
}
