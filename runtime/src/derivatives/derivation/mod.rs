//! The equations of a net's backward pass, with its names and shapes.

mod equation;
mod joins;
mod page;
mod products;

use typenet_engine::NetSpec;
use typenet_shape::{Op, Shape};

pub use equation::Equation;
use equation::{Writer, written};

use crate::inspect::Summary;
use crate::symbolic::{Names, Style, Symbol, loss_formulas, of_op};

/// The derivative of a net's loss, layer by layer from the loss to the input: what `println!` shows as
/// text, and [`markdown`](Self::markdown) as a page with formulas. See
/// [`Derivatives::derivation`](super::Derivatives::derivation).
#[derive(Clone, PartialEq, Debug)]
pub struct Derivation {
    /// The net's name.
    pub net: &'static str,
    /// For each output the gradient with which the way back begins, by the losses that fit it.
    pub losses: Vec<LossDerivation>,
    /// The layers, the last one first.
    pub layers: Vec<LayerDerivation>,
}

/// The gradient of a loss with respect to an output.
#[derive(Clone, PartialEq, Debug)]
pub struct LossDerivation {
    /// The output's name.
    pub output: &'static str,
    /// Its shape.
    pub shape: Shape,
    /// The loss's type in [`loss`](crate::loss).
    pub loss: &'static str,
    /// What the target `t` is.
    pub target: &'static str,
    /// What the loss is, what its symbols stand for, and its gradient.
    pub equations: Vec<Equation>,
}

