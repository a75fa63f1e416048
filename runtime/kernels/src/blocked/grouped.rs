//! Convolutions whose groups are not whole blocks of output channels: each group is computed in blocks of its
//! own, the last of which is padded with channels of zeros, and then the groups are joined.

use typenet_shape::{Activation, Conv2d, ConvTranspose2d, Shape};

use super::super::team::{Team, chunks, chunks_mut};
use super::super::{Isa, LANES, Lanes, activation, elementwise};
use super::conv_transpose2d::runs_conv_transpose2d;
use super::conv2d::{Pixels, images, runs_conv2d};
use super::layout::{blocks, join_channels};
use super::{conv_transpose2d, conv2d};

/// The convolution with its groups padded to whole blocks; `None` where they already are whole blocks, or
/// where each channel is a group.
pub const fn filled_conv2d(g: &Conv2d) -> Option<Conv2d> {
    if runs_conv2d(g) {
        return None;
    }
    Some(Conv2d { out_channels: g.groups * whole(g.out_channels / g.groups), ..*g })
}

/// As [`filled_conv2d`].
pub const fn filled_conv_transpose2d(g: &ConvTranspose2d) -> Option<ConvTranspose2d> {
    if runs_conv_transpose2d(g) {
        return None;
    }
    Some(ConvTranspose2d { out_channels: g.groups * whole(g.out_channels / g.groups), ..*g })
}

const fn whole(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// Pads parameters: appends pieces of zeros to each of `rows` rows of `outputs` pieces of numbers, until the
/// outputs are whole blocks.
///
/// # Panics
/// When the numbers are not so many pieces.
pub fn filled(numbers: &[f32], rows: usize, outputs: usize) -> Vec<f32> {
    let pieces = rows * outputs;
    assert!(pieces > 0 && numbers.len().is_multiple_of(pieces), "whole rows of pieces");
    let (row, more) = (numbers.len() / rows, numbers.len() / pieces * (whole(outputs) - outputs));
    let mut all = Vec::with_capacity(numbers.len() + rows * more);
    for row in numbers.chunks_exact(row) {
        all.extend_from_slice(row);
        all.resize(all.len() + more, 0.0);
    }
    all
}

/// As [`conv2d`], of a convolution for which there is a [padded](filled_conv2d) one; `packed` is the weight
/// of the padded one. `room` holds the padded one's output for as many images as `y` does, with any contents.
///
/// # Panics
/// When the geometry is not such a one, a slice has a wrong length, or this machine lacks `isa`.
pub fn grouped_conv2d(
    isa: Isa,
    team: &Team,
    g: &Conv2d,
    x: Pixels<'_>,
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    room: &mut [Lanes],
    y: &mut [Lanes],
) {
    let (Some(filled), Ok(output)) = (filled_conv2d(g), g.output()) else {
        return another_kernels();
    };
    conv2d(isa, team, &filled, x, packed, None, Activation::Identity, room);
    join_groups(isa, team, (g.groups, output), other, f, room, y);
}

/// As [`conv_transpose2d`]; see [`grouped_conv2d`].
///
/// # Panics
/// As [`grouped_conv2d`].
pub fn grouped_conv_transpose2d(
    isa: Isa,
    team: &Team,
    g: &ConvTranspose2d,
    x: Pixels<'_>,
    packed: &[Lanes],
    other: Option<&[Lanes]>,
    f: Activation,
    room: &mut [Lanes],
    y: &mut [Lanes],
) {
    let (Some(filled), Ok(output)) = (filled_conv_transpose2d(g), g.output()) else {
        return another_kernels();
    };
    conv_transpose2d(isa, team, &filled, x, packed, None, Activation::Identity, room);
    join_groups(isa, team, (g.groups, output), other, f, room, y);
}

#[cold]
#[allow(clippy::panic)]
pub(super) fn another_kernels() {
    panic!("another kernel's geometry")
}

fn join_groups(
    isa: Isa,
    team: &Team,
    (groups, output): (usize, Shape),
    other: Option<&[Lanes]>,
    f: Activation,
    room: &[Lanes],
    y: &mut [Lanes],
) {
    let (channels, area) = (output.dim(0), output.dim(1) * output.dim(2));
    let of_group = channels / groups;
    let [from, to] = [groups * blocks(of_group) * area, blocks(channels) * area];
    assert_eq!(room.len(), images(y.len(), to) * from, "the room's length");
    assert!(other.is_none_or(|other| other.len() == y.len()), "the added value's length");
    team.for_each((chunks(room, from), chunks_mut(y, to)), |image, (room, y)| {
        for (group, x) in room.chunks_exact(blocks(of_group) * area).enumerate() {
            join_channels(x, of_group, group * of_group, y);
        }
        match other {
            Some(other) => elementwise::add_activated(isa, &other[image * to..][..to], f, y),
            None => activation::forward_in_place(isa, f, y),
        }
    });
}
