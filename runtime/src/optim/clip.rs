//! Gradient clipping.

use std::ops::Range;

use typenet_kernels::team::{Team, chunks_mut};
use typenet_shape::Tensor;

use super::norm::sum_of_squares;
use super::rule::PIECE;
use crate::net::network::Network;
use typenet_engine::Flat;

/// Scales all gradients so that their joint norm, `√(Σ g²)`, is at most `max_norm`: PyTorch's
/// `clip_grad_norm_`. Returns the norm before clipping; where it is NaN or infinite, nothing is changed. The
/// factor is `max_norm / (norm + 1e-6)`. Gradients of parameters that are not trained neither count nor
/// change.
///
/// ```
/// # use typenet_runtime::{Network, Workspace};
/// # use typenet_runtime::optim::{Sgd, State};
/// use typenet_runtime::optim::clip_grad_norm;
/// # fn step<N: Network>(mut net: N, mut ws: Workspace<N>, mut sgd: State<N, Sgd>) {
/// let norm = clip_grad_norm(&net, ws.gradients_mut(), 1.0);
/// sgd.step(&mut net, ws.gradients());
/// # }
/// ```
pub fn clip_grad_norm<N: Network>(net: &N, gradients: &mut N::Parameters, max_norm: f64) -> f64 {
    let ranges = || trained::<N>(net);
    let gradients = gradients.as_flat_mut();
    let norm = ranges().map(|range| sum_of_squares(&gradients[range])).sum::<f64>().sqrt();
    let factor = max_norm / (norm + 1e-6);
    if norm.is_finite() && factor < 1.0 {
        let factor = factor as f32;
        change(ranges(), gradients, &|g| *g *= factor);
    }
    norm
}

/// Clamps every gradient to `-max_value..=max_value`: PyTorch's `clip_grad_value_`. NaN stays NaN. Gradients
/// of parameters that are not trained do not change.
pub fn clip_grad_value<N: Network>(net: &N, gradients: &mut N::Parameters, max_value: f32) {
    let limit = max_value.abs();
    change(trained::<N>(net), gradients.as_flat_mut(), &|g| *g = g.clamp(-limit, limit));
}

/// The ranges of the gradients of trained tensors.
fn trained<N: Network>(net: &N) -> impl Iterator<Item = Range<usize>> + Send {
    let trained = net.model().trainable(&N::SPEC).tensors();
    let tensors = N::LAYOUT.tensors.iter().zip(trained).filter(|(_, trained)| **trained);
    tensors.map(|(tensor, _)| range(tensor))
}

fn range(tensor: &Tensor) -> Range<usize> {
    tensor.offset..tensor.offset + tensor.shape.elements()
}

fn change(
    ranges: impl Iterator<Item = Range<usize>> + Send,
    gradients: &mut [f32],
    f: &(impl Fn(&mut f32) + Sync),
) {
    Team::gather(gradients.len().div_ceil(4 * PIECE), |team| {
        for range in ranges {
            let parts = chunks_mut(&mut gradients[range], PIECE);
            team.for_each(parts, |_, part| part.iter_mut().for_each(f));
        }
    });
}
