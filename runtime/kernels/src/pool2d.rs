//! Pooling. A window is clipped to the input: what lies in the padding is never the maximum, and counts as
//! zero in an average.

use std::ops::Range;

use typenet_shape::{Pool2d, Shape};

use super::math;
use super::simd::{Kernel, Simd};
use super::{Isa, Lanes};

/// Maximum over windows; NaN where a window holds NaN.
///
/// # Panics
/// When the geometry breaks a rule of [`Pool2d::output`], a slice has not the length that it asks
/// for, or this machine lacks `isa`.
pub fn max_forward(isa: Isa, g: &Pool2d, x: &[Lanes], y: &mut [Lanes]) {
    isa.run(MaxForward { windows: Windows::new(g, x.len(), y.len()), x, y });
}

/// The gradient of each window goes to its first maximum in row-major order (where the maximum is
/// NaN, to the window's first place); overwrites `dx`, and adds where windows overlap.
///
/// # Panics
/// As [`max_forward`].
pub fn max_backward(
    isa: Isa,
    g: &Pool2d,
    x: &[Lanes],
    y: &[Lanes],
    dy: &[Lanes],
    dx: &mut [Lanes],
) {
    assert!(x.len() == dx.len() && y.len() == dy.len(), "the lengths of values and gradients");
    isa.run(MaxBackward { windows: Windows::new(g, x.len(), y.len()), x, y, dy, dx });
}

/// The derivative of [`max_forward`] along `tx`: of each window the number of `tx` at the place that
/// [`max_backward`] gives the gradient; overwrites `ty`.
///
/// # Panics
/// As [`max_forward`].
pub fn max_jvp(isa: Isa, g: &Pool2d, x: &[Lanes], y: &[Lanes], tx: &[Lanes], ty: &mut [Lanes]) {
    assert!(x.len() == tx.len() && y.len() == ty.len(), "the lengths of values and tangents");
    isa.run(MaxJvp { windows: Windows::new(g, x.len(), y.len()), x, y, tx, ty });
}

/// Average over windows: the sum divided by how much of the window lies inside the input and its
/// border, or without `count_include_pad` inside the input.
///
/// # Panics
/// As [`max_forward`].
pub fn avg_forward(isa: Isa, g: &Pool2d, x: &[Lanes], y: &mut [Lanes]) {
    isa.run(AvgForward { windows: Windows::new(g, x.len(), y.len()), x, y });
}

/// The gradient of each window is spread evenly over it; overwrites `dx`.
///
/// # Panics
/// As [`max_forward`].
pub fn avg_backward(isa: Isa, g: &Pool2d, dy: &[Lanes], dx: &mut [Lanes]) {
    isa.run(AvgBackward { windows: Windows::new(g, dx.len(), dy.len()), dy, dx });
}

/// Mean of each channel: `x.len() / y.len()` positions each.
///
/// # Panics
/// When `x` has not the same number of positions, one at least, for each number of `y`, or this
/// machine lacks `isa`.
pub fn global_avg_forward(isa: Isa, x: &[Lanes], y: &mut [Lanes]) {
    isa.run(GlobalAvgForward { positions: positions(x.len(), y.len()), x, y });
}

/// The gradient of each mean is spread evenly over its channel; overwrites `dx`.
///
/// # Panics
/// As [`global_avg_forward`].
pub fn global_avg_backward(isa: Isa, dy: &[Lanes], dx: &mut [Lanes]) {
    isa.run(GlobalAvgBackward { positions: positions(dx.len(), dy.len()), dy, dx });
}

fn positions(x: usize, y: usize) -> usize {
    assert!(y > 0 && x >= y && x.is_multiple_of(y), "whole channels of one position at least");
    x / y
}

/// Row `row` of the maximum or average over windows that do not overlap (see [`Pool2d::is_tiling`]). `band`
/// begins with the rows that these windows read, of all channels; of `y` nothing else is written.
pub(super) fn forward_row(
    isa: Isa,
    g: &Pool2d,
    is_max: bool,
    band: &[Lanes],
    row: usize,
    y: &mut [Lanes],
) {
    assert!(g.is_tiling(), "windows that do not overlap");
    let whole = output(g);
    assert_eq!(y.len(), whole.elements(), "the output's length");
    let [channels, height, width] = [0, 1, 2].map(|axis| g.input.dim(axis));
    // The rows that these windows read are a value of their own, with one row of windows.
    let rows = g.kernel[0].min(height - row * g.stride[0]);
    let g = &Pool2d { input: Shape::new(&[channels, rows, width]), ..*g };
    let one = output(g);
    let band = &band[..g.input.elements()];
    let mut windows = Windows::new(g, band.len(), one.elements());
    windows.plane = whole.dim(1) * whole.dim(2);
    windows.first = row * whole.dim(2);
    if is_max {
        isa.run(MaxForward { windows, x: band, y });
    } else {
        isa.run(AvgForward { windows, x: band, y });
    }
}

