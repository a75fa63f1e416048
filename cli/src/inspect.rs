//! `typenet inspect`: what a weight file holds.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::table::{bytes, counted, grouped, table};

/// What the command shows of a file.
#[derive(Serialize)]
struct Inspection {
    tensors: Vec<Row>,
    numbers: usize,
    bytes: usize,
    metadata: BTreeMap<String, String>,
}

/// What the command shows of a tensor.
#[derive(Serialize)]
struct Row {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    numbers: usize,
    /// Of the finite numbers of a floating-point tensor.
    range: Option<Range>,
    not_finite: usize,
}

#[derive(Serialize)]
struct Range {
    min: f64,
    mean: f64,
    max: f64,
}

pub(crate) fn run(file: &Path, json: bool, out: &mut impl Write) -> Result<ExitCode> {
    let content = fs::read(file).map_err(Error::read(file))?;
    let inspection = inspect(file, &content)?;
    if json {
        let text = serde_json::to_string_pretty(&inspection).map_err(std::io::Error::from)?;
        writeln!(out, "{text}")?;
    } else {
        print(&inspection, out)?;
    }
    let damaged = inspection.tensors.iter().any(|row| row.not_finite > 0);
    Ok(if damaged { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn inspect(file: &Path, content: &[u8]) -> Result<Inspection> {
    let format = |problem: safetensors::SafeTensorError| Error::Format {
        path: file.to_owned(),
        problem: format!("not a safetensors file: {problem}"),
    };
    let (_, header) = SafeTensors::read_metadata(content).map_err(format)?;
    let tensors = SafeTensors::deserialize(content).map_err(format)?;
    let mut rows: Vec<(usize, Row)> = Vec::new();
    for (name, view) in tensors.iter() {
        let numbers: usize = view.shape().iter().product();
        let (range, not_finite) = statistics(view.dtype(), view.data());
        let row = Row {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            dtype: view.dtype().to_string(),
            numbers,
            range,
            not_finite,
        };
        // In the order of the file, which is that of the declaration where typenet wrote it.
        rows.push((view.data().as_ptr() as usize, row));
    }
    rows.sort_by_key(|(place, _)| *place);
    let tensors: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok(Inspection {
        numbers: tensors.iter().map(|row| row.numbers).sum(),
        tensors,
        bytes: content.len(),
        metadata: metadata.into_iter().collect(),
    })
}

/// Range and mean of the finite numbers, and how many are not finite.
fn statistics(dtype: Dtype, data: &[u8]) -> (Option<Range>, usize) {
    match dtype {
        Dtype::F64 => of_numbers(data, f64::from_le_bytes),
        Dtype::F32 => of_numbers(data, |bytes| f64::from(f32::from_le_bytes(bytes))),
        Dtype::F16 => of_numbers(data, |bytes| f16::from_le_bytes(bytes).to_f64()),
        Dtype::BF16 => of_numbers(data, |bytes| bf16::from_le_bytes(bytes).to_f64()),
        _ => (None, 0),
    }
}

fn of_numbers<const N: usize>(data: &[u8], number: fn([u8; N]) -> f64) -> (Option<Range>, usize) {
    let (numbers, _) = data.as_chunks::<N>();
    let (mut min, mut max, mut sum, mut finite) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0);
    for x in numbers.iter().map(|bytes| number(*bytes)).filter(|x| x.is_finite()) {
        (min, max, sum, finite) = (min.min(x), max.max(x), sum + x, finite + 1);
    }
    let range = (finite > 0).then(|| Range { min, mean: sum / finite as f64, max });
    (range, numbers.len() - finite)
}

fn print(inspection: &Inspection, out: &mut impl Write) -> Result<()> {
    let mut rows = table(&["tensor", "shape", "type", "numbers", "min", "mean", "max"], 3);
    for row in &inspection.tensors {
        let number = |of: fn(&Range) -> f64| {
            row.range.as_ref().map_or_else(|| "–".to_owned(), |range| format!("{:.4}", of(range)))
        };
        rows.add_row([
            row.name.clone(),
            format!("{:?}", row.shape),
            row.dtype.clone(),
            grouped(row.numbers),
            number(|range| range.min),
            number(|range| range.mean),
            number(|range| range.max),
        ]);
    }
    writeln!(out, "{rows}")?;
    writeln!(
        out,
        "{}, {}, {}",
        counted(inspection.tensors.len(), "tensor", "tensors"),
        counted(inspection.numbers, "number", "numbers"),
        bytes(inspection.bytes)
    )?;
    for (key, value) in &inspection.metadata {
        writeln!(out, "{key}: {}", shortened(value))?;
    }
    for row in inspection.tensors.iter().filter(|row| row.not_finite > 0) {
        writeln!(
            out,
            "warning: `{}` has {} of {} numbers that are NaN or infinite",
            row.name,
            grouped(row.not_finite),
            grouped(row.numbers)
        )?;
    }
    Ok(())
}

/// A value that fits a line.
fn shortened(value: &str) -> String {
    const LETTERS: usize = 160;
    if value.chars().count() <= LETTERS {
        value.to_owned()
    } else {
        value.chars().take(LETTERS - 1).chain(['…']).collect()
    }
}
