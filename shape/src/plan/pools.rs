//! What pooling layers share with the layer before them.

use super::{Buffer, Pooled};
use crate::{Activation, Conv2dKernel, Conv2dPass, Fusion, Graph, Op, Pool2d, Shape};

/// The convolution that computes the pooling layer at `node` in inference, row by row while they are in
/// cache: its values are read by nothing else, each by one window at most, and its kernel goes row by
/// row.
pub(super) const fn convolution_of<const N: usize>(
    graph: &Graph<'_>,
    fusion: &Fusion<N>,
    shapes: &[Shape; N],
    node: usize,
) -> Option<usize> {
    if !matches!(graph.nodes[node].op, Op::MaxPool2d { .. } | Op::AvgPool2d { .. }) {
        return None;
    }
    let source = graph.nodes[node].inputs[0];
    let fused = &fusion.of(false)[source];
    let host = fused.host;
    if fused.readers != 1 || fusion.of(false)[host].added.is_some() {
        return None;
    }
    let Op::Conv2d { .. } = graph.nodes[host].op else { return None };
    let input = shapes[graph.nodes[host].inputs[0]];
    let pool = graph.nodes[node].op.pool2d(shapes[source]);
    if let (Some(g), Some(pool)) = (graph.nodes[host].op.conv2d(input), pool)
        && pool.is_tiling()
        && g.groups == 1
        && matches!(Conv2dKernel::choose(&g, Conv2dPass::Forward), Conv2dKernel::Direct)
    {
        return Some(host);
    }
    None
}

/// The activation before the max pooling layer at `node` that the layer undoes in the backward pass, on
/// its own output's gradient: fewer numbers, and the values at the largest places are the same. Another
/// reader would need the gradient of the activated value.
pub(super) const fn activation_before<const N: usize>(
    graph: &Graph<'_>,
    fusion: &Fusion<N>,
    node: usize,
) -> Activation {
    if !matches!(graph.nodes[node].op, Op::MaxPool2d { .. }) {
        return Activation::Identity;
    }
    let source = graph.nodes[node].inputs[0];
    let fused = &fusion.of(true)[source];
    if fused.readers == 1 && graph.nodes[fused.host].op.takes_factors() {
        return fusion.activation(graph, fused.host, true);
    }
    Activation::Identity
}

impl Pooled {
    /// How much memory the rows of the convolution that one row of windows reads take, in vectors of 16
    /// numbers.
    pub const fn band_len(&self) -> usize {
        let Pool2d { kernel, input, .. } = self.geometry;
        let rows = if kernel[0] < input.dim(1) { kernel[0] } else { input.dim(1) };
        Shape::new(&[rows, input.dim(2), input.dim(0)]).elements()
    }

    pub(super) const fn new(op: &Op, input: Shape, output: Buffer) -> Option<Pooled> {
        match op.pool2d(input) {
            Some(geometry) => {
                Some(Pooled { geometry, is_max: matches!(op, Op::MaxPool2d { .. }), output })
            }
            None => None,
        }
    }
}
