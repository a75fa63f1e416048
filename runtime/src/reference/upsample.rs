use typenet_shape::{ConvTranspose2d, Interpolation, Shape, Upsample2d};

use crate::symbolic::Number;

/// Spreads each number of the input over a window of the output.
pub(super) fn conv_transpose2d<T: Number>(
    g: &ConvTranspose2d,
    output: Shape,
    x: &[T],
    weight: &[T],
    bias: Option<&[T]>,
) -> Vec<T> {
    let area = output.dim(1) * output.dim(2);
    let mut y: Vec<T> =
        (0..output.elements()).map(|at| bias.map_or(0.0.into(), |bias| bias[at / area])).collect();
    spread(g, output, |from, w, to| y[to] += weight[w] * x[from]);
    y
}

/// The gradients of the input and of the weight.
pub(super) fn conv_transpose2d_backward(
    g: &ConvTranspose2d,
    output: Shape,
    x: &[f64],
    weight: &[f64],
    dy: &[f64],
) -> [Vec<f64>; 2] {
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
    spread(g, output, |from, w, to| {
        dx[from] += weight[w] * dy[to];
        dw[w] += x[from] * dy[to];
    });
    [dx, dw]
}

/// Calls `visit` with the places of each product: in the input, in the weight, and in the output.
fn spread(g: &ConvTranspose2d, output: Shape, mut visit: impl FnMut(usize, usize, usize)) {
    let [height, width] = [output.dim(1), output.dim(2)];
    let (in_channels, out_channels) = (g.input.dim(0) / g.groups, g.out_channels / g.groups);
    for c in 0..g.input.dim(0) {
        let group = c / in_channels;
        for i in 0..g.input.dim(1) {
            for j in 0..g.input.dim(2) {
                let from = (c * g.input.dim(1) + i) * g.input.dim(2) + j;
                for o in 0..out_channels {
                    for u in 0..g.kernel[0] {
                        for v in 0..g.kernel[1] {
                            let row = i * g.stride[0] + u * g.dilation[0];
                            let column = j * g.stride[1] + v * g.dilation[1];
                            let row = row.checked_sub(g.padding[0]).filter(|&row| row < height);
                            let column =
                                column.checked_sub(g.padding[1]).filter(|&column| column < width);
                            if let (Some(row), Some(column)) = (row, column) {
                                let w =
                                    ((c * out_channels + o) * g.kernel[0] + u) * g.kernel[1] + v;
                                let channel = group * out_channels + o;
                                visit(from, w, (channel * height + row) * width + column);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The places of the input that have a part in each of the output's along one axis, with their shares.
fn shares(g: &Upsample2d, axis: usize, output: Shape) -> Vec<Vec<(usize, f64)>> {
    let len = g.input.dim(axis + 1);
    let of_place = |to| {
        let shares = (0..len).map(|at| (at, share(g, axis, to, at)));
        // What has no part may be infinite.
        shares.filter(|&(_, share)| share > 0.0).collect()
    };
    (0..output.dim(axis + 1)).map(of_place).collect()
}

/// The share of place `at` of the input in place `output` of the output, along one axis.
fn share(g: &Upsample2d, axis: usize, output: usize, at: usize) -> f64 {
    let (len, scale) = (g.input.dim(axis + 1), g.scale[axis]);
    if g.mode == Interpolation::Nearest {
        return f64::from(u8::from(output / scale == at));
    }
    let place = match g.align_corners {
        true if len == 1 => 0.0,
        true => (output * (len - 1)) as f64 / (len * scale - 1) as f64,
        false => (output as f64 + 0.5) / scale as f64 - 0.5,
    };
    // Outside the first and the last place there is nothing but these.
    let place = place.clamp(0.0, (len - 1) as f64);
    (1.0 - (place - at as f64).abs()).max(0.0)
}

pub(super) fn upsample2d<T: Number>(g: &Upsample2d, output: Shape, x: &[T]) -> Vec<T> {
    let (height, width) = (g.input.dim(1), g.input.dim(2));
    let (rows, columns) = (shares(g, 0, output), shares(g, 1, output));
    let mut y = Vec::with_capacity(output.elements());
    for channel in x.chunks(height * width) {
        for row in &rows {
            for column in &columns {
                let mut sum = T::from(0.0);
                for &(i, down) in row {
                    for &(j, across) in column {
                        sum += T::from(down * across) * channel[i * width + j];
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

/// The gradient of the input.
pub(super) fn upsample2d_backward(g: &Upsample2d, output: Shape, dy: &[f64]) -> Vec<f64> {
    let (height, width) = (g.input.dim(1), g.input.dim(2));
    let (rows, columns) = (shares(g, 0, output), shares(g, 1, output));
    let mut dx = vec![0.0; g.input.elements()];
    for (dx, dy) in dx.chunks_mut(height * width).zip(dy.chunks(rows.len() * columns.len())) {
        for (row, dy) in rows.iter().zip(dy.chunks(columns.len())) {
            for (column, dy) in columns.iter().zip(dy) {
                for &(i, down) in row {
                    for &(j, across) in column {
                        dx[i * width + j] += down * across * dy;
                    }
                }
            }
        }
    }
    dx
}
