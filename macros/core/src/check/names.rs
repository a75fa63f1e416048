//! The names of layers, written or made.

use proc_macro2::{Ident, Span};
use quote::format_ident;
use syn::ext::IdentExt;

use super::Checker;
use crate::Mistake;
use crate::layers::{self, RESERVED, STRUCTURES};
use crate::parse::Layer;

/// The name of a layer or structure in its scope.
pub(super) struct Name {
    /// What messages and weight files show.
    pub(super) text: String,
    /// The same as a word.
    pub(super) ident: Ident,
    /// Whether it is a mistake, so that no field has it.
    pub(super) lost: bool,
}

/// Refuses a struct's name that generated names could meet.
pub(super) fn struct_name(name: &Ident, mistakes: &mut Vec<Mistake>) {
    if name.unraw().to_string().starts_with("__") {
        let message = format!("`{name}`: names that begin with `__` are typenet's own");
        mistakes.push(Mistake::new(name.span(), message));
    }
}

impl Checker<'_> {
    /// The layer's name: the written one; else, with parameters, its kind and its number among the
    /// layers of its kind; else its kind, which need not be unique.
    pub(super) fn layer_name(
        &mut self,
        written: &Layer,
        layer: Option<&'static layers::Layer>,
    ) -> Name {
        let kind = layer.filter(|layer| layer.has_parameters()).map(|layer| layer.keyword);
        if kind.is_none() && written.name.is_none() {
            let keyword = &written.keyword;
            return Name { text: keyword.to_string(), ident: keyword.clone(), lost: true };
        }
        let may_have_field = kind.is_some() || layer.is_none();
        self.name(written.name.as_ref(), kind, &written.keyword, may_have_field)
    }

    /// The written name; else the number among those of its kind.
    pub(super) fn name(
        &mut self,
        written: Option<&Ident>,
        kind: Option<&str>,
        keyword: &Ident,
        field: bool,
    ) -> Name {
        let number = kind.map(|kind| self.count(kind));
        match (written, kind, number) {
            (None, Some(kind), Some(number)) => self.made_name(kind, number, keyword),
            (Some(name), ..) => self.written_name(name, keyword, field),
            (None, ..) => Name { text: keyword.to_string(), ident: keyword.clone(), lost: true },
        }
    }

    fn written_name(&mut self, name: &Ident, keyword: &Ident, field: bool) -> Name {
        let text = name.unraw().to_string();
        let mistake = match name_mistake(name, "a layer") {
            Some(mistake) => Some(mistake),
            None if self.generic(name).is_some() => self.generic_taken(name),
            None => self.taken(&text, true, field).map(|other| {
                let unnamed = if other.written { "a" } else { "an unnamed" };
                let line = line_of(other.span);
                let what = match other.keyword.as_str() {
                    "input" => "an input".to_string(),
                    word if STRUCTURES.contains(&word) => format!("{unnamed} {word} above{line}"),
                    _ => format!("{unnamed} layer above{line}"),
                };
                let message = format!("`{text}` is already the name of {what}");
                let same_braces = other.same_braces(self.frames.last());
                Mistake::new(name.span(), message).help(if same_braces {
                    "each named layer needs its own name"
                } else {
                    "braces without a name share the names of parameters with what is around them: \
                     give the layer or the braces another name"
                })
            }),
        };
        let lost = mistake.is_some();
        match mistake {
            Some(mistake) => {
                // What has the name may then be read by none.
                self.forgiven.insert(text.clone());
                self.report(mistake);
            }
            None => self.take(&text, keyword, name.span(), true, field),
        }
        Name { text, ident: name.clone(), lost }
    }

    fn made_name(&mut self, kind: &str, number: usize, keyword: &Ident) -> Name {
        let text = format!("{kind}_{number}");
        let ident = format_ident!("{text}", span = keyword.span());
        let other = self.taken(&text, false, true).map(|other| line_of(other.span));
        let lost = other.is_some();
        if let Some(line) = other {
            let message = format!(
                "this layer is called `{text}`, as the {number}. of its kind, and a layer above{line} has that name"
            );
            self.report(
                Mistake::new(keyword.span(), message).help("give one of them another name"),
            );
        } else {
            self.take(&text, keyword, keyword.span(), false, true);
        }
        Name { text, ident, lost }
    }
}

/// `, on line 7`: where something stands; tokens that other macros wrote may have no line.
pub(super) fn line_of(span: Span) -> String {
    match span.start().line {
        0 => String::new(),
        line => format!(", on line {line}"),
    }
}

/// Whether Rust takes it as a name.
pub(super) fn is_name(name: &Ident) -> bool {
    syn::parse_str::<Ident>(&name.to_string()).is_ok()
}

/// What is wrong with a name by itself; `what` it names.
pub(super) fn name_mistake(name: &Ident, what: &str) -> Option<Mistake> {
    let text = name.unraw().to_string();
    let (message, help) = if !is_name(name) {
        (
            format!("`{text}` is a word of Rust and cannot name {what}"),
            format!("for example `{text}1`"),
        )
    } else if RESERVED.contains(&text.as_str()) || text == "input" {
        (
            format!("`{text}` is a word of the language and cannot name {what}"),
            format!("for example `{text}1`"),
        )
    } else if text.starts_with("__") {
        (
            format!("`{text}`: names that begin with `__` are typenet's own"),
            "begin the name with a letter".into(),
        )
    } else {
        return None;
    };
    Some(Mistake::new(name.span(), message).help(help))
}
