//! Metrics as lines of JSON.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Evaluation;
use super::history::{Epoch, History};
use crate::{Error, Result, io};

/// A file with a line for each epoch.
pub(super) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens the file for a run that has come this far, and removes lines of other runs, or of epochs that
    /// are not part of this one.
    pub(super) fn open(path: &Path, history: &History) -> Result<Log> {
        let lines = history.epochs.iter().map(line).collect::<String>();
        io::replace(path, |file| file.write_all(lines.as_bytes()))?;
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io(path))?;
        Ok(Log { path: path.to_owned(), file })
    }

    pub(super) fn write(&mut self, epoch: &Epoch) -> Result<()> {
        self.file.write_all(line(epoch).as_bytes()).map_err(Error::io(&self.path))
    }
}

/// An epoch as a line. Numbers that are not finite, which JSON does not have, become `null`.
fn line(epoch: &Epoch) -> String {
    let evaluation = |evaluation: &Evaluation| {
        let mut object = json!({ "loss": evaluation.loss, "images": evaluation.images });
        add(&mut object, "accuracy", evaluation.accuracy());
        for head in &evaluation.heads {
            object[head.name] = json!({ "loss": head.loss });
            add(&mut object[head.name], "accuracy", head.accuracy());
        }
        object
    };
    let mut object = json!({
        "epoch": epoch.epoch,
        "loss": epoch.loss,
        "learning_rate": epoch.learning_rate,
        "seconds": epoch.seconds,
        "images_per_second": epoch.images_per_second,
    });
    add(&mut object, "accuracy", epoch.accuracy);
    for head in &epoch.heads {
        object["heads"][head.name] = json!({ "loss": head.loss });
        add(&mut object["heads"][head.name], "accuracy", head.accuracy);
    }
    for (name, found) in [("validation", &epoch.validation), ("test", &epoch.test)] {
        if let Some(found) = found {
            object[name] = evaluation(found);
        }
    }
    format!("{object}\n")
}

fn add(object: &mut Value, name: &str, number: Option<f64>) {
    if let Some(number) = number {
        object[name] = json!(number);
    }
}
