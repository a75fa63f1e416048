//! Batch norms in inference: `(w · x + b − mean) · factor + bias` is a layer with the weight
//! `w · factor` and the bias `(b − mean) · factor + bias`, so nothing is left to do for the norm.

use std::ops::Range;

use typenet_shape::{Graph, Op, TensorKind};

use crate::layout::Layout;

/// The weights and biases of the layers into which a batch norm is folded.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    numbers: Vec<f32>,
    /// Where each node's weight and bias stand, if a batch norm is folded into it.
    places: Vec<Option<(Range<usize>, Range<usize>)>>,
    /// The factors of one norm, kept for their memory.
    factors: Vec<f64>,
}

impl Folded {
    /// The weights of these parameters in the memory of `spare`, or `None` where no batch norm is
    /// folded.
    pub(crate) fn new(
        graph: &Graph<'_>,
        layout: &Layout,
        parameters: &[f32],
        mut spare: Box<Folded>,
    ) -> Option<Box<Folded>> {
        let Folded { numbers, places, factors } = &mut *spare;
        numbers.clear();
        places.clear();
        places.resize(graph.nodes.len(), None);
        for (norm, node) in graph.nodes.iter().enumerate() {
            let (Op::BatchNorm { eps, .. }, true) = (node.op, layout.is_folded(norm)) else {
                continue;
            };
            let layer = node.inputs[0];
            let tensor = |node: usize, kind: TensorKind| {
                let range = layout.place(node, kind);
                (!range.is_empty()).then(|| &parameters[range])
            };
            let mean = tensor(norm, TensorKind::RunningMean)?;
            let variance = tensor(norm, TensorKind::RunningVar)?;
            let (scale, shift) = (tensor(norm, TensorKind::Weight), tensor(norm, TensorKind::Bias));
            let (weight, bias) =
                (tensor(layer, TensorKind::Weight)?, tensor(layer, TensorKind::Bias));
            let at = |numbers: Option<&[f32]>, channel: usize, default: f64| {
                numbers.map_or(default, |numbers| f64::from(numbers[channel]))
            };
            factors.clear();
            factors.extend(variance.iter().enumerate().map(|(channel, &variance)| {
                at(scale, channel, 1.0) / (f64::from(variance) + f64::from(eps)).sqrt()
            }));
            let start = numbers.len();
            let channel = output_channel(&graph.nodes[layer].op, weight.len(), mean.len());
            let scaled = |(at, &w): (usize, &f32)| (f64::from(w) * factors[channel(at)]) as f32;
            numbers.extend(weight.iter().enumerate().map(scaled));
            let middle = numbers.len();
            numbers.extend((0..mean.len()).map(|channel| {
                let centred = at(bias, channel, 0.0) - f64::from(mean[channel]);
                (centred * factors[channel] + at(shift, channel, 0.0)) as f32
            }));
            places[layer] = Some((start..middle, middle..numbers.len()));
        }
        (!spare.numbers.is_empty()).then_some(spare)
    }

    /// The weight and the bias of a layer into which a batch norm is folded.
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
