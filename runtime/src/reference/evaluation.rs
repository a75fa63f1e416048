use std::borrow::Cow;

use typenet_engine::{NetSpec, Trainable};
use typenet_shape::{Op, Parameters, Pool2d, Shape, Tensor, TensorKind};

use super::conv2d::conv2d;
use super::own_layer::Scalar;
use super::tensors::Own;
use super::{norms, upsample};
use crate::symbolic::{self, Branches, Formula, Number, Symbol, Values};

/// The values of one image at every node of a graph, as in inference.
#[derive(Clone, PartialEq, Debug)]
pub struct Evaluation {
    /// One value for each node, in the order of the graph, row-major.
    pub values: Vec<Vec<f64>>,
    /// A hash of the branches taken: which inputs of `relu` and the like were positive, and which element was
    /// each maximum. It tells whether a kink lies between two evaluations.
    pub branches: u64,
    output: Vec<f64>,
}

impl Evaluation {
    /// The net's output: the value of the last node, or those of all heads one after the other.
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// The first node whose value is not finite everywhere.
    pub fn first_not_finite(&self) -> Option<usize> {
        self.values.iter().position(|value| value.iter().any(|number| !number.is_finite()))
    }
}

/// The output for one image, as the net predicts.
pub(super) fn predict<T: Scalar>(spec: &NetSpec, parameters: &[T], input: Vec<T>) -> Vec<T> {
    let how = Run { statistics: Statistics::Running, single: false };
    let (values, _) = run(spec, &borrowed(parameters), &[input], how);
    outputs(spec, &values).pop().unwrap_or_default()
}

/// The values of one image at every node.
pub(super) fn values(spec: &NetSpec, parameters: &[f64], input: &[f64]) -> Vec<Vec<f64>> {
    let how = Run { statistics: Statistics::Running, single: false };
    let (values, _) = run(spec, &borrowed(parameters), &[input.to_vec()], how);
    values.into_iter().flatten().collect()
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
type Numbers<'a, T> = dyn Fn(&Tensor) -> Cow<'a, [T]> + 'a;

fn borrowed<'a, T: Clone>(parameters: &'a [T]) -> impl Fn(&Tensor) -> Cow<'a, [T]> {
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
fn run<T: Scalar>(
    spec: &NetSpec,
    numbers: &Numbers<'_, T>,
    images: &[Vec<T>],
    how: Run<'_>,
) -> (Vec<Vec<Vec<T>>>, u64) {
    let NetSpec { graph, shapes, layout, .. } = *spec;
    let mut input_end = 0;
    let mut values: Vec<Vec<Vec<T>>> = Vec::with_capacity(graph.nodes.len());
    let mut branches = Branches::default();
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
        let mut of_images: Vec<Vec<T>> = match (node.op, node.inputs.first()) {
            (Op::BatchNorm { eps, .. }, Some(&source)) => {
                let formula = symbolic::of_op(&node.op);
                let running = own.running.filter(|_| match how.statistics {
                    Statistics::Batch(trained) => trained.of(index).fixed,
                    Statistics::Running => true,
                });
                norms::batch_norm(
                    (formula.as_ref(), eps),
                    &values[source],
                    shapes[index].dim(0),
                    running,
                    &own,
                    &mut branches,
                )
            }
            _ => (0..images.len())
                .map(|image| {
                    let inputs: Vec<&[T]> =
                        node.inputs.iter().map(|&i| &*values[i][image]).collect();
                    let x = inputs.first().copied().unwrap_or(&images[image]);
                    let in_shape = node.inputs.first().map_or(shapes[index], |&i| shapes[i]);
                    value(&node.op, &inputs, x, [in_shape, shapes[index]], &own, &mut branches)
                })
                .collect(),
        };
        if how.single {
            of_images.iter_mut().flatten().for_each(|number| {
                *number = f64::from(number.value() as f32).into();
            });
        }
        values.push(of_images);
    }
    (values, branches.number())
}

