//! Layers of whose numbers some are known to the compiler alone: the rules that can be applied here
//! are, and the others are left to it.

use typenet_shape::{Argument, Op, Outline, Shape, ShapeError, TensorKind};

use super::arguments::written_value;
use super::dims::{Written, joined, keeps_shape};
use super::symbols::{Rule, Words};
use super::{Checker, Known, Node};
use crate::mistake::Place;
use crate::number::{Number, shape_text};
use crate::parse::Layer;

impl Node {
    /// The shape of its value with numbers that are not known here, if its rank is known.
    pub fn dims(&self) -> Option<Vec<Number>> {
        match self.value {
            Known::Shape(shape) | Known::Assumed(shape) => Some(numbers(shape)),
            Known::Symbolic(Outline { rank: None, .. }) | Known::Outline(_) => None,
            Known::Symbolic(_) => Some(self.symbolic_dims.clone()),
        }
    }

    /// Its tensors with their shapes.
    pub fn tensor_dims(&self) -> Vec<(TensorKind, Vec<Number>)> {
        match self.symbolic_tensors.as_slice() {
            [] => self.tensors.iter().map(|&(kind, shape)| (kind, numbers(shape))).collect(),
            tensors => tensors.to_vec(),
        }
    }

    /// Gives its value this shape.
    pub(super) fn set_dims(&mut self, dims: Vec<Number>) {
        self.value = match shape(&dims) {
            Some(shape) => Known::Shape(shape),
            None => Known::Symbolic(Outline {
                rank: Some(dims.len()),
                channels: dims.first().and_then(Number::known),
            }),
        };
        self.symbolic_dims = dims;
    }
}

impl Checker<'_> {
    /// The value of a layer whose numbers or whose input are not all known here.
    pub(super) fn symbolic_shapes(
        &mut self,
        node: &mut Node,
        known: &Written<'_>,
        written: &Layer,
        clean: bool,
    ) {
        let op = known.op;
        let input = self.nodes.get(self.current).and_then(Node::dims);
        let Some(input) = input.filter(|_| clean) else {
            if clean && matches!(self.value(), Known::Symbolic(_)) {
                return self.shapes_behind_part(node, known, written);
            }
            node.value = Known::NOTHING;
            return;
        };
        if let Some(error) = self.rule_without(known, &input) {
            let mut place = written.keyword.span().into();
            if let (Some(argument), Some(layer)) = (error.blamed(&op), node.layer)
                && let Some(value) = written_value(layer, written, argument.name())
            {
                place = value.place;
            }
            match error {
                ShapeError::NeedsImage { found } | ShapeError::NeedsFeatures { found } => {
                    self.wrong_rank(node, error, found, &input, place);
                }
                error => self.misfit(node, op, error, written),
            }
            node.value = Known::NOTHING;
            return;
        }
        let dims = self.output_dims(known, &input);
        self.symbolic_node(node, known, &input, dims);
        self.parameter_lengths(node, written);
        self.leave_fit(node, written);
    }

    /// Gives a node the shapes of its value and of its tensors.
    pub(super) fn symbolic_node(
        &mut self,
        node: &mut Node,
        known: &Written<'_>,
        input: &[Number],
        dims: Vec<Number>,
    ) {
        node.symbolic_tensors = self.tensor_dims(known, input);
        node.tensors =
            node.symbolic_tensors.iter().map(|(kind, dims)| (*kind, ones(dims.len()))).collect();
        node.set_dims(dims);
    }

    /// A mistake that this layer makes whatever the unknown numbers are.
    fn rule_without(&self, known: &Written<'_>, input: &[Number]) -> Option<ShapeError> {
        let op = known.op;
        // Sizes that are known, with a number of channels that suits any groups that are.
        let groups = match op {
            Op::Conv2d { groups, .. } | Op::ConvTranspose2d { groups, .. } => groups,
            Op::GroupNorm { num_groups, .. } => num_groups,
            _ => 1,
        };
        let sample: Vec<usize> = input
            .iter()
            .enumerate()
            .map(|(axis, dim)| dim.known().unwrap_or(if axis == 0 { groups } else { 1 }))
            .collect();
        let error = op.output(Shape::new(&sample)).err()?;
        let sizes =
            input.iter().skip(1).all(|dim| dim.known().is_some()) && known.sizes_are_known();
        match error {
            ShapeError::NeedsImage { .. } | ShapeError::NeedsFeatures { .. } => Some(error),
            ShapeError::KernelTooLarge { .. } | ShapeError::NothingLeft { .. } => {
                sizes.then_some(error)
            }
            _ => None,
        }
    }

    fn wrong_rank(
        &mut self,
        node: &Node,
        error: ShapeError,
        found: Shape,
        input: &[Number],
        place: Place,
    ) {
        let message = error.message().to_string().replace(&found.to_string(), &shape_text(input));
        let mistake = self.blame(&node.name, place, &message).shapes(&self.shapes_so_far());
        let help = self.way_out(&error);
        self.report(mistake.help(help));
    }

    /// Leaves it to the compiler whether the next node fits its input; returns whether there is any
    /// question.
    pub(super) fn leave_fit(&mut self, node: &Node, written: &Layer) -> bool {
        let (index, Some(layer)) = (self.nodes.len(), node.layer) else { return false };
        let Some(arguments) = node.op.and_then(may_be_blamed) else { return false };
        let keyword = Place::from(written.keyword.span());
        if !self.uses.is_empty() {
            self.leave(self.spot(keyword), Rule::Layer(index, Vec::new()));
            return true;
        }
        let mut blamed = Vec::new();
        for &argument in arguments {
            if let Some(value) = written_value(layer, written, argument.name()) {
                self.leave(self.spot(value.place), Rule::Fit(index, argument));
                blamed.push(argument);
            }
        }
        self.leave(self.spot(keyword), Rule::Layer(index, blamed));
        true
    }

    /// The shape of values that are joined by the next node, if some of it is not known here. Then
    /// it is left to the compiler whether they go together: at these places, that of the node first.
    pub(super) fn symbolic_join(
        &mut self,
        node: &mut Node,
        op: Op,
        words: Words,
        places: &[Place],
    ) -> bool {
        let values: Vec<&Node> =
            node.inputs.iter().filter_map(|&index| self.nodes.get(index)).collect();
        let symbolic = values.iter().any(|value| matches!(value.value, Known::Symbolic(_)));
        let sure =
            values.iter().all(|value| matches!(value.value, Known::Shape(_) | Known::Symbolic(_)));
        if !symbolic || !sure {
            return false;
        }
        let dims: Option<Vec<Vec<Number>>> = values.iter().map(|value| value.dims()).collect();
        let any = values.iter().find_map(|value| value.dims());
        match (dims.and_then(|dims| joined(op, &dims)), any) {
            (Some(joint), _) => node.set_dims(joint),
            // All have as many dimensions as one of them, but for factors.
            (None, Some(dims)) if op == Op::Concat => {
                let joint = dims.iter().map(|_| self.unknown_number()).collect();
                node.set_dims(joint);
            }
            (None, Some(dims)) if op == Op::Add => node.set_dims(dims),
            _ => node.value = Known::Symbolic(Outline::UNKNOWN),
        }
        for (at, &place) in places.iter().enumerate() {
            // A residual has two values: it is the second that differs.
            if at == 0 && matches!(words, Words::Residual(..)) {
                continue;
            }
            let rule = Rule::Join(self.nodes.len(), at, words.clone());
            self.leave(self.spot(place), rule);
        }
        true
    }
}

