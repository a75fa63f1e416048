use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use typenet_engine::{NetSpec, Trainable};
use typenet_shape::{Activation, Approximate, Op, Parameters, Pool2d, Shape, Tensor, TensorKind};

use super::conv2d::conv2d;
use super::tensors::Own;
use super::{norms, upsample};

/// The values of one image at every node of a graph, as in inference.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// One value for each node, in the order of the graph, row-major.
    pub values: Vec<Vec<f64>>,
    /// A number that differs where another side of a kink was taken: which inputs of `relu` and
    /// the like were positive, and which element won each maximum.
    pub branches: u64,
    output: Vec<f64>,
}

impl Evaluation {
    /// The net's output: the value of the last node, or those of all heads in a row.
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// The first node whose value is not finite everywhere.
    pub fn first_not_finite(&self) -> Option<usize> {
        self.values.iter().position(|value| value.iter().any(|number| !number.is_finite()))
    }
}

/// Runs a net's graph on one image with these parameters, all in f64.
pub(super) fn evaluate_net(spec: &NetSpec, parameters: &[f64], input: &[f64]) -> Evaluation {
    let how = Run { statistics: Statistics::Running, single: false };
    let images = [input.to_vec()];
    let (values, branches) = run(spec, &borrowed(parameters), &images, how);
    let output = outputs(spec, &values).pop().unwrap_or_default();
    Evaluation { values: values.into_iter().flatten().collect(), branches, output }
}

/// The values of one image at every node of a net, each rounded to f32.
pub(crate) fn evaluate_single(spec: &NetSpec, parameters: &[f32], input: &[f32]) -> Vec<Vec<f32>> {
    let images = [input.iter().map(|&x| f64::from(x)).collect()];
    let how = Run { statistics: Statistics::Running, single: true };
    let widened = |tensor: &Tensor| {
        let numbers = &parameters[tensor.offset..tensor.offset + tensor.shape.elements()];
        Cow::Owned(numbers.iter().map(|&x| f64::from(x)).collect())
    };
    let (values, _) = run(spec, &widened, &images, how);
    let narrow = |value: Vec<Vec<f64>>| value.into_iter().flatten().map(|x| x as f32).collect();
    values.into_iter().map(narrow).collect()
}

/// The first layer of a net that gives a number that f32 cannot hold, for one image.
pub(crate) fn first_not_finite(
    spec: &NetSpec,
    parameters: &[f32],
    input: &[f32],
) -> Option<&'static str> {
    let values = evaluate_single(spec, parameters, input);
    let node = values.iter().position(|value| value.iter().any(|number| !number.is_finite()))?;
    Some(spec.graph.nodes[node].name)
}

/// The numbers of each tensor.
type Numbers<'a> = dyn Fn(&Tensor) -> Cow<'a, [f64]> + 'a;

fn borrowed<'a>(parameters: &'a [f64]) -> impl Fn(&Tensor) -> Cow<'a, [f64]> {
    |tensor| Cow::Borrowed(&parameters[tensor.offset..tensor.offset + tensor.shape.elements()])
}

/// Which statistics batch norms use.
#[derive(Clone, Copy)]
enum Statistics<'a> {
    /// Those of the images that are there, as in training, but for frozen norms.
    Batch(&'a Trainable),
    /// The running ones, as in inference.
    Running,
}

/// How a graph is run.
#[derive(Clone, Copy)]
struct Run<'a> {
    statistics: Statistics<'a>,
    /// Whether every value is rounded to f32, so that what overflows there does here.
    single: bool,
}

/// The values at each node, of each image.
fn run(
    spec: &NetSpec,
    numbers: &Numbers<'_>,
    images: &[Vec<f64>],
    how: Run<'_>,
) -> (Vec<Vec<Vec<f64>>>, u64) {
    let NetSpec { graph, shapes, layout, .. } = *spec;
    let mut input_end = 0;
    let mut values: Vec<Vec<Vec<f64>>> = Vec::with_capacity(graph.nodes.len());
    let mut branches = DefaultHasher::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let tensor = |kind: TensorKind| {
            let mut tensors = layout.tensors.iter();
            tensors.find(|tensor| tensor.node == index && tensor.kind == kind).map(numbers)
        };
        let [weight, bias, mean, variance] = TensorKind::ALL.map(tensor);
        let own = Own {
            weight: weight.as_deref(),
            bias: bias.as_deref(),
            running: mean.as_deref().zip(variance.as_deref()),
        };
        if let Op::Input { shape } = node.op {
            input_end += shape.elements();
            let own = input_end - shape.elements()..input_end;
            values.push(images.iter().map(|image| image[own.clone()].to_vec()).collect());
            continue;
        }
        let mut of_images: Vec<Vec<f64>> = match (node.op, node.inputs.first()) {
            (Op::BatchNorm { eps, .. }, Some(&source)) => {
                let running = own.running.filter(|_| match how.statistics {
                    Statistics::Batch(trained) => trained.of(index).fixed,
                    Statistics::Running => true,
                });
                norms::batch_norm(&values[source], shapes[index].dim(0), running, eps, &own)
            }
            _ => (0..images.len())
                .map(|image| {
                    let inputs: Vec<&[f64]> =
                        node.inputs.iter().map(|&i| &*values[i][image]).collect();
                    let x = inputs.first().copied().unwrap_or(&images[image]);
                    let in_shape = node.inputs.first().map_or(shapes[index], |&i| shapes[i]);
                    value(&node.op, &inputs, x, [in_shape, shapes[index]], &own, &mut branches)
                })
                .collect(),
        };
        if how.single {
            of_images.iter_mut().flatten().for_each(|number| {
                *number = f64::from(*number as f32);
            });
        }
        values.push(of_images);
    }
    (values, branches.finish())
}

