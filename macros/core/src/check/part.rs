//! Other nets and layers of the user's own, by their path. What they are and do the compiler alone
//! knows: the shape of what they give, and whether they take their input.

use proc_macro2::TokenStream;
use typenet_shape::{Op, Outline, Own, Shape, ShapeError, TensorKind};

use super::constants::Value;
use super::dims::Written;
use super::marks::On;
use super::symbols::{Rule, last_word};
use super::{Checker, Known, Node};
use crate::Mistake;
use crate::mistake::Place;
use crate::number::Number;
use crate::own::MOST_ARGUMENTS;
use crate::parse::{Layer, path_text};

/// A net or a layer of the user's own, by its path.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its index among the paths of the declaration.
    pub path: usize,
    /// The path as text.
    pub text: String,
    /// Its arguments.
    pub arguments: Vec<Number>,
    /// The words of the path.
    pub place: Place,
}

/// A path to a type, as it was written first, and the same without spaces.
#[derive(Clone, Debug)]
pub struct TypePath {
    /// The path.
    pub path: TokenStream,
    /// As text.
    pub text: String,
}

impl<'a> Checker<'a> {
    /// A net or a layer of the user's own.
    pub(super) fn part(&mut self, written: &'a Layer, path: &TokenStream) {
        let text = path_text(path);
        let word = last_word(path).unwrap_or_else(|| written.keyword.clone());
        let kind = snake_case(&word.to_string());
        let place = Place { start: written.keyword.span(), end: word.span() };
        let name = self.name(written.name.as_ref(), Some(&kind), &written.keyword, true);
        let itself =
            self.net == text || text.strip_prefix("self::").is_some_and(|own| self.net == own);
        if itself || !self.generics.is_empty() {
            let (what, help) = if itself {
                ("a net cannot be a layer of itself", "")
            } else {
                (
                    "a net with generics takes no other nets and no layers of your own: stable Rust cannot compute their shapes there",
                    "leave out the generics, or write its layers out; a net with generics can be the layer: `type Wide = Net<64>;` names one",
                )
            };
            self.report(Mistake::about(&name.text, place, what).help(help));
            self.gap(written.keyword.span());
            if let Some(written_name) = &written.name {
                self.define(written_name);
            }
            return;
        }
        let arguments = self.part_arguments(&name.text, &text, written);
        let on = On::Braces { keyword: &text, named: true };
        let read = self.read_attributes(&name.text, &written.attributes, on);
        let (file_name, file_place) = self.file_name_of(&name.text, read.file.as_ref());
        let known = self.paths.iter().position(|known| known.text == text);
        let index = known.unwrap_or_else(|| {
            self.paths.push(TypePath { path: path.clone(), text: text.clone() });
            self.paths.len() - 1
        });
        let full_name = self.full_name(&name.text);
        let texts: Vec<String> = arguments.iter().map(Number::to_string).collect();
        let unknown = vec![self.unknown_number()];
        let mut node = Node {
            file_name: (file_name != full_name).then_some(file_name),
            name: full_name,
            file_place,
            written_name: written.name.clone(),
            docs: written.docs.clone(),
            field: self.field(&name),
            keyword: Some(written.keyword.clone()),
            arguments: texts.join(", "),
            op: Some(Op::Own(Own::UNKNOWN)),
            inputs: vec![self.current],
            tensors: vec![(TensorKind::Weight, Shape::new(&[1]))],
            symbolic_tensors: vec![(TensorKind::Weight, unknown)],
            marks: read.marks,
            part: Some(Part { path: index, text, arguments, place }),
            again: self.again,
            ..Node::unknown(written.keyword.span())
        };
        // After a mistake nothing is known, and that is no rule's business.
        if matches!(self.value(), Known::Shape(_) | Known::Symbolic(_)) {
            node.value = Known::Symbolic(Outline::UNKNOWN);
            let spot = self.spot(place);
            self.leave(spot.clone(), Rule::Arguments(self.nodes.len()));
            self.leave(spot.clone(), Rule::Net(self.nodes.len()));
            self.leave(spot, Rule::Part(self.nodes.len()));
        }
        self.push(node);
        if let Some(written_name) = &written.name {
            self.define(written_name);
        }
    }

