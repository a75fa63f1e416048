//! From what the user wrote to a graph: names, arguments and shapes; blocks and repeats are expanded. This
//! stage finds every mistake that is not one of syntax. After a mistake it goes on with what is still known. So
//! it finds independent mistakes, and no other message follows from the first.

mod arguments;
mod attributes;
mod blocks;
mod constants;
mod dims;
mod flow;
mod foreign;
mod generics;
mod header;
mod heads;
mod init;
mod layer;
mod marks;
mod mentions;
mod names;
mod part;
mod report;
mod scope;
mod settings;
mod structure;
mod symbolic;
mod symbols;
mod unused;

use std::collections::HashSet;

use proc_macro2::{Ident, Span};
use typenet_shape::{Op, Outline, Shape, TensorKind};

pub use attributes::Attributes;
pub use marks::Marks;
pub use mentions::{Defined, Definition, Mention};
pub use part::{Part, TypePath};
pub use scope::{Segment, path_text};
pub use settings::Setting;
pub use symbols::{Check, Rule, Symbol, Words, last_word};

use crate::Mistake;
use crate::layers;
use crate::mistake::Place;
use crate::number::{Number, shape_text};
use crate::parse::{Body, Declaration, Entry, Generic, GenericKind};
use blocks::Use;
use constants::{Constants, Value};
use scope::{Frame, Scope};

/// What an unknown layer is taken to have.
const BOTH: &[TensorKind] = &[TensorKind::Weight, TensorKind::Bias];

/// How deep braces nest at most, blocks being written out: checking them takes the stack.
const DEEPEST: usize = 64;

/// The most entries that a net has when its blocks and repeats are written out.
const MOST_ENTRIES: usize = 4096;

/// A checked declaration: a graph of nodes, the first of which are the inputs.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Documentation and other attributes, without the derives.
    pub attributes: Attributes,
    /// The struct's visibility.
    pub visibility: Visibility,
    /// The struct's name.
    pub name: Ident,
    /// Its const generics: each is a symbol, unless there is a mistake in it.
    pub generics: Vec<Ident>,
    /// The names of the inputs, which are the first nodes; empty for an input without a name.
    pub inputs: Vec<Ident>,
    /// The output's shape as declared, unless a mistake leaves it open.
    pub output: Option<Vec<Number>>,
    /// The named outputs; empty for an output without a name.
    pub heads: Vec<Head>,
    /// Whether a mistake leaves open which names the inputs have, and which the heads.
    pub open_names: [bool; 2],
    /// The inputs and the layers in order.
    pub nodes: Vec<Node>,
    /// The symbols: numbers that only the compiler knows.
    pub symbols: Vec<Symbol>,
    /// The paths to other nets and layers of the user's own.
    pub paths: Vec<TypePath>,
    /// The rules that are left to the compiler.
    pub checks: Vec<Check>,
    /// Parameter structs with layers as their fields: named structures, uses of blocks, and repeats with their
    /// rounds.
    pub groups: Vec<Group>,
    /// The words of the language as they were written, each once: what has a documentation item.
    pub words: Vec<Ident>,
    /// The uses of what the declaration defines itself.
    pub mentions: Vec<Mention>,
    /// Its constants and its blocks.
    pub definitions: [Vec<Definition>; 2],
}

/// An output with a name.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its name.
    pub name: Ident,
    /// The node whose value it is, if there is one.
    pub node: Option<usize>,
    /// Its shape as declared, unless a mistake leaves it open.
    pub dims: Option<Vec<Number>>,
}

/// A visibility as it was written.
#[derive(Clone)]
pub struct Visibility(pub syn::Visibility);

impl std::fmt::Debug for Visibility {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use quote::ToTokens;
        write!(f, "{}", self.0.to_token_stream())
    }
}

