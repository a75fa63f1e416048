//! Pictures of nets, with the feature `diagram`: a box for each layer with its name, arguments and
//! parameters, an arrow with a shape for each value that it reads.
//!
//! [`Diagram::to_svg`] is for papers and web pages, [`Diagram::to_mermaid`] for Markdown on pages
//! that draw Mermaid's ` ```mermaid ` blocks.
//!
//! [`Diagram::folded`] draws each block, repeat and residual as one box, so that a deep net fits a page.
//!
//! Colours tell the [groups](LayerGroup) of layers apart. The background is transparent, and lines and
//! letters are readable on a light page as on a dark one. The same net always gives the same bytes.

mod fold;
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
    /// The layer's name; if it has none, its kind and number. `output` for the output, or the name of a head.
    /// For a [folded](Diagram::folded) box, the name of its braces; for several equal ones,
    /// `first, second` or `first … last`.
    pub name: String,
    /// Its kind and the arguments that differ from their defaults, as in a declaration. For a folded box, the
    /// kinds of its layers, each with its count; for several equal ones, the counts in one of them.
    pub layer: String,
    /// The group that decides its colour.
    pub group: LayerGroup,
    /// How many parameters it has; for several equal ones, all of them together.
    pub parameters: usize,
    /// Whether the declaration marks it `#[frozen]`; for a folded box, all layers in it that have parameters.
    pub frozen: bool,
    /// For a folded box, the shapes of its first input and its output; `None` for a layer.
    pub shapes: Option<[Shape; 2]>,
    /// How many equal ones in a row a folded box stands for; else 1.
    pub times: usize,
}

/// An arrow of a [`Diagram`]: a value, from the layer that computes it to one that reads it.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct DiagramArrow {
    /// The box that it leaves, as an index of [`Diagram::boxes`].
    pub from: usize,
    /// The box that it enters, as an index of [`Diagram::boxes`].
    pub to: usize,
    /// The shape of the value for one image.
    pub shape: Shape,
}

/// A group of layers that are drawn in one colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LayerGroup {
    /// Convolutions of every kind.
    Convolution,
    /// `linear`.
    Linear,
    /// The norms.
    Norm,
    /// Elementwise activations, `softmax` and `log_softmax`.
    Activation,
    /// Layers that change an image's size: pooling and upsampling.
    Pool,
    /// Layers that read several values: `add`, `mul`, `concat`.
    Join,
    /// Several layers in one box: see [`Diagram::folded`].
    Braces,
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
    const ALL: [LayerGroup; 8] = [
        LayerGroup::Convolution,
        LayerGroup::Linear,
        LayerGroup::Norm,
        LayerGroup::Activation,
        LayerGroup::Pool,
        LayerGroup::Join,
        LayerGroup::Braces,
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
            LayerGroup::Braces => "braces",
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
            LayerGroup::Braces => ("#f1f3f9", "#56637f"),
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
                name: layer.name.to_owned(),
                layer: kind_and_arguments(&node.op),
                group: LayerGroup::of(&node.op),
                parameters: layer.parameters,
                frozen: graph.marks_of(node_index).frozen,
                shapes: None,
                times: 1,
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
                name: name.to_owned(),
                layer: "output".to_owned(),
                group: LayerGroup::Other,
                parameters: 0,
                frozen: false,
                shapes: None,
                times: 1,
            });
        }
        Diagram { name: graph.name, boxes, arrows }
    }

    /// The picture as an SVG document, from top to bottom. It is self-contained: it loads no fonts, scripts or
    /// styles. Each box is a `<g>` with the attribute `data-layer`, each arrow one with `data-from` and
    /// `data-to`, for scripts on the page.
    pub fn to_svg(&self) -> String {
        svg::write(self)
    }

    /// The picture as the text of a Mermaid flowchart.
    pub fn to_mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// Whether a box stands for a value from or to the outside.
    fn is_end(&self, index: usize) -> bool {
        self.boxes[index].layer == "input" || self.is_output(index)
    }

    fn is_output(&self, index: usize) -> bool {
        self.boxes[index].layer == "output"
    }
}

impl DiagramBox {
    /// The first line: the name, and how many there are.
    fn title(&self) -> String {
        match self.times {
            1 => self.name.clone(),
            times => format!("{} ×{times}", self.name),
        }
    }

    /// The lines after the title: kind and arguments where the name does not tell them, parameters; of a
    /// folded box, what is in it, and shapes.
    fn details(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.is_folded() {
            lines.extend(wrapped(&self.layer));
        } else if !self.name_tells_layer() {
            lines.push(self.layer.clone());
        }
        if let Some([from, to]) = self.shapes {
            lines.push(format!("{from} → {to}"));
        }
        let plural = if self.parameters == 1 { "" } else { "s" };
        let all = if self.times == 1 { "" } else { " in all" };
        let frozen = if self.frozen { ", frozen" } else { "" };
        if self.parameters > 0 {
            let count = thousands(self.parameters as u64);
            lines.push(format!("{count} parameter{plural}{all}{frozen}"));
        }
        lines
    }

    /// Whether it stands for several layers.
    fn is_folded(&self) -> bool {
        self.group == LayerGroup::Braces
    }

    /// Whether the name is the kind, or the kind and a number, and there are no arguments.
    fn name_tells_layer(&self) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or(&self.name);
        last == self.layer || self.is_numbered(&self.layer)
    }

    /// Whether the name is this kind and a number, which layers without a name of their own have.
    fn is_numbered(&self, kind: &str) -> bool {
        let last = self.name.rsplit('.').next().unwrap_or(&self.name);
        let number = last.strip_prefix(kind).and_then(|rest| rest.strip_prefix('_'));
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    }

    /// Its kind, without arguments.
    fn kind(&self) -> &str {
        self.layer.split('(').next().unwrap_or(&self.layer)
    }
}

/// A list in lines of a length that is easy to read.
fn wrapped(list: &str) -> Vec<String> {
    const LENGTH: usize = 56;
    let mut lines: Vec<String> = Vec::new();
    for item in list.split(", ") {
        match lines.last_mut() {
            Some(line) if line.len() + item.len() + 2 <= LENGTH => {
                *line += ", ";
                *line += item;
            }
            last => {
                if let Some(line) = last {
                    *line += ",";
                }
                lines.push(item.to_owned());
            }
        }
    }
    lines
}
