//! Convolutions of 1×1 with a stride: the pixels that are read are gathered, and then a convolution without a
//! stride reads them. Its tiles are not bound to rows, and no cache line that they read is half unused.

use typenet_shape::{Activation, Conv2d, Shape};

use super::super::team::{Team, chunks_mut};
use super::super::{Isa, Lanes};
use super::conv2d::{Pixels, conv2d, images, runs_conv2d};
use super::grouped::another_kernels;
use super::layout::blocks;

/// Products from which on it pays to wait for the team once more.
const ENOUGH: usize = 1 << 21;

/// The convolution of the gathered pixels; `None` where [`conv2d`] had better read them where they stand.
pub const fn gathered_conv2d(g: &Conv2d) -> Option<Conv2d> {
    let (([1, 1], [0, 0], [0, 0]), Ok(output), true) =
        ((g.kernel, g.padding, g.extra), g.output(), runs_conv2d(g))
    else {
        return None;
    };
    let [channels, height, width] = [g.input.dim(0), output.dim(1), output.dim(2)];
    // Where each group is one channel, a pixel is read for too few products.
    let is_depthwise = g.groups == channels;
    let products = (channels / g.groups).saturating_mul(output.elements());
    if (g.stride[0] == 1 && g.stride[1] == 1) || is_depthwise || products < ENOUGH {
        return None;
    }
    Some(Conv2d { input: Shape::new(&[channels, height, width]), stride: [1, 1], ..*g })
}

/// As [`conv2d`], of a convolution for which there is a [gathered](gathered_conv2d) one. `room` holds the
/// gathered pixels, as many images as `y` does, with any contents.
///
/// # Panics
/// When the geometry is not such a one, a slice has a wrong length, or this machine lacks `isa`.
pub fn strided_conv2d(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    x: &[Lanes],
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    room: &mut [Lanes],
    y: &mut [Lanes],
) {
    let Some(gathered) = gathered_conv2d(g) else { return another_kernels() };
    let [height, width] = [gathered.input.dim(1), gathered.input.dim(2)];
    let images = images(y.len(), blocks(g.out_channels) * height * width);
    let planes = images * blocks(g.input.dim(0));
    let [x_height, x_width] = [g.input.dim(1), g.input.dim(2)];
    assert_eq!(x.len(), planes * x_height * x_width, "the input's length");
    assert_eq!(room.len(), planes * height * width, "the gathered pixels' length");
    team.for_each(chunks_mut(room, height * width), |plane, room| {
        let x = &x[plane * x_height * x_width..][..x_height * x_width];
        let rows = x.chunks_exact(x_width).step_by(g.stride[0]);
        for (to, row) in room.chunks_exact_mut(width).zip(rows) {
            for (to, pixel) in to.iter_mut().zip(row.iter().step_by(g.stride[1])) {
                *to = *pixel;
            }
        }
    });
    conv2d(isa, team, &gathered, Pixels::Blocked(room), packed, other, f, y);
}