/// One layer of a [`Checked`] declaration.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name in messages and weight files.
    pub name: String,
    /// Its name as written, if it was written.
    pub written_name: Option<Ident>,
    /// Its documentation.
    pub docs: Vec<String>,
    /// Its field in the parameter struct, if it has parameters.
    pub field: Option<Vec<Segment>>,
    /// The word that made it, if it is one of the language.
    pub keyword: Option<Ident>,
    /// The word that made it.
    pub span: Span,
    /// Whether the same words have made another node before, in a block or a repeat.
    pub again: bool,
    /// The kind of layer; `None` for the input and for unknown ones.
    pub layer: Option<&'static layers::Layer>,
    /// The arguments that differ from the defaults, as text.
    pub arguments: String,
    /// Its operation, if its arguments are right.
    pub op: Option<Op>,
    /// The nodes it reads.
    pub inputs: Vec<usize>,
    /// What is known of its value.
    pub value: Known,
    /// The values of all its arguments.
    pub settings: Vec<Setting>,
    /// The shape of its value, if only the compiler knows some numbers of it.
    pub symbolic_dims: Vec<Number>,
    /// The shapes of its tensors, if only the compiler knows some numbers of them; the shapes in `tensors` then
    /// have 1 in their place.
    pub symbolic_tensors: Vec<(TensorKind, Vec<Number>)>,
    /// Its parameters and running statistics with their shapes, as far as they are known.
    pub tensors: Vec<(TensorKind, Shape)>,
    /// The tensors whose shapes a mistake leaves open; their shapes in `tensors` are arbitrary.
    pub open: Vec<TensorKind>,
    /// The net or the layer of the user's own that it is.
    pub part: Option<Part>,
    /// Its attributes.
    pub marks: Marks,
    /// Its name in weight files, if that is not `name`.
    pub file_name: Option<String>,
    /// The attribute that says so.
    pub(crate) file_place: Option<Place>,
}

impl Node {
    /// A node of which nothing is known.
    fn unknown(span: Span) -> Node {
        Node {
            name: "?".into(),
            written_name: None,
            docs: Vec::new(),
            field: None,
            keyword: None,
            span,
            again: false,
            layer: None,
            arguments: String::new(),
            op: None,
            inputs: Vec::new(),
            value: Known::NOTHING,
            settings: Vec::new(),
            symbolic_dims: Vec::new(),
            symbolic_tensors: Vec::new(),
            tensors: Vec::new(),
            open: Vec::new(),
            part: None,
            marks: Marks::NONE,
            file_name: None,
            file_place: None,
        }
    }
}

impl Node {
    /// The keyword or the path, with the arguments that differ from the defaults.
    pub fn kind_and_arguments(&self) -> String {
        let kind = match (&self.part, self.layer) {
            (Some(part), _) => &part.text,
            (None, Some(layer)) => layer.keyword,
            (None, None) => "",
        };
        match self.arguments.as_str() {
            "" => kind.to_string(),
            arguments => format!("{kind}({arguments})"),
        }
    }

    /// Its attributes, if it has parameters to which they apply.
    pub fn attributes(&self, index: usize) -> Option<typenet_shape::Marks<'_>> {
        let Marks { init, frozen, no_decay } = self.marks;
        let file_name = self.file_name.as_deref();
        let any = self.marks != Marks::NONE || file_name.is_some();
        let marks = typenet_shape::Marks { node: index, file_name, init, frozen, no_decay };
        (any && !self.tensors.is_empty()).then_some(marks)
    }
}

/// A group of fields under one name.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its place among the parameters.
    pub path: Vec<Segment>,
    /// Its code in the declaration, as documentation: `` `repeat(2)` ``.
    pub what: String,
    /// Its documentation.
    pub docs: Vec<String>,
    /// The nodes that it starts from and arrives at; a round of a repeat has none.
    pub way: Option<[usize; 2]>,
}

