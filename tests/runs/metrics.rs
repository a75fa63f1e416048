//! Metrics as lines of JSON.

use serde_json::Value;
use typenet::prelude::*;

use super::support::{Net, digits, trainer};

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_epoch_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    std::fs::write(&path, "of another run\n").unwrap();
    let data = digits(60);
    let mut net = Net::seeded(3);
    let mut trainer = trainer().epochs(2).log_to(&path);
    trainer.fit(&mut net, &data, Some(&data)).unwrap();
    assert_eq!(lines(&path).len(), 2);
    // A line that was cut, of an epoch that is not part of the run.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{{\"epoch\":3,\"lo")).unwrap();
    let history = trainer.fit(&mut net, &data, Some(&data)).unwrap();
    let lines = lines(&path);
    assert_eq!(lines.len(), 4);
    for (line, epoch) in lines.iter().zip(&history.epochs) {
        assert_eq!(line["epoch"], epoch.epoch);
        assert_eq!(line["loss"], epoch.loss);
        assert_eq!(line["accuracy"], epoch.accuracy.unwrap());
        assert_eq!(line["learning_rate"], epoch.learning_rate);
        assert_eq!(line["validation"]["loss"], epoch.validation.as_ref().unwrap().loss);
        let accuracy = epoch.test.as_ref().unwrap().accuracy().unwrap();
        assert_eq!(line["test"]["accuracy"], accuracy);
        assert!(line["seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_log_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none").join("log.jsonl");
    let mut trainer = trainer().log_to(&path);
    let error = trainer.fit(&mut Net::seeded(3), &digits(40), None).unwrap_err();
    assert!(matches!(&error, typenet::Error::Io { path: named, .. } if *named == path), "{error}");
}
