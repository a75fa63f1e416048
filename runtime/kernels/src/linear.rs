//! Linear layers: `y = f(W x + b)`, W `[out][in]`.
#![allow(unsafe_code)]

use typenet_shape::Activation;

use super::epilogue::{Finish, Plus};
use super::fused::Fused;
use super::linear_weight_gradient::{TilesMut, WeightGradient};
use super::simd::{Kernel, Simd, even_tile};
use super::team::{Crew, Team, chunks, chunks_mut};
use super::{Isa, Lanes, activation};

pub use super::linear_weight_gradient::Groups;

/// Outputs of a part are a multiple of this, so that its tiles are full.
const OUTS: usize = 12;

/// `y = f(W x + b)`; overwrites `y`; W is `[y.len()][x.len()]`.
///
/// # Panics
/// When a slice has a wrong length, or this machine lacks `isa`.
pub fn forward(
    isa: Isa,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    f: Activation,
    y: &mut [Lanes],
) {
    forward_and_add(isa, x, weight, bias, None, f, y);
}

/// `y = f(W x + b + other)`; overwrites `y`.
///
/// # Panics
/// As [`forward`].
pub fn forward_and_add(
    isa: Isa,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    forward_by(isa, &mut Crew::alone(&mut []), x, weight, bias, other, f, y);
}

/// [`forward_and_add`] by a crew. The result is the same to the bit, however many threads it has.
///
/// # Panics
/// As [`forward`].
pub fn forward_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    x: &[Lanes],
    weight: &[f32],
    bias: Option<&[f32]>,
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let (fused, after) = Fused::split(f);
    let (plus, steps) = (Plus::value(other), [x.len(), 1]);
    product_by(isa, crew, x, (weight, steps), Finish { bias, plus, fused }, y);
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// Some outputs each.
fn product_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    x: &[Lanes],
    (weight, [out_step, in_step]): (&[f32], [usize; 2]),
    Finish { bias, plus, fused }: Finish<'_>,
    y: &mut [Lanes],
) {
    let outputs = y.len();
    let some = outputs.div_ceil(crew.parts(weight.len())).next_multiple_of(OUTS);
    crew.for_each(chunks_mut(y, some.max(1)), |_, part, y| {
        let first = part * some;
        isa.run(Product { x, weight, outputs, first, out_step, in_step, bias, plus, fused, y });
    });
}

/// Adds the gradients of weight and bias, summed over the lanes: `dW[o][i] += Σ dy[o] · x[i]`,
/// `db[o] += Σ dy[o]`.
///
/// # Panics
/// As [`forward`].
pub fn backward_weight(
    isa: Isa,
    x: &[Lanes],
    dy: &[Lanes],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let groups = Groups { x, dy, step: 0, count: 1, inputs: x.len(), outputs: dy.len() };
    backward_weight_of_groups(isa, &Team::alone(), &groups, true, dw);
    if let Some(db) = db {
        backward_bias(isa, dy, db);
    }
}

/// `y += W x + b`
///
/// # Panics
/// As [`forward`].
pub fn accumulate(isa: Isa, x: &[Lanes], weight: &[f32], bias: Option<&[f32]>, y: &mut [Lanes]) {
    let finish = Finish { bias, plus: Plus::Own, fused: Fused::Identity };
    product_by(isa, &mut Crew::alone(&mut []), x, (weight, [x.len(), 1]), finish, y);
}

/// Adds the gradient of the bias: `db[o] += Σ dy[o]`, summed over the lanes.
///
/// # Panics
/// When the slices are not equally long, or this machine lacks `isa`.
pub fn backward_bias(isa: Isa, dy: &[Lanes], db: &mut [f32]) {
    assert_eq!(db.len(), dy.len(), "the bias gradient's length");
    isa.run(BiasGradient { dy, db });
}

/// Adds the gradient of a bias of channels, `dy.len() / db.len()` positions each, summed over these and the lanes.
///
/// # Panics
/// When `dy` has no whole number of positions for each channel.
pub(super) fn backward_bias_by(isa: Isa, crew: &mut Crew<'_>, dy: &[Lanes], db: &mut [f32]) {
    let positions = dy.len().checked_div(db.len()).unwrap_or(0);
    assert_eq!(positions * db.len(), dy.len(), "the bias gradient's length");
    let some = db.len().div_ceil(crew.parts(dy.len())).max(1);
    let parts = (chunks(dy, (some * positions).max(1)), chunks_mut(db, some));
    crew.for_each(parts, |_, _, (dy, db)| isa.run(BiasGradient { dy, db }));
}