/// What is known of a value's shape.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Known {
    /// All of it.
    Shape(Shape),
    /// Likely all of it, but a layer before has a mistake: no rule is applied to it.
    Assumed(Shape),
    /// All of it, with some numbers that only the compiler knows: see [`Node::symbolic_dims`]. Without a rank,
    /// only the compiler knows even the rank.
    Symbolic(Outline),
    /// As much as follows from a layer that does not fit its input.
    Outline(Outline),
}

impl Known {
    const NOTHING: Known = Known::Outline(Outline::UNKNOWN);

    /// The shape, even if it is only assumed.
    pub fn shape(self) -> Option<Shape> {
        match self {
            Known::Shape(shape) | Known::Assumed(shape) => Some(shape),
            Known::Symbolic(_) => None,
            Known::Outline(outline) => outline.shape(),
        }
    }

    fn outline(self) -> Outline {
        match self {
            Known::Shape(shape) | Known::Assumed(shape) => Outline::of(shape),
            Known::Symbolic(outline) | Known::Outline(outline) => outline,
        }
    }
}

/// The net in one line a node, with shapes.
impl std::fmt::Display for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, node) in self.nodes.iter().enumerate() {
            write!(f, "{}: ", node.name)?;
            match node.layer {
                Some(layer) if node.arguments.is_empty() => write!(f, "{}", layer.keyword)?,
                Some(layer) => write!(f, "{}({})", layer.keyword, node.arguments)?,
                None if node.part.is_some() => write!(f, "{}", node.kind_and_arguments())?,
                None if node.op.is_some() => f.write_str("the input")?,
                None => f.write_str("?")?,
            }
            let is_input = matches!(node.op, Some(Op::Input { .. }));
            if index > 0 && !is_input && node.inputs != [index - 1] {
                let sources = node.inputs.iter().filter_map(|&from| self.nodes.get(from));
                let names: Vec<&str> = sources.map(|source| source.name.as_str()).collect();
                write!(f, " of {}", names.join(", "))?;
            }
            match node.value {
                Known::Shape(shape) => writeln!(f, " → {shape}")?,
                Known::Assumed(shape) => writeln!(f, " → {shape}?")?,
                Known::Symbolic(Outline { rank: None, .. }) => writeln!(f, " → ?")?,
                Known::Symbolic(_) => writeln!(f, " → {}", shape_text(&node.symbolic_dims))?,
                Known::Outline(Outline { channels: Some(channels), .. }) => {
                    writeln!(f, " → [{channels}, ?]")?;
                }
                Known::Outline(_) => writeln!(f, " → ?")?,
            }
        }
        Ok(())
    }
}

/// Checks a declaration.
pub fn check(declaration: &Declaration) -> (Checked, Vec<Mistake>) {
    let mut checker = Checker::new(&declaration.name, &declaration.body);
    names::struct_name(&declaration.name, &mut checker.mistakes);
    let attributes = attributes::check(&declaration.attributes, &mut checker.mistakes);
    checker.open_generics = declaration.open_generics;
    checker.generics(&declaration.generics);
    checker.items();
    checker.input(declaration);
    checker.entries(&declaration.body.entries);
    let output = checker.output(&declaration.output, &declaration.name);
    checker.unused(declaration);
    checker.same_file_names();
    checker.stand_ins();
    let definitions = checker.definitions();
    let checked = Checked {
        attributes,
        visibility: Visibility(declaration.visibility.clone()),
        name: declaration.name.clone(),
        generics: declared(&checker.generics),
        inputs: checker.inputs,
        output,
        heads: checker.heads,
        open_names: [0, 1].map(|side| checker.open_names[side] || checker.missed_names[side]),
        symbols: checker.symbols,
        paths: checker.paths,
        checks: checker.checks,
        nodes: checker.nodes,
        groups: checker.groups,
        words: checker.words,
        mentions: checker.mentions,
        definitions,
    };
    (checked, checker.mistakes)
}

