use std::ops::Range;

use rayon::prelude::*;
use typenet_shape::{Conv2d, Shape};

use crate::symbolic::Number;

/// With more multiply-adds than this, output channels are shared out among threads.
const WORTH_THREADS: u64 = 1 << 20;

/// `y[o, i, j] = bias[o] + Σ weight[o, c, u, v] · x[c, i·stride + u·dilation − padding, …]`, summed
/// over `c`, `u` and `v` in this order.
pub(super) fn conv2d<T: Number>(
    g: &Conv2d,
    output: Shape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
) -> Vec<T> {
    let area = output.dim(1) * output.dim(2);
    let taps = Taps::new(g, output);
    let channel = |(o, y): (usize, &mut [T])| {
        y.fill(bias.map_or(0.0.into(), |bias| bias[o]));
        taps.add_channel(o, x, weight, y);
    };
    let mut y = vec![T::from(0.0); output.elements()];
    if weight.len() as u64 * area as u64 > WORTH_THREADS {
        y.par_chunks_mut(area).enumerate().for_each(channel);
    } else {
        y.chunks_mut(area).enumerate().for_each(channel);
    }
    y
}

/// For each row and each column of the kernel, the windows in which it is not in the border.
struct Taps<'a> {
    geometry: &'a Conv2d,
    out_width: usize,
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

impl<'a> Taps<'a> {
    fn new(geometry: &'a Conv2d, output: Shape) -> Self {
        let along = |axis: usize| {
            let (len, windows) = (geometry.input.dim(axis + 1), output.dim(axis + 1));
            (0..geometry.kernel[axis])
                .map(|tap| inside(geometry, axis, tap, len, windows))
                .collect()
        };
        Self { geometry, out_width: output.dim(2), rows: along(0), columns: along(1) }
    }

    /// Adds the sum for output channel `o` to `y`, one tap after the other.
    fn add_channel<T: Number>(&self, o: usize, x: &[T], weight: &[T], y: &mut [T]) {
        let g = self.geometry;
        let in_channels = g.input.dim(0) / g.groups;
        let first = o / (g.out_channels / g.groups) * in_channels;
        let x = x.chunks(g.input.dim(1) * g.input.dim(2)).skip(first);
        let kernels = weight.chunks(g.kernel[0] * g.kernel[1]).skip(o * in_channels);
        for (x, kernel) in x.zip(kernels).take(in_channels) {
            for (tap, &w) in kernel.iter().enumerate() {
                self.add_tap([tap / g.kernel[1], tap % g.kernel[1]], x, w, y);
            }
        }
    }

    fn add_tap<T: Number>(&self, [u, v]: [usize; 2], x: &[T], w: T, y: &mut [T]) {
        let g = self.geometry;
        let (width, stride) = (g.input.dim(2), g.stride[1]);
        let columns = &self.columns[v];
        if columns.is_empty() {
            return;
        }
        let start = columns.start * stride + v * g.dilation[1] - g.padding[1];
        for row in self.rows[u].clone() {
            let from = row * g.stride[0] + u * g.dilation[0] - g.padding[0];
            let x = &x[from * width + start..(from + 1) * width];
            let y = &mut y[row * self.out_width..][columns.clone()];
            if stride == 1 {
                // What a compiler makes vectors of; with steps it does not.
                y.iter_mut().zip(x).for_each(|(y, x)| *y += w * *x);
            } else {
                y.iter_mut().zip(x.iter().step_by(stride)).for_each(|(y, x)| *y += w * *x);
            }
        }
    }
}

/// The gradients of `x` and of the weight.
pub(super) fn backward(
    g: &Conv2d,
    output: Shape,
    x: &[f64],
    weight: &[f64],
    dy: &[f64],
) -> [Vec<f64>; 2] {
    let [height, width] = [g.input.dim(1), g.input.dim(2)];
    let [out_height, out_width] = [output.dim(1), output.dim(2)];
    let (in_channels, out_channels) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
    for (o, dy) in dy.chunks(out_height * out_width).enumerate() {
        for c in 0..in_channels {
            let channel = o / out_channels * in_channels + c;
            for u in 0..g.kernel[0] {
                for v in 0..g.kernel[1] {
                    let w = ((o * in_channels + c) * g.kernel[0] + u) * g.kernel[1] + v;
                    for i in inside(g, 0, u, height, out_height) {
                        let row = i * g.stride[0] + u * g.dilation[0] - g.padding[0];
                        for j in inside(g, 1, v, width, out_width) {
                            let column = j * g.stride[1] + v * g.dilation[1] - g.padding[1];
                            let at = (channel * height + row) * width + column;
                            let dy = dy[i * out_width + j];
                            dx[at] += weight[w] * dy;
                            dw[w] += x[at] * dy;
                        }
                    }
                }
            }
        }
    }
    [dx, dw]
}

/// The windows whose tap `tap` along an axis is not in the border: those with
/// `0 ≤ window · stride + tap · dilation − padding < len`.
fn inside(g: &Conv2d, axis: usize, tap: usize, len: usize, windows: usize) -> Range<usize> {
    let (stride, padding) = (g.stride[axis], g.padding[axis]);
    let offset = tap * g.dilation[axis];
    let start = padding.saturating_sub(offset).div_ceil(stride);
    let end = (len + padding).saturating_sub(offset).div_ceil(stride).min(windows);
    start.min(end)..end
}
