//! How a training step runs with 16 channels side by side: its calls in order, and where they read and
//! write.

use typenet_shape::{Op, Shape, Step};

use super::call::{BlockedTrainingPlan, Draft, DraftFrom, DraftRead};
use super::{conv_transpose2d, lives};
use crate::spec::NetSpec;

impl BlockedTrainingPlan {
    /// The kind of the first layer of a net that has no kernel for this layout; `None` where all have.
    pub(crate) fn missing(spec: &NetSpec) -> Option<&'static str> {
        let steps = spec.layout.steps.iter();
        steps.clone().find(|step| !runs(step)).map(|step| step.op.kind())
    }

    /// The plan of a net of which nothing is [missing](Self::missing).
    pub(crate) fn new(spec: &NetSpec, images: usize) -> BlockedTrainingPlan {
        let (drafts, shapes, of_node) = drafts(spec);
        lives::plan(spec, images, drafts, &shapes, &of_node)
    }
}

/// Whether there are kernels for a step.
fn runs(step: &Step) -> bool {
    match step.op {
        Op::ConvTranspose2d { .. } => {
            let g = step.op.conv_transpose2d(step.input);
            g.is_some_and(|g| conv_transpose2d::runs(&g))
        }
        Op::Conv2d { .. }
        | Op::DepthwiseConv2d { .. }
        | Op::Linear { .. }
        | Op::BatchNorm { .. }
        | Op::LayerNorm { .. }
        | Op::GroupNorm { .. }
        | Op::MaxPool2d { .. }
        | Op::AvgPool2d { .. }
        | Op::GlobalAvgPool
        | Op::Upsample { .. }
        | Op::Dropout { .. }
        | Op::Scale { .. }
        | Op::Softmax
        | Op::LogSoftmax
        | Op::Add
        | Op::Mul
        | Op::Concat
        | Op::Own(_) => true,
        _ => step.op.activation().is_some(),
    }
}

/// Whether a step can read an image as it came.
fn reads_images(step: &Step) -> bool {
    step.op.conv2d(step.input).is_some_and(|g| g.groups == 1)
}

/// The calls in order, the shapes of all values, and where each node's value comes from.
fn drafts(spec: &NetSpec) -> (Vec<Draft>, Vec<Shape>, Vec<Option<DraftFrom>>) {
    let NetSpec { graph, shapes: of_nodes, layout, .. } = *spec;
    let mut drafts: Vec<Draft> = Vec::new();
    let mut shapes: Vec<Shape> = Vec::new();
    let mut of_node: Vec<Option<DraftFrom>> = vec![None; graph.nodes.len()];
    // Inputs in blocks of channels, where something reads them so.
    let mut packed: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    let mut pixels = 0;
    let mut steps = layout.steps.iter().peekable();
    for (index, node) in graph.nodes.iter().enumerate() {
        let shape = of_nodes[index];
        if let Op::Input { .. } = node.op {
            of_node[index] = Some(DraftFrom::Image(pixels, shape));
            pixels += shape.elements();
            continue;
        }
        if node.op.keeps_numbers() {
            let source = node.inputs[0];
            let from = of_node[source].unwrap_or(DraftFrom::Value(0));
            of_node[index] = Some(match from {
                DraftFrom::Image(start, of) if of == shape => DraftFrom::Image(start, shape),
                DraftFrom::Value(value) if is_same_order(shapes[value], shape) => from,
                _ => {
                    shapes.push(shape);
                    let value = shapes.len() - 1;
                    let reads = vec![DraftRead { node: source, from }];
                    drafts.push(Draft { step: None, node: index, reads, added: None, value });
                    DraftFrom::Value(value)
                }
            });
            continue;
        }
        let Some(step) = steps.next_if(|step| step.node == index) else { continue };
        let mut read =
            |node: usize, may_be_image: bool, drafts: &mut Vec<Draft>, shapes: &mut Vec<Shape>| {
                let from = of_node[node].unwrap_or(DraftFrom::Value(0));
                let DraftFrom::Image(_, shape) = from else { return DraftRead { node, from } };
                if may_be_image {
                    return DraftRead { node, from };
                }
                let value = *packed[node].get_or_insert_with(|| {
                    shapes.push(shape);
                    let value = shapes.len() - 1;
                    let reads = vec![DraftRead { node, from }];
                    drafts.push(Draft { step: None, node, reads, added: None, value });
                    value
                });
                DraftRead { node, from: DraftFrom::Value(value) }
            };
        let reads = step.sources().iter();
        let reads = reads
            .map(|source| read(source.node, reads_images(step), &mut drafts, &mut shapes))
            .collect();
        let added = step.training.added.map(|_| read(step.added, false, &mut drafts, &mut shapes));
        shapes.push(of_nodes[step.value]);
        let value = shapes.len() - 1;
        of_node[step.value] = Some(DraftFrom::Value(value));
        drafts.push(Draft { step: Some(step), node: step.value, reads, added, value });
    }
    (drafts, shapes, of_node)
}

/// Whether two shapes of the same numbers are stored alike.
fn is_same_order(a: Shape, b: Shape) -> bool {
    let in_order = |shape: Shape| shape.elements() == shape.dim(0);
    a == b || in_order(a) && in_order(b)
}
