use std::ops::Range;

use rayon::prelude::*;
use typenet_shape::{Conv2d, Shape};

/// With more multiply-adds than this, output channels are shared out among threads.
const WORTH_THREADS: u64 = 1 << 20;

/// `y[o, i, j] = bias[o] + Σ weight[o, c, u, v] · x[c, i·stride + u·dilation − padding, …]`, summed
/// over `c`, `u` and `v` in this order.
pub(super) fn conv2d(
    g: &Conv2d,
    output: Shape,
    x: &[f64],
    weight: &[f64],
    bias: Option<&[f64]>,
) -> Vec<f64> {
    let (height, width) = (output.dim(1), output.dim(2));
    let channel = |(o, y): (usize, &mut [f64])| {
        y.fill(bias.map_or(0.0, |bias| bias[o]));
        add_channel(g, [height, width], o, x, weight, y);
    };
    let mut y = vec![0.0; output.elements()];
    if weight.len() as u64 * (height * width) as u64 > WORTH_THREADS {
        y.par_chunks_mut(height * width).enumerate().for_each(channel);
    } else {
        y.chunks_mut(height * width).enumerate().for_each(channel);
    }
    y
}

/// Adds the sum for output channel `o` to `y`, one tap after the other.
fn add_channel(
    g: &Conv2d,
    [out_height, out_width]: [usize; 2],
    o: usize,
    x: &[f64],
    weight: &[f64],
    y: &mut [f64],
) {
    let (height, width) = (g.input.dim(1), g.input.dim(2));
    let (in_channels, out_channels) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    let first = o / out_channels * in_channels;
    for c in 0..in_channels {
        let x = &x[(first + c) * height * width..][..height * width];
        for u in 0..g.kernel[0] {
            let rows = inside(g, 0, u, height, out_height);
            for v in 0..g.kernel[1] {
                let columns = inside(g, 1, v, width, out_width);
                if columns.is_empty() {
                    continue;
                }
                let w = weight[((o * in_channels + c) * g.kernel[0] + u) * g.kernel[1] + v];
                for row in rows.clone() {
                    let from = row * g.stride[0] + u * g.dilation[0] - g.padding[0];
                    let start = columns.start * g.stride[1] + v * g.dilation[1] - g.padding[1];
                    let x = &x[from * width + start..(from + 1) * width];
                    let y = &mut y[row * out_width..][columns.clone()];
                    for (y, x) in y.iter_mut().zip(x.iter().step_by(g.stride[1])) {
                        *y += w * x;
                    }
                }
            }
        }
    }
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
