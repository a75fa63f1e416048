//! The layout that the environment asks for, and the images for which a batch may have two.

use std::sync::OnceLock;

use typenet_kernels::LANES;

/// A layout for all batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Forced {
    Interleaved,
    Blocked,
    /// Full groups interleaved, and the remaining images blocked.
    Mixed,
}

/// The layout that the environment variable `TYPENET_LAYOUT` names: `interleaved`, `blocked` or `mixed`.
/// Decided at the first call.
pub(crate) fn forced() -> Option<Forced> {
    static CHOICE: OnceLock<Option<Forced>> = OnceLock::new();
    *CHOICE.get_or_init(|| {
        let value = std::env::var("TYPENET_LAYOUT").unwrap_or_default();
        match value.trim().to_ascii_lowercase().as_str() {
            "interleaved" => Some(Forced::Interleaved),
            "blocked" => Some(Forced::Blocked),
            "mixed" => Some(Forced::Mixed),
            _ => None,
        }
    })
}

/// How many of `images` images remain beside full groups; 0 where no group is full.
pub(crate) fn left_over(images: usize) -> usize {
    if images < LANES { 0 } else { images % LANES }
}
