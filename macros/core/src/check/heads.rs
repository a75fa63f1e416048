//! Inputs and outputs with names.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use typenet_shape::MAX_HEADS;

use super::names::name_mistake;
use super::{Checker, Head, Node};
use crate::Mistake;
use crate::mistake::nearest;
use crate::number::shape_text;
use crate::parse::{Entry, NamedShape};

impl Checker<'_> {
    /// Adds the inputs, each under its name.
    pub(super) fn named_inputs(&mut self, inputs: &[NamedShape]) {
        for NamedShape { name, shape } in inputs {
            let text = name.unraw().to_string();
            let own = (text != "input").then(|| name_mistake(name, "an input")).flatten();
            let mistake = own.or_else(|| self.generic_taken(name)).or_else(|| {
                self.inputs.iter().any(|other| other.unraw() == text).then(|| {
                    Mistake::new(name.span(), format!("`{text}` is already the name of an input"))
                        .help("each input needs its own name")
                })
            });
            if let Some(mistake) = mistake {
                self.report(mistake);
                self.forgiven.insert(text);
                self.open_names[0] = true;
                continue;
            }
            let mut node = Node {
                name: text.clone(),
                written_name: Some(name.clone()),
                ..Node::unknown(name.span())
            };
            if let Some(dimensions) = shape {
                self.input_shape(&mut node, dimensions, &format!("`{text}` input"));
            }
            let keyword = Ident::new("input", name.span());
            self.take(&text, &keyword, name.span(), true, true);
            self.define_text(&text, self.nodes.len());
            self.inputs.push(name.clone());
            self.nodes.push(node);
        }
        if self.nodes.is_empty() {
            let span = proc_macro2::Span::call_site();
            self.nodes.push(Node { name: "input".into(), ..Node::unknown(span) });
        }
        self.undecided = self.inputs.len() > 1;
    }

    /// Sees to it that the first layer says from which of several inputs it starts.
    pub(super) fn decide(&mut self, entry: &Entry) {
        if !self.undecided {
            return;
        }
        self.undecided = false;
        let (name, keyword) = match entry {
            Entry::Layer(layer) => (&layer.name, &layer.keyword),
            Entry::Structure(structure) => (&structure.name, &structure.keyword),
            Entry::Gap => return self.gap(proc_macro2::Span::call_site()),
        };
        if keyword == "from" {
            return;
        }
        let names: Vec<String> = self.inputs.iter().map(|name| format!("`{name}`")).collect();
        let what = format!("which of the inputs it reads is not said: {}", names.join(", "));
        let help = self.inputs.first().map(|first| format!("put `from({first})` before it"));
        let name = name.as_ref().unwrap_or(keyword).to_string();
        let mistake = Mistake::about(&name, keyword.span(), what);
        self.report(mistake.help(help.unwrap_or_default()));
        self.gap(keyword.span());
    }

    /// Finds the layers that are the heads, and compares their shapes.
    pub(super) fn named_heads(&mut self, heads: &[NamedShape], net: &Ident) {
        for NamedShape { name, shape } in heads {
            let text = name.unraw().to_string();
            if let Some(mistake) = self.head_mistake(name, &text) {
                self.report(mistake);
                self.forgiven.insert(text);
                self.open_names[1] = true;
                continue;
            }
            let names = self.frames.first().map(|frame| frame.names.as_slice());
            let found = names.unwrap_or_default().iter().rev().find(|(known, _)| *known == text);
            let node = found.map(|(_, node)| *node);
            if node.is_none() {
                // The program may have the layer's name.
                self.open_names[1] = true;
                self.no_head(name, &text, shape.as_ref().map(|shape| shape.dimensions.len()), net);
            }
            let dims = shape.as_ref().and_then(|dimensions| {
                // Without its node it is compared with none.
                let node = node.unwrap_or(usize::MAX);
                self.arrives(dimensions, &format!("`{text}` output"), node, net, Some(name))
            });
            self.heads.push(Head { name: name.clone(), node, dims });
        }
    }

    /// What is wrong with a head's name by itself.
    fn head_mistake(&self, name: &Ident, text: &str) -> Option<Mistake> {
        let is = |other: &Ident| other.unraw() == text;
        let taken = |what: &str| {
            Mistake::new(name.span(), format!("`{text}` is already the name of {what}"))
        };
        if let Some(mistake) = name_mistake(name, "a head") {
            return Some(mistake);
        }
        if self.inputs.iter().any(is) {
            let help = "a head has the name of the layer whose value it is";
            return Some(taken("an input").help(help));
        }
        if self.heads.iter().any(|head| is(&head.name)) {
            return Some(taken("a head").help("each head needs its own name"));
        }
        (self.heads.len() == MAX_HEADS).then(|| {
            let message = format!("a net has at most {MAX_HEADS} heads");
            Mistake::new(name.span(), message)
                .help("end some of them in one layer, and take its value apart in your program")
        })
    }

    /// Says that no layer has the name of a head.
    fn no_head(&mut self, name: &Ident, text: &str, rank: Option<usize>, net: &Ident) {
        let message = format!("`{net}`: no layer is called `{text}`, as this head is");
        if self.closed.iter().any(|closed| closed == text) {
            let message = format!(
                "`{net}`: `{text}` stands inside braces, and a head stands outside of them"
            );
            let help =
                "a name before the braces stands for the value behind them: `name: residual { … }`";
            self.forgiven.insert(text.to_string());
            return self.report(Mistake::new(name.span(), message).help(help));
        }
        let names = self.frames.first().map(|frame| frame.names.as_slice()).unwrap_or_default();
        let layers = names.iter().filter(|(_, node)| *node >= self.inputs.len());
        let near = nearest(text, layers.map(|(name, _)| name.as_str())).map(str::to_string);
        let help = match (near, rank) {
            (Some(near), _) => {
                let help = format!("did you mean `{near}`?");
                self.forgiven.insert(near);
                help
            }
            (None, Some(3)) => format!("name the layer whose value it is: `{text}: conv2d(…)`"),
            (None, _) => format!("name the layer whose value it is: `{text}: linear(…)`"),
        };
        self.report(Mistake::new(name.span(), message).help(help));
    }
}

/// `class [10], bbox [4]`
impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dims = self.dims.as_ref().map_or("?".into(), |dims| shape_text(dims));
        write!(f, "{} {dims}", self.name)
    }
}
