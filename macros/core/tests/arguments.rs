//! The tables in the documentation of `typenet::layers` say what the macro does, and what editors show of
//! arguments says what the tables do.
//!
//! `TYPENET_WRITE_ARGUMENTS=1 cargo test -p typenet-macros-core --test arguments` writes the latter anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use typenet_macros_core::layers::{Default, LAYERS, Layer};

/// What editors show of the numbers in a header.
const DIMENSIONS: &str = "\
pub mod dimensions {
    /// Channels of an image: 1 for grey values, 3 for colours.
    pub struct channels;
    /// Rows of an image.
    pub struct height;
    /// Columns of an image.
    pub struct width;
    /// Numbers of a flat input or output; the classes, where a net classifies.
    pub struct features;
}
";

/// A line of a keyword's table.
struct Row {
    name: String,
    text: String,
    default: String,
}

/// The table in the documentation before a keyword.
fn table(source: &str, keyword: &str) -> Vec<Row> {
    let end = source.find(&format!("\n    {keyword}\n")).expect(keyword);
    let docs: Vec<&str> =
        source[..end].lines().rev().map_while(|line| line.trim().strip_prefix("///")).collect();
    let rows = docs.iter().rev().filter_map(|line| {
        let line = line.trim().strip_prefix("| `")?.strip_suffix('|')?;
        let (name, rest) = line.split_once("` |")?;
        let (text, default) = rest.rsplit_once('|')?;
        let [name, text, default] = [name, text, default].map(|cell| cell.trim().to_string());
        Some(Row { name, text, default })
    });
    rows.collect()
}

fn default_of(default: Default) -> String {
    match default {
        Default::Required => String::new(),
        Default::SameAs(name) => name.to_string(),
        Default::Value(value) => value.to_string(),
    }
}

/// What editors show of a layer's arguments, and of the words that they take.
fn shown(layer: &Layer, rows: &[Row]) -> [String; 2] {
    let keyword = layer.keyword;
    let (mut arguments, mut words) = (String::new(), String::new());
    for (argument, row) in layer.arguments.iter().zip(rows) {
        let default = match row.default.as_str() {
            "" => "Has no default.".to_string(),
            default => format!("Default: {default}."),
        };
        let doc = format!("Argument of `{keyword}`: {}. {default}", row.text);
        let name = argument.name;
        writeln!(arguments, "    /// {doc}\n    pub struct {name};").unwrap();
        if !argument.kind.words().is_empty() {
            writeln!(words, "        pub mod {name} {{").unwrap();
            for word in argument.kind.words() {
                writeln!(words, "            /// `{name}` of `{keyword}`: {}.", row.text).unwrap();
                writeln!(words, "            pub struct {word};").unwrap();
            }
            words += "        }\n";
        }
    }
    let arguments = match arguments.as_str() {
        "" => format!("pub mod {keyword} {{}}\n"),
        arguments => format!("pub mod {keyword} {{\n{arguments}}}\n"),
    };
    let words = format!("    pub mod {keyword} {{\n{words}    }}\n");
    [arguments, if words.contains("struct") { words } else { String::new() }]
}

#[test]
fn documentation_and_editors_know_every_argument() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/src/layers");
    let source = fs::read_to_string(root.with_extension("rs")).expect("the documentation");
    let mut expected = String::from(
        "//! What an editor shows and completes of arguments. Written from the tables in `layers.rs` by the test\n\
         //! `macros/core/tests/arguments.rs`; the compiler never reads it.\n\n",
    );
    let mut words = String::new();
    for layer in LAYERS {
        let rows = table(&source, layer.keyword);
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let known: Vec<&str> = layer.arguments.iter().map(|argument| argument.name).collect();
        assert_eq!(names, known, "the table of `{}`", layer.keyword);
        for (argument, row) in layer.arguments.iter().zip(&rows) {
            let (stated, known) = (row.default.trim_matches('`'), default_of(argument.default));
            let same = match (stated.parse::<f32>(), known.parse::<f32>()) {
                (Ok(stated), Ok(known)) => stated.to_bits() == known.to_bits(),
                _ => stated == known,
            };
            assert!(same, "`{}` of `{}`: {stated}, {known}", row.name, layer.keyword);
        }
        let [arguments, of_words] = shown(layer, &rows);
        expected += &arguments;
        words += &of_words;
    }
    expected += DIMENSIONS;
    expected += &format!("pub mod words {{\n{words}}}\n");
    let path = root.join("arguments.rs");
    if std::env::var_os("TYPENET_WRITE_ARGUMENTS").is_some() {
        fs::write(&path, &expected).expect("the file can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "write it anew: this test says how");
}
