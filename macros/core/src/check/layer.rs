//! A layer that reads one value: its arguments, its rule, and what is known after a mistake.

use quote::ToTokens;
use typenet_shape::{Argument, Op, Outline, Shape, ShapeError, TensorKind};

use super::arguments::{self, Meant};
use super::dims::Written;
use super::marks::On;
use super::names::Name;
use super::settings::{self, Setting};
use super::symbols::Rule;
use super::{Checker, Defined, Known, Node};
use crate::foreign;
use crate::layers::{self, FLOW, Kind};
use crate::parse::{Form, Layer};

impl<'a> Checker<'a> {
    /// A layer, a use of a block, or a layer that reads values by name.
    pub(super) fn layer(&mut self, written: &'a Layer) {
        if !written.corrected {
            return self.layer_as_written(written);
        }
        // Its mistake is reported: nothing more is said about what was likely meant.
        self.muted += 1;
        self.layer_as_written(written);
        self.muted -= 1;
        self.doubt();
    }

    fn layer_as_written(&mut self, written: &'a Layer) {
        if let Some(path) = &written.path {
            return self.part(written, path);
        }
        let text = written.keyword.to_string();
        if FLOW.contains(&text.as_str()) {
            self.flow(written);
        } else if let Some(block) = self.find_block(&text) {
            self.mention(&written.keyword, Defined::Block(block));
            self.block_use(written, block, true);
        } else if let Some(layer) = layers::find(&text) {
            self.layer_of(written, Some(layer), true);
        } else if self.is_type(&written.keyword) && !is_call_elsewhere(written) {
            self.part(written, &written.keyword.to_token_stream());
        } else {
            // An unknown word that is near a known one is taken for that one: its fields and shapes
            // are likely, and nothing more is said about them.
            let meant = self.unknown_layer(written);
            self.forgive_names(written);
            match meant {
                Meant::Layer(layer) => self.layer_of(written, Some(layer), false),
                Meant::Block(block) => self.block_use(written, block, false),
                Meant::Nothing => self.layer_of(written, None, false),
            }
            self.doubt();
        }
    }

    fn layer_of(
        &mut self,
        written: &'a Layer,
        mut layer: Option<&'static layers::Layer>,
        exact: bool,
    ) {
        // In another library's words it is read as what was meant, and nothing more is said about it.
        let correction = layer.and_then(|layer| self.correction(written, layer.keyword));
        let call = correction.as_ref().and_then(|correction| correction.calls.first());
        let in_our_words = call.and_then(|call| written.corrected(call));
        if let Some(meant) = &in_our_words {
            layer = layers::find(&meant.keyword.to_string()).or(layer);
        }
        let name = self.layer_name(written, layer);
        if let Some(correction) = correction.as_ref().filter(|_| exact) {
            self.report_foreign(&name.text, written, correction);
        }
        let exact = exact && correction.is_none();
        self.muted += usize::from(!exact);
        if layer.is_some() {
            self.note(&written.keyword);
        }
        // A word that means nothing here may stand for a layer with parameters.
        let may_have_parameters = layer.map_or(written.name.is_some(), |l| l.has_parameters());
        let mut node = Node {
            name: self.full_name(&name.text),
            written_name: written.name.clone(),
            docs: written.docs.clone(),
            field: may_have_parameters.then(|| self.field(&name)).flatten(),
            keyword: (self.muted == 0).then(|| written.keyword.clone()),
            layer,
            inputs: vec![self.current],
            again: self.again,
            ..Node::unknown(written.keyword.span())
        };
        if let Some(layer) = layer {
            let before = self.found;
            let arguments_of = in_our_words.as_ref().unwrap_or(written);
            if let Some(settings) = self.arguments(&name.text, layer, arguments_of) {
                node.arguments = settings::write(layer, &settings);
                let op = settings::build(layer, &settings);
                node.op = Some(op);
                self.argument_rules(&name.text, layer, op, arguments_of, &settings);
                let clean = self.muted == 0 && self.found == before;
                if settings.iter().any(Setting::is_symbolic)
                    || matches!(self.value(), Known::Symbolic(_))
                {
                    let known = Written { layer, settings: &settings, op };
                    self.symbolic_shapes(&mut node, &known, arguments_of, clean);
                } else {
                    self.shapes(&mut node, op, arguments_of, clean);
                }
                node.settings = settings;
            }
            self.layer_attributes(&name, &mut node, layer, written);
        }
        self.muted -= usize::from(!exact);
        self.push(node);
        if !exact {
            self.doubt();
        }
        if let Some(written_name) = &written.name {
            self.define(written_name);
        }
    }

