//! What rust-analyzer shows in a declaration: the documentation of keywords, the shapes of layers, and
//! where names lead, also while a declaration is half typed.
//!
//! `cargo test -p typenet-tests --test ide -- --ignored --nocapture` starts it on the files of `tests/ide/project`.
//! There, comments with carets say what is expected of the word above the first caret, in the last line
//! of code:
//!
//! - `// ^^^ shows TEXT`: hovering shows `TEXT`;
//! - `// ^^^ leads to TEXT`: its definition is in a line with `TEXT`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use client::Client;

#[test]
#[ignore = "starts rust-analyzer, which takes a minute"]
fn an_editor_shows_documentation_and_shapes() {
    let version = Command::new("rust-analyzer").arg("--version").output();
    if !version.is_ok_and(|version| version.status.success()) {
        println!("skipped: no rust-analyzer here (`rustup component add rust-analyzer`)");
        return;
    }
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ide");
    let files = project_of(&project);
    let mut client = Client::start(&project);
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("a file of the project");
        client.open(&file, &text);
        for expected in expectations(&text) {
            count += 1;
            let (line, column) = (expected.line, expected.column);
            let found = if expected.definition {
                client.definitions(&file, line, column).iter().map(line_at).collect()
            } else {
                client.hover(&file, line, column)
            };
            if !found.contains(&expected.text) {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let what = if expected.definition { "leads to" } else { "shows" };
                wrong.push(format!(
                    "{name}:{}:{}: expected that it {what} {:?}, but it {what} {found:?}",
                    line + 1,
                    column + 1,
                    expected.text
                ));
            }
        }
    }
    assert!(count > 0, "no expectations");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Writes a project with the files to look at, which it returns.
fn project_of(project: &Path) -> Vec<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("the repository");
    let source = project.join("src");
    fs::create_dir_all(&source).expect("the project's folder");
    let manifest = format!(
        "[package]\nname = \"looked-at\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\ntypenet = {{ path = {root:?}, default-features = false }}\n"
    );
    fs::write(project.join("Cargo.toml"), manifest).expect("the project's manifest");
    let mut files = Vec::new();
    for entry in fs::read_dir(tests.join("ide/project")).expect("tests/ide/project") {
        let from = entry.expect("a file").path();
        let to = source.join(from.file_name().expect("a file's name"));
        fs::copy(&from, &to).expect("a copy");
        files.push(to);
    }
    files.sort();
    let modules: String = files
        .iter()
        .map(|file| format!("mod {};\n", file.file_stem().unwrap_or_default().to_string_lossy()))
        .collect();
    fs::write(source.join("lib.rs"), modules).expect("the project's lib.rs");
    files.retain(|file| !file.ends_with("lib.rs"));
    files
}

/// What a comment with carets asks for. Lines and columns count from 0.
struct Expectation {
    line: usize,
    column: usize,
    definition: bool,
    text: String,
}

fn expectations(text: &str) -> Vec<Expectation> {
    let mut of_code = 0;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//").filter(|rest| rest.contains('^'))
        else {
            of_code = number;
            continue;
        };
        let column = line.find('^').expect("a caret");
        let words = comment.trim_start().trim_start_matches('^').trim_start();
        let (definition, text) =
            match (words.strip_prefix("shows "), words.strip_prefix("leads to ")) {
                (Some(text), _) => (false, text),
                (_, Some(text)) => (true, text),
                _ => panic!("line {}: neither `shows` nor `leads to`", number + 1),
            };
        found.push(Expectation { line: of_code, column, definition, text: text.to_string() });
    }
    found
}

/// The line of a place, with its file's name.
fn line_at((path, line): &(PathBuf, usize)) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}: {}\n", text.lines().nth(*line).unwrap_or_default())
}
