//! Changes that move pixels by parts of a pixel: rotation, scale, translation and elastic deformation.
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
        let pixel = |y: isize, x: isize| {
            Some(border.pixel(y, height)? * width + border.pixel(x, width)?)
        };
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
