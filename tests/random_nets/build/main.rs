//! Writes a module of random nets: of the seeds `TYPENET_RANDOM_NETS` = `first..end`, by default 0..20. The
//! same seed always gives the same net.
#![allow(clippy::panic)]

mod net;

use std::fmt::Write;
use std::path::PathBuf;

const SEEDS: &str = "TYPENET_RANDOM_NETS";

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-env-changed={SEEDS}");
    println!("cargo::rerun-if-changed=build");
    let seeds = std::env::var(SEEDS).unwrap_or_else(|_| "0..20".to_owned());
    let range = seeds.split_once("..").and_then(|(first, end)| {
        Some(first.trim().parse::<u64>().ok()?..end.trim().parse::<u64>().ok()?)
    });
    let Some(range) = range else {
        panic!("{SEEDS} is `first..end`, such as 0..20, not `{seeds}`")
    };
    let mut source = String::new();
    for seed in range {
        let net = net::declaration(seed);
        // A String takes all that is written.
        let _ = writeln!(
            source,
            "#[test]\nfn seed_{seed}() {{\n    network! {{\n{net}    }}\n    check::<Net>({seed}, {});\n}}\n",
            format_args!("r#\"{net}\"#"),
        );
    }
    let folder = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    std::fs::write(folder.join("nets.rs"), source)
}