/// The arguments that may be to blame where a layer does not fit its input; none where it always
/// does, for an input of its rank.
fn may_be_blamed(op: Op) -> Option<&'static [Argument]> {
    Some(match op {
        Op::Conv2d { .. } => &[Argument::OutChannels, Argument::Kernel, Argument::Groups],
        Op::ConvTranspose2d { .. } => &[Argument::OutChannels, Argument::Padding, Argument::Groups],
        Op::DepthwiseConv2d { .. } | Op::MaxPool2d { .. } | Op::AvgPool2d { .. } => {
            &[Argument::Kernel]
        }
        Op::Linear { .. } => &[Argument::OutFeatures],
        Op::GroupNorm { .. } => &[Argument::NumGroups],
        Op::Reshape { .. } => &[Argument::Shape],
        Op::Upsample { .. } => &[Argument::ScaleFactor],
        Op::Flatten | Op::GlobalAvgPool => return None,
        op if keeps_shape(op) => return None,
        _ => &[],
    })
}

/// The numbers of a shape.
pub(super) fn numbers(shape: Shape) -> Vec<Number> {
    shape.dims().iter().map(|&dim| Number::from(dim)).collect()
}

/// The shape with these numbers, if all are known.
pub(super) fn shape(dims: &[Number]) -> Option<Shape> {
    let known: Option<Vec<usize>> = dims.iter().map(Number::known).collect();
    known.filter(|dims| dims.len() <= typenet_shape::MAX_RANK).map(|dims| Shape::new(&dims))
}

/// Some shape of this rank.
pub(super) fn ones(rank: usize) -> Shape {
    Shape::new(&vec![1; rank.min(typenet_shape::MAX_RANK)])
}
