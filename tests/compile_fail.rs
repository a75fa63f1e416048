//! What the compiler says to mistakes in a declaration: `tests/ui/*.rs` with the expected `.stderr`,
//! those in `tests/ui/build/` when it builds, and `docs/errors.md`, which shows them all.
//!
//! After a change of messages, `TRYBUILD=overwrite cargo test -p typenet-ui` writes them anew;
//! read every one of them.
//!
//! Messages are pinned to the letter for one release of the compiler, `PINNED`. What rustc adds to our words
//! changes from one to the next: under any other, what is compared is our words, and the line that they
//! are at.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// `tests/ui`, whose crate this is.
const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The release whose messages are pinned.
const PINNED: &str = "rustc 1.95.";

/// Where another release's messages are written, when this program is started for that.
const ELSEWHERE: &str = "TYPENET_UI_ELSEWHERE";

#[test]
fn mistakes_are_explained_and_the_page_shows_how() {
    copy_weights();
    if !compiler().starts_with(PINNED) {
        return another_compiler_says_the_same();
    }
    trybuild::TestCases::new().compile_fail("*.rs");
    used_nets_are_checked();
    the_page_is_what_the_compiler_says();
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).arg("--version").output().expect("rustc");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Writes the messages of this compiler beside copies of the cases, and compares what is ours in them.
fn another_compiler_says_the_same() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("build")).unwrap();
    for case in cases() {
        let name = case.strip_prefix(FOLDER).unwrap();
        fs::copy(&case, folder.join(name)).unwrap();
    }
    let written = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "messages_are_written"])
        .env("TRYBUILD", "overwrite")
        .env(ELSEWHERE, &folder)
        .output()
        .unwrap();
    let mut differ = String::new();
    for case in cases() {
        let name = case.strip_prefix(FOLDER).unwrap().with_extension("stderr");
        let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
        let (pinned, found) = (read(Path::new(FOLDER).join(&name)), read(folder.join(&name)));
        let (pinned, found) = (our_words(&pinned), our_words(&found));
        assert!(!pinned.is_empty(), "{} has no message", name.display());
        if pinned != found {
            let missing: Vec<&String> =
                pinned.keys().filter(|key| found.get(*key) != pinned.get(*key)).collect();
            let new: Vec<&String> =
                found.keys().filter(|key| found.get(*key) != pinned.get(*key)).collect();
            writeln!(differ, "{}\n  pinned: {missing:#?}\n  found: {new:#?}", name.display())
                .unwrap();
        }
    }
    let output = String::from_utf8_lossy(&written.stdout);
    assert!(differ.is_empty(), "{}says something else:\n{differ}\n{output}", compiler());
}

#[test]
#[ignore = "started by another test"]
fn messages_are_written() {
    let Some(folder) = std::env::var_os(ELSEWHERE).map(PathBuf::from) else { return };
    let cases = trybuild::TestCases::new();
    cases.compile_fail(folder.join("*.rs"));
    drop(cases);
    let cases = trybuild::TestCases::new();
    cases.compile_fail(folder.join("build/*.rs"));
    cases.pass("build/right/*.rs");
}

/// Of a compiler's messages what does not depend on its release: each error's text with the line that it is
/// at, and the notes that are ours; how often each is there.
fn our_words(message: &str) -> BTreeMap<String, usize> {
    let mut words = BTreeMap::new();
    let mut error: Option<String> = None;
    for line in message.lines() {
        if line.starts_with("error") && !line.starts_with("error: aborting") {
            error = Some(line.to_owned());
        } else if let (Some(text), Some((_, place))) = (&mut error, line.split_once("--> ")) {
            // Without the column, and without the folder.
            let place = place.rsplit_once(':').map_or(place, |(place, _)| place);
            let place = place.rsplit('/').next().unwrap_or_default();
            *words.entry(format!("{text} at {place}")).or_default() += 1;
            error = None;
        } else if let Some(text) = &mut error {
            writeln!(text).unwrap();
            text.push_str(line.trim());
        } else if let Some((_, note)) = line.split_once("= note: help: ") {
            *words.entry(note.to_owned()).or_default() += 1;
        }
    }
    words
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
