//! `example.c`, compiled by this machine's compiler and run.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use typenet::image::{self, imageops::FilterType};
use typenet::prelude::*;

network! {
    /// The net of the library, declared once more.
    #[weights("../classify/lenet5.safetensors")]
    pub struct LeNet5: [1, 28, 28] -> [10] {
        conv1: conv2d(6, kernel = 5, padding = 2), relu,
        max_pool2d(2),
        conv2: conv2d(16, kernel = 5), relu,
        max_pool2d(2),
        flatten,
        fc1: linear(120), relu,
        fc2: linear(84), relu,
        fc3: linear(10),
    }
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where cargo puts the library: beside this test.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

/// The C compiler, if there is one.
fn compiler() -> Option<&'static str> {
    let found = Command::new("cc").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no `cc` here to compile C with");
        return None;
    }
    Some("cc")
}

/// Compiles, and says whether that went well.
fn compile(cc: &str, arguments: &[&str], source: &Path, program: &Path) -> Result<(), String> {
    let include = folder().join("include");
    let mut command = Command::new(cc);
    command.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-pthread"]);
    command.arg("-I").arg(include).arg("-o").arg(program).arg(source).args(arguments);
    let output = command.output().map_err(|error| error.to_string())?;
    output
        .status
        .success()
        .then_some(())
        .ok_or(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The pictures of `examples/classify` as PGM files, and what the program must say of them.
fn pictures(target: &Path) -> (Vec<PathBuf>, String) {
    let net = LeNet5::pretrained();
    let (mut files, mut inputs) = (Vec::new(), Vec::new());
    for name in ["boot.png", "bag.jpg", "dress.png", "sneaker.png", "trouser.png"] {
        let picture = image::open(folder().join("../classify/pictures").join(name)).unwrap();
        let picture = picture.resize_exact(28, 28, FilterType::Triangle).to_luma8();
        let file = target.join(name).with_extension("pgm");
        picture.save_with_format(&file, image::ImageFormat::Pnm).unwrap_or_else(|_| {
            fs::write(&file, [b"P5\n28 28\n255\n", &picture.as_raw()[..]].concat()).unwrap();
        });
        files.push(file);
        inputs.push(*net.input_from_u8(picture.as_raw()).unwrap());
    }
    let mut lines = String::new();
    for (file, output) in files.iter().zip(net.outputs(&inputs)) {
        let (class, probability) = output.softmax().top_k(1)[0];
        let name = &net.metadata().class_names[class];
        assert!(file.ends_with(format!("{name}.pgm")), "{} is no {name}", file.display());
        writeln!(lines, "{}: {name} {probability:.6}", file.display()).unwrap();
    }
    (files, lines + "4 threads agree, library 0.1.0\n")
}

#[track_caller]
fn runs(program: &Path, files: &[PathBuf], expected: &str) {
    let output = Command::new(program).args(files).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert_eq!(errors, "");
}

#[test]
fn the_example_says_what_rust_says() {
    let Some(cc) = compiler() else { return };
    let target = tempfile::tempdir().unwrap();
    let (files, expected) = pictures(target.path());
    let (source, program) = (folder().join("example.c"), target.path().join("example"));
    let found = libraries();
    let found = found.to_str().unwrap();
    let shared = [&format!("-L{found}"), "-lfashion", &format!("-Wl,-rpath,{found}")];
    compile(cc, &shared, &source, &program).unwrap();
    runs(&program, &files, &expected);

    // A wrong file is told, and not by the library.
    let wrong = Command::new(&program).arg(&source).output().unwrap();
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("is no binary PGM file"));

    // The program is instrumented and the library is not: what the library writes where it should not is
    // found as far as the program's memory is watched.
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let program = target.path().join("sanitized");
    let empty = target.path().join("empty.c");
    fs::write(&empty, "int main(void) { return 0; }\n").unwrap();
    if compile(cc, &sanitizers, &empty, &program).is_err() {
        println!("skipped: `{cc}` has no sanitizers here");
        return;
    }
    compile(cc, &[&sanitizers[..], &shared].concat(), &source, &program).unwrap();
    runs(&program, &files, &expected);
}

#[test]
fn the_program_of_the_guide_runs() {
    let Some(cc) = compiler() else { return };
    let target = tempfile::tempdir().unwrap();
    let (source, program) = (target.path().join("guide.c"), target.path().join("guide"));
    let guide = include_str!("../../../docs/c.md").split("```c\n").nth(1).unwrap();
    fs::write(&source, guide.split("```").next().unwrap()).unwrap();
    let found = libraries();
    let found = found.to_str().unwrap();
    let shared = [&format!("-L{found}"), "-lfashion", &format!("-Wl,-rpath,{found}")];
    compile(cc, &shared, &source, &program).unwrap();
    let output = Command::new(&program).output().unwrap();
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && lines.lines().count() == 10, "{lines}");
    assert!(lines.starts_with("t-shirt 0."), "{lines}");
}

/// The library within the program, which then needs no other file.
#[test]
#[cfg(target_os = "linux")]
fn the_example_links_to_the_static_library() {
    let Some(cc) = compiler() else { return };
    let target = tempfile::tempdir().unwrap();
    let (files, expected) = pictures(target.path());
    let library = libraries().join("libfashion.a");
    let program = target.path().join("example");
    let arguments = [library.to_str().unwrap(), "-lm", "-ldl"];
    compile(cc, &arguments, &folder().join("example.c"), &program).unwrap();
    runs(&program, &files, &expected);
}

/// C++ reads the header too.
#[test]
fn cpp_reads_the_header() {
    let target = tempfile::tempdir().unwrap();
    let source = target.path().join("example.cpp");
    fs::write(
        &source,
        "#include \"fashion.h\"\nint main() { return (int)fashion_class_count() - 10; }\n",
    )
    .unwrap();
    let mut command = Command::new("c++");
    command.args(["-std=c++11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]);
    match command.arg(folder().join("include")).arg(&source).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(_) => println!("skipped: there is no `c++` here to compile C++ with"),
    }
}
