//! Pictures of nets, with the feature `diagram`: a box for each layer with its name, arguments and
//! parameters, an arrow with a shape for each value that it reads.
//!
//! [`Diagram::to_svg`] is for papers and web pages, [`Diagram::to_mermaid`] for Markdown on pages
//! that draw Mermaid's ` ```mermaid ` blocks.
//!
//! Colours tell the [groups](LayerGroup) of layers apart. The background is left clear, and lines
//! and letters are readable on a light page as on a dark one. Same net, same bytes.

mod layout;
mod mermaid;
mod svg;

use typenet_engine::NetSpec;
use typenet_shape::{Op, Shape};

use super::summary::{kind_and_arguments, thousands};

/// The picture of a net, see [`Network::diagram`](crate::Network::diagram).
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Diagram {
    /// The net's name.
    pub name: &'static str,
    /// The boxes: the layers in order, the inputs first, and after them the output, or one for each
    /// head.
    pub boxes: Vec<DiagramBox>,
    /// The arrows.
    pub arrows: Vec<DiagramArrow>,
}

/// One box of a [`Diagram`].
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct DiagramBox {
    /// The layer's name; where it has none, its kind and number. `output` for the output, or the name of a head.
    pub name: &'static str,
    /// Its kind and the arguments that are not their defaults, as in a declaration.
    pub layer: String,
    /// What it is coloured as.
    pub group: LayerGroup,
    /// Numbers of its parameters.
    pub parameters: usize,
    /// Whether the declaration has it `#[frozen]`.
    pub frozen: bool,
}

/// A value on its way from the layer that computes it to one that reads it.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct DiagramArrow {
    /// The box that it leaves.
    pub from: usize,
    /// The box that it enters.
    pub to: usize,
    /// The shape of the value for one image.
    pub shape: Shape,
}

/// What layers have in common that are drawn in one colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LayerGroup {
    /// Convolutions of every kind.
    Convolution,
    /// `linear`.
    Linear,
    /// The norms.
    Norm,
    /// Functions of single numbers, and softmax.
    Activation,
    /// What changes an image's size: pooling and upsampling.
    Pool,
    /// What reads several values: `add`, `mul`, `concat`.
    Join,
    /// Inputs, outputs and everything else.
    Other,
}

/// The colours of a group of layers.
struct Colours {
    fill: &'static str,
    border: &'static str,
}

/// The letters in boxes of every colour.
const INK: &str = "#1f2328";
/// Arrows and their letters: as far from white as from black.
const LINE: &str = "#767676";

impl LayerGroup {
    const ALL: [LayerGroup; 7] = [
        LayerGroup::Convolution,
        LayerGroup::Linear,
        LayerGroup::Norm,
        LayerGroup::Activation,
        LayerGroup::Pool,
        LayerGroup::Join,
        LayerGroup::Other,
    ];

    fn of(op: &Op) -> LayerGroup {
        match op {
            Op::Conv2d { .. } | Op::DepthwiseConv2d { .. } | Op::ConvTranspose2d { .. } => {
                LayerGroup::Convolution
            }
            Op::Linear { .. } => LayerGroup::Linear,
            Op::BatchNorm { .. } | Op::LayerNorm { .. } | Op::GroupNorm { .. } => LayerGroup::Norm,
            Op::Softmax | Op::LogSoftmax => LayerGroup::Activation,
            Op::MaxPool2d { .. }
            | Op::AvgPool2d { .. }
            | Op::GlobalAvgPool
            | Op::Upsample { .. } => LayerGroup::Pool,
            Op::Add | Op::Mul | Op::Concat => LayerGroup::Join,
            op if op.activation().is_some() => LayerGroup::Activation,
            _ => LayerGroup::Other,
        }
    }