/// The maximum of windows of 2×2, side by side in two rows.
#[inline(always)]
fn max_of_pairs<S: Simd>(s: S, above: &[Lanes], below: &[Lanes], y: &mut [Lanes]) {
    let pairs = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (y, (above, below)) in y.iter_mut().zip(pairs) {
        for part in 0..S::PARTS {
            let [a, b] = [0, 1].map(|i| s.load(&above[i], part));
            let [c, d] = [0, 1].map(|i| s.load(&below[i], part));
            s.store(y, part, math::max(s, math::max(s, a, b), math::max(s, c, d)));
        }
    }
}

#[allow(clippy::panic)]
pub(super) fn output(g: &Pool2d) -> Shape {
    match g.output() {
        Ok(output) => output,
        Err(error) => panic!("no geometry of a pooling layer: {error:?}"),
    }
}

/// The windows of a pooling layer.
struct Windows<'a> {
    g: &'a Pool2d,
    output: Shape,
    /// From a channel's outputs to the next one's, and where the first channel's start.
    plane: usize,
    first: usize,
}

impl<'a> Windows<'a> {
    fn new(g: &'a Pool2d, x: usize, y: usize) -> Windows<'a> {
        let output = output(g);
        assert_eq!(x, g.input.elements(), "the input's length");
        assert_eq!(y, output.elements(), "the output's length");
        Windows { g, output, plane: output.dim(1) * output.dim(2), first: 0 }
    }

    /// A window along an axis. Some of it is inside, because the padding is at most half of the
    /// window, and because the last window begins before the input ends.
    #[inline(always)]
    fn side(&self, axis: usize, output: usize) -> Side {
        let (padding, input) = (self.g.padding[axis], self.g.input.dim(axis + 1));
        // Places from the beginning of the border.
        let start = output * self.g.stride[axis];
        let end = start + self.g.kernel[axis];
        let inside = start.saturating_sub(padding)..(end - padding).min(input);
        let counted = if self.g.count_include_pad {
            end.min(input + 2 * padding) - start
        } else {
            inside.len()
        };
        Side { inside, counted }
    }

    /// Whether the windows are the usual ones: 2×2, side by side, all inside.
    fn pairs(&self) -> bool {
        let g = self.g;
        (g.kernel, g.stride, g.padding) == ([2, 2], [2, 2], [0, 0])
            && (0..2).all(|axis| 2 * self.output.dim(axis + 1) <= g.input.dim(axis + 1))
    }

    /// Whether no two windows overlap.
    fn apart(&self) -> bool {
        self.g.kernel[0] <= self.g.stride[0] && self.g.kernel[1] <= self.g.stride[1]
    }
}

/// The rows of a window, or its columns.
struct Side {
    /// Those inside the input.
    inside: Range<usize>,
    /// How many of them count in an average.
    counted: usize,
}

/// Runs a body for each window: `$y` is the window's place in `y`, `$x` goes row-major over the
/// starts of its rows in `x`, each `$count` places wide.
macro_rules! each_window {
    ($windows:expr, |$y:ident, $rows:ident, $columns:ident, $at:ident| $body:block) => {
        let windows = &$windows;
        let [height, width] = [windows.g.input.dim(1), windows.g.input.dim(2)];
        for channel in 0..windows.output.dim(0) {
            let mut $y = windows.first + channel * windows.plane;
            for i in 0..windows.output.dim(1) {
                let $rows = windows.side(0, i);
                for j in 0..windows.output.dim(2) {
                    let $columns = windows.side(1, j);
                    let $at = |row: usize| (channel * height + row) * width;
                    $body
                    $y += 1;
                }
            }
        }
    };
}

struct MaxForward<'a> {
    windows: Windows<'a>,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for MaxForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.windows.pairs() {
            return self.of_pairs(s);
        }
        each_window!(self.windows, |y, rows, columns, row_start| {
            for part in 0..S::PARTS {
                let mut largest = s.splat(f32::NEG_INFINITY);
                for row in rows.inside.clone() {
                    for x in &self.x[row_start(row)..][columns.inside.clone()] {
                        largest = math::max(s, largest, s.load(x, part));
                    }
                }
                s.store(&mut self.y[y], part, largest);
            }
        });
    }
}

