//! Depthwise convolution of one image: each channel with a kernel of its own.
#![allow(unsafe_code)]

use typenet_shape::{Activation, Conv2d};

use super::super::conv2d::{forward_axis, output};
use super::super::correlate::Axis;
use super::super::depthwise::{self, Taps};
use super::super::epilogue::{Bias, Plus};
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Team, chunks_mut};
use super::super::{Isa, Lanes, activation};
use super::conv2d::images;
use super::layout::blocks;

/// `y = f(w * x + b + other)` where the groups are the channels, one output of each, of as many images
/// as `y` holds, shared out among the team; overwrites `y`; `packed` comes from
/// [`pack_conv2d`](super::pack_conv2d).
///
/// # Panics
/// When the geometry breaks a rule of [`Conv2d::output`] or is not depthwise, a slice has a wrong
/// length, or this machine lacks `isa`.
pub fn depthwise_conv2d(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    x: &[Lanes],
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    y: &mut [Lanes],
) {
    let output = output(g);
    let channels = g.input.dim(0);
    assert!(g.groups == channels && g.out_channels == channels, "one group a channel");
    let blocks = blocks(channels);
    let kernel = g.kernel[0] * g.kernel[1];
    let x_area = g.input.dim(1) * g.input.dim(2);
    let y_area = output.dim(1) * output.dim(2);
    let images = images(y.len(), blocks * y_area);
    assert_eq!(x.len(), images * blocks * x_area, "the input's length");
    assert_eq!(packed.len(), blocks * (1 + kernel), "the packed weight's length");
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    let (bias, weight) = packed.split_at(blocks);
    let (fused, after) = Fused::split(f);
    let (height, width) = (forward_axis(g, output, 0), forward_axis(g, output, 1));
    let of_block = depthwise::of_block(g);
    team.for_each(chunks_mut(y, y_area), |index, y| {
        let block = index % blocks;
        let x = &x[index * x_area..][..x_area];
        let weight = &weight[block * kernel..][..kernel];
        let other = other.map(|other| &other[index * y_area..][..y_area]);
        if depthwise::runs(g) {
            let bias = Bias::Vectors(std::slice::from_ref(&bias[block]));
            let read = (x, Taps::Vectors(weight), bias);
            isa.run(depthwise::forward(&of_block, output, read, (Plus::value(other), fused), y));
        } else {
            isa.run(Block { height, width, x, weight, bias: &bias[block], other, fused, y });
        }
    });
    if let Some(f) = after {
        activation::forward_in_place(isa, f, y);
    }
}

/// One block of channels.
struct Block<'a> {
    height: Axis,
    width: Axis,
    x: &'a [Lanes],
    weight: &'a [Lanes],
    bias: &'a Lanes,
    other: Option<&'a [Lanes]>,
    fused: Fused,
    y: &'a mut [Lanes],
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Block { height, width, x, weight, bias, other, fused, y } = self;
        let interior = width.interior();
        for row in 0..height.outputs {
            let rows = height.taps_inside(row);
            let mut column = 0;
            while column < width.outputs {
                let inside = interior.contains(&column);
                let count = if inside && interior.end - column >= 4 { 4 } else { 1 };
                let taps = width.taps_inside(column);
                let place = Place { row, column, rows: rows.clone(), taps };
                let tile = (&height, &width, x, weight, bias, fused);
                let at = row * width.outputs + column;
                let other = other.map(|other| &other[at..][..count]);
                let y = &mut y[at..][..count];
                if count == 4 {
                    tile_of::<S, 4>(s, tile, &place, other, y);
                } else {
                    tile_of::<S, 1>(s, tile, &place, other, y);
                }
                column += count;
            }
        }
    }
}

/// The first position of a tile, and the taps that lie inside for all of its positions.
struct Place {
    row: usize,
    column: usize,
    rows: std::ops::Range<usize>,
    taps: std::ops::Range<usize>,
}

#[inline(always)]
fn tile_of<S: Simd, const P: usize>(
    s: S,
    (height, width, x, weight, bias, fused): (&Axis, &Axis, &[Lanes], &[Lanes], &Lanes, Fused),
    place: &Place,
    other: Option<&[Lanes]>,
    y: &mut [Lanes],
) {
    assert!(x.len() == height.input * width.input && y.len() == P, "a tile's lengths");
    assert_eq!(weight.len(), height.taps * width.taps, "the weight's length");
    for part in 0..S::PARTS {
        let mut sums = [s.load(bias, part); P];
        for u in place.rows.clone() {
            let row = height.position(place.row, u) as usize;
            for v in place.taps.clone() {
                let column = width.position(place.column, v) as usize;
                let w = s.load(&weight[u * width.taps + v], part);
                let last = row * width.input + column + (P - 1) * width.input_step;
                assert!(last < x.len(), "inside the input");
                for p in 0..P {
                    let at = row * width.input + column + p * width.input_step;
                    // SAFETY: `at` is at most `last`, which is inside.
                    let x =
                        unsafe { s.read(x.as_ptr().add(at).cast::<f32>().add(part * S::WIDTH)) };
                    sums[p] = s.fma(w, x, sums[p]);
                }
            }
        }
        if let Some(other) = other {
            for p in 0..P {
                sums[p] = s.add(sums[p], s.load(&other[p], part));
            }
        }
        for p in 0..P {
            s.store(&mut y[p], part, fused.apply(s, sums[p]));
        }
    }
}
