//! The names of layers, written or made.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

use super::Checker;
use crate::Mistake;
use crate::layers::{self, RESERVED};
use crate::parse::Layer;

/// A layer's name.
pub(super) struct Name {
    /// What messages and weight files show.
    pub(super) text: String,
    /// What a field of this name is called, unless there can be none.
    pub(super) field: Option<Ident>,
}

/// Refuses a struct's name that generated names could meet.
pub(super) fn struct_name(name: &Ident, mistakes: &mut Vec<Mistake>) {
    if name.unraw().to_string().starts_with("__") {
        let message = format!("`{name}`: names that begin with `__` are typenet's own");
        mistakes.push(Mistake::new(name.span(), message));
    }
}

impl Checker {
    /// The layer's name: the written one; else, with parameters, its kind and its number among the
    /// layers of its kind; else its kind, which need not be unique.
    pub(super) fn layer_name(
        &mut self,
        written: &Layer,
        layer: Option<&'static layers::Layer>,
    ) -> Name {
        match (&written.name, layer) {
            (Some(name), _) => self.written_name(name),
            (None, Some(layer)) if layer.has_parameters() => self.made_name(written, layer),
            (None, _) => Name { text: written.keyword.to_string(), field: None },
        }
    }

    fn written_name(&mut self, name: &Ident) -> Name {
        let text = name.unraw().to_string();
        let reject =
            |message: String, help: String| Some(Mistake::new(name.span(), message).help(help));
        let mistake = if syn::parse_str::<Ident>(&name.to_string()).is_err() {
            reject(
                format!("`{text}` is a word of Rust and cannot name a layer"),
                format!("for example `{text}1`"),
            )
        } else if RESERVED.contains(&text.as_str()) || text == "input" {
            reject(
                format!("`{text}` is a word of the language and cannot name a layer"),
                format!("for example `{text}1`"),
            )
        } else if text.starts_with("__") {
            reject(
                format!("`{text}`: names that begin with `__` are typenet's own"),
                "begin the name with a letter".into(),
            )
        } else {
            self.taken(&text).map(|written| {
                let message = if written {
                    format!("`{text}` is already the name of a layer above")
                } else {
                    format!("`{text}` is already the name of an unnamed layer above")
                };
                Mistake::new(name.span(), message).help("each named layer needs its own name")
            })
        };
        let field = mistake.is_none().then(|| name.clone());
        if let Some(mistake) = mistake {
            self.report(mistake);
        } else {
            self.names.push((text.clone(), true));
        }
        Name { text, field }
    }

    fn made_name(&mut self, written: &Layer, layer: &'static layers::Layer) -> Name {
        let same = |other: Option<&'static layers::Layer>| {
            other.is_some_and(|other| other.keyword == layer.keyword)
        };
        let number = 1 + self.nodes.iter().filter(|node| same(node.layer)).count();
        let text = format!("{}_{number}", layer.keyword);
        if self.taken(&text).is_some() {
            let message = format!(
                "this layer is called `{text}`, as the {number}. of its kind, and a layer above has that name"
            );
            self.report(
                Mistake::new(written.keyword.span(), message).help("give one of them another name"),
            );
            return Name { text, field: None };
        }
        self.names.push((text.clone(), false));
        let field = format_ident!("{text}", span = written.keyword.span());
        Name { text, field: Some(field) }
    }

    /// Whether a name is taken, and then whether it was written.
    fn taken(&self, text: &str) -> Option<bool> {
        self.names.iter().find(|(name, _)| name == text).map(|&(_, written)| written)
    }
}
