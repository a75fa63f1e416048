use std::fmt;
use std::path::{Path, PathBuf};

/// Everything that can be wrong with a user's data, files or arguments.
///
/// `Debug` prints the same message as `Display`, because `unwrap` and a `main` that returns the error print
/// `Debug`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The content of a binary file is wrong.
    #[error("{}: at byte {offset}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Where in its uncompressed content, in bytes from the start.
        offset: u64,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// The content of a file or folder is wrong.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A row of a text file (CSV) is wrong.
    #[error("{}: row {row}: {problem}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1, the header included.
        row: u64,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// A size or a count is not the one that is needed.
    #[error("{what}: expected {expected}, found {found}")]
    Size {
        /// What has the wrong size, and where it is from.
        what: String,
        /// The size that is needed.
        expected: String,
        /// The size that is there.
        found: String,
    },
    /// A label is not a class of the net: it is not below `classes`.
    #[error("{place}: label {label} is outside the {classes} classes 0..={}", classes - 1)]
    Label {
        /// The example, and its file if it was read from one.
        place: String,
        /// The label.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A target has a number that the loss does not accept.
    #[error("{place}: the target of output {output} is {value}: {expected}")]
    Target {
        /// The example, and its file if it was read from one.
        place: String,
        /// The index of the output that the number is the target of, from 0.
        output: usize,
        /// The number.
        value: f32,
        /// What is allowed.
        expected: &'static str,
    },
    /// An argument is outside its range.
    #[error("`{name}` = {value}: {expected}")]
    Argument {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// Parameters cannot be trained because the declaration marks them `#[frozen]`.
    #[error(
        "`{path}` of `{net}` is `#[frozen]` in the declaration and has no gradients: leave that out, and use `set_trainable` alone"
    )]
    Frozen {
        /// The net's name.
        net: String,
        /// The path that was given: of a layer, a structure or a tensor.
        path: String,
    },
    /// The tensors of a weight file are not those of the net. The message names the first few of each kind
    /// and counts the others; the fields hold all of them.
    #[error(
        "{}: does not hold the weights of {net}{}{}",
        path.display(),
        list(missing, extra, misshaped),
        help.as_ref().map_or(String::new(), |help| format!("\n  help: {help}"))
    )]
    Weights {
        /// The file.
        path: Box<Path>,
        /// The net's name.
        net: String,
        /// Tensors of the net that the file lacks, each with its shape.
        missing: Vec<String>,
        /// Tensors of the file that the net lacks.
        extra: Vec<String>,
        /// Tensors whose shape or type differs, each with the net's and the file's.
        misshaped: Vec<String>,
        /// A call that would read the file, if there is an obvious one: its names have another prefix, it has
        /// extra tensors to ignore, or a few layers of other shapes to keep.
        help: Option<Box<LoadHelp>>,
    },
    /// A weight file has numbers that are NaN, infinite, or too large for f32.
    #[error(
        "{}: `{tensor}` has {count} of {of} numbers that are not finite as f32, the first at {position:?}: {value}{}\n  help: {help}",
        path.display(),
        match others {
            0 => String::new(),
            1 => "; one more tensor has such numbers".into(),
            others => format!("; {others} more tensors have such numbers"),
        }
    )]
    NotFiniteWeights {
        /// The file.
        path: PathBuf,
        /// The first tensor with such numbers.
        tensor: String,
        /// How many of its numbers are not finite.
        count: usize,
        /// How many numbers it has.
        of: usize,
        /// The index of the first such number in the tensor: one entry for each dimension, from 0.
        position: Vec<usize>,
        /// The first such number, as it is in the file.
        value: f64,
        /// How many more tensors have such numbers.
        others: usize,
        /// The call that loads them nevertheless, with
        /// [`allow_not_finite`](crate::io::LoadOptions::allow_not_finite).
        help: Box<LoadHelp>,
    },
    /// No layer of the net has this name; nor does a structure or a tensor, where the call takes those too.
    #[error("`{net}` has no layer `{name}`{}", did_you_mean(nearest, with_parameters))]
    UnknownLayer {
        /// The net's name.
        net: String,
        /// The name that was asked for.
        name: String,
        /// The most similar name, if one is near enough.
        nearest: Option<String>,
        /// The layers with parameters, if the call takes only those; else empty.
        with_parameters: Vec<String>,
    },
    /// Training met a NaN or an infinity. The net keeps the weights of the last good step.
    #[error(
        "epoch {epoch}, batch {batch}: {what} is not finite, first in layer `{layer}`; the weights of the last good step are kept (a smaller learning rate often helps)"
    )]
    NotFinite {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The batch in that epoch, counted from 1.
        batch: usize,
        /// What was not finite: the loss, the norm of the gradients, or a weight.
        what: String,
        /// The first layer whose value is not finite; `loss` if all layers' values are finite.
        layer: String,
    },
}