struct Checker<'a> {
    mistakes: Vec<Mistake>,
    /// What has been reported, so that no round of a repeat and no second use says it again.
    said: HashSet<report::Said>,
    /// How many mistakes were found, also those that are not reported.
    found: usize,
    /// Above 0 where what is read stands in for what was likely meant: no mistake is reported.
    muted: usize,
    nodes: Vec<Node>,
    groups: Vec<Group>,
    words: Vec<Ident>,
    mentions: Vec<Mention>,
    /// The node whose value the next layer reads.
    current: usize,
    /// The net's name.
    net: String,
    body: &'a Body,
    /// The generics with their values.
    generics: Vec<(&'a Generic, Value)>,
    /// Whether there is a mistake in them: what is no constant may be one of them.
    open_generics: bool,
    /// How many of the symbols are generics: the first ones.
    generics_known: usize,
    /// Lengths that no array can have.
    refused: Vec<Number>,
    constants: Constants<'a>,
    /// The uses of blocks that are being written out, the outermost first.
    uses: Vec<Use<'a>>,
    /// The blocks that have been written out.
    seen_blocks: HashSet<usize>,
    /// Whether what is read has been read before, by another use or in another round.
    again: bool,
    /// Where names of values are looked up, the innermost last.
    frames: Vec<Frame<'a>>,
    frames_opened: usize,
    /// Where names of fields must differ, the innermost last.
    scopes: Vec<Scope>,
    /// The attributes of the braces around, the innermost last, each with those around it.
    marks: Vec<Marks>,
    /// The names of values in braces that are closed.
    closed: Vec<String>,
    /// Names that a mistake may have meant: that they are unused is no news.
    forgiven: HashSet<String>,
    /// Names of constants that are reported to be none.
    unknown_names: HashSet<String>,
    /// How many entries have been read, each time that they are.
    entries_read: usize,
    /// The names of the inputs, if they have some.
    inputs: Vec<Ident>,
    heads: Vec<Head>,
    open_names: [bool; 2],
    /// Whether the layers seem to have inputs, or heads, that the header does not.
    missed_names: [bool; 2],
    /// Whether the header's input could not be read: it may have had names.
    lost_input: bool,
    /// Whether the header's input is likely not what is meant.
    doubtful_input: bool,
    /// Whether no layer has said yet from which of several inputs it starts.
    undecided: bool,
    symbols: Vec<Symbol>,
    paths: Vec<TypePath>,
    checks: Vec<Check>,
    unknown_numbers: usize,
    /// Whether what is read may be a path to a constant of the program.
    takes_paths: bool,
}

