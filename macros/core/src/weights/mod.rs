//! `#[weights("net.safetensors")]`: the macro reads the file while it expands. It keeps the header for the
//! checks of the compiler, and searches the numbers for those that are not finite.

mod header;
mod json;
mod numbers;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

use std::path::{Path, PathBuf};

use proc_macro2::{Ident, Span, TokenStream};

use crate::Mistake;

pub use header::{Header, Tensor};

/// The attribute as it was written.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The path, relative to the folder of the crate's `Cargo.toml`.
    pub path: String,
    /// The path's span.
    pub span: Span,
    /// The condition of a `cfg_attr` around it.
    pub condition: Option<TokenStream>,
}

/// A file that has been read.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path.
    pub place: String,
    /// Its length in bytes.
    pub length: usize,
    /// Its header.
    pub header: Header,
    /// A hash of the bytes up to the end of the header.
    pub hash: u64,
}

/// Reads the file.
///
/// # Errors
/// One mistake at the attribute's path: the file is missing, no safetensors file, or holds numbers that are not
/// finite.
pub fn read(attribute: &Attribute) -> Result<File, Mistake> {
    let Attribute { path, span, .. } = attribute;
    let mistake = |message: String| Mistake::new(*span, message);
    let place = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let place = place.join(path);
    let bytes = std::fs::read(&place).map_err(|error| missing(*span, path, &place, &error))?;
    let header = header::read(&bytes)
        .map_err(|(at, problem)| mistake(format!("`{path}`, byte {at}: {problem}")))?;
    if let Some(problem) = numbers::not_finite(&header, &bytes) {
        return Err(mistake(format!("`{path}`: {problem}")).help(
            "train again, or find out with `load_with` and `LoadOptions::allow_not_finite`",
        ));
    }
    let Some(place) = place.to_str().map(str::to_owned) else {
        return Err(mistake(format!("`{path}`: the path to this crate is no Unicode text")));
    };
    let hash = typenet_shape::hash(&bytes, header.start);
    Ok(File { place, length: bytes.len(), header, hash })
}

/// The mistake of a weight file for a net with const generics: no file can have all its sizes.
pub fn of_generic_net(attribute: &Attribute, net: &Ident) -> Mistake {
    let message = format!("`{net}` has const generics, and a weight file has the sizes of one net");
    Mistake::new(attribute.span, message)
        .help("declare a net with these sizes, or use `load` or `from_bytes`")
}

fn missing(span: Span, path: &str, place: &Path, error: &std::io::Error) -> Mistake {
    let message = format!("`{path}` cannot be read: {}", reason(error));
    let help = match error.kind() {
        std::io::ErrorKind::NotFound => {
            "the path is relative to the folder of `Cargo.toml`; `net.save(…)` writes such a file"
        }
        _ => "it must be a file that `net.save(…)` wrote",
    };
    Mistake::new(span, message).note(&format!("looked for {}", place.display())).help(help)
}

/// The system's words, which differ, where Rust has its own.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::IsADirectory => "it is a folder".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}
