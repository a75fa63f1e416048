//! The gradient of a convolution's input of few channels, which alone would leave at least half of 16 lanes empty:
//! several taps of a row of the kernel stand side by side, each with its channels.
//!
//! With 6 channels and a 5×5 kernel, a block holds two taps: lanes `0..6` are one tap's channels, lanes `6..12`
//! the next one's, and three blocks hold the row. A correlation down the columns of `dy` gives, for each row of `x`
//! and column of `dy`, the contribution of each tap of a kernel row. A second pass adds it to the column of `x` that
//! the tap reads.
#![allow(unsafe_code)]

use std::ops::Range;

use typenet_shape::{Conv2d, Shape, TapsInLanes};

use super::super::conv2d::{backward_axis, forward_axis, output};
use super::super::correlate::Axis;
use super::super::epilogue::Plus;
use super::super::fused::Fused;
use super::super::simd::{Kernel, Simd};
use super::super::team::{Numbered, Shared, Team};
use super::super::{Isa, LANES, Lanes};
use super::conv2d::{Pixels, images};
use super::layout::flat;
use super::phases::{Correlations, pack, packed_len};

/// Images are taken together while their contributions fit into the second-level cache: so many [`Lanes`].
const TOGETHER: usize = (512 << 10) / size_of::<Lanes>();

/// The rows of `x` that a task of the second pass writes: about so many [`Lanes`].
const TASK: usize = 512;

/// A convolution of few channels.
pub(super) struct RowTaps<'a> {
    g: &'a Conv2d,
    output: Shape,
    lanes: TapsInLanes,
}

impl<'a> RowTaps<'a> {
    pub(super) fn new(g: &'a Conv2d, lanes: TapsInLanes) -> Self {
        RowTaps { g, output: output(g), lanes }
    }

    /// [`Lanes`] of one image's contributions.
    fn of_image(&self) -> usize {
        self.lanes.blocks * self.g.input.dim(1) * self.output.dim(2)
    }

    fn packed_len(&self) -> usize {
        packed_len(self.lanes.blocks, self.g.out_channels, [self.g.kernel[0], 1])
    }

    /// Images that are computed together.
    fn together(&self, images: usize) -> usize {
        (TOGETHER / self.of_image()).min(images).max(1)
    }

    /// [`Lanes`] of packed weights and of contributions. The second pass reads up to one more.
    pub(super) fn room(&self, images: usize) -> usize {
        self.packed_len() + self.together(images) * self.of_image() + 1
    }

    /// See [`conv2d_backward_data`](super::conv2d_backward_data), which checks the lengths.
    pub(super) fn backward_data(
        &self,
        isa: Isa,
        team: &Team,
        dy: &[Lanes],
        weight: &[f32],
        room: &mut [Lanes],
        accumulate: bool,
        dx: &mut [Lanes],
    ) {
        let RowTaps { g, output, lanes: TapsInLanes { taps, blocks } } = *self;
        let (channels, area) = (g.input.dim(0), g.kernel[0] * g.kernel[1]);
        let size = [g.input.dim(1), output.dim(2)];
        let whole = Axis {
            outputs: size[1],
            first_output: 0,
            output_step: 1,
            input: size[1],
            start: 0,
            input_step: 1,
            taps: 1,
            tap_step: 1,
            first_weight: 0,
            weight_step: 1,
        };
        let phases =
            (0..g.stride[0].min(size[0])).map(|phase| [backward_axis(g, output, 0, phase), whole]);
        let (packed, added) = room.split_at_mut(self.packed_len());
        pack(team, phases.clone(), [blocks, g.out_channels], packed, |block, out, [u, _], to| {
            let own = block * taps..g.kernel[1].min((block + 1) * taps);
            for (v, to) in own.zip(to.0.chunks_exact_mut(channels)) {
                for (channel, to) in to.iter_mut().enumerate() {
                    *to = weight[(out * channels + channel) * area + u * g.kernel[1] + v];
                }
            }
        });
        let of_x = size[0] * g.input.dim(2);
        let all = images(dx.len(), of_x);
        let (together, of_dy) = (self.together(all), dy.len() / all);
        for (dy, dx) in dy.chunks(together * of_dy).zip(dx.chunks_mut(together * of_x)) {
            let (x, fused) = (Pixels::Blocked(dy), Fused::Identity);
            let of = Correlations { groups: 1, x, shape: output, fused, size };
            let own = &mut added[..dx.len() / of_x * self.of_image()];
            of.run(isa, team, phases.clone(), [blocks, g.out_channels], packed, Plus::Nothing, own);
            self.add_up(isa, team, added, accumulate, dx);
        }
    }

    /// The second pass, of all images in `dx`.
    fn add_up(&self, isa: Isa, team: &Team, added: &[Lanes], accumulate: bool, dx: &mut [Lanes]) {
        let [height, width] = [1, 2].map(|axis| self.g.input.dim(axis));
        let rows = TASK.div_ceil(width).min(height);
        let (images, parts) = (dx.len() / (height * width), height.div_ceil(rows));
        let dx = Shared::new(dx);
        team.for_each(Numbered(images * parts), |task, ()| {
            let (image, part) = (task / parts, task % parts);
            isa.run(AddUp {
                of: self,
                added: flat(&added[image * self.of_image()..]),
                rows: part * rows..height.min((part + 1) * rows),
                accumulate,
                dx: dx.part(image * height * width..(image + 1) * height * width),
            });
        });
    }
}

/// The gradient of some rows of an image. Nobody else writes them.
struct AddUp<'a> {
    of: &'a RowTaps<'a>,
    /// The image's contributions, and [`LANES`] more numbers.
    added: &'a [f32],
    rows: Range<usize>,
    accumulate: bool,
    dx: Shared<'a, Lanes>,
}

impl Kernel for AddUp<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RowTaps { g, output, lanes: TapsInLanes { taps, .. } } = *self.of;
        let [channels, height, width] = [0, 1, 2].map(|axis| g.input.dim(axis));
        // SAFETY: nobody else writes these rows.
        let dx =
            unsafe { self.dx.part(self.rows.start * width..self.rows.end * width).into_slice() };
        if !self.accumulate {
            dx.fill(Lanes::ZERO);
        }
        let axis = forward_axis(g, output, 1);
        for v in 0..g.kernel[1] {
            let columns = axis.outputs_inside(v);
            if columns.is_empty() {
                continue;
            }
            let first = axis.position(columns.start, v) as usize;
            for (row, dx) in self.rows.clone().zip(dx.chunks_exact_mut(width)) {
                let from = (v / taps * height + row) * axis.outputs + columns.start;
                let from = from * LANES + v % taps * channels;
                let from = &self.added[from..from + columns.len() * LANES];
                let to = dx[first..].iter_mut().step_by(axis.input_step);
                for (from, to) in from.chunks_exact(LANES).zip(to) {
                    for part in 0..channels.div_ceil(S::WIDTH) {
                        // SAFETY: these are LANES numbers, of which this is a part.
                        let add = unsafe { s.read(from.as_ptr().add(part * S::WIDTH)) };
                        let sum = s.add(s.load(to, part), add);
                        s.store(to, part, sum);
                    }
                }
            }
        }
    }
}