    /// What attributes say of a layer, its own and those of the braces around.
    fn layer_attributes(
        &mut self,
        name: &Name,
        node: &mut Node,
        layer: &'static layers::Layer,
        written: &'a Layer,
    ) {
        let has_some = node.op.map_or(layer.has_parameters(), |op| op.has_parameters());
        if !has_some {
            return self.no_parameters(&name.text, &written.attributes);
        }
        let read = self.read_attributes(&name.text, &written.attributes, On::Layer(node));
        node.marks = read.marks;
        let (file_name, place) = self.file_name_of(&name.text, read.file.as_ref());
        node.file_name = (file_name != node.name).then_some(file_name);
        node.file_place = place;
    }

    /// Reports each written argument that is out of its range by itself.
    fn argument_rules(
        &mut self,
        name: &str,
        layer: &'static layers::Layer,
        op: Op,
        written: &Layer,
        settings: &[Setting],
    ) {
        for argument in Argument::ALL {
            let Some(value) = arguments::written_value(layer, written, argument.name()) else {
                continue;
            };
            if !is_known(layer, settings, argument) {
                let spot = self.spot_of_value(value);
                self.leave(spot, Rule::Range(self.nodes.len(), argument));
                continue;
            }
            if let Err(error) = op.check(argument) {
                let input = match self.value() {
                    Known::Shape(shape) => Some(shape),
                    _ => None,
                };
                let image = input.filter(|shape| shape.rank() == 3);
                let channels = image.map(|shape| shape.dim(0)).or_else(|| self.sure_channels());
                let error = error.of_input(input, channels);
                let mistake = self.about_value(name, value, error.message().as_str());
                self.report(mistake.help(error.help().as_str()));
            }
        }
    }

    /// The value by the layer's rule, or the rule's message and what is known nevertheless.
    fn shapes(&mut self, node: &mut Node, op: Op, written: &Layer, clean: bool) {
        let sound = |shape: &Shape| shape.checked().is_ok();
        let input = self.value();
        node.tensors = self.tensors(op, input).filter(|(_, shape)| sound(shape)).collect();
        // Behind a mistake, that alone is sure which follows from what is written.
        let sure_of_input = Outline { rank: None, channels: self.sure_channels() };
        let follows = |kind| op.tensor_of_outline(kind, sure_of_input).is_some();
        let sure = |kind| clean && (matches!(input, Known::Shape(_)) || follows(kind));
        let kinds = node.tensors.iter().map(|(kind, _)| *kind);
        node.open = kinds.filter(|&kind| !sure(kind)).collect();
        let outline = op.outline(input.outline());
        node.value = match input {
            Known::Shape(shape) => match op.output(shape) {
                Ok(shape) if clean => Known::Shape(shape),
                Ok(shape) => Known::Assumed(shape),
                Err(error) => {
                    if clean {
                        self.misfit(node, op, error, written);
                    }
                    Known::Outline(outline)
                }
            },
            Known::Assumed(shape) => {
                op.output(shape).map_or(Known::Outline(outline), Known::Assumed)
            }
            Known::Outline(_) | Known::Symbolic(_) => {
                if clean {
                    self.groups_of_outline(node, op, written);
                }
                Known::Outline(outline)
            }
        };
        // A linear layer's output does not depend on what went wrong before it.
        if clean && let Some(shape) = op.outline(Outline::UNKNOWN).shape().filter(sound) {
            node.value = Known::Shape(shape);
        }
        if node.value.outline().channels == Some(0) {
            node.value = Known::NOTHING;
        }
    }

    /// Reports groups that do not divide the channels of an input of which little more is known.
    fn groups_of_outline(&mut self, node: &Node, op: Op, written: &Layer) {
        let Some(channels) = self.sure_channels() else { return };
        let error = match op {
            Op::Conv2d { groups, out_channels, .. }
            | Op::ConvTranspose2d { groups, out_channels, .. }
                if !channels.is_multiple_of(groups) =>
            {
                ShapeError::Groups { groups, in_channels: Some(channels), out_channels }
            }
            Op::GroupNorm { num_groups, .. } if !channels.is_multiple_of(num_groups) => {
                ShapeError::NumGroups { num_groups, channels }
            }
            _ => return,
        };
        self.misfit(node, op, error, written);
    }

    /// The channels of the current value where a convolution before has them for sure, though its height
    /// and width are not known: no mistake is about how many they are.
    fn sure_channels(&self) -> Option<usize> {
        let any = Outline { rank: Some(3), channels: Some(7) };
        for index in self.path(self.current).into_iter().rev() {
            let node = self.nodes.get(index)?;
            match node.op? {
                Op::Conv2d { out_channels, groups: 1, .. }
                | Op::ConvTranspose2d { out_channels, groups: 1, .. } => {
                    let sure =
                        node.keyword.is_some() && Shape::new(&[out_channels]).checked().is_ok();
                    return sure.then_some(out_channels);
                }
                Op::Add | Op::Mul | Op::NetOutput { .. } => return None,
                op if op.outline(any) == any => {}
                _ => return None,
            }
        }
        None
    }