/// A call that would read a weight file.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LoadHelp {
    /// What is peculiar about the file, or what the call is for.
    pub why: String,
    /// The call, as Rust source.
    pub call: String,
}

impl fmt::Display for LoadHelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`", self.why, self.call)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }

    #[cfg(feature = "image")]
    pub(crate) fn file(path: impl Into<PathBuf>, problem: impl Into<String>) -> Error {
        Error::File { path: path.into(), problem: problem.into() }
    }

    pub(crate) fn size(
        what: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Error {
        Error::Size { what: what.into(), expected: expected.to_string(), found: found.to_string() }
    }
}

/// Checks a count: an [`Error::Size`] if `found` is not `expected`.
pub(crate) fn same_count(what: &str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::size(what, expected, found)) }
}

fn did_you_mean(nearest: &Option<String>, with_parameters: &[String]) -> String {
    match (nearest, with_parameters) {
        (Some(nearest), _) => format!(": did you mean `{nearest}`?"),
        (None, []) => String::new(),
        (None, layers) => format!(": the layers with parameters are {}", layers.join(", ")),
    }
}

/// The candidate that `word` most likely stands for, if one is near enough.
pub(crate) fn nearest<T: AsRef<str>>(word: &str, candidates: impl Iterator<Item = T>) -> Option<T> {
    let distance = |candidate: &T| strsim::damerau_levenshtein(word, candidate.as_ref());
    let near = candidates.map(|candidate| (distance(&candidate), candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= (candidate.as_ref().len() / 3).max(1)).then_some(candidate)
}

/// How many tensors of one kind a message names.
const NAMED: usize = 5;

fn list(missing: &[String], extra: &[String], misshaped: &[String]) -> String {
    let mut text = String::new();
    for (title, names) in
        [("missing", missing), ("not in the net", extra), ("different", misshaped)]
    {
        // "and 1 more" takes the line that the one would take.
        let named = if names.len() <= NAMED + 1 { names.len() } else { NAMED };
        for name in &names[..named] {
            text += &format!("\n  {title}: {name}");
        }
        if names.len() > named {
            text += &format!("\n  {title}: … and {} more", names.len() - named);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_first_tensors_and_counts_the_others() {
        let names = |count: usize| (0..count).map(|i| format!("t{i} [2]")).collect::<Vec<_>>();
        let error = Error::Weights {
            path: Path::new("a.safetensors").into(),
            net: "Net".into(),
            missing: names(99),
            extra: names(6),
            misshaped: Vec::new(),
            help: None,
        };
        let expected = "a.safetensors: does not hold the weights of Net\n  \
                        missing: t0 [2]\n  missing: t1 [2]\n  missing: t2 [2]\n  missing: t3 [2]\n  \
                        missing: t4 [2]\n  missing: … and 94 more\n  \
                        not in the net: t0 [2]\n  not in the net: t1 [2]\n  not in the net: t2 [2]\n  \
                        not in the net: t3 [2]\n  not in the net: t4 [2]\n  not in the net: t5 [2]";
        assert_eq!(error.to_string(), expected);
        assert_eq!(format!("{error:?}"), expected);
        let all = matches!(&error, Error::Weights { missing, .. } if missing.len() == 99);
        assert!(all, "the error itself has them all");
    }
}
