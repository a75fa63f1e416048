//! Where the groups of a training step meet.

use typenet_kernels::linear::{self, Groups};
use typenet_kernels::team::{Team, chunks_mut, ranges_mut};
use typenet_kernels::{LANES, Lanes, elementwise, isa, winograd};
use typenet_shape::{Conv2dPass, Norm, TensorKind};

use crate::layout::Layout;
use crate::trainable::Trainable;

/// Gradients are added up in pieces of this many numbers.
pub(super) const PIECE: usize = 8192;

/// Adds up the gradients of transformed weights of all slots, in their order, and adds to the first
/// slot's gradients what they are of the weights themselves.
pub(super) fn add_transformed(
    team: &Team,
    layout: &Layout,
    trained: &Trainable,
    partials: &mut [f32],
    sums: &mut [Lanes],
    slots: usize,
) {
    let convolutions = layout.transformed[Conv2dPass::BackwardWeight as usize];
    if sums.is_empty() {
        return;
    }
    let (first, others) = sums.split_at_mut(sums.len() / slots);
    let isa = isa();
    team.for_each(chunks_mut(first, PIECE), |piece, sums| {
        for slot in others.chunks_exact(layout.transformed_len(Conv2dPass::BackwardWeight)) {
            let part = &slot[piece * PIECE..][..sums.len()];
            elementwise::add(isa, part, sums);
        }
    });
    let first = &*first;
    let weights = ranges_mut(&mut partials[..layout.parameters], convolutions, |own| {
        own.weight.offset..own.weight.end()
    });
    team.for_each(weights, |index, dw| {
        let own = &convolutions[index];
        if !trained.of(own.node).own {
            return;
        }
        let sums = &first[own.place.offset..own.place.end()];
        winograd::add_weight_gradient(isa, own.kernel, &own.geometry, sums, dw);
    });
}

/// The weight gradients that are computed of all groups of images together.
pub(super) fn add_at_end(
    team: &Team,
    layout: &Layout,
    trained: &Trainable,
    arena: &[Lanes],
    accumulate: bool,
    gradients: &mut [f32],
) {
    for step in layout.steps.iter().filter(|step| step.sums_at_end()) {
        let (true, Some(gradient)) = (trained.of(step.node).own, step.output_gradient) else {
            continue;
        };
        let groups = Groups {
            x: arena.get(step.training.input.offset..).unwrap_or_default(),
            dy: arena.get(gradient.offset..).unwrap_or_default(),
            step: layout.training_len,
            count: arena.len() / layout.training_len,
            inputs: step.training.input.len,
            outputs: gradient.len,
        };
        let dw = &mut gradients[layout.place(step.node, TensorKind::Weight)];
        linear::backward_weight_of_groups(isa(), team, &groups, accumulate, dw);
    }
}

/// Where all groups of so many images gather for a batch norm, and how many numbers each of them;
/// without a norm some place that nobody reads.
pub(super) fn gathered<'a>(
    norm: Option<&Norm>,
    images: usize,
    all: &'a mut [f32],
) -> (&'a mut [f32], usize) {
    let groups = images.div_ceil(LANES);
    let (start, each) = match norm {
        Some(norm) => (norm.statistics.offset * groups, norm.statistics.len),
        None => (all.len() - groups, 1),
    };
    (&mut all[start..start + groups * each], each)
}