/// The weight's gradient, summed over the lanes and all groups of images, shared out among the
/// threads of `team`: overwrites `dw`, or adds to it if `accumulate`. The sum's order is the same on any
/// number of threads.
///
/// # Panics
/// When a slice is too short for its groups, `dw` has another length than the weight, or this
/// machine lacks `isa`.
pub fn backward_weight_of_groups(
    isa: Isa,
    team: &Team,
    groups: &Groups<'_>,
    accumulate: bool,
    dw: &mut [f32],
) {
    team.for_each(TilesMut::new(dw, groups), |_, tile| {
        isa.run(WeightGradient { groups, accumulate, tile });
    });
}

/// `dx = Wᵀ dy`; overwrites `dx`.
///
/// # Panics
/// As [`forward`].
pub fn backward_data(isa: Isa, dy: &[Lanes], weight: &[f32], dx: &mut [Lanes]) {
    backward_data_by(isa, &mut Crew::alone(&mut []), dy, weight, false, dx);
}

/// [`backward_data`] by a crew; added to `dx` if it `accumulates`. The result is the same to the bit, however many
/// threads there are.
///
/// # Panics
/// As [`forward`].
pub fn backward_data_by(
    isa: Isa,
    crew: &mut Crew<'_>,
    dy: &[Lanes],
    weight: &[f32],
    accumulates: bool,
    dx: &mut [Lanes],
) {
    let (plus, steps) = (Plus::own_if(accumulates), [1, dx.len()]);
    let finish = Finish { bias: None, plus, fused: Fused::Identity };
    product_by(isa, crew, dy, (weight, steps), finish, dx);
}

/// `y[o] = f(b[o] + plus[o] + Σ weight[o · out_step + i · in_step] · x[i])`,
/// for some of the outputs.
struct Product<'a> {
    x: &'a [Lanes],
    weight: &'a [f32],
    /// How many there are in all.
    outputs: usize,
    /// The first of those that are computed.
    first: usize,
    out_step: usize,
    in_step: usize,
    bias: Option<&'a [f32]>,
    plus: Plus<'a>,
    fused: Fused,
    /// Those outputs.
    y: &'a mut [Lanes],
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (inputs, outputs, first) = (self.x.len(), self.outputs, self.first);
        let end = first + self.y.len();
        assert!(end <= outputs, "outputs of the layer");
        assert_eq!(self.weight.len(), inputs * outputs, "the weight's length");
        if let Some(bias) = self.bias {
            assert_eq!(bias.len(), outputs, "the bias's length");
        }
        if let Plus::Value(value) = self.plus {
            assert_eq!(value.len(), outputs, "the added value's length");
        }
        if inputs == 0 || first == end {
            assert_eq!(first, end, "a linear layer needs inputs");
            return;
        }
        let last = (outputs - 1) * self.out_step + (inputs - 1) * self.in_step;
        assert_eq!(last + 1, self.weight.len(), "the weight's steps");
        let mut o = first;
        while o < end {
            // As even as can be: with one part at a time, 84 outputs are 7 tiles of 12, 10 are one.
            let sizes: &[usize] = if S::FALLBACK {
                &[1, 2, 4, 8, 12]
            } else if S::TWO_PARTS {
                &[1, 2, 3, 4, 5, 6]
            } else {
                &[1, 2, 3, 4, 5, 6, 8, 10, 12]
            };
            let count = even_tile(end - o, sizes);
            let tile = ProductAt {
                x: self.x,
                weight: self.weight[o * self.out_step..].as_ptr(),
                out_step: self.out_step,
                in_step: self.in_step,
                bias: self.bias.map(|bias| &bias[o..o + count]),
                plus: match self.plus {
                    Plus::Value(value) => Plus::Value(&value[o..o + count]),
                    plus => plus,
                },
                fused: self.fused,
                y: &mut self.y[o - first..o - first + count],
            };
            macro_rules! sizes {
                ($parts:literal: $($count:literal)*) => {
                    match (count, self.out_step) {
                        $(
                            ($count, 1) => s.run(ProductTile::<'_, $count, $parts, true>(tile)),
                            ($count, _) => s.run(ProductTile::<'_, $count, $parts, false>(tile)),
                        )*
                        _ => unreachable!("no tile of {count} outputs"),
                    }
                };
            }
            if S::FALLBACK {
                sizes!(1: 1 2 4 8 12);
            } else if S::TWO_PARTS {
                sizes!(2: 1 2 3 4 5 6);
            } else {
                sizes!(1: 1 2 3 4 5 6 8 10 12);
            }
            o += count;
        }
    }
}

