use std::fmt;
use std::path::PathBuf;

/// What can go wrong with a report.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The net or the data does not suit the report.
    #[error(transparent)]
    Net(#[from] typenet_runtime::Error),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file is not the record of a report.
    #[error("{}: not the record of a report: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A chart or a picture cannot be drawn.
    #[error("the {what} cannot be drawn: {problem}")]
    Draw {
        /// What was to be drawn.
        what: &'static str,
        /// What the crate that draws says.
        problem: String,
    },
}

/// A result with a report's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The message: it is what `unwrap` and a `main` that returns the error print.
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

    pub(crate) fn draw<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Error {
        move |problem| Error::Draw { what, problem: problem.to_string() }
    }
}
