//! The header is what cbindgen makes of `src/lib.rs`.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> PathBuf {
    folder().join("include/fashion.h")
}

fn generated() -> String {
    let config = cbindgen::Config::from_file(folder().join("cbindgen.toml")).unwrap();
    let builder =
        cbindgen::Builder::new().with_config(config).with_src(folder().join("src/lib.rs"));
    let mut text = Vec::new();
    builder.generate().unwrap().write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_header_is_up_to_date() {
    let found = std::fs::read_to_string(header()).unwrap_or_default().replace("\r\n", "\n");
    let hint = "`cargo test -p typenet-c-example --test header -- --ignored` writes it anew";
    assert!(found == generated(), "include/fashion.h is not what `src/lib.rs` says: {hint}");
}

#[test]
#[ignore = "writes the header"]
fn write_the_header() {
    std::fs::write(header(), generated()).unwrap();
}
