//! How to read a weight file whose tensors have other names than the net's.

use std::borrow::Cow;
use std::fmt::Write;

use crate::{Error, Result};

/// How to read a weight file: for [`Network::load_with`](crate::Network::load_with),
/// [`from_bytes_with`](crate::Network::from_bytes_with),
/// [`load_part_with`](crate::Network::load_part_with) and [`load_weights`](crate::Network::load_weights).
///
/// Each name in the file goes through [`strip`](Self::strip), [`rename`](Self::rename) and
/// [`ignore`](Self::ignore) in the order in which these are called. They all look at the start of a name; a
/// name that starts in another way stays as it is.
///
/// ```
/// use typenet_runtime::io::LoadOptions;
///
/// // `module.backbone.conv1.weight` is read as `features.conv1.weight`; `module.ema.…` is left out.
/// let options = LoadOptions::new()
///     .strip("module.")
///     .rename("backbone.", "features.")
///     .ignore("ema.");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoadOptions {
    rules: Vec<Rule>,
    kept: Vec<String>,
    not_finite: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    Rename { from: String, to: String },
    Ignore(String),
}

impl LoadOptions {
    /// Names as they are in the file, and finite numbers only.
    pub fn new() -> LoadOptions {
        LoadOptions::default()
    }

    /// Removes this prefix from the names that have it: `module.`, which PyTorch's `DataParallel` adds, or
    /// `_orig_mod.` of `torch.compile`.
    #[must_use]
    pub fn strip(self, prefix: impl Into<String>) -> LoadOptions {
        self.rename(prefix, "")
    }

    /// Replaces `from` by `to` at the start of names. An empty `from` matches every name, so `to` is added in
    /// front.
    #[must_use]
    pub fn rename(mut self, from: impl Into<String>, to: impl Into<String>) -> LoadOptions {
        self.rules.push(Rule::Rename { from: from.into(), to: to.into() });
        self
    }

    /// Skips the file's tensors whose names, after the calls before, start with this.
    #[must_use]
    pub fn ignore(mut self, prefix: impl Into<String>) -> LoadOptions {
        self.rules.push(Rule::Ignore(prefix.into()));
        self
    }

    /// Keeps the net's own tensors whose names start with this, whether or not the file has them: for
    /// [`load_weights`](crate::Network::load_weights) and
    /// [`load_part_with`](crate::Network::load_part_with), which read into a net. Calls that make a new net
    /// return an [`Error::Argument`], since it has no weights to keep.
    #[must_use]
    pub fn keep(mut self, prefix: impl Into<String>) -> LoadOptions {
        self.kept.push(prefix.into());
        self
    }

    /// Accepts weights that are NaN, infinite, or too large for f32 (in a file of f64), which are an
    /// [`Error::NotFiniteWeights`] otherwise.
    #[must_use]
    pub fn allow_not_finite(self) -> LoadOptions {
        LoadOptions { not_finite: true, ..self }
    }

    pub(super) fn allows_not_finite(&self) -> bool {
        self.not_finite
    }

    /// Whether the net's tensor of this name stays as it is.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.kept.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }

    /// # Errors
    /// [`Error::Argument`] where tensors of a net are to be kept and there is none yet.
    pub(super) fn for_new_net(&self) -> Result<()> {
        match self.kept.first() {
            None => Ok(()),
            Some(prefix) => Err(Error::Argument {
                name: "LoadOptions::keep",
                value: format!("{prefix:?}"),
                expected: "a new net has no weights to keep; make one and call `load_weights` on it",
            }),
        }
    }

    /// What a tensor of this name in the file is read as; `None` if it is left out.
    pub(super) fn name<'n>(&self, name: &'n str) -> Option<Cow<'n, str>> {
        let mut name = Cow::Borrowed(name);
        for rule in &self.rules {
            match rule {
                Rule::Rename { from, to } => {
                    if let Some(rest) = name.strip_prefix(from.as_str()) {
                        name = Cow::Owned(format!("{to}{rest}"));
                    }
                }
                Rule::Ignore(prefix) if name.starts_with(prefix.as_str()) => return None,
                Rule::Ignore(_) => {}
            }
        }
        Some(name)
    }

    /// The calls that make these options.
    pub(super) fn code(&self) -> String {
        let mut code = "LoadOptions::new()".to_owned();
        for rule in &self.rules {
            // A String takes all that is written into it.
            let _ = match rule {
                Rule::Rename { from, to } if to.is_empty() => write!(code, ".strip({from:?})"),
                Rule::Rename { from, to } => write!(code, ".rename({from:?}, {to:?})"),
                Rule::Ignore(prefix) => write!(code, ".ignore({prefix:?})"),
            };
        }
        for prefix in &self.kept {
            let _ = write!(code, ".keep({prefix:?})");
        }
        if self.not_finite {
            code += ".allow_not_finite()";
        }
        code
    }
}
