//! Norms of each image by itself.

use typenet_kernels::blocked::{self, GroupNorm, GroupNormGradient, LayerNorm};
use typenet_kernels::team::{chunks, chunks_mut, equal_mut};
use typenet_kernels::{LANES, Lanes};
use typenet_shape::{Op, Step, TensorKind};

use super::call::Write;
use super::call::{Call, len};
use super::gradients::{Gradients, own};
use super::run::{Operands, Run, apart};

/// [`Lanes`] that such a norm needs for itself, forward and backward.
pub(super) fn room_len(step: &Step, images: usize) -> [usize; 2] {
    let channels = step.input.dim(0);
    let area = step.input.elements() / channels;
    let backward = blocked::group_norm_backward_room(channels, area, images);
    let forward = match step.op {
        Op::LayerNorm { .. } => 2 * len(step.input),
        _ => 2 * blocked::blocks(channels) + images * GroupNorm::room_len(channels),
    };
    [forward, backward]
}

/// Numbers for each channel in blocks of 16.
fn pack(numbers: &[f32], to: &mut [Lanes]) {
    for (to, numbers) in to.iter_mut().zip(numbers.chunks(LANES)) {
        *to = Lanes::ZERO;
        to.0[..numbers.len()].copy_from_slice(numbers);
    }
}

impl Run<'_> {
    /// Groups of channels, or all numbers, of each image to mean 0 and variance 1, with activation.
    pub(super) fn image_norm(&mut self, call: &Call, step: &Step) {
        let (isa, team, images) = (self.isa, self.team, self.images);
        let (parameters, channels) = (self.parameters, step.input.dim(0));
        let [weight, bias] = [TensorKind::Weight, TensorKind::Bias]
            .map(|kind| &parameters[self.layout.place(step.node, kind)]);
        let (f, of_image) = (step.training.activation, len(step.input));
        let Operands { x, room, y, .. } = self.operands(call);
        let parts = (chunks(x, of_image), chunks_mut(y, of_image));
        match step.op {
            Op::LayerNorm { eps, .. } => {
                let (to_weight, to_bias) = room[..2 * of_image].split_at_mut(of_image);
                for (numbers, to) in [(weight, &mut *to_weight), (bias, &mut *to_bias)] {
                    if !numbers.is_empty() {
                        blocked::from_planar(numbers, channels, to);
                    }
                }
                let weight = (!weight.is_empty()).then_some(&*to_weight);
                let bias = (!bias.is_empty()).then_some(&*to_bias);
                let norm = LayerNorm { channels, eps, weight, bias };
                team.for_each(parts, |_, (x, y)| blocked::layer_norm(isa, &norm, x, f, y));
            }
            Op::GroupNorm { num_groups: groups, eps, .. } => {
                let blocks = blocked::blocks(channels);
                let (own, rooms) = room.split_at_mut(2 * blocks);
                let (to_weight, to_bias) = own.split_at_mut(blocks);
                pack(weight, to_weight);
                pack(bias, to_bias);
                let weight = (!weight.is_empty()).then_some(&*to_weight);
                let bias = (!bias.is_empty()).then_some(&*to_bias);
                let norm = GroupNorm { channels, groups, eps, weight, bias };
                let rooms = equal_mut(&mut rooms[..images * GroupNorm::room_len(channels)], images);
                team.for_each((parts, rooms), |_, ((x, y), room)| {
                    blocked::group_norm(isa, &norm, x, f, room, y);
                });
            }
            _ => {}
        }
    }

    /// Gradients of such a norm.
    pub(super) fn image_norm_backward(
        &mut self,
        call: &Call,
        step: &Step,
        gradients: &mut Gradients<'_>,
    ) {
        let Some((groups, eps)) = step.op.image_norm() else { return };
        let Some(gradient) = self.output_gradient(call) else { return };
        self.undo_activation(call, step.training.activation);
        let (isa, team, images) = (self.isa, self.team, self.images);
        let weight = &self.parameters[self.layout.place(step.node, TensorKind::Weight)];
        let weight = (!weight.is_empty()).then_some(weight);
        let norm = GroupNormGradient { channels: step.input.dim(0), groups, eps, weight };
        let own = match self.needs(step.node).own {
            true => own(self.layout, step.node, gradients.all),
            false => [None, None],
        };
        let read = &call.reads[0];
        let to = self.input_gradient(read);
        let has_target = to.is_some();
        let ranges = [self.read(read), gradient, to.unwrap_or(0..0), call.room[1].clone()];
        let [x, dy, dx, room] = apart(self.arena, ranges);
        let (accumulate, adds) = (gradients.accumulate, read.write == Write::Adds);
        let dx = has_target.then_some(dx);
        blocked::group_norm_backward(
            isa, team, images, &norm, x, dy, room, accumulate, own, adds, dx,
        );
    }
}
