//! Forward and reverse mode in f64, of one image as the net predicts: what the fast passes are held against,
//! and each other.

use typenet_engine::NetSpec;
use typenet_shape::{Op, Pool2d, Shape, TensorKind};

use super::evaluation::{self, windows};
use super::{conv2d, upsample};
use crate::symbolic::{self, Branches, Dual, Formula, Symbol, Values};

/// The output and its derivative along a direction.
pub(super) fn jvp(
    spec: &NetSpec,
    [parameters, moves]: [&[f64]; 2],
    [input, direction]: [&[f64]; 2],
) -> [Vec<f64>; 2] {
    let dual = |values: &[f64], tangents: &[f64]| -> Vec<Dual> {
        let both = values.iter().zip(tangents);
        both.map(|(&value, &tangent)| Dual { value, tangent }).collect()
    };
    let mut parameters = dual(parameters, moves);
    for tensor in spec.layout.tensors.iter().filter(|tensor| !tensor.kind.is_parameter()) {
        let own = tensor.offset..tensor.offset + tensor.shape.elements();
        parameters[own].iter_mut().for_each(|number| number.tangent = 0.0);
    }
    let output = evaluation::predict(spec, &parameters, dual(input, direction));
    [output.iter().map(|y| y.value).collect(), output.iter().map(|y| y.tangent).collect()]
}

/// The gradients of `⟨u, output⟩` with respect to the input and the parameters.
pub(super) fn vjp(
    spec: &NetSpec,
    parameters: &[f64],
    input: &[f64],
    output_gradient: &[f64],
) -> [Vec<f64>; 2] {
    let NetSpec { graph, shapes, layout, .. } = *spec;
    let values = evaluation::values(spec, parameters, input);
    let mut gradients: Vec<Vec<f64>> = values.iter().map(|value| vec![0.0; value.len()]).collect();
    let mut of_parameters = vec![0.0; parameters.len()];
    let mut start = 0;
    for output in 0..graph.output_count() {
        let own = &mut gradients[graph.output_node(output)];
        own.iter_mut().zip(&output_gradient[start..]).for_each(|(g, u)| *g += u);
        start += own.len();
    }
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        let Some(&source) = node.inputs.first() else { continue };
        let place = |kind| layout.place(index, kind);
        let layer = Layer {
            op: &node.op,
            shapes: [shapes[source], shapes[index]],
            x: &values[source],
            y: &values[index],
            dy: std::mem::take(&mut gradients[index]),
            tensors: TensorKind::ALL.map(|kind| &parameters[place(kind)]),
        };
        if let Op::Add | Op::Mul | Op::Concat = node.op {
            let inputs: Vec<&[f64]> = node.inputs.iter().map(|&input| &*values[input]).collect();
            for (dx, &input) in layer.join(&inputs).iter().zip(node.inputs) {
                gradients[input].iter_mut().zip(dx).for_each(|(g, dx)| *g += dx);
            }
            continue;
        }
        let [dx, dw, db] = layer.backward();
        gradients[source].iter_mut().zip(dx).for_each(|(g, dx)| *g += dx);
        for (kind, gradient) in [(TensorKind::Weight, dw), (TensorKind::Bias, db)] {
            of_parameters[place(kind)].iter_mut().zip(gradient).for_each(|(to, g)| *to += g);
        }
    }
    let inputs = graph.nodes.iter().zip(gradients);
    let inputs = inputs.filter(|(node, _)| matches!(node.op, Op::Input { .. }));
    [inputs.flat_map(|(_, gradient)| gradient).collect(), of_parameters]
}

/// A layer on the way back.
struct Layer<'a> {
    op: &'a Op,
    /// Of what it reads first, and of its value.
    shapes: [Shape; 2],
    x: &'a [f64],
    y: &'a [f64],
    dy: Vec<f64>,
    /// Weight, bias, running mean and variance; empty where there is none.
    tensors: [&'a [f64]; 4],
}