/// The value of a layer for one image; `x` is what it reads first.
fn value<T: Scalar>(
    op: &Op,
    inputs: &[&[T]],
    x: &[T],
    [in_shape, out_shape]: [Shape; 2],
    own: &Own<'_, T>,
    branches: &mut Branches,
) -> Vec<T> {
    let weight = own.weight.unwrap_or_default();
    match *op {
        Op::Input { .. } | Op::Flatten | Op::Reshape { .. } | Op::Dropout { .. } => x.to_vec(),
        Op::NetInput { .. } | Op::NetOutput { .. } => x.to_vec(),
        Op::Own(layer) => {
            let parameters = Parameters { weight, bias: own.bias.unwrap_or_default() };
            T::own_layer(layer.layer, in_shape, parameters, x, out_shape.elements())
        }
        Op::Linear { .. } => linear(x, weight, own.bias),
        Op::Add | Op::Mul | Op::Concat => join(op, inputs),
        op => match (symbolic::of_op(&op), op.conv2d(in_shape)) {
            (Some(formula), _) => {
                of_formula(&op, &formula, x, [in_shape, out_shape], own, branches)
            }
            (_, Some(geometry)) => conv2d(&geometry, out_shape, x, weight, own.bias),
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

/// A layer that has a formula, set by set.
fn of_formula<T: Number>(
    op: &Op,
    formula: &Formula,
    x: &[T],
    [in_shape, out_shape]: [Shape; 2],
    own: &Own<'_, T>,
    branches: &mut Branches,
) -> Vec<T> {
    match *op {
        Op::LayerNorm { .. } => norms::group_norm(formula, x, 1, own, branches),
        Op::GroupNorm { num_groups, .. } => {
            norms::group_norm(formula, x, num_groups, own, branches)
        }
        Op::GlobalAvgPool => {
            let channels = x.chunks(x.len() / out_shape.elements());
            channels.flat_map(|channel| formula.values(Values::of(channel), branches)).collect()
        }
        Op::Softmax | Op::LogSoftmax => over_channels(formula, x, in_shape.dim(0), branches),
        op => match op.pool2d(in_shape) {
            Some(geometry) => pool2d(&geometry, formula, out_shape, x, branches),
            None => formula.values(Values::of(x), branches),
        },
    }
}

/// Several values to one: their sum, their product (of which all but the first may have one number
/// for each channel), or one behind the other.
fn join<T: Number>(op: &Op, inputs: &[&[T]]) -> Vec<T> {
    let (first, others) = inputs.split_at(1);
    let mut y = first.concat();
    for other in others {
        match op {
            Op::Concat => y.extend_from_slice(other),
            Op::Mul => {
                let area = y.len() / other.len();
                y.iter_mut().enumerate().for_each(|(i, y)| *y *= other[i / area]);
            }
            _ => y.iter_mut().zip(*other).for_each(|(y, x)| *y += *x),
        }
    }
    y
}

fn linear<T: Number>(x: &[T], weight: &[T], bias: Option<&[T]>) -> Vec<T> {
    weight
        .chunks(x.len())
        .enumerate()
        .map(|(o, row)| {
            let sum: T = row.iter().zip(x).map(|(&w, &x)| w * x).sum();
            sum + bias.map_or(0.0.into(), |bias| bias[o])
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

fn pool2d<T: Number>(
    g: &Pool2d,
    formula: &Formula,
    output: Shape,
    x: &[T],
    branches: &mut Branches,
) -> Vec<T> {
    let mut y = Vec::with_capacity(output.elements());
    windows(g, output, |_, places, count| {
        let inside: Vec<T> = places.iter().map(|&at| x[at]).collect();
        let values = Values::of(&inside).with(Symbol::Count, vec![T::from(count as f64)]);
        y.extend(formula.values(values, branches));
    });
    y
}

/// Calls `visit` with the number of each window, the places of the input in it, row by row, and what an
/// average is divided by.
pub(super) fn windows(g: &Pool2d, output: Shape, mut visit: impl FnMut(usize, &[usize], usize)) {
    let (in_height, in_width) = (g.input.dim(1), g.input.dim(2));
    let mut window = 0;
    for channel in 0..output.dim(0) {
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
                        inside.push((channel * in_height + i) * in_width + j);
                    }
                }
                let whole = rows.len() * columns.len();
                let count = if g.count_include_pad { whole } else { inside.len() };
                visit(window, &inside, count);
                window += 1;
            }
        }
    }
}

/// A layer whose sets are the channels at each position.
fn over_channels<T: Number>(
    formula: &Formula,
    x: &[T],
    channels: usize,
    branches: &mut Branches,
) -> Vec<T> {
    let area = x.len() / channels;
    let mut y = vec![T::from(0.0); x.len()];
    for at in 0..area {
        let column: Vec<T> = x.iter().skip(at).step_by(area).copied().collect();
        let values = formula.values(Values::of(&column), branches);
        y.iter_mut().skip(at).step_by(area).zip(values).for_each(|(y, value)| *y = value);
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
fn outputs<T: Number>(spec: &NetSpec, values: &[Vec<Vec<T>>]) -> Vec<Vec<T>> {
    let graph = spec.graph;
    let heads: Vec<usize> = (0..graph.output_count()).map(|i| graph.output_node(i)).collect();
    let images = values.first().map_or(0, Vec::len);
    let of_image =
        |image: usize| heads.iter().flat_map(|&node| &values[node][image]).copied().collect();
    (0..images).map(of_image).collect()
}