/// A tile's place. `weight` points to its first weight in a slice that holds all that the steps
/// lead to, for each number of `x` and of `y`.
struct ProductAt<'a> {
    x: &'a [Lanes],
    weight: *const f32,
    out_step: usize,
    in_step: usize,
    bias: Option<&'a [f32]>,
    plus: Plus<'a>,
    fused: Fused,
    y: &'a mut [Lanes],
}

/// `N` outputs by `PARTS` vectors of each: one load of a weight serves as many products. `UNIT` when the weights of neighbouring outputs are neighbours.
struct ProductTile<'a, const N: usize, const PARTS: usize, const UNIT: bool>(ProductAt<'a>);

impl<const N: usize, const PARTS: usize, const UNIT: bool> Kernel
    for ProductTile<'_, N, PARTS, UNIT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let ProductAt { x, weight, out_step, in_step, bias, plus, fused, y } = self.0;
        // One of the two steps is always 1.
        let (out_step, in_step) = if UNIT { (1, in_step) } else { (out_step, 1) };
        for first in (0..S::PARTS).step_by(PARTS) {
            let mut sums = [[s.splat(0.0); PARTS]; N];
            if let Some(bias) = bias {
                for o in 0..N {
                    sums[o] = [s.splat(bias[o]); PARTS];
                }
            }
            for (i, x) in x.iter().enumerate() {
                let mut parts = [s.splat(0.0); PARTS];
                for part in 0..PARTS {
                    parts[part] = s.load(x, first + part);
                }
                for o in 0..N {
                    // SAFETY: `ProductAt` promises a weight for each pair of input and output.
                    let w = s.splat(unsafe { *weight.add(i * in_step + o * out_step) });
                    for part in 0..PARTS {
                        sums[o][part] = s.fma(w, parts[part], sums[o][part]);
                    }
                }
            }
            for o in 0..N {
                for part in 0..PARTS {
                    let (at, sum) = (first + part, sums[o][part]);
                    let sum = match plus {
                        Plus::Nothing => sum,
                        Plus::Value(value) => s.add(sum, s.load(&value[o], at)),
                        Plus::Own => s.add(sum, s.load(&y[o], at)),
                    };
                    s.store(&mut y[o], at, fused.apply(s, sum));
                }
            }
        }
    }
}

/// `db[o] += Σ dy[o]` over lanes and `dy.len() / db.len()` positions.
pub(super) struct BiasGradient<'a> {
    pub(super) dy: &'a [Lanes],
    pub(super) db: &'a mut [f32],
}

impl Kernel for BiasGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.db.is_empty() {
            return;
        }
        assert!(self.dy.len().is_multiple_of(self.db.len()), "the output gradient's length");
        let positions = (self.dy.len() / self.db.len()).max(1);
        for (db, dy) in self.db.iter_mut().zip(self.dy.chunks_exact(positions)) {
            // Four accumulators, so that additions do not wait for each other.
            let mut sums = [s.splat(0.0); 4];
            let four = dy.chunks_exact(4);
            for part in 0..S::PARTS {
                for (sum, dy) in sums.iter_mut().zip(four.remainder()) {
                    *sum = s.add(*sum, s.load(dy, part));
                }
                for dy in four.clone() {
                    for k in 0..4 {
                        sums[k] = s.add(sums[k], s.load(&dy[k], part));
                    }
                }
            }
            let [a, b, c, d] = s.sums(sums);
            *db += (a + b) + (c + d);
        }
    }
}
