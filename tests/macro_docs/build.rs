//! Hands the documentation of the macros to `lib.rs`, which runs its examples.

use std::path::Path;

fn main() -> std::io::Result<()> {
    const MACROS: &str = "../macros/src/lib.rs";
    println!("cargo::rerun-if-changed={MACROS}");
    let source = std::fs::read_to_string(MACROS)?;
    let lines = source.lines().filter_map(|line| line.strip_prefix("///"));
    let text: String =
        lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&folder).join("macros.md"), text)
}
