//! Convolutions whose groups are neither whole blocks of channels nor single ones: group by group.

use typenet_kernels::blocked::{self, Pixels};
use typenet_kernels::team::{Team, chunks, chunks_mut};
use typenet_kernels::{Isa, Lanes, activation, elementwise};
use typenet_shape::{Activation, Conv2d, Shape};

/// Whether a convolution runs group by group.
pub(super) fn is_grouped(g: &Conv2d) -> bool {
    let of_group = [g.input.dim(0), g.out_channels].map(|channels| channels / g.groups);
    g.groups > 1 && of_group.iter().any(|channels| !channels.is_multiple_of(16))
}

/// The convolution of one group.
fn of_group(g: &Conv2d) -> Conv2d {
    let [channels, height, width] = [0, 1, 2].map(|axis| g.input.dim(axis));
    let input = Shape::new(&[channels / g.groups, height, width]);
    Conv2d { input, out_channels: g.out_channels / g.groups, groups: 1, ..*g }
}

/// [`Lanes`] of a group's values of one image: input and output.
fn values(g: &Conv2d) -> [usize; 2] {
    let own = of_group(g);
    let areas = [g.input, own.output().unwrap_or(g.input)].map(|s| s.dim(1) * s.dim(2));
    [blocked::blocks(own.input.dim(0)) * areas[0], blocked::blocks(own.out_channels) * areas[1]]
}

/// [`Lanes`] that such a convolution needs for itself, forward and backward.
pub(super) fn room_len(g: &Conv2d, images: usize) -> [usize; 2] {
    let own = of_group(g);
    let both: usize = values(g).iter().map(|len| images * len).sum();
    let weight = blocked::conv2d_weight_gradient_room(&own, images, false);
    let data = blocked::conv2d_data_room(&own, images);
    [both + blocked::conv2d_packed_len(&own), both + weight.max(data)]
}

/// What all groups share.
pub(super) struct Grouped<'a> {
    pub(super) isa: Isa,
    pub(super) team: &'a Team,
    pub(super) g: Conv2d,
    pub(super) images: usize,
}

impl Grouped<'_> {
    /// Some channels of all images, from a value to a group's own or back.
    fn take(&self, from: &[Lanes], start: usize, channels: usize, to: &mut [Lanes]) {
        let parts = (chunks(from, from.len() / self.images), {
            let of_image = to.len() / self.images;
            chunks_mut(to, of_image)
        });
        self.team.for_each(parts, |_, (from, to)| {
            blocked::part_of_channels(from, start, channels, false, to);
        });
    }

    fn join(&self, from: &[Lanes], channels: usize, start: usize, to: &mut [Lanes]) {
        let of_image = to.len() / self.images;
        let parts = (chunks(from, from.len() / self.images), chunks_mut(to, of_image));
        self.team.for_each(parts, |_, (from, to)| {
            blocked::join_channels(from, channels, start, to);
        });
    }

    pub(super) fn forward(
        &self,
        x: &[Lanes],
        (weight, bias): (&[f32], Option<&[f32]>),
        other: Option<&[Lanes]>,
        f: Activation,
        room: &mut [Lanes],
        y: &mut [Lanes],
    ) {
        let (isa, team, own) = (self.isa, self.team, of_group(&self.g));
        let [ins, outs] = [own.input.dim(0), own.out_channels];
        let [x_len, y_len] = values(&self.g).map(|len| self.images * len);
        let (own_x, rest) = room.split_at_mut(x_len);
        let (own_y, rest) = rest.split_at_mut(y_len);
        let packed = &mut rest[..blocked::conv2d_packed_len(&own)];
        let of_weight = weight.len() / self.g.groups;
        for group in 0..self.g.groups {
            self.take(x, group * ins, ins, own_x);
            let weight = &weight[group * of_weight..][..of_weight];
            let bias = bias.map(|bias| &bias[group * outs..][..outs]);
            blocked::pack_conv2d_shared(isa, team, &own, weight, bias, packed);
            let none = Activation::Identity;
            blocked::conv2d(isa, team, &own, Pixels::Blocked(own_x), packed, None, none, own_y);
            self.join(own_y, outs, group * outs, y);
        }
        let of_image = y.len() / self.images;
        team.for_each(chunks_mut(y, of_image), |image, y| match other {
            Some(other) => {
                let other = &other[image * of_image..][..of_image];
                elementwise::add(isa, other, y);
                activation::forward_in_place(isa, f, y);
            }
            None => activation::forward_in_place(isa, f, y),
        });
    }

    pub(super) fn backward_weight(
        &self,
        x: &[Lanes],
        dy: &[Lanes],
        room: &mut [Lanes],
        accumulate: bool,
        dw: &mut [f32],
    ) {
        let (isa, team, images, own) = (self.isa, self.team, self.images, of_group(&self.g));
        let [ins, outs] = [own.input.dim(0), own.out_channels];
        let [x_len, y_len] = values(&self.g).map(|len| images * len);
        let (own_x, rest) = room.split_at_mut(x_len);
        let (own_dy, rest) = rest.split_at_mut(y_len);
        let of_group = dw.len() / self.g.groups;
        for (group, dw) in dw.chunks_exact_mut(of_group).enumerate() {
            self.take(x, group * ins, ins, own_x);
            self.take(dy, group * outs, outs, own_dy);
            let x = Pixels::Blocked(own_x);
            blocked::conv2d_backward_weight(
                isa, team, &own, images, x, own_dy, rest, accumulate, dw,
            );
        }
    }

    pub(super) fn backward_data(
        &self,
        dy: &[Lanes],
        weight: &[f32],
        room: &mut [Lanes],
        accumulate: bool,
        dx: &mut [Lanes],
    ) {
        let (isa, team, own) = (self.isa, self.team, of_group(&self.g));
        let [ins, outs] = [own.input.dim(0), own.out_channels];
        let [x_len, y_len] = values(&self.g).map(|len| self.images * len);
        let (own_dx, rest) = room.split_at_mut(x_len);
        let (own_dy, rest) = rest.split_at_mut(y_len);
        let of_weight = weight.len() / self.g.groups;
        for (group, weight) in weight.chunks_exact(of_weight).enumerate() {
            self.take(dy, group * outs, outs, own_dy);
            if accumulate {
                self.take(dx, group * ins, ins, own_dx);
            }
            blocked::conv2d_backward_data(
                isa, team, &own, own_dy, weight, rest, accumulate, own_dx,
            );
            self.join(own_dx, ins, group * ins, dx);
        }
    }
}
