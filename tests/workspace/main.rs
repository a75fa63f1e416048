//! How the workspace is put together: every file of tests is run, and no modules of a crate import each
//! other in a circle.
//!
//! A module is a file; `mod.rs` is its folder's. It imports another one where one of its lines names an item
//! of that file: in a `use` declaration, or by a path in the code (`crate::a::b`, `super::b`, `child::b`, or
//! `b::f` where `use crate::a::b;` stands above). These are the rules:
//!
//! - A name leads to the file that defines it, through all re-exports on the way. So importing a sibling by a
//!   name that the parent re-exports is importing the sibling, not the parent.
//! - A module that is imported as a name alone (`use crate::kernels;`) leads to the items that are reached
//!   through it; to its own file where there are none.
//! - A module is read with what is within it: what a parent uses of its children is no import, and children may
//!   use what their parent defines. Two children, or anything else, may not lead to each other.
//! - A re-export of something outside of the module is an import where that uses items of this file.
//! - Macros by example are what their text names, `$crate` being the crate.
//! - Code under `#[cfg(test)]`, comments and strings are left out. So are trait methods and inherent `impl`s:
//!   they are used by no name of a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod imports;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use imports::cycles;
use source::{Files, Tree};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// The folders of the workspace's crates.
fn members() -> Vec<PathBuf> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let (_, list) = manifest.split_once("\nmembers = [").expect("a list of members");
    let (list, _) = list.split_once(']').expect("its end");
    let names = list.split('"').skip(1).step_by(2);
    std::iter::once("").chain(names).map(|name| root().join(name)).collect()
}

/// The sources of a crate by their path in `src`, and the first of them.
fn sources(src: &Path) -> (Files, &'static str) {
    fn read(src: &Path, folder: &Path, files: &mut Files) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                read(src, &path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(src).expect("a file in it").to_str().expect("a name");
                files.insert(name.to_owned(), fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    let mut files = Files::new();
    read(src, src, &mut files);
    let first = if files.contains_key("lib.rs") { "lib.rs" } else { "main.rs" };
    (files, first)
}

#[test]
fn no_modules_of_a_crate_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    let mut count = 0;
    for member in members() {
        let src = member.join("src");
        if !src.is_dir() {
            continue;
        }
        let (files, first) = sources(&src);
        count += files.len();
        for cycle in cycles(&Tree::read(&files, first)) {
            let name = src.strip_prefix(root()).expect("a crate of the workspace").display();
            found.push(format!("in {name}: {cycle}"));
        }
    }
    assert!(count > 100, "{count} files");
    assert!(found.is_empty(), "{} cycles\n\n{}", found.len(), found.join("\n"));
}

/// The crates here have no folder that cargo looks through: a file without its lines would not be run.
#[test]
fn every_file_of_tests_and_benchmarks_is_a_target() {
    for folder in ["tests", "benches"] {
        let manifest =
            fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest");
        // `compile_fail` is the test of `tests/ui`.
        let manifest = manifest + "\npath = \"compile_fail.rs\"";
        let mut count = 0;
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let file = if path.join("main.rs").is_file() {
                format!("{name}/main.rs")
            } else if name.ends_with(".rs") {
                name.into_owned()
            } else {
                continue;
            };
            count += 1;
            let line = format!("path = \"{file}\"");
            assert!(manifest.contains(&line), "{folder}/Cargo.toml lacks a target with `{line}`");
        }
        assert!(count > 3, "{count} files in {folder}");
    }
}

/// The cycles of a crate of these files, the first of which is its root.
fn cycles_of(files: &[(&str, &str)]) -> Vec<String> {
    let first = files[0].0;
    let files = files.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect();
    cycles(&Tree::read(&files, first)).iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_none(files: &[(&str, &str)]) {
    let found = cycles_of(files);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_cycle_is_found_with_the_lines_that_tie_it() {
    let found = cycles_of(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "//! A.\nuse crate::b::deep::Deep;\npub struct A(Deep);\n"),
        ("b/mod.rs", "pub mod deep;\n"),
        ("b/deep.rs", "pub struct Deep;\nfn f() { let _ = super::super::c::c(); }\n"),
        ("c.rs", "use crate::{\n    a::A as Other,\n};\npub fn c() -> Other { todo!() }\n"),
    ]);
    assert_eq!(
        found,
        ["a → b::deep → c → a\n  \
          a.rs:2 imports b::deep: use crate::b::deep::Deep;\n  \
          b/deep.rs:2 imports c: fn f() { let _ = super::super::c::c(); }\n  \
          c.rs:2 imports a: a::A as Other,\n"]
    );
}