/// The value of a layer for one image; `x` is what it reads first.
fn value(
    op: &Op,
    inputs: &[&[f64]],
    x: &[f64],
    [in_shape, out_shape]: [Shape; 2],
    own: &Own<'_>,
    branches: &mut DefaultHasher,
) -> Vec<f64> {
    let weight = own.weight.unwrap_or_default();
    match *op {
        Op::Input { .. } | Op::Flatten | Op::Reshape { .. } | Op::Dropout { .. } => x.to_vec(),
        Op::NetInput { .. } | Op::NetOutput { .. } => x.to_vec(),
        Op::Own(layer) => {
            let mut y = vec![0.0; out_shape.elements()];
            let parameters = Parameters { weight, bias: own.bias.unwrap_or_default() };
            layer.layer.reference(in_shape, parameters, x, &mut y);
            y
        }
        Op::Linear { .. } => linear(x, weight, own.bias),
        Op::LayerNorm { eps, .. } => norms::group_norm(x, 1, eps, own),
        Op::GroupNorm { num_groups, eps, .. } => norms::group_norm(x, num_groups, eps, own),
        Op::GlobalAvgPool => {
            let area = x.len() / out_shape.elements();
            x.chunks(area).map(|channel| channel.iter().sum::<f64>() / area as f64).collect()
        }
        Op::Softmax => softmax(x, in_shape.dim(0)),
        Op::LogSoftmax => log_softmax(x, in_shape.dim(0)),
        Op::Scale { factor } => x.iter().map(|x| f64::from(factor) * x).collect(),
        Op::Add | Op::Mul | Op::Concat => join(op, inputs),
        op => match (op.activation(), op.conv2d(in_shape), op.pool2d(in_shape)) {
            (Some(f), _, _) => x.iter().map(|&x| activate(f, x, branches)).collect(),
            (_, Some(geometry), _) => conv2d(&geometry, out_shape, x, weight, own.bias),
            (_, _, Some(geometry)) => {
                let largest = matches!(op, Op::MaxPool2d { .. });
                pool2d(&geometry, out_shape, x, largest, branches)
            }
            _ => match (op.conv_transpose2d(in_shape), op.upsample2d(in_shape)) {
                (Some(geometry), _) => {
                    upsample::conv_transpose2d(&geometry, out_shape, x, weight, own.bias)
                }
                (_, Some(geometry)) => upsample::upsample2d(&geometry, out_shape, x),
                _ => x.to_vec(),
            },
        },
    }
}

/// Several values to one: their sum, their product (of which all but the first may have one number
/// for each channel), or one behind the other.
fn join(op: &Op, inputs: &[&[f64]]) -> Vec<f64> {
    let (first, others) = inputs.split_at(1);
    let mut y = first.concat();
    for other in others {
        match op {
            Op::Concat => y.extend_from_slice(other),
            Op::Mul => {
                let area = y.len() / other.len();
                y.iter_mut().enumerate().for_each(|(i, y)| *y *= other[i / area]);
            }
            _ => y.iter_mut().zip(*other).for_each(|(y, x)| *y += x),
        }
    }
    y
}

fn activate(f: Activation, x: f64, branches: &mut DefaultHasher) -> f64 {
    match f {
        Activation::Identity => x,
        Activation::Relu => {
            (x > 0.0).hash(branches);
            if x < 0.0 { 0.0 } else { x }
        }
        Activation::LeakyRelu { negative_slope } => {
            (x > 0.0).hash(branches);
            if x < 0.0 { f64::from(negative_slope) * x } else { x }
        }
        Activation::Relu6 => {
            (x > 0.0, x < 6.0).hash(branches);
            // Neither comparison is true for NaN, which so stays.
            match x {
                _ if x < 0.0 => 0.0,
                _ if x > 6.0 => 6.0,
                _ => x,
            }
        }
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::Gelu { approximate: Approximate::None } => {
            x * 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
        }
        Activation::Gelu { approximate: Approximate::Tanh } => {
            let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            x * 0.5 * (1.0 + z.tanh())
        }
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Hardswish => {
            (x > -3.0, x < 3.0).hash(branches);
            x * (x + 3.0).clamp(0.0, 6.0) / 6.0
        }
    }
}