impl MaxForward<'_> {
    #[inline(always)]
    fn of_pairs<S: Simd>(self, s: S) {
        let MaxForward { windows, x, y } = self;
        let [height, width] = [windows.g.input.dim(1), windows.g.input.dim(2)];
        let [rows, columns] = [windows.output.dim(1), windows.output.dim(2)];
        for (x, y) in x.chunks_exact(height * width).zip(y.chunks_exact_mut(windows.plane)) {
            let y = &mut y[windows.first..][..rows * columns];
            for (x, y) in x.chunks_exact(2 * width).zip(y.chunks_exact_mut(columns)) {
                let (above, below) = x.split_at(width);
                max_of_pairs(s, above, below, y);
            }
        }
    }
}

struct MaxBackward<'a> {
    windows: Windows<'a>,
    x: &'a [Lanes],
    y: &'a [Lanes],
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for MaxBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.windows.pairs() {
            return self.of_pairs(s);
        }
        let zero = s.splat(0.0);
        let apart = self.windows.apart();
        self.dx.fill(Lanes::ZERO);
        each_window!(self.windows, |y, rows, columns, row_start| {
            for part in 0..S::PARTS {
                let largest = s.load(&self.y[y], part);
                // The gradient until a place takes it, then 0.
                let mut left = s.load(&self.dy[y], part);
                for row in rows.inside.clone() {
                    let x = &self.x[row_start(row)..][columns.inside.clone()];
                    let dx = &mut self.dx[row_start(row)..][columns.inside.clone()];
                    for (x, dx) in x.iter().zip(dx) {
                        let x = s.load(x, part);
                        let taken = s.select_lt(x, largest, zero, left);
                        left = s.select_lt(x, largest, left, zero);
                        let sum = if apart { taken } else { s.add(s.load(dx, part), taken) };
                        s.store(dx, part, sum);
                    }
                }
            }
        });
    }
}

impl MaxBackward<'_> {
    #[inline(always)]
    fn of_pairs<S: Simd>(self, s: S) {
        let MaxBackward { windows, x, y, dy, dx } = self;
        let [height, width] = [windows.g.input.dim(1), windows.g.input.dim(2)];
        let [rows, columns] = [windows.output.dim(1), windows.output.dim(2)];
        let (plane, windows) = (height * width, rows * columns);
        let zero = s.splat(0.0);
        for (channel, dx) in dx.chunks_exact_mut(plane).enumerate() {
            let x = &x[channel * plane..][..plane];
            // What no window reads.
            dx[2 * rows * width..].fill(Lanes::ZERO);
            for row in 0..rows {
                let at = channel * windows + row * columns;
                let (y, dy) = (&y[at..][..columns], &dy[at..][..columns]);
                let (above, below) = x[2 * row * width..][..2 * width].split_at(width);
                let dx = &mut dx[2 * row * width..][..2 * width];
                let (dx_above, dx_below) = dx.split_at_mut(width);
                dx_above[2 * columns..].fill(Lanes::ZERO);
                dx_below[2 * columns..].fill(Lanes::ZERO);
                let from = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
                let to = dx_above.as_chunks_mut::<2>().0.iter_mut();
                let to = to.zip(dx_below.as_chunks_mut::<2>().0);
                for ((y, dy), ((above, below), (dx_above, dx_below))) in
                    y.iter().zip(dy).zip(from.zip(to))
                {
                    for part in 0..S::PARTS {
                        let largest = s.load(y, part);
                        // The gradient until a place takes it, then 0.
                        let mut left = s.load(dy, part);
                        let from = [&above[0], &above[1], &below[0], &below[1]];
                        let [a, b] = dx_above;
                        let [c, d] = dx_below;
                        for (x, dx) in from.into_iter().zip([a, b, c, d]) {
                            let x = s.load(x, part);
                            s.store(dx, part, s.select_lt(x, largest, zero, left));
                            left = s.select_lt(x, largest, left, zero);
                        }
                    }
                }
            }
        }
    }
}

struct MaxJvp<'a> {
    windows: Windows<'a>,
    x: &'a [Lanes],
    y: &'a [Lanes],
    tx: &'a [Lanes],
    ty: &'a mut [Lanes],
}