    fn part_arguments(&mut self, name: &str, path: &str, written: &'a Layer) -> Vec<Number> {
        let mut arguments = Vec::new();
        for argument in &written.arguments {
            if let Some(key) = &argument.key {
                let what = format!("`{key} = …`: the arguments of `{path}` have no names");
                let mistake = Mistake::about(name, key.span(), what);
                self.report(mistake.help(format!("write `{path}(3, 4)`, in the order of `new`")));
            }
            self.takes_paths = true;
            let value = self.evaluate(&argument.value);
            self.takes_paths = false;
            match (&value, value.number()) {
                (_, Some(number)) => arguments.push(number),
                (Value::Wrong, _) => arguments.push(Number::from(1)),
                _ => {
                    let what =
                        format!("the arguments of `{path}` are whole numbers, not `{value}`");
                    let mistake = self.about_value(name, &argument.value, &what);
                    self.report(mistake);
                    arguments.push(Number::from(1));
                }
            }
        }
        if arguments.len() > MOST_ARGUMENTS {
            let what = format!(
                "`{path}` is given {} arguments, and at most {MOST_ARGUMENTS} go",
                arguments.len()
            );
            self.report(Mistake::about(name, written.keyword.span(), what));
            arguments.truncate(MOST_ARGUMENTS);
        }
        arguments
    }

    /// The value of a layer behind one of these: not even how many dimensions its input has is known
    /// here, but for what the layer itself takes.
    pub(super) fn shapes_behind_part(
        &mut self,
        node: &mut Node,
        known: &Written<'_>,
        written: &Layer,
    ) {
        let op = known.op;
        if let Some(rank) = taken_rank(op) {
            let input: Vec<Number> = (0..rank).map(|_| self.unknown_number()).collect();
            let dims = self.output_dims(known, &input);
            self.symbolic_node(node, known, &input, dims);
        } else if op == Op::Flatten {
            let dims = vec![self.unknown_number()];
            node.set_dims(dims);
        } else if let Op::Reshape { .. } = op {
            let dims = known.settings.iter().flat_map(|setting| setting.numbers()).collect();
            node.set_dims(dims);
        } else {
            node.value = Known::Symbolic(Outline::UNKNOWN);
            let channels = self.unknown_number();
            let dims = match op {
                // As many as its input has.
                Op::LayerNorm { .. } => Vec::new(),
                _ => vec![channels],
            };
            node.symbolic_tensors = op.tensors().iter().map(|&kind| (kind, dims.clone())).collect();
            node.tensors = op.tensors().iter().map(|&kind| (kind, Shape::new(&[1]))).collect();
        }
        if !self.leave_fit(node, written) {
            let spot = self.spot(written.keyword.span().into());
            self.leave(spot, Rule::Layer(self.nodes.len(), Vec::new()));
        }
    }
}

/// How many dimensions an input of this layer has, if it does not take any number of them.
fn taken_rank(op: Op) -> Option<usize> {
    let features = op.output(Shape::new(&[1]));
    let image = op.output(Shape::new(&[1, 1, 1]));
    match (features, image) {
        (Err(ShapeError::NeedsImage { .. }), _) => Some(3),
        (_, Err(ShapeError::NeedsFeatures { .. })) => Some(1),
        _ => None,
    }
}

/// `res_net` for `ResNet`.
fn snake_case(word: &str) -> String {
    let mut text = String::new();
    let mut lower = false;
    for letter in word.chars() {
        if letter.is_uppercase() && lower {
            text.push('_');
        }
        lower = letter.is_lowercase() || letter.is_ascii_digit();
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_the_words_of_a_type() {
        let words = ["Backbone", "ResNet18", "MLP", "VggFeatures", "swirl"].map(snake_case);
        assert_eq!(words, ["backbone", "res_net18", "mlp", "vgg_features", "swirl"]);
    }
}
