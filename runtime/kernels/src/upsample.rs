//! Enlarging images by whole factors, as PyTorch's `Upsample`: see [`Upsample2d`] for which places of
//! the input a place of the output lies between.

use typenet_shape::{Interpolation, Upsample2d};

use super::simd::{Kernel, Simd};
use super::{Isa, Lanes};

/// Overwrites `y`.
///
/// # Panics
/// When the geometry breaks a rule of [`Upsample2d::output`], a slice has not the length that it
/// asks for, or this machine lacks `isa`.
pub fn forward(isa: Isa, g: &Upsample2d, x: &[Lanes], y: &mut [Lanes]) {
    check(g, x.len(), y.len());
    match g.mode {
        Interpolation::Nearest => nearest(g, x, y),
        Interpolation::Bilinear => isa.run(Bilinear { g, x, y }),
    }
}

/// Each gradient goes to the places that its number was made of, in proportion to their shares;
/// overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward(isa: Isa, g: &Upsample2d, dy: &[Lanes], dx: &mut [Lanes]) {
    check(g, dx.len(), dy.len());
    match g.mode {
        Interpolation::Nearest => isa.run(NearestBackward { g, dy, dx }),
        Interpolation::Bilinear => isa.run(BilinearBackward { g, dy, dx }),
    }
}

#[allow(clippy::panic)]
fn check(g: &Upsample2d, x: usize, y: usize) {
    match g.output() {
        Ok(output) => assert_eq!(y, output.elements(), "the output's length"),
        Err(error) => panic!("no geometry of an enlargement: {error:?}"),
    }
    assert_eq!(x, g.input.elements(), "the input's length");
}

fn nearest(g: &Upsample2d, x: &[Lanes], y: &mut [Lanes]) {
    let [height, width] = g.scale;
    let row = g.input.dim(2);
    for (x, y) in x.chunks_exact(row).zip(y.chunks_exact_mut(row * width * height)) {
        for (x, y) in x.iter().zip(y.chunks_exact_mut(width)) {
            y.fill(*x);
        }
        for copy in 1..height {
            y.copy_within(..row * width, copy * row * width);
        }
    }
}

struct NearestBackward<'a> {
    g: &'a Upsample2d,
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for NearestBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [height, width] = self.g.scale;
        let row = self.g.input.dim(2);
        let rows = self.dy.chunks_exact(row * width * height);
        for (dy, dx) in rows.zip(self.dx.chunks_exact_mut(row)) {
            for (column, dx) in dx.iter_mut().enumerate() {
                for part in 0..S::PARTS {
                    let mut sum = s.splat(0.0);
                    for dy in dy.chunks_exact(row * width) {
                        for dy in &dy[column * width..][..width] {
                            sum = s.add(sum, s.load(dy, part));
                        }
                    }
                    s.store(dx, part, sum);
                }
            }
        }
    }
}

/// Between which places of the input a place of the output lies, along one axis.
#[derive(Clone, Copy)]
struct Between {
    low: usize,
    high: usize,
    /// The weights of `low` and `high`.
    shares: [f32; 2],
}

impl Between {
    fn new(g: &Upsample2d, axis: usize, output: usize) -> Between {
        let (len, scale) = (g.input.dim(axis + 1), g.scale[axis]);
        let place = if g.align_corners {
            // A single place has only one corner.
            output as f64 * (len - 1) as f64 / (len * scale - 1).max(1) as f64
        } else {
            ((output as f64 + 0.5) / scale as f64 - 0.5).max(0.0)
        };
        let low = (place as usize).min(len - 1);
        let share = place - low as f64;
        Between { low, high: (low + 1).min(len - 1), shares: [(1.0 - share) as f32, share as f32] }
    }
}

/// Columns whose places are found once for all rows and channels.
const COLUMNS: usize = 64;

/// Runs a body for each place of the output: `$y` is the place, `$x` the four places of the input
/// around it, upper ones first, and `$rows` and `$columns` are their shares.
macro_rules! each_place {
    ($s:ident, $g:expr, |$y:ident, $x:ident, $rows:ident, $columns:ident| $body:block) => {
        let g: &Upsample2d = $g;
        let [height, width] = [g.input.dim(1), g.input.dim(2)];
        let [y_height, y_width] = [height * g.scale[0], width * g.scale[1]];
        for first in (0..y_width).step_by(COLUMNS) {
            let count = COLUMNS.min(y_width - first);
            let places: [Between; COLUMNS] =
                std::array::from_fn(|i| Between::new(g, 1, first + i.min(count - 1)));
            for channel in 0..g.input.dim(0) {
                for row in 0..y_height {
                    let of_row = Between::new(g, 0, row);
                    let upper = (channel * height + of_row.low) * width;
                    let lower = (channel * height + of_row.high) * width;
                    let $rows = of_row.shares.map(|share| $s.splat(share));
                    for (i, column) in places[..count].iter().enumerate() {
                        let $y = (channel * y_height + row) * y_width + first + i;
                        let Between { low, high, .. } = *column;
                        let $x = [upper + low, upper + high, lower + low, lower + high];
                        let $columns = column.shares.map(|share| $s.splat(share));
                        $body
                    }
                }
            }
        }
    };
}

struct Bilinear<'a> {
    g: &'a Upsample2d,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for Bilinear<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        each_place!(s, self.g, |y, x, rows, columns| {
            for part in 0..S::PARTS {
                let [a, b, c, d] = x.map(|at| s.load(&self.x[at], part));
                let upper = s.fma(b, columns[1], s.mul(a, columns[0]));
                let lower = s.fma(d, columns[1], s.mul(c, columns[0]));
                let v = s.fma(lower, rows[1], s.mul(upper, rows[0]));
                s.store(&mut self.y[y], part, v);
            }
        });
    }
}

struct BilinearBackward<'a> {
    g: &'a Upsample2d,
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for BilinearBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.dx.fill(Lanes::ZERO);
        each_place!(s, self.g, |y, x, rows, columns| {
            for part in 0..S::PARTS {
                let d = s.load(&self.dy[y], part);
                for (row, x) in rows.into_iter().zip(x.chunks_exact(2)) {
                    let d = s.mul(d, row);
                    for (&at, column) in x.iter().zip(columns) {
                        let sum = s.fma(d, column, s.load(&self.dx[at], part));
                        s.store(&mut self.dx[at], part, sum);
                    }
                }
            }
        });
    }
}