impl Kernel for MaxJvp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.windows.pairs() {
            return self.of_pairs(s);
        }
        each_window!(self.windows, |y, rows, columns, row_start| {
            for part in 0..S::PARTS {
                let largest = s.load(&self.y[y], part);
                let mut tangent = s.splat(0.0);
                // From the last place to the first, which so has the last word.
                for row in rows.inside.clone().rev() {
                    let x = &self.x[row_start(row)..][columns.inside.clone()];
                    let tx = &self.tx[row_start(row)..][columns.inside.clone()];
                    for (x, tx) in x.iter().zip(tx).rev() {
                        let (x, tx) = (s.load(x, part), s.load(tx, part));
                        tangent = s.select_lt(x, largest, tangent, tx);
                    }
                }
                s.store(&mut self.ty[y], part, tangent);
            }
        });
    }
}

impl MaxJvp<'_> {
    #[inline(always)]
    fn of_pairs<S: Simd>(self, s: S) {
        let MaxJvp { windows, x, y, tx, ty } = self;
        let width = windows.g.input.dim(2);
        let plane = windows.g.input.dim(1) * width;
        let [rows, columns] = [windows.output.dim(1), windows.output.dim(2)];
        for (at, (y, ty)) in y.chunks_exact(columns).zip(ty.chunks_exact_mut(columns)).enumerate() {
            let start = at / rows * plane + at % rows * 2 * width;
            let [above, below, t_above, t_below] =
                [&x[start..], &x[start + width..], &tx[start..], &tx[start + width..]]
                    .map(|row| row[..2 * columns].as_chunks::<2>().0);
            for (j, (y, ty)) in y.iter().zip(ty).enumerate() {
                for part in 0..S::PARTS {
                    let largest = s.load(y, part);
                    let mut tangent = s.splat(0.0);
                    for (x, tx) in [(&below[j], &t_below[j]), (&above[j], &t_above[j])] {
                        for (x, tx) in x.iter().zip(tx).rev() {
                            let (x, tx) = (s.load(x, part), s.load(tx, part));
                            tangent = s.select_lt(x, largest, tangent, tx);
                        }
                    }
                    s.store(ty, part, tangent);
                }
            }
        }
    }
}

struct AvgForward<'a> {
    windows: Windows<'a>,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for AvgForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        each_window!(self.windows, |y, rows, columns, row_start| {
            let divisor = s.splat((rows.counted * columns.counted) as f32);
            for part in 0..S::PARTS {
                let mut sum = s.splat(0.0);
                for row in rows.inside.clone() {
                    for x in &self.x[row_start(row)..][columns.inside.clone()] {
                        sum = s.add(sum, s.load(x, part));
                    }
                }
                s.store(&mut self.y[y], part, s.div(sum, divisor));
            }
        });
    }
}

struct AvgBackward<'a> {
    windows: Windows<'a>,
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for AvgBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.dx.fill(Lanes::ZERO);
        each_window!(self.windows, |y, rows, columns, row_start| {
            let divisor = s.splat((rows.counted * columns.counted) as f32);
            for part in 0..S::PARTS {
                let share = s.div(s.load(&self.dy[y], part), divisor);
                for row in rows.inside.clone() {
                    for dx in &mut self.dx[row_start(row)..][columns.inside.clone()] {
                        let sum = s.add(s.load(dx, part), share);
                        s.store(dx, part, sum);
                    }
                }
            }
        });
    }
}

struct GlobalAvgForward<'a> {
    positions: usize,
    x: &'a [Lanes],
    y: &'a mut [Lanes],
}

impl Kernel for GlobalAvgForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let divisor = s.splat(self.positions as f32);
        for (x, y) in self.x.chunks_exact(self.positions).zip(self.y) {
            for part in 0..S::PARTS {
                // Two sums: half the additions in a row, and half their rounding.
                let mut sums = [s.splat(0.0); 2];
                let pairs = x.chunks_exact(2);
                for (sum, x) in sums.iter_mut().zip(pairs.remainder()) {
                    *sum = s.load(x, part);
                }
                for pair in pairs {
                    sums[0] = s.add(sums[0], s.load(&pair[0], part));
                    sums[1] = s.add(sums[1], s.load(&pair[1], part));
                }
                s.store(y, part, s.div(s.add(sums[0], sums[1]), divisor));
            }
        }
    }
}

struct GlobalAvgBackward<'a> {
    positions: usize,
    dy: &'a [Lanes],
    dx: &'a mut [Lanes],
}

impl Kernel for GlobalAvgBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let divisor = s.splat(self.positions as f32);
        for (dy, dx) in self.dy.iter().zip(self.dx.chunks_exact_mut(self.positions)) {
            for part in 0..S::PARTS {
                let share = s.div(s.load(dy, part), divisor);
                for dx in &mut *dx {
                    s.store(dx, part, share);
                }
            }
        }
    }
}
