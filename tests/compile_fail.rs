//! What the compiler says to mistakes in a declaration: `tests/ui/*.rs` with the expected `.stderr`,
//! those in `tests/ui/build/` when it builds, and `docs/errors.md`, which shows them all.
//!
//! After a change of messages, `TRYBUILD=overwrite cargo test -p typenet-ui` writes them anew;
//! read every one of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// `tests/ui`, whose crate this is.
const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn mistakes_are_explained_and_the_page_shows_how() {
    copy_weights();
    trybuild::TestCases::new().compile_fail("*.rs");
    used_nets_are_checked();
    the_page_is_what_the_compiler_says();
}

/// A compiler prints lines of the standard library only where its source is installed, and their
/// wording changes with every release: a message that shows some would not be the same everywhere.
#[test]
fn no_message_shows_code_of_the_standard_library() {
    let mut count = 0;
    for case in cases() {
        let message = fs::read_to_string(case.with_extension("stderr")).unwrap_or_default();
        assert!(
            !message.contains("$RUST"),
            "{} shows code of the standard library",
            case.display()
        );
        count += usize::from(!message.is_empty());
    }
    assert!(count > 200, "{count} messages");
}

/// The cases are built in a crate of their own, from whose folder their paths start.
fn copy_weights() {
    let crates = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tests").join("trybuild");
    let to = crates.join(env!("CARGO_PKG_NAME")).join("weights");
    fs::create_dir_all(&to).unwrap();
    for file in fs::read_dir(Path::new(FOLDER).join("weights")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Rules over generics are checked where a net is used: when the program is built.
fn used_nets_are_checked() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("build/*.rs");
    // Cases are checked only, unless one of them passes.
    cases.pass("build/right/*.rs");
}

fn the_page_is_what_the_compiler_says() {
    let page = Path::new(FOLDER).join("../../docs/errors.md");
    let mut text = String::from(
        "# Mistakes, and what the compiler says\n\n\
         Written from `tests/ui/` by `TRYBUILD=overwrite cargo test -p typenet-ui`.\n",
    );
    for case in cases() {
        write!(text, "\n{}", entry(&case)).unwrap();
    }
    if std::env::var("TRYBUILD").is_ok_and(|value| value == "overwrite") {
        fs::write(&page, text).expect("docs/errors.md");
    } else {
        let found = fs::read_to_string(&page).unwrap_or_default();
        assert!(found == text, "docs/errors.md is stale: see the head of tests/compile_fail.rs");
    }
}

/// The programs with a mistake, by name.
fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = [".", "build"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(Path::new(FOLDER).join(folder)).expect("a folder of cases"))
        .map(|entry| entry.expect("a case").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    cases.sort_by_key(|case| case.file_name().map(OsStr::to_owned));
    cases
}

/// A case as a section: its first line, its declaration and the message.
fn entry(case: &Path) -> String {
    let source = fs::read_to_string(case).expect("a case");
    let title = source.lines().next().unwrap_or_default().trim_start_matches("//! ");
    let message = fs::read_to_string(case.with_extension("stderr")).unwrap_or_default();
    let name = case.file_name().unwrap_or_default().to_string_lossy();
    let message = message
        .replace(&format!(" build/{name}"), " src/main.rs")
        .replace(&format!(" {name}"), " src/main.rs")
        .replace("$WORKSPACE/", "");
    let declaration = declaration(&source);
    let title = title.trim_end_matches('.');
    format!("## {title}\n\n```rust\n{declaration}```\n\n```text\n{}\n```\n", message.trim_end())
}

/// From `network!` to the closing brace, or the whole program where the mistake lies outside.
fn declaration(source: &str) -> String {
    let start = source.find("network! {").unwrap_or_default();
    let end = source[start..].find("\n}").map_or(source.len(), |len| start + len + 2);
    let first = source[..start].lines().count() + 1;
    let mut text = String::new();
    for (i, line) in source[start..end].lines().enumerate() {
        // The lines' numbers are the message's.
        writeln!(text, "{:3} {line}", first + i).unwrap();
    }
    text
}