impl<'a> Checker<'a> {
    fn new(net: &Ident, body: &'a Body) -> Checker<'a> {
        let mut checker = Checker {
            mistakes: Vec::new(),
            said: HashSet::new(),
            found: 0,
            muted: 0,
            nodes: Vec::new(),
            groups: Vec::new(),
            words: Vec::new(),
            mentions: Vec::new(),
            current: 0,
            net: net.to_string(),
            body,
            generics: Vec::new(),
            open_generics: false,
            generics_known: 0,
            refused: Vec::new(),
            constants: Constants::default(),
            uses: Vec::new(),
            seen_blocks: HashSet::new(),
            again: false,
            frames: Vec::new(),
            frames_opened: 0,
            scopes: vec![Scope::default()],
            marks: Vec::new(),
            closed: Vec::new(),
            forgiven: HashSet::new(),
            unknown_names: HashSet::new(),
            entries_read: 0,
            inputs: Vec::new(),
            heads: Vec::new(),
            open_names: [false; 2],
            missed_names: [false; 2],
            lost_input: false,
            doubtful_input: false,
            undecided: false,
            symbols: Vec::new(),
            paths: Vec::new(),
            checks: Vec::new(),
            unknown_numbers: 0,
            takes_paths: false,
        };
        checker.open_frame(scope::Bounds::None, &body.entries);
        checker
    }

    /// The value that the next layer reads.
    fn value(&self) -> Known {
        self.nodes.get(self.current).map_or(Known::NOTHING, |node| node.value)
    }

    /// Adds a node, whose value the next layer reads.
    fn push(&mut self, node: Node) {
        self.current = self.nodes.len();
        self.nodes.push(node);
    }

    /// Notes a word of the language, unless it stands in for another one or has been read before.
    fn note(&mut self, word: &Ident) {
        if self.muted == 0 && !self.again {
            self.words.push(word.clone());
        }
    }

    /// A value of which nothing is known.
    fn gap(&mut self, span: Span) {
        self.push(Node { inputs: vec![self.current], again: self.again, ..Node::unknown(span) });
    }

    fn entries(&mut self, entries: &'a [Entry]) {
        for entry in entries {
            if self.too_much(entry) {
                return;
            }
            self.decide(entry);
            match entry {
                Entry::Layer(layer) => self.layer(layer),
                Entry::Structure(structure) => self.structure(structure),
                Entry::Gap => self.gap(Span::call_site()),
            }
        }
    }

    /// Counts an entry; refuses it where the net has become too large. What stands in no braces is
    /// read nevertheless, for its fields.
    fn too_much(&mut self, entry: &Entry) -> bool {
        self.entries_read += 1;
        let message = if self.entries_read == MOST_ENTRIES + 1 {
            format!(
                "with its blocks and repeats written out, the net has more than {MOST_ENTRIES} layers"
            )
        } else if self.frames.len() > DEEPEST {
            format!("with its blocks written out, the net nests more than {DEEPEST} deep")
        } else if self.entries_read > MOST_ENTRIES {
            return self.frames.len() > 1;
        } else {
            return false;
        };
        let span = match entry {
            Entry::Layer(layer) => layer.keyword.span(),
            Entry::Structure(structure) => structure.keyword.span(),
            Entry::Gap => Span::call_site(),
        };
        let place = self.uses.first().map_or(span.into(), |outermost| outermost.place);
        self.report(Mistake::new(place, message));
        self.gap(span);
        self.frames.len() > 1
    }

    /// Gives parameters whose shapes are unknown after a mistake any, so that the program around the
    /// declaration still finds their fields.
    fn stand_ins(&mut self) {
        if self.doubtful_input {
            for node in &mut self.nodes {
                node.open = node.tensors.iter().map(|(kind, _)| *kind).collect();
                if matches!(node.op, Some(Op::Input { .. })) {
                    node.value = Known::NOTHING;
                }
            }
        }
        for node in self.nodes.iter_mut().filter(|node| node.field.is_some()) {
            let any = node.layer.map(|layer| layer.any());
            let kinds = node.op.or(any).map_or(BOTH, |op| op.tensors());
            for (index, &kind) in kinds.iter().enumerate() {
                if node.tensors.get(index).is_some_and(|(known, _)| *known == kind) {
                    continue;
                }
                node.tensors.insert(index, (kind, Shape::new(&[1])));
                node.open.push(kind);
            }
        }
    }
}

/// The names of the generics that a struct can have.
fn declared(generics: &[(&Generic, Value)]) -> Vec<Ident> {
    let all = generics.iter().map(|(generic, _)| generic);
    all.filter(|one| one.kind != GenericKind::Type && names::is_name(&one.name))
        .map(|one| one.name.clone())
        .collect()
}

/// The span of a name, or of the macro call where there is none.
fn span_of(path: &syn::Path) -> Span {
    path.segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}

/// The tokens of a path.
fn place_of_path(path: &syn::Path) -> Place {
    let last = path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
    Place { start: span_of(path), end: last }
}

#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
mod heads_tests;
#[cfg(test)]
mod marks_tests;
#[cfg(test)]
mod structure_tests;
#[cfg(test)]
mod symbolic_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod texts_tests;
