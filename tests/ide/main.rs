//! What rust-analyzer does in a declaration: it shows documentation and shapes, leads to names, completes
//! and renames them, also while a declaration is half typed.
//!
//! `scripts/editor` finds a rust-analyzer and runs these tests on the files of `tests/ide/project`. There,
//! comments with carets say what is expected of the place above the first caret, in the last line of code:
//!
//! - `// ^^^ shows TEXT`: hovering shows `TEXT`;
//! - `// ^^^ leads to TEXT`: its definition is in a line with `TEXT`;
//! - `// ^ offers A, B, not C`: with the cursor before the caret, `A` and `B` are offered, and `C` is not;
//! - `// ^ has 3 places`: that is how often it is written, and renaming it changes all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod typing;

use std::fs;
use std::path::{Path, PathBuf};

use client::Client;

#[test]
#[ignore = "starts rust-analyzer, which takes a minute; scripts/editor runs it"]
fn an_editor_knows_what_stands_in_a_declaration() {
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
            if let Some(found) = expected.mismatch(&mut client, &file) {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let (line, column) = (expected.line + 1, expected.column + 1);
                wrong.push(format!("{name}:{line}:{column}: {:?}, but {found}", expected.what));
            }
        }
    }
    println!("{count} places");
    assert!(count >= 40, "only {count} expectations");
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
    what: What,
}

#[derive(Debug)]
enum What {
    Shows(String),
    LeadsTo(String),
    Offers { words: Vec<String>, not: Vec<String> },
    HasPlaces(usize),
}

impl What {
    fn parse(text: &str) -> Option<What> {
        let list = |text: &str| text.split(", ").map(str::to_string).collect();
        if let Some(text) = text.strip_prefix("shows ") {
            Some(What::Shows(text.into()))
        } else if let Some(text) = text.strip_prefix("leads to ") {
            Some(What::LeadsTo(text.into()))
        } else if let Some(text) = text.strip_prefix("offers ") {
            let (words, not) = text.split_once(", not ").unwrap_or((text, ""));
            let not = if not.is_empty() { Vec::new() } else { list(not) };
            Some(What::Offers { words: list(words), not })
        } else {
            let number = text.strip_prefix("has ")?.strip_suffix(" places")?;
            Some(What::HasPlaces(number.parse().ok()?))
        }
    }
}

impl Expectation {
    /// What is there instead of what is expected.
    fn mismatch(&self, client: &mut Client, file: &Path) -> Option<String> {
        let (line, column) = (self.line, self.column);
        match &self.what {
            What::Shows(text) => {
                let found = client.hover(file, line, column);
                (!found.contains(text)).then_some(found)
            }
            What::LeadsTo(text) => {
                let found = client.definitions(file, line, column);
                let found: String = found.iter().map(line_at).collect();
                (!found.contains(text)).then_some(found)
            }
            What::Offers { words, not } => {
                let found = client.completions(file, line, column);
                let all = words.iter().all(|word| found.contains(word));
                let none = !not.iter().any(|word| found.contains(word));
                (!all || !none).then(|| found.join(", "))
            }
            What::HasPlaces(count) => {
                let found = client.references(file, line, column);
                let renamed = client.renames(file, line, column);
                (found != *count || renamed != *count).then(|| format!("{found} and {renamed}"))
            }
        }
    }
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
        let what = What::parse(words)
            .unwrap_or_else(|| panic!("line {}: what is expected? {words}", number + 1));
        found.push(Expectation { line: of_code, column, what });
    }
    found
}

/// The line of a place, with its file's name.
fn line_at((path, line): &(PathBuf, usize)) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{name}: {}\n", text.lines().nth(*line).unwrap_or_default())
}