    /// The layer's tensors for this input, as far as it tells their shapes.
    fn tensors(&self, op: Op, input: Known) -> impl Iterator<Item = (TensorKind, Shape)> + use<> {
        let fits = input.shape().filter(|&shape| op.output(shape).is_ok());
        op.tensors().iter().filter_map(move |&kind| {
            let shape = match fits {
                Some(shape) => op.tensor(kind, shape),
                None => op.tensor_of_outline(kind, input.outline()),
            };
            Some((kind, shape?))
        })
    }

    pub(super) fn misfit(&mut self, node: &Node, op: Op, error: ShapeError, written: &Layer) {
        let argument = error.blamed(&op);
        let place = argument
            .and_then(|argument| arguments::written_value(node.layer?, written, argument.name()))
            .map_or_else(|| written.keyword.span().into(), |value| value.place);
        let mut mistake = self.blame(&node.name, place, error.message().as_str());
        let shapes = self.shapes_so_far();
        if error.concerns_input() && shapes != "…" {
            mistake = mistake.shapes(&shapes);
        }
        let help = match self.channels_last(&error) {
            Some(shape) => {
                self.doubtful_input = true;
                format!("the channels stand first in a shape: is the input `{shape}`?")
            }
            None => self.way_out(&error),
        };
        self.report(mistake.help(help));
    }

    /// The input with its channels first, if it seems to have them last and that is what does not fit.
    fn channels_last(&self, error: &ShapeError) -> Option<Shape> {
        let ShapeError::KernelTooLarge { kernel, input, .. } = error else { return None };
        let too_narrow = input[0] >= kernel[0] && input[1] < kernel[1];
        let Known::Shape(shape) = self.nodes.get(*self.path(self.current).first()?)?.value else {
            return None;
        };
        match *shape.dims() {
            [height, width, channels @ 1..=4] if height > 4 && width > 4 && too_narrow => {
                Some(Shape::new(&[channels, height, width]))
            }
            _ => None,
        }
    }

    /// What to do about a layer that does not fit the current value.
    pub(super) fn way_out(&self, error: &ShapeError) -> String {
        let flattener =
            self.path(self.current).into_iter().rev().map(|index| &self.nodes[index]).find(
                |node| matches!(node.op, Some(Op::Flatten | Op::GlobalAvgPool | Op::Linear { .. })),
            );
        match (error, flattener) {
            (ShapeError::NeedsImage { .. }, Some(flattener)) => {
                format!("put it before `{}`, where the value is still an image", flattener.name)
            }
            (ShapeError::NeedsImage { .. }, None) if self.inputs.len() > 1 => {
                let input = self.path(self.current).first().and_then(|&node| self.inputs.get(node));
                let name = input.map(ToString::to_string).unwrap_or_default();
                format!(
                    "declare `{name}` as `[channels, height, width]`, or go on from another input with `from(…)`"
                )
            }
            (ShapeError::NeedsImage { .. }, None) => {
                "declare the input as `[channels, height, width]`".into()
            }
            _ => error.help().to_string(),
        }
    }
}

/// Whether a word with a capital is a layer of another library, as its arguments tell: a layer of the
/// user's own takes numbers.
fn is_call_elsewhere(written: &Layer) -> bool {
    let text = written.keyword.to_string();
    let takes_text = || {
        written.arguments.iter().any(|argument| {
            argument.key.is_some()
                || matches!(&argument.value.form, Form::Other(text) if text.starts_with('"'))
        })
    };
    (foreign::is_elsewhere(&text) || foreign::not_here(&text).is_some()) && takes_text()
}

/// Whether all numbers that an argument's own rule reads are known here.
fn is_known(layer: &layers::Layer, settings: &[Setting], argument: Argument) -> bool {
    let own = layer.position(argument.name()).and_then(|index| settings.get(index));
    // How much padding may be depends on the other sizes.
    let sizes = || {
        layer.arguments.iter().zip(settings).any(|(argument, setting)| {
            matches!(argument.kind, Kind::Pair | Kind::Padding) && setting.is_symbolic()
        })
    };
    let channels = layer.position("out_channels").and_then(|index| settings.get(index));
    let are_known = |setting: Option<&Setting>| setting.is_none_or(|one| !one.is_symbolic());
    match argument {
        Argument::Padding | Argument::OutputPadding => !sizes(),
        // Zero is a mistake whatever the channels are.
        Argument::Groups => match own.map(Setting::numbers).as_deref() {
            Some([groups]) if groups.known() == Some(0) => true,
            _ => are_known(own) && are_known(channels),
        },
        _ => are_known(own),
    }
}
