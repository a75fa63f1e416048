//! Random declarations, compiled in one crate: see `build/`, which writes them, and `tests/`.
#![forbid(unsafe_code)]
