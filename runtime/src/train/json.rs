//! The record of a run as JSON, for checkpoints: reading gives back exactly what was written.

use serde_json::{Map, Value, json};

use super::evaluate::{ConfusionMatrix, Evaluation, HeadEvaluation};
use super::history::{Epoch, HeadEpoch, Stopped};

/// A number as JSON; NaN and infinities, which JSON does not have, become text.
pub(super) fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(x.to_string()) }
}

/// The result of reading a value; the error names the field.
pub(super) type Read<T> = Result<T, String>;

pub(super) fn field<'v>(value: &'v Value, name: &str) -> Read<&'v Value> {
    value.get(name).ok_or_else(|| format!("`{name}` is missing"))
}

pub(super) fn f64_of(value: &Value, name: &str) -> Read<f64> {
    let value = field(value, name)?;
    let number = match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    };
    number.ok_or_else(|| format!("`{name}` is no number"))
}

pub(super) fn u64_of(value: &Value, name: &str) -> Read<u64> {
    field(value, name)?.as_u64().ok_or_else(|| format!("`{name}` is no whole number"))
}

pub(super) fn usize_of(value: &Value, name: &str) -> Read<usize> {
    usize::try_from(u64_of(value, name)?).map_err(|_| format!("`{name}` is too large"))
}

pub(super) fn bool_of(value: &Value, name: &str) -> Read<bool> {
    field(value, name)?.as_bool().ok_or_else(|| format!("`{name}` is neither true nor false"))
}

pub(super) fn text_of<'v>(value: &'v Value, name: &str) -> Read<&'v str> {
    field(value, name)?.as_str().ok_or_else(|| format!("`{name}` is no text"))
}

/// A value that may be `null`.
pub(super) fn optional<'v, T>(
    value: &'v Value,
    name: &str,
    read: impl FnOnce(&'v Value) -> Read<T>,
) -> Read<Option<T>> {
    match field(value, name)? {
        Value::Null => Ok(None),
        found => read(found).map(Some).map_err(|problem| format!("`{name}`: {problem}")),
    }
}

pub(super) fn list<'v, T>(
    value: &'v Value,
    name: &str,
    read: impl FnMut(&'v Value) -> Read<T>,
) -> Read<Vec<T>> {
    let values = field(value, name)?.as_array().ok_or_else(|| format!("`{name}` is no list"))?;
    values.iter().map(read).collect()
}

fn numbers_of(value: &Value, name: &str) -> Read<Vec<usize>> {
    list(value, name, |value| {
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
        number.ok_or_else(|| format!("`{name}` has something that is no whole number"))
    })
}

pub(super) fn epoch(epoch: &Epoch) -> Value {
    let heads: Vec<Value> = epoch.heads.iter().map(head_epoch).collect();
    json!({
        "epoch": epoch.epoch,
        "loss": number(epoch.loss),
        "accuracy": epoch.accuracy.map(number),
        "heads": heads,
        "validation": epoch.validation.as_ref().map(evaluation),
        "test": epoch.test.as_ref().map(evaluation),
        "learning_rate": number(epoch.learning_rate),
        "seconds": number(epoch.seconds),
        "images_per_second": number(epoch.images_per_second),
    })
}

/// `names` are those of the net's heads.
pub(super) fn read_epoch(value: &Value, names: &[&'static str]) -> Read<Epoch> {
    let evaluation = |value| read_evaluation(value, names);
    Ok(Epoch {
        epoch: usize_of(value, "epoch")?,
        loss: f64_of(value, "loss")?,
        accuracy: accuracy_of(value)?,
        heads: list(value, "heads", |value| {
            Ok(HeadEpoch {
                name: name_of(value, names)?,
                loss: f64_of(value, "loss")?,
                accuracy: accuracy_of(value)?,
            })
        })?,
        validation: optional(value, "validation", evaluation)?,
        test: optional(value, "test", evaluation)?,
        learning_rate: f64_of(value, "learning_rate")?,
        seconds: f64_of(value, "seconds")?,
        images_per_second: f64_of(value, "images_per_second")?,
    })
}

fn head_epoch(head: &HeadEpoch) -> Value {
    json!({
        "name": head.name,
        "loss": number(head.loss),
        "accuracy": head.accuracy.map(number),
    })
}

fn accuracy_of(value: &Value) -> Read<Option<f64>> {
    match field(value, "accuracy")? {
        Value::Null => Ok(None),
        _ => f64_of(value, "accuracy").map(Some),
    }
}

fn name_of(value: &Value, names: &[&'static str]) -> Read<&'static str> {
    let name = text_of(value, "name")?;
    let own = names.iter().find(|own| **own == name);
    own.copied().ok_or_else(|| format!("the net has no head `{name}`"))
}

fn evaluation(evaluation: &Evaluation) -> Value {
    let heads: Vec<Value> = evaluation
        .heads
        .iter()
        .map(|head| {
            json!({
                "name": head.name,
                "loss": number(head.loss),
                "confusion": head.confusion.as_ref().map(confusion),
                "ranks": head.ranks,
            })
        })
        .collect();
    json!({
        "loss": number(evaluation.loss),
        "images": evaluation.images,
        "confusion": evaluation.confusion.as_ref().map(confusion),
        "heads": heads,
        "ranks": evaluation.ranks,
    })
}

fn read_evaluation(value: &Value, names: &[&'static str]) -> Read<Evaluation> {
    Ok(Evaluation {
        loss: f64_of(value, "loss")?,
        images: usize_of(value, "images")?,
        confusion: optional(value, "confusion", read_confusion)?,
        heads: list(value, "heads", |value| {
            Ok(HeadEvaluation {
                name: name_of(value, names)?,
                loss: f64_of(value, "loss")?,
                confusion: optional(value, "confusion", read_confusion)?,
                ranks: numbers_of(value, "ranks")?,
            })
        })?,
        ranks: numbers_of(value, "ranks")?,
    })
}

fn confusion(matrix: &ConfusionMatrix) -> Value {
    json!({ "classes": matrix.classes, "counts": matrix.counts, "names": matrix.names })
}

fn read_confusion(value: &Value) -> Read<ConfusionMatrix> {
    let (classes, counts) = (usize_of(value, "classes")?, numbers_of(value, "counts")?);
    if classes.checked_mul(classes) != Some(counts.len()) {
        return Err("`counts` are not those of the classes".into());
    }
    let name = |value: &Value| value.as_str().map(String::from).ok_or("`names` are no texts");
    let names = list(value, "names", |value| name(value).map_err(String::from))?;
    Ok(ConfusionMatrix { classes, counts, names })
}

pub(super) fn stopped(stopped: &Stopped) -> Value {
    let mut object = Map::new();
    let (kind, value) = match stopped {
        Stopped::Early { best_epoch } => ("early", json!(best_epoch)),
        Stopped::Callback(reason) => ("callback", json!(reason)),
        Stopped::Interrupted => ("interrupted", Value::Null),
    };
    object.insert(kind.into(), value);
    Value::Object(object)
}

pub(super) fn read_stopped(value: &Value) -> Read<Stopped> {
    if value.get("early").is_some() {
        return Ok(Stopped::Early { best_epoch: usize_of(value, "early")? });
    }
    if value.get("callback").is_some() {
        return Ok(Stopped::Callback(text_of(value, "callback")?.to_owned()));
    }
    Ok(Stopped::Interrupted)
}