    /// Its name in the texts.
    const fn name(self) -> &'static str {
        match self {
            LayerGroup::Convolution => "convolution",
            LayerGroup::Linear => "linear",
            LayerGroup::Norm => "norm",
            LayerGroup::Activation => "activation",
            LayerGroup::Pool => "pool",
            LayerGroup::Join => "join",
            LayerGroup::Other => "other",
        }
    }

    const fn colours(self) -> Colours {
        let (fill, border) = match self {
            LayerGroup::Convolution => ("#cfe3fb", "#4a86c8"),
            LayerGroup::Linear => ("#e4d9f7", "#8a66c6"),
            LayerGroup::Norm => ("#d8f0df", "#4f9d6b"),
            LayerGroup::Activation => ("#fde7c9", "#cc8a30"),
            LayerGroup::Pool => ("#f9d8dc", "#c6616d"),
            LayerGroup::Join => ("#cdeeee", "#3f989e"),
            LayerGroup::Other => ("#e9ecef", "#868e96"),
        };
        Colours { fill, border }
    }
}

impl Diagram {
    /// The picture of a declared net.
    pub(crate) fn new(spec: &NetSpec) -> Diagram {
        let NetSpec { graph, layers, .. } = *spec;
        let mut boxes = Vec::new();
        let mut arrows = Vec::new();
        let mut is_read = vec![false; graph.nodes.len()];
        // The box that shows each node's value: where another net begins and ends there is none.
        let mut shown: Vec<usize> = Vec::with_capacity(graph.nodes.len());
        for (node_index, (node, layer)) in graph.nodes.iter().zip(layers).enumerate() {
            if let (Op::NetInput { .. } | Op::NetOutput { .. }, &[from]) = (node.op, node.inputs) {
                shown.push(shown[from]);
                continue;
            }
            let to = boxes.len();
            shown.push(to);
            boxes.push(DiagramBox {
                name: layer.name,
                layer: kind_and_arguments(&node.op),
                group: LayerGroup::of(&node.op),
                parameters: layer.parameters,
                frozen: graph.marks_of(node_index).frozen,
            });
            for &from in node.inputs {
                let shape = layers[from].output;
                let from = shown[from];
                is_read[from] = true;
                arrows.push(DiagramArrow { from, to, shape });
            }
        }
        let mut outputs: Vec<(&'static str, usize)> =
            graph.heads.iter().map(|head| (head.name, head.node)).collect();
        if outputs.is_empty() {
            for node in 0..shown.len() {
                if !std::mem::replace(&mut is_read[shown[node]], true) {
                    outputs.push(("output", node));
                }
            }
        }
        for (name, node) in outputs {
            let (from, shape) = (shown[node], layers[node].output);
            arrows.push(DiagramArrow { from, to: boxes.len(), shape });
            boxes.push(DiagramBox {
                name,
                layer: "output".to_owned(),
                group: LayerGroup::Other,
                parameters: 0,
                frozen: false,
            });
        }
        Diagram { name: graph.name, boxes, arrows }
    }

    /// The picture as an SVG document, from top to bottom. It stands for itself: no fonts, scripts
    /// or styles from elsewhere. Each box is a group with the attribute `data-layer`, each arrow one
    /// with `data-from` and `data-to`, for scripts on the page.
    pub fn to_svg(&self) -> String {
        svg::write(self)
    }

    /// The picture as the text of a Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// Whether a box stands for a value from or to the outside.
    fn is_end(&self, index: usize) -> bool {
        matches!(self.boxes[index].layer.as_str(), "input" | "output")
    }
}

impl DiagramBox {
    /// The lines after the name: kind and arguments where the name does not tell them, parameters.
    fn details(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.name_tells_layer() {
            lines.push(self.layer.clone());
        }
        match (self.parameters, self.frozen) {
            (0, _) => {}
            (1, frozen) => lines.push(format!("1 parameter{}", frozen_suffix(frozen))),
            (count, frozen) => {
                lines.push(format!(
                    "{} parameters{}",
                    thousands(count as u64),
                    frozen_suffix(frozen)
                ));
            }
        }
        lines
    }

    /// Whether the name is the kind, or the kind and a number, and there are no arguments.
    fn name_tells_layer(&self) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or(self.name);
        match last.strip_prefix(self.layer.as_str()) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('_').is_some_and(|n| n.parse::<usize>().is_ok()),
            None => false,
        }
    }
}

fn frozen_suffix(frozen: bool) -> &'static str {
    if frozen { ", frozen" } else { "" }
}