/// A layer's equations.
#[derive(Clone, PartialEq, Debug)]
pub struct LayerDerivation {
    /// The layer's name.
    pub name: &'static str,
    /// Its kind and arguments, as in a declaration.
    pub layer: String,
    /// The values that it reads, with their shapes.
    pub reads: Vec<(&'static str, Shape)>,
    /// The shape of its value.
    pub output: Shape,
    /// Which numbers its formula is over, where it has one: each number, each window.
    pub set: Option<&'static str>,
    /// What it computes, and what the symbols stand for.
    pub value: Vec<Equation>,
    /// The gradients of its parameters and of what it reads.
    pub gradients: Vec<Equation>,
    /// What else there is to say.
    pub notes: Vec<&'static str>,
}

impl Derivation {
    pub(super) fn new(spec: &NetSpec) -> Derivation {
        let graph = spec.graph;
        let rows = Summary::new(spec).rows;
        let mut readers = vec![0; graph.nodes.len()];
        graph.nodes.iter().flat_map(|node| node.inputs).for_each(|&input| readers[input] += 1);
        let outputs = (0..graph.output_count()).map(|output| graph.output_node(output));
        let mut losses = Vec::new();
        for output in outputs {
            readers[output] += 1;
            losses.extend(of_losses(spec, output));
        }
        let layers = (0..graph.nodes.len()).rev();
        let layers = layers.filter(|&index| !matches!(graph.nodes[index].op, Op::Input { .. }));
        let layers = layers
            .map(|index| of_layer(spec, index, rows[index].layer.clone(), &readers))
            .collect();
        Derivation { net: graph.name, losses, layers }
    }
}

/// The losses for an output.
fn of_losses(spec: &NetSpec, node: usize) -> Vec<LossDerivation> {
    let (graph, shape) = (spec.graph, spec.shapes[node]);
    let mut last = graph.nodes[node];
    while let (Op::NetOutput { .. }, Some(&inner)) = (last.op, last.inputs.first()) {
        last = graph.nodes[inner];
    }
    let fitting: &[&str] = match last.op {
        Op::LogSoftmax => &["NllLoss"],
        Op::Softmax | Op::Sigmoid => &["MeanSquaredError"],
        _ if shape.rank() == 1 => &["CrossEntropy", "MeanSquaredError"],
        _ => &["BinaryCrossEntropy", "MeanSquaredError"],
    };
    let output = graph.nodes[node].name;
    let names = Names { x: output, y: "", layer: "" };
    let all = loss_formulas().into_iter().filter(|loss| fitting.contains(&loss.name));
    all.map(|loss| {
        let formula = loss.formula;
        let mut equations =
            vec![written(Left::Value("L"), None, |style| formula.value.render(style, names))];
        for (symbol, expression) in &formula.definitions {
            let left = Left::Symbol(*symbol, names);
            equations.push(written(left, None, |style| expression.render(style, names)));
        }
        equations.push(written(Left::Gradient(output), Some(shape), |style| {
            formula.gradient.render(style, names)
        }));
        LossDerivation { output, shape, loss: loss.name, target: loss.target, equations }
    })
    .collect()
}

/// What stands before the equals sign.
#[derive(Clone, Copy)]
enum Left<'a> {
    Value(&'a str),
    Gradient(&'a str),
    Symbol(Symbol, Names<'a>),
}

fn of_layer(spec: &NetSpec, index: usize, layer: String, readers: &[usize]) -> LayerDerivation {
    let (graph, shapes) = (spec.graph, spec.shapes);
    let node = &graph.nodes[index];
    let reads: Vec<(&'static str, Shape)> =
        node.inputs.iter().map(|&input| (graph.nodes[input].name, shapes[input])).collect();
    let shared: Vec<bool> = node.inputs.iter().map(|&input| readers[input] > 1).collect();
    let frozen = graph.marks_of(index).frozen;
    let (x, in_shape) = reads.first().copied().unwrap_or(("x", shapes[index]));
    let mut own = LayerDerivation {
        name: node.name,
        layer,
        reads,
        output: shapes[index],
        set: None,
        value: Vec::new(),
        gradients: Vec::new(),
        notes: Vec::new(),
    };
    let writer = Writer { name: node.name, x, shared: &shared };
    match (of_op(&node.op), node.op) {
        (Some(formula), op) => {
            let names = Names { x, y: node.name, layer: node.name };
            own.set = Some(formula.set);
            own.value.push(written(Left::Value(node.name), None, |style| {
                formula.value.render(style, names)
            }));
            for (symbol, expression) in &formula.definitions {
                let left = Left::Symbol(*symbol, names);
                own.value.push(written(left, None, |style| expression.render(style, names)));
            }
            if let (Some(gradients), false) = (&formula.parameters, frozen) {
                for (expression, kind) in gradients.iter().zip(["weight", "bias"]) {
                    let (left, shape) =
                        (format!("{}.{kind}", node.name), parameter_shape(&op, in_shape));
                    own.gradients.push(written(Left::Gradient(&left), Some(shape), |style| {
                        let sums = match (op, style) {
                            (Op::BatchNorm { .. } | Op::GroupNorm { .. }, Style::Text) => {
                                "Σ_images Σ_pixels "
                            }
                            (_, Style::Text) => "Σ_images ",
                            (Op::BatchNorm { .. } | Op::GroupNorm { .. }, Style::Latex) => {
                                "\\sum_{\\text{images}} \\sum_{\\text{pixels}} "
                            }
                            (_, Style::Latex) => "\\sum_{\\text{images}} ",
                        };
                        format!("{sums}{}", expression.render(style, names))
                    }));
                }
            }
            own.gradients
                .push(writer.gradient(0, in_shape, |style| formula.gradient.render(style, names)));
            if op
                .pool2d(in_shape)
                .is_some_and(|pool| (0..2).any(|axis| pool.kernel[axis] > pool.stride[axis]))
            {
                own.notes.push(
                    "Where windows overlap, a number has the sum of what each of them gives it.",
                );
            }
            if matches!(op, Op::BatchNorm { .. }) {
                own.notes.push(if frozen {
                    "It is frozen: μ and σ are the running ones, and the gradient is q / σ alone."
                } else {
                    "Predicting, μ and σ are the running ones; they rest, and the gradient is q / σ alone."
                });
            }
        }
        (None, Op::Linear { bias, .. }) => {
            products::linear(&writer, &mut own, bias, in_shape, frozen)
        }
        (None, Op::ConvTranspose2d { .. }) => {
            products::conv_transpose2d(&writer, &mut own, &node.op, in_shape, frozen);
        }
        (None, op) => match op.conv2d(in_shape) {
            Some(geometry) => {
                products::conv2d(&writer, &mut own, &geometry, has_bias(&op), frozen);
            }
            None => joins::of_op(&writer, &mut own, &op),
        },
    }
    if frozen && !own.notes.iter().any(|note| note.contains("frozen")) && !own.value.is_empty() {
        own.notes.push("It is frozen: its parameters have no gradients.");
    }
    own
}

fn parameter_shape(op: &Op, input: Shape) -> Shape {
    match op {
        Op::LayerNorm { .. } => input,
        _ => Shape::new(&[input.dim(0)]),
    }
}

fn has_bias(op: &Op) -> bool {
    match *op {
        Op::Conv2d { bias, .. } | Op::DepthwiseConv2d { bias, .. } => bias,
        _ => false,
    }
}