impl Layer<'_> {
    /// The gradients of what it reads, of its weight and of its bias.
    fn backward(&self) -> [Vec<f64>; 3] {
        let (op, [input, output], x, dy) = (*self.op, self.shapes, self.x, &self.dy);
        let [weight, bias, ..] = self.tensors;
        let area = output.elements() / output.dim(0);
        let of_bias = || match bias {
            [] => Vec::new(),
            _ => dy.chunks(area).map(|channel| channel.iter().sum()).collect(),
        };
        match (op, op.conv2d(input), symbolic::of_op(&op)) {
            (_, _, Some(formula)) => self.of_formula(&formula),
            (_, Some(g), _) => {
                let [dx, dw] = conv2d::backward(&g, output, x, weight, dy);
                [dx, dw, of_bias()]
            }
            (Op::Linear { .. }, ..) => {
                let mut dx = vec![0.0; x.len()];
                for (row, dy) in weight.chunks(x.len()).zip(dy) {
                    dx.iter_mut().zip(row).for_each(|(dx, w)| *dx += w * dy);
                }
                let dw = dy.iter().flat_map(|dy| x.iter().map(move |x| x * dy)).collect();
                [dx, dw, of_bias()]
            }
            (Op::Own(own), ..) => self.of_own(&own),
            _ => match (op.conv_transpose2d(input), op.upsample2d(input)) {
                (Some(g), _) => {
                    let [dx, dw] = upsample::conv_transpose2d_backward(&g, output, x, weight, dy);
                    [dx, dw, of_bias()]
                }
                (_, Some(g)) => [upsample::upsample2d_backward(&g, output, dy), vec![], vec![]],
                _ => [dy.clone(), vec![], vec![]],
            },
        }
    }

    /// The gradients of all that a sum, a product or a `concat` reads.
    fn join(&self, inputs: &[&[f64]]) -> Vec<Vec<f64>> {
        let mut start = 0;
        let of_one = |(k, x): (usize, &&[f64])| {
            let own = start..start + x.len();
            start = own.end;
            match self.op {
                Op::Concat => self.dy[own].to_vec(),
                Op::Mul => {
                    let mut dx = vec![0.0; x.len()];
                    for (at, &dy) in self.dy.iter().enumerate() {
                        let others = inputs.iter().enumerate().filter(|(other, _)| *other != k);
                        let product = others.map(|(_, x)| x[at / (self.dy.len() / x.len())]);
                        dx[at / (self.dy.len() / x.len())] += dy * product.product::<f64>();
                    }
                    dx
                }
                _ => self.dy.clone(),
            }
        };
        inputs.iter().enumerate().map(of_one).collect()
    }

    /// A layer that has a formula: the gradient that it states, set by set.
    fn of_formula(&self, formula: &Formula) -> [Vec<f64>; 3] {
        let (x, [input, output]) = (self.x, self.shapes);
        let mut dx = vec![0.0; x.len()];
        let each: Vec<usize> = (0..x.len()).collect();
        let channels = input.dim(0);
        let area = x.len() / channels;
        match *self.op {
            Op::LayerNorm { .. } => self.of_norm(formula, 1, None),
            Op::GroupNorm { num_groups, .. } => self.of_norm(formula, num_groups, None),
            Op::BatchNorm { eps, .. } => self.of_norm(formula, channels, Some(eps)),
            Op::Softmax | Op::LogSoftmax => {
                for at in 0..area {
                    let set: Vec<usize> = (0..channels).map(|c| c * area + at).collect();
                    self.of_set(formula, &set, &set, None, &mut dx);
                }
                [dx, vec![], vec![]]
            }
            Op::GlobalAvgPool => {
                for (channel, set) in each.chunks(area).enumerate() {
                    self.of_set(formula, set, &[channel], None, &mut dx);
                }
                [dx, vec![], vec![]]
            }
            op => {
                let Some(g) = op.pool2d(input) else {
                    self.of_set(formula, &each, &each, None, &mut dx);
                    return [dx, vec![], vec![]];
                };
                self.of_pool(formula, &g, output, &mut dx);
                [dx, vec![], vec![]]
            }
        }
    }

    fn of_pool(&self, formula: &Formula, g: &Pool2d, output: Shape, dx: &mut [f64]) {
        windows(g, output, |window, places, count| {
            self.of_set(formula, places, &[window], Some(count), dx);
        });
    }

    /// Adds the gradients of a set: of these places of the input, which give these of the output.
    fn of_set(
        &self,
        formula: &Formula,
        from: &[usize],
        to: &[usize],
        count: Option<usize>,
        dx: &mut [f64],
    ) {
        let of =
            |all: &[f64], places: &[usize]| places.iter().map(|&at| all[at]).collect::<Vec<f64>>();
        let x = of(self.x, from);
        let mut values =
            Values::of(&x).with(Symbol::Y, of(self.y, to)).with(Symbol::Gradient, of(&self.dy, to));
        if let Some(count) = count {
            values = values.with(Symbol::Count, vec![count as f64]);
        }
        let branches = &mut Branches::default();
        let values = formula.define(values, branches);
        let gradients = formula.gradient.evaluate(&values, branches);
        for (k, &at) in from.iter().enumerate() {
            dx[at] += gradients[if gradients.len() == 1 { 0 } else { k }];
        }
    }

    /// A norm whose sets are so many groups of channels; with its running statistics, if it has some.
    fn of_norm(&self, formula: &Formula, groups: usize, eps: Option<f32>) -> [Vec<f64>; 3] {
        let [weight, bias, mean, variance] = self.tensors;
        let len = self.x.len() / groups;
        let (mut dx, mut dw, mut db) = (Vec::new(), vec![0.0; weight.len()], vec![0.0; bias.len()]);
        for group in 0..groups {
            let own = group * len..(group + 1) * len;
            let each = self.x.len() / weight.len().max(1);
            let spread = |numbers: &[f64]| -> Vec<f64> {
                own.clone().map(|at| numbers[at / each]).collect()
            };
            let dy = self.dy[own.clone()].to_vec();
            let mut values = Values::of(&self.x[own.clone()]).with(Symbol::Gradient, dy.clone());
            if !weight.is_empty() {
                values =
                    values.with(Symbol::Weight, spread(weight)).with(Symbol::Bias, spread(bias));
            }
            if let Some(eps) = eps {
                let deviation = (variance[group] + f64::from(eps)).sqrt();
                values = values.with(Symbol::Mean, vec![mean[group]]);
                values = values.with(Symbol::Deviation, vec![deviation]);
            }
            let branches = &mut Branches::default();
            let values = formula.define(values, branches);
            if eps.is_some() {
                // Running statistics rest: a factor is left.
                let factor = (Symbol::Weight * Symbol::Gradient) / Symbol::Deviation;
                dx.extend(factor.evaluate(&values, branches));
            } else {
                dx.extend(formula.gradient.evaluate(&values, branches));
            }
            if let Some(parameters) = &formula.parameters {
                for (expression, to) in parameters.iter().zip([&mut dw, &mut db]) {
                    let gradients = expression.evaluate(&values, branches);
                    own.clone().zip(gradients).for_each(|(at, g)| to[at / each] += g);
                }
            }
        }
        [dx, dw, db]
    }

    /// A layer of the user's own, of which only the value is known in f64: by differences.
    fn of_own(&self, own: &typenet_shape::Own) -> [Vec<f64>; 3] {
        let [weight, bias, ..] = self.tensors;
        let mut all = [self.x.to_vec(), weight.to_vec(), bias.to_vec()];
        let mut gradients = [0, 1, 2].map(|which: usize| vec![0.0; all[which].len()]);
        for which in 0..3 {
            for at in 0..all[which].len() {
                let kept = all[which][at];
                let mut along = |step: f64| {
                    all[which][at] = kept + step;
                    let parameters =
                        typenet_shape::Parameters { weight: &all[1][..], bias: &all[2][..] };
                    let mut y = vec![0.0; self.y.len()];
                    own.layer.reference(self.shapes[0], parameters, &all[0], &mut y);
                    y.iter().zip(&self.dy).map(|(y, dy)| y * dy).sum::<f64>()
                };
                let step = 1e-5 * kept.abs().max(1.0);
                gradients[which][at] = (along(step) - along(-step)) / (2.0 * step);
                all[which][at] = kept;
            }
        }
        gradients
    }
}
