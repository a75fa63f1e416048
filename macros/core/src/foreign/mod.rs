//! What users of PyTorch and Keras write for a layer, and what to write instead: with the numbers that they
//! gave, and such that it compiles.
//!
//! `words` has what they call layers and arguments, `signatures` the order of positional arguments. `values`
//! reads the values as they are written and writes them anew, and `correct_word()` puts all of it together.
//! This module knows only texts and the table of layers. `parse` asks it about lines in another syntax, `check`
//! about calls.

mod correct;
mod draft;
mod same;
mod signatures;
mod special;
mod values;
mod words;

use std::fmt;

pub use correct::{correct_word, is_ours};
pub use values::Value;
pub use words::{
    DATA, JOINS_ELSEWHERE, is_argument, is_elsewhere, is_library, keyword, not_here, plain,
};

/// An argument as it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Argument {
    /// The name before the equals sign.
    pub key: Option<String>,
    /// The value.
    pub value: Value,
}

/// What is known of the value that a layer reads.
#[derive(Clone, Copy, Default, Debug)]
pub struct Input {
    /// Its channels or features.
    pub channels: Option<usize>,
    /// Its height and width.
    pub size: Option<[usize; 2]>,
}

/// A layer in typenet's syntax.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The keyword.
    pub keyword: &'static str,
    /// The arguments: the name of each one that has a name, and its value.
    pub arguments: Vec<(Option<&'static str>, String)>,
}

impl Call {
    /// A layer without arguments.
    pub(crate) fn plain(keyword: &'static str) -> Call {
        Call { keyword, arguments: Vec::new() }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword)?;
        let texts: Vec<String> = self
            .arguments
            .iter()
            .map(|(name, value)| match name {
                Some(name) => format!("{name} = {value}"),
                None => value.clone(),
            })
            .collect();
        if texts.is_empty() { Ok(()) } else { write!(f, "({})", texts.join(", ")) }
    }
}

/// What to write instead of a layer in another library's words.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Correction {
    /// Why the code differs here, a clause for each reason.
    pub reasons: Vec<String>,
    /// The layer, and those that follow it; empty where no call does what was meant.
    pub calls: Vec<Call>,
    /// The name that the call gave its layer.
    pub name: Option<String>,
    /// Another layer that may be meant: what it is, and how it is written.
    pub or: Option<(String, Call)>,
    /// What the layers shown leave out, or what to do where none are shown.
    pub advice: Vec<String>,
    /// The indices of the arguments that are another library's.
    pub foreign: Vec<usize>,
}

impl Correction {
    /// The layers as a line: `conv2d(4, kernel = 3), relu`; empty where none are shown.
    pub fn line(&self) -> String {
        let calls: Vec<String> = self.calls.iter().map(Call::to_string).collect();
        calls.join(", ")
    }

    /// A way out; `name` is the name before the layer, if it has one.
    pub fn help(&self, name: Option<&str>) -> String {
        let name = name.or(self.name.as_deref()).map(|name| format!("{name}: "));
        let mut parts = Vec::new();
        if !self.calls.is_empty() {
            let mut text = format!("write `{}{}`", name.unwrap_or_default(), self.line());
            if let Some((what, call)) = &self.or {
                text += &format!(", or, for {what}, `{call}`");
            }
            parts.push(text);
        }
        parts.extend(self.advice.iter().cloned());
        parts.join("; ")
    }
}

/// Words as a list: `a`, `b` and `c`.
fn listed<T: AsRef<str>>(words: &[T]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
