use std::io;
use std::path::PathBuf;

/// What can go wrong with a command.
#[derive(thiserror::Error, Debug)]
pub(crate) enum Error {
    /// A file or a folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// A file is not what the command expects.
    #[error("{}: {problem}", path.display())]
    Format { path: PathBuf, problem: String },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Write(#[from] io::Error),
    /// The report cannot be drawn.
    #[error(transparent)]
    Report(#[from] typenet_report::Error),
    /// Somebody wants to train from here.
    #[error(
        "a net is compiled into a program, so a program trains it, not this command\n  \
         declare the net with `network!`, call `Trainer::new(…).loss(…).fit(…)`, and run it with\n  \
         `cargo run --release`; `typenet data check DIR` looks at the images before,\n  \
         `typenet inspect FILE` at the weights and `typenet report DIR` at the run after that"
    )]
    Train,
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Read { path, source }
    }

    /// Whether it is only that nobody reads the output any more.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Error::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