/// Each knot is told once, by a shortest circle and by the imports beside it.
#[test]
fn a_knot_is_told_whole() {
    let found = cycles_of(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; use crate::a::A; pub struct B;"),
        ("c.rs", "use crate::a::A; use crate::d::D; pub struct C;"),
        ("d.rs", "pub struct D;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a → b → a\n"), "{}", found[0]);
    assert!(found[0].contains("  and in one knot with it: a, b, c\n"), "{}", found[0]);
    assert!(found[0].contains("\n  b.rs:1 imports c: "), "{}", found[0]);
    assert!(!found[0].contains(" d: "), "{}", found[0]);
}

#[test]
fn a_re_export_is_followed_to_the_file_that_defines_the_item() {
    let root = ("lib.rs", "mod a;\nmod b;\npub use b::{B, deep::Deep as Renamed};\n");
    let a = ("a.rs", "use crate::{B, Renamed}; pub struct A;");
    let deep = ("b/deep.rs", "pub struct Deep;");
    assert_none(&[root, a, ("b/mod.rs", "pub mod deep; pub struct B;"), deep]);
    // Now one of both names leads back.
    let back = ("b/deep.rs", "pub struct Deep(crate::a::A);");
    let found = cycles_of(&[root, a, ("b/mod.rs", "pub mod deep; pub struct B;"), back]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a → b::deep → a\n"), "{}", found[0]);
}

#[test]
fn a_module_is_read_with_what_is_within_it() {
    // A parent uses its children, and a child what its parent defines.
    assert_none(&[
        ("lib.rs", "mod a;\npub use a::A;\npub const LEN: usize = 3;\npub fn f() -> A { A }\n"),
        ("a.rs", "pub struct A; const L: usize = crate::LEN;"),
    ]);
    // What children need of each other is a circle all the same.
    let found = cycles_of(&[
        ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::B;\n"),
        ("a.rs", "use super::B; pub struct A;"),
        ("b.rs", "use super::A; pub struct B;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a → b → a\n"), "{}", found[0]);
    // So is what a folder and a file beside it need of each other.
    let found = cycles_of(&[
        ("lib.rs", "mod a;\nmod b;\n"),
        ("a/mod.rs", "mod deep; use crate::b::B; pub struct A;"),
        ("a/deep.rs", "pub struct Deep;"),
        ("b.rs", "use crate::a::A; pub struct B;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a → b → a\n"), "{}", found[0]);
}

#[test]
fn a_module_imported_by_name_leads_to_what_is_reached_through_it() {
    let root = ("lib.rs", "mod kernels; mod user;");
    let linear = ("kernels/linear.rs", "pub fn forward() {}");
    let user =
        ("user.rs", "use crate::kernels;\npub struct U;\nfn f() { kernels::linear::forward() }");
    // The folder's file imports the user, but the user does not need that file.
    let folder = "pub mod linear; use crate::user::U; pub fn g(_: U) {}";
    assert_none(&[root, linear, user, ("kernels/mod.rs", folder)]);
    let user = ("user.rs", "use crate::kernels;\npub struct U;\nfn f() { kernels::g(U) }");
    assert_eq!(cycles_of(&[root, linear, user, ("kernels/mod.rs", folder)]).len(), 1);
    let user = ("user.rs", "use crate::kernels;\npub struct U;");
    assert_eq!(cycles_of(&[root, linear, user, ("kernels/mod.rs", folder)]).len(), 1);
    // A name of a macro, and everything at once.
    let user = ("user.rs", "use crate::kernels::*;\npub struct U;\nfn f() { g(U) }");
    assert_eq!(cycles_of(&[root, linear, user, ("kernels/mod.rs", folder)]).len(), 1);
    let user = ("user.rs", "pub struct U;\nmacro_rules! m { () => { $crate::kernels::g(U) } }");
    assert_eq!(cycles_of(&[root, linear, user, ("kernels/mod.rs", folder)]).len(), 1);
}

#[test]
fn tests_comments_strings_and_other_crates_are_left_out() {
    assert_none(&[
        ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests; pub use a::A;"),
        (
            "a.rs",
            "use std::b::B;\n/// [`crate::b::B`]\npub struct A;\n// use crate::b::B;\n\
             const T: &str = \"crate::b::B\";\nuse ::b::B as C;\n\
             #[cfg(test)]\nuse crate::b::B as D;\n\
             #[cfg(test)]\nmod tests { use crate::b::B; mod deep { use super::super::super::b::B; } }\n\
             #[test]\nfn f() { crate::b::g(); }\n",
        ),
        ("b.rs", "use crate::A; pub struct B; pub fn g() {}"),
        ("tests.rs", "use crate::a::A; use crate::b::B;"),
    ]);
}

#[test]
fn modules_in_braces_belong_to_their_file() {
    let found = cycles_of(&[
        ("lib.rs", "mod a; pub mod b { pub mod inner { pub struct I; } pub mod deep; }"),
        ("a.rs", "pub struct A; mod own { use super::super::b::deep::Deep; use super::A; }"),
        ("b/deep.rs", "use crate::a; use super::inner::I; pub struct Deep; fn f(_: a::A) {}"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("a → b::deep → a\n"), "{}", found[0]);
}
