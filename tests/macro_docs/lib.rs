//! Runs the examples in the documentation of `network!` and `layer`. Within the macros' own crate, typenet and
//! all it needs would be built a second time: what a procedural macro is tested with is built for the compiler.

#[cfg(doctest)]
#[doc = include_str!(concat!(env!("OUT_DIR"), "/macros.md"))]
mod macros {}
