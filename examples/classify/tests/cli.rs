//! The program as a user calls it.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn classify(arguments: &[&str]) -> Output {
    let program = Command::new(env!("CARGO_BIN_EXE_classify")).args(arguments).output();
    program.unwrap()
}

fn picture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pictures");
    folder.join(name).display().to_string()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_likeliest_classes_are_printed() {
    let (boot, bag) = (picture("boot.png"), picture("bag.jpg"));
    let output = classify(&[&boot, &bag]);
    assert!(output.status.success());
    let lines = text(&output.stdout);
    let mut lines = lines.lines();
    assert!(lines.next().unwrap().starts_with(&format!("{boot}: boot ")));
    assert!(lines.next().unwrap().starts_with(&format!("{bag}: bag ")));
    assert_eq!(lines.next(), None);
}

#[test]
fn json_has_one_object_a_file() {
    let output = classify(&["--json", "-k", "10", &picture("trouser.png")]);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let classes = answer["classes"].as_array().unwrap();
    assert_eq!((classes.len(), classes[0]["name"].as_str()), (10, Some("trouser")));
    let sum: f64 = classes.iter().map(|class| class["probability"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5);
}

#[test]
fn a_broken_file_is_named_and_the_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, b"\x89PNG\r\n\x1a\nno").unwrap();
    let output = classify(&[broken.to_str().unwrap(), "missing.png", &picture("boot.png")]);
    assert!(!output.status.success());
    let errors = text(&output.stderr);
    assert_eq!(errors.lines().count(), 2, "{errors}");
    assert!(errors.contains("broken.png") && errors.contains("missing.png"), "{errors}");
    assert!(text(&output.stdout).contains(": boot "));
}