fn linear(x: &[f64], weight: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    weight
        .chunks(x.len())
        .enumerate()
        .map(|(o, row)| {
            let sum: f64 = row.iter().zip(x).map(|(w, x)| w * x).sum();
            sum + bias.map_or(0.0, |bias| bias[o])
        })
        .collect()
}

/// The input row or column that tap `tap` of window `window` reads, if it is not in the border.
fn position(
    window: usize,
    tap: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
    len: usize,
) -> Option<usize> {
    (window * stride + tap * dilation).checked_sub(padding).filter(|&at| at < len)
}

fn pool2d(
    g: &Pool2d,
    output: Shape,
    x: &[f64],
    largest: bool,
    branches: &mut DefaultHasher,
) -> Vec<f64> {
    let (in_height, in_width) = (g.input.dim(1), g.input.dim(2));
    let mut y = Vec::with_capacity(output.elements());
    for channel in x.chunks(in_height * in_width) {
        for row in 0..output.dim(1) {
            for column in 0..output.dim(2) {
                let [rows, columns] =
                    [(row, 0), (column, 1)].map(|(window, axis): (usize, usize)| {
                        let (stride, padding) = (g.stride[axis], g.padding[axis]);
                        let len = g.input.dim(axis + 1);
                        // In ceil mode a window may reach behind the border, where nothing counts.
                        let within = |tap: &usize| window * stride + tap < len + 2 * padding;
                        let taps = (0..g.kernel[axis]).take_while(within);
                        let places = taps.map(|tap| position(window, tap, stride, 1, padding, len));
                        places.collect::<Vec<Option<usize>>>()
                    });
                let mut inside = Vec::with_capacity(rows.len() * columns.len());
                for i in rows.iter().flatten() {
                    for j in columns.iter().flatten() {
                        inside.push(channel[i * in_width + j]);
                    }
                }
                if largest {
                    let mut best = 0;
                    for (i, value) in inside.iter().enumerate() {
                        if *value > inside[best] || value.is_nan() {
                            best = i;
                        }
                    }
                    best.hash(branches);
                    y.push(inside[best]);
                } else {
                    let whole = rows.len() * columns.len();
                    let count = if g.count_include_pad { whole } else { inside.len() };
                    y.push(inside.iter().sum::<f64>() / count as f64);
                }
            }
        }
    }
    y
}

fn softmax(x: &[f64], channels: usize) -> Vec<f64> {
    let area = x.len() / channels;
    let mut y = vec![0.0; x.len()];
    for at in 0..area {
        let column = || x.iter().skip(at).step_by(area);
        let top = column().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = column().map(|x| (x - top).exp()).sum();
        for (y, x) in y.iter_mut().skip(at).step_by(area).zip(column()) {
            *y = (x - top).exp() / sum;
        }
    }
    y
}

fn log_softmax(x: &[f64], channels: usize) -> Vec<f64> {
    let area = x.len() / channels;
    let mut y = x.to_vec();
    for at in 0..area {
        let column = || x.iter().skip(at).step_by(area);
        let top = column().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = top + column().map(|x| (x - top).exp()).sum::<f64>().ln();
        y.iter_mut().skip(at).step_by(area).for_each(|y| *y -= log_sum);
    }
    y
}

/// The outputs of several images as in training, and one number for all the branches they took.
pub(super) fn run_batch(
    spec: &NetSpec,
    trained: &Trainable,
    parameters: &[f64],
    images: &[Vec<f64>],
) -> (Vec<Vec<f64>>, u64) {
    let how = Run { statistics: Statistics::Batch(trained), single: false };
    let (values, branches) = run(spec, &borrowed(parameters), images, how);
    (outputs(spec, &values), branches)
}

/// The outputs of each image, those of all heads in a row.
fn outputs(spec: &NetSpec, values: &[Vec<Vec<f64>>]) -> Vec<Vec<f64>> {
    let graph = spec.graph;
    let heads: Vec<usize> = (0..graph.output_count()).map(|i| graph.output_node(i)).collect();
    let images = values.first().map_or(0, Vec::len);
    let of_image =
        |image: usize| heads.iter().flat_map(|&node| &values[node][image]).copied().collect();
    (0..images).map(of_image).collect()
}
