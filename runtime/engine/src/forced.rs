//! The layout that the environment asks for.

use std::sync::OnceLock;

/// A layout for all batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Forced {
    Interleaved,
    Blocked,
}

/// The layout that the environment variable `TYPENET_LAYOUT` names: `interleaved` or `blocked`. Decided at
/// the first call.
pub(crate) fn forced() -> Option<Forced> {
    static CHOICE: OnceLock<Option<Forced>> = OnceLock::new();
    *CHOICE.get_or_init(|| {
        let value = std::env::var("TYPENET_LAYOUT").unwrap_or_default();
        match value.trim().to_ascii_lowercase().as_str() {
            "interleaved" => Some(Forced::Interleaved),
            "blocked" => Some(Forced::Blocked),
            _ => None,
        }
    })
}
