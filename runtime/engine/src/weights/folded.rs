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
    /// The factors of one norm, and how they move, kept for their memory.
    factors: [Vec<f64>; 2],
}

/// A layer and the batch norm behind it.
#[derive(Clone, Copy)]
struct Pair {
    layer: usize,
    norm: usize,
    eps: f32,
}

/// The numbers of a pair.
struct Numbers<'a> {
    weight: &'a [f32],
    bias: Option<&'a [f32]>,
    scale: Option<&'a [f32]>,
    shift: Option<&'a [f32]>,
}

impl Pair {
    fn numbers<'a>(&self, layout: &Layout, parameters: &'a [f32]) -> Option<Numbers<'a>> {
        let of = |node, kind| layout.tensor(parameters, node, kind);
        Some(Numbers {
            weight: of(self.layer, TensorKind::Weight)?,
            bias: of(self.layer, TensorKind::Bias),
            scale: of(self.norm, TensorKind::Weight),
            shift: of(self.norm, TensorKind::Bias),
        })
    }

    /// The running mean and variance.
    fn running<'a>(&self, layout: &Layout, parameters: &'a [f32]) -> Option<[&'a [f32]; 2]> {
        let of = |kind| layout.tensor(parameters, self.norm, kind);
        Some([of(TensorKind::RunningMean)?, of(TensorKind::RunningVar)?])
    }
}

/// A channel's number, or this if there is none.
fn at(numbers: Option<&[f32]>, channel: usize, default: f64) -> f64 {
    numbers.map_or(default, |numbers| f64::from(numbers[channel]))
}

impl Folded {
    /// The weights of these parameters in the memory of `spare`, or `None` where no batch norm is
    /// folded.
    pub(crate) fn new(
        graph: &Graph<'_>,
        layout: &Layout,
        parameters: &[f32],
        spare: Box<Folded>,
    ) -> Option<Box<Folded>> {
        Folded::of_pairs(graph, layout, spare, |pair, numbers, factors| {
            let [mean, variance] = pair.running(layout, parameters)?;
            let own = pair.numbers(layout, parameters)?;
            let [factors, _] = factors;
            factors.clear();
            factors.extend(variance.iter().enumerate().map(|(channel, &variance)| {
                at(own.scale, channel, 1.0) / (f64::from(variance) + f64::from(pair.eps)).sqrt()
            }));
            let op = &graph.nodes[pair.layer].op;
            let channel = output_channel(op, own.weight.len(), mean.len());
            let scaled = |(at, &w): (usize, &f32)| (f64::from(w) * factors[channel(at)]) as f32;
            numbers.extend(own.weight.iter().enumerate().map(scaled));
            numbers.extend((0..mean.len()).map(|channel| {
                let centred = at(own.bias, channel, 0.0) - f64::from(mean[channel]);
                (centred * factors[channel] + at(own.shift, channel, 0.0)) as f32
            }));
            Some(own.weight.len())
        })
    }

    /// How those weights move when the parameters do: the derivative of [`new`](Self::new) along `moves`.
    /// Running statistics rest.
    pub(crate) fn tangent(
        graph: &Graph<'_>,
        layout: &Layout,
        parameters: &[f32],
        moves: &[f32],
        spare: Box<Folded>,
    ) -> Option<Box<Folded>> {
        Folded::of_pairs(graph, layout, spare, |pair, numbers, factors| {
            let [mean, variance] = pair.running(layout, parameters)?;
            let own = pair.numbers(layout, parameters)?;
            let by = pair.numbers(layout, moves)?;
            let [factors, of_factors] = factors;
            factors.clear();
            of_factors.clear();
            for (channel, &variance) in variance.iter().enumerate() {
                let deviation = (f64::from(variance) + f64::from(pair.eps)).sqrt();
                factors.push(at(own.scale, channel, 1.0) / deviation);
                of_factors.push(at(by.scale, channel, 0.0) / deviation);
            }
            let op = &graph.nodes[pair.layer].op;
            let channel = output_channel(op, own.weight.len(), mean.len());
            let both = own.weight.iter().zip(by.weight).enumerate();
            numbers.extend(both.map(|(at, (&w, &by))| {
                let channel = channel(at);
                (f64::from(by) * factors[channel] + f64::from(w) * of_factors[channel]) as f32
            }));
            numbers.extend((0..mean.len()).map(|channel| {
                let centred = at(own.bias, channel, 0.0) - f64::from(mean[channel]);
                let moved = at(by.bias, channel, 0.0) * factors[channel];
                (moved + centred * of_factors[channel] + at(by.shift, channel, 0.0)) as f32
            }));
            Some(own.weight.len())
        })
    }

    /// `fold` appends the weight and the bias of each pair, and says how long the weight is.
    fn of_pairs(
        graph: &Graph<'_>,
        layout: &Layout,
        mut spare: Box<Folded>,
        fold: impl Fn(Pair, &mut Vec<f32>, &mut [Vec<f64>; 2]) -> Option<usize>,
    ) -> Option<Box<Folded>> {
        let Folded { numbers, places, factors } = &mut *spare;
        numbers.clear();
        places.clear();
        places.resize(graph.nodes.len(), None);
        for (norm, node) in graph.nodes.iter().enumerate() {
            let (Op::BatchNorm { eps, .. }, true) = (node.op, layout.is_folded(norm)) else {
                continue;
            };
            let (layer, start) = (node.inputs[0], numbers.len());
            let middle = start + fold(Pair { layer, norm, eps }, numbers, factors)?;
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

/// The output channel of each weight of a layer with `weights` weights and `channels` output channels.
fn output_channel(op: &Op, weights: usize, channels: usize) -> impl Fn(usize) -> usize {
    // A transposed convolution has its input channels first; others are as one input of one group.
    let (groups, area) = match *op {
        Op::ConvTranspose2d { groups, kernel, .. } => (groups, kernel[0] * kernel[1]),
        _ => (1, weights / channels),
    };
    let (outputs, a_group) = (channels / groups, weights / groups);
    move |at| at / a_group * outputs + at / area % outputs
}
