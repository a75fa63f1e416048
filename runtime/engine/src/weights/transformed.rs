//! Weights of convolutions as their kernels want them.

use typenet_kernels::team::{Team, ranges_mut};
use typenet_kernels::{isa, winograd};
use typenet_shape::Conv2dPass;

use super::folded::Folded;
use crate::layout::Layout;

/// What a batch of images in inference needs beside the parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared<'a> {
    /// The parameters of the layers into which a batch norm is folded.
    pub(crate) folded: Option<&'a Folded>,
    /// The transformed weights.
    pub(crate) transformed: &'a [f32],
}

/// Transforms the weights of all convolutions for a pass, shared out among the team; `to` is of
/// [`Layout::transformed_len`]. Folded weights take the place of the parameters'.
pub(crate) fn transform(
    team: &Team,
    layout: &Layout,
    pass: Conv2dPass,
    parameters: &[f32],
    folded: Option<&Folded>,
    to: &mut [f32],
) {
    if to.is_empty() {
        return;
    }
    let (isa, convolutions) = (isa(), layout.transformed[pass as usize]);
    let parts = ranges_mut(to, convolutions, |own| own.place.offset..own.place.end());
    team.for_each(parts, |index, to| {
        let own = &convolutions[index];
        let weight = match folded.and_then(|folded| folded.of(own.node)) {
            Some((weight, _)) => weight,
            None => &parameters[own.weight.offset..own.weight.end()],
        };
        winograd::transform_weight(isa, own.kernel, &own.geometry, pass, weight, to);
    });
}

/// [`transform`] for inference, in the memory of a vector with any contents.
pub(crate) fn for_inference(
    layout: &Layout,
    parameters: &[f32],
    folded: Option<&Folded>,
    mut transformed: Vec<f32>,
) -> Vec<f32> {
    let pass = Conv2dPass::Forward;
    transformed.resize(layout.transformed_len(pass), 0.0);
    // A thread of a pool would take up other work while it waits for its helpers, such as a prediction of this net,
    // which waits for these weights.
    let is_in_pool = rayon::current_thread_index().is_some();
    let threads = if is_in_pool { 1 } else { layout.transformed[pass as usize].len() };
    Team::gather(threads, |team| {
        transform(team, layout, pass, parameters, folded, &mut transformed);
    });
    transformed
}
