//! A net's weights, packed for one image.

use typenet_kernels::winograd::blocked as blocked_winograd;
use typenet_kernels::{LANES, Lanes, blocked, isa};
use typenet_shape::{Conv2d, Conv2dKernel, Op, Shape, TensorKind};

use super::plan::{OneImagePlan, Place, in_order, len};
use crate::spec::NetSpec;
use crate::weights::Folded;

/// A net's weights, packed for one image.
#[derive(Debug)]
pub(crate) struct OneImageWeights {
    pub(crate) plan: OneImagePlan,
    pub(super) packed: Vec<Lanes>,
}

impl OneImageWeights {
    /// Packs a net's parameters, in the memory of those packed before if there are any; `None` where a
    /// layer has no kernel for one image.
    pub(crate) fn new(
        spec: &NetSpec,
        parameters: &[f32],
        folded: Option<&Folded>,
        spare: Option<Box<OneImageWeights>>,
    ) -> Option<Box<OneImageWeights>> {
        let mut net = match spare {
            Some(mut net) => {
                net.packed.fill(Lanes::ZERO);
                net
            }
            None => {
                let plan = OneImagePlan::new(spec)?;
                let packed = vec![Lanes::ZERO; plan.packed_len];
                Box::new(OneImageWeights { plan, packed })
            }
        };
        let NetSpec { graph, shapes, layout, .. } = *spec;
        let OneImageWeights { plan, packed } = &mut *net;
        for (index, (node, place)) in graph.nodes.iter().zip(&plan.nodes).enumerate() {
            let tensor = |kind: TensorKind| {
                let range = layout.place(index, kind);
                (!range.is_empty()).then(|| &parameters[range])
            };
            let (weight, bias) = match folded.and_then(|folded| folded.of(index)) {
                Some((weight, bias)) => (Some(weight), Some(bias)),
                None => (tensor(TensorKind::Weight), tensor(TensorKind::Bias)),
            };
            let (input, to) = (shapes[place.source], &mut packed[place.packed.clone()]);
            match node.op {
                Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } => {
                    pack_conv2d(place.kernel, &node.op.conv2d(input)?, weight?, bias, to);
                }
                Op::ConvTranspose2d { .. } => {
                    let g = node.op.conv_transpose2d(input)?;
                    blocked::pack_conv_transpose2d(&g, weight?, bias, to);
                }
                Op::Linear { out_features, .. } => {
                    let source = &plan.nodes[place.source];
                    let read = plan.linear_inputs(place.source, input.elements());
                    pack_linear(source, read, out_features, weight?, bias, to);
                }
                Op::BatchNorm { eps, .. } if !to.is_empty() => {
                    let [mean, variance] = [TensorKind::RunningMean, TensorKind::RunningVar];
                    pack_batch_norm(tensor(mean)?, tensor(variance)?, weight, bias, eps, to);
                }
                Op::LayerNorm { .. } => {
                    let tensors = [weight, bias].into_iter().flatten();
                    for (numbers, to) in tensors.zip(to.chunks_exact_mut(len(place.stored))) {
                        pack_value(place.stored, numbers, to);
                    }
                }
                _ => {}
            }
        }
        Some(net)
    }

    /// Writes the inputs where the layers read them, if one does not read them as they come.
    pub(crate) fn load(&self, image: &[f32], to: &mut [Lanes]) {
        if !self.plan.packs_image {
            return;
        }
        for Place { stored, pixels, .. } in &self.plan.nodes[..self.plan.inputs] {
            let to = &mut to[pixels.start..][..len(*stored)];
            blocked::from_planar(&image[pixels.clone()], stored.dim(0), to);
        }
    }

    /// The value of `node` in order.
    pub(crate) fn store(&self, node: usize, from: &[Lanes], output: &mut [f32]) {
        let stored = self.plan.nodes[node].stored;
        let from = &from[..len(stored)];
        if in_order(stored) {
            output.copy_from_slice(&blocked::flat(from)[..output.len()]);
        } else {
            blocked::to_planar(from, stored.dim(0), output);
        }
    }
}

/// Packs numbers in the places of a value's.
fn pack_value(stored: Shape, numbers: &[f32], to: &mut [Lanes]) {
    if in_order(stored) {
        blocked::flat_mut(to)[..numbers.len()].copy_from_slice(numbers);
    } else {
        blocked::from_planar(numbers, stored.dim(0), to);
    }
}

/// Packs a batch norm as a factor and a summand for each channel.
fn pack_batch_norm(
    mean: &[f32],
    variance: &[f32],
    weight: Option<&[f32]>,
    bias: Option<&[f32]>,
    eps: f32,
    to: &mut [Lanes],
) {
    let half = to.len() / 2 * LANES;
    let (scale, shift) = blocked::flat_mut(to).split_at_mut(half);
    for (channel, (&mean, &variance)) in mean.iter().zip(variance).enumerate() {
        let spread = (f64::from(variance) + f64::from(eps)).sqrt();
        let factor = weight.map_or(1.0, |weight| f64::from(weight[channel])) / spread;
        let summand = bias.map_or(0.0, |bias| f64::from(bias[channel]));
        scale[channel] = factor as f32;
        shift[channel] = (summand - f64::from(mean) * factor) as f32;
    }
}

/// Packs a convolution's weights for its kernel.
fn pack_conv2d(
    kernel: Conv2dKernel,
    g: &Conv2d,
    weight: &[f32],
    bias: Option<&[f32]>,
    to: &mut [Lanes],
) {
    if kernel == Conv2dKernel::Direct {
        blocked::pack_conv2d(g, weight, bias, to);
    } else {
        blocked_winograd::pack(isa(), kernel, g, weight, bias, to);
    }
}

/// Packs a linear layer's weights in the order in which its input stands, of which it reads so many
/// numbers.
fn pack_linear(
    source: &Place,
    read: usize,
    outputs: usize,
    weight: &[f32],
    bias: Option<&[f32]>,
    to: &mut [Lanes],
) {
    if source.is_image || in_order(source.stored) {
        return blocked::pack_linear(weight, bias, outputs, to);
    }
    let mut row = vec![Lanes::ZERO; len(source.stored)];
    let mut ordered = Vec::with_capacity(outputs * read);
    for weight in weight.chunks_exact(weight.len() / outputs) {
        blocked::from_planar(weight, source.stored.dim(0), &mut row);
        ordered.extend_from_slice(blocked::flat(&row));
    }
    blocked::pack_linear(&ordered, bias, outputs, to);
}
