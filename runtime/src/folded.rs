//! Batch norms in inference: `(w · x + b − mean) · factor + bias` is a layer with the weight
//! `w · factor` and the bias `(b − mean) · factor + bias`, so nothing is left to do for the norm.

use std::ops::Range;

use typenet_shape::{Graph, Op, TensorKind};

use crate::layout::Layout;

/// The weights and biases of the layers of a net that have taken in a batch norm.
#[derive(Debug)]
pub(crate) struct Folded {
    numbers: Vec<f32>,
    /// Where each node's weight and bias stand, if it has taken in a batch norm.
    places: Vec<Option<(Range<usize>, Range<usize>)>>,
}

impl Folded {
    /// The weights of these parameters, or `None` where there is no batch norm to take in.
    pub(crate) fn new(graph: &Graph<'_>, layout: &Layout, parameters: &[f32]) -> Option<Folded> {
        let mut folded = Folded { numbers: Vec::new(), places: vec![None; graph.nodes.len()] };
        for (norm, node) in graph.nodes.iter().enumerate() {
            let (Op::BatchNorm { eps, .. }, true) = (node.op, layout.is_folded(norm)) else {
                continue;
            };
            let layer = node.inputs[0];
            let tensor = |node: usize, kind: TensorKind| {
                let tensor = layout.tensors.iter().find(|t| t.node == node && t.kind == kind)?;
                Some(&parameters[tensor.offset..tensor.offset + tensor.shape.elements()])
            };
            let mean = tensor(norm, TensorKind::RunningMean)?;
            let variance = tensor(norm, TensorKind::RunningVar)?;
            let (scale, shift) = (tensor(norm, TensorKind::Weight), tensor(norm, TensorKind::Bias));
            let (weight, bias) =
                (tensor(layer, TensorKind::Weight)?, tensor(layer, TensorKind::Bias));
            let at = |numbers: Option<&[f32]>, channel: usize, default: f64| {
                numbers.map_or(default, |numbers| f64::from(numbers[channel]))
            };
            let factor = |channel: usize| {
                let spread = (f64::from(variance[channel]) + f64::from(eps)).sqrt();
                at(scale, channel, 1.0) / spread
            };
            let start = folded.numbers.len();
            let factors: Vec<f64> = (0..mean.len()).map(factor).collect();
            let channel = output_channel(&graph.nodes[layer].op, weight.len(), mean.len());
            let scaled = |(at, &w): (usize, &f32)| (f64::from(w) * factors[channel(at)]) as f32;
            folded.numbers.extend(weight.iter().enumerate().map(scaled));
            let middle = folded.numbers.len();
            folded.numbers.extend((0..mean.len()).map(|channel| {
                let centred = at(bias, channel, 0.0) - f64::from(mean[channel]);
                (centred * factor(channel) + at(shift, channel, 0.0)) as f32
            }));
            folded.places[layer] = Some((start..middle, middle..folded.numbers.len()));
        }
        (!folded.numbers.is_empty()).then_some(folded)
    }

    /// The weight and the bias of a layer that has taken in a batch norm.
    pub(crate) fn of(&self, node: usize) -> Option<(&[f32], &[f32])> {
        let (weight, bias) = self.places.get(node)?.as_ref()?;
        Some((&self.numbers[weight.clone()], &self.numbers[bias.clone()]))
    }
}

/// The output channel of each weight of a layer with so many weights and output channels.
fn output_channel(op: &Op, weights: usize, channels: usize) -> impl Fn(usize) -> usize {
    // A transposed convolution has its input channels first; others are as one input of one group.
    let (groups, area) = match *op {
        Op::ConvTranspose2d { groups, kernel, .. } => (groups, kernel[0] * kernel[1]),
        _ => (1, weights / channels),
    };
    let (outputs, a_group) = (channels / groups, weights / groups);
    move |at| at / a_group * outputs + at / area % outputs
}
