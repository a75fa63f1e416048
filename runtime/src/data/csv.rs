use std::io::Read;
use std::path::Path;

use ::csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::Dataset;
use super::source::Source;
use crate::{Error, Result};
use typenet_engine::Flat;

/// How a table of numbers is laid out: one example a row.
///
/// Unless changed there is no header, fields are separated by commas, and the label is the last
/// column. Space around fields is ignored, and so are empty lines.
///
/// ```
/// use typenet_runtime::data::{Csv, Dataset};
///
/// # fn main() -> Result<(), typenet_runtime::Error> {
/// let table = "class;width;height\n1;4;8\n0;2;2\n";
/// let csv = Csv::new().header(true).delimiter(b';').label_first().classes(2).scale(0.5);
/// let data = Dataset::<[f32; 2]>::from_csv_reader("table", table.as_bytes(), &csv)?;
/// assert_eq!(data.inputs(), [[2.0, 4.0], [1.0, 1.0]]);
/// assert_eq!(data.targets(), [1, 0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Csv {
    header: bool,
    delimiter: u8,
    /// The first column of the label or the targets; the last ones if `None`.
    label: Option<usize>,
    scale: f32,
    classes: usize,
}

impl Default for Csv {
    fn default() -> Csv {
        Csv { header: false, delimiter: b',', label: None, scale: 1.0, classes: 0 }
    }
}

impl Csv {
    /// No header, commas, the label in the last column.
    pub fn new() -> Csv {
        Csv::default()
    }

    /// Whether the first row names the columns and is skipped (`false`).
    #[must_use]
    pub fn header(self, header: bool) -> Csv {
        Csv { header, ..self }
    }

    /// What separates the fields (`b','`).
    #[must_use]
    pub fn delimiter(self, delimiter: u8) -> Csv {
        Csv { delimiter, ..self }
    }

    /// The label is the first column, or the targets are the first columns.
    #[must_use]
    pub fn label_first(self) -> Csv {
        self.label_column(0)
    }

    /// The label is column `index`, or the targets start there, counted from 0.
    #[must_use]
    pub fn label_column(self, index: usize) -> Csv {
        Csv { label: Some(index), ..self }
    }

    /// What each input is multiplied by (1.0): `1.0 / 255.0` turns bytes into numbers 0..=1. Targets
    /// are not scaled.
    #[must_use]
    pub fn scale(self, scale: f32) -> Csv {
        Csv { scale, ..self }
    }

    /// How many classes there are: labels are 0 to `classes − 1`. It must be given for tables with
    /// labels, and means nothing for others.
    #[must_use]
    pub fn classes(self, classes: usize) -> Csv {
        Csv { classes, ..self }
    }
}

impl<I: Flat> Dataset<I, usize> {
    /// Reads a table with as many columns of inputs as `I` has numbers, the last dimension running
    /// fastest, and one column of labels: `3`, or `3.0` as some programs write it. The file may be
    /// compressed with gzip.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Row`] when a row has another number of
    /// fields, or a field is missing, not a number, NaN, infinite or not a label, or there are no
    /// rows, [`Error::Label`] for a label outside the classes, [`Error::Format`] when gzip data is
    /// damaged, [`Error::Argument`] when `csv` lacks the classes or its delimiter cannot be one.
    /// Rows count from 1 with the header and without empty lines.
    ///
    /// ```no_run
    /// use typenet_runtime::data::{Csv, Dataset};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let csv = Csv::new().classes(10).scale(1.0 / 16.0);
    /// let digits = Dataset::<[[[f32; 8]; 8]; 1]>::from_csv("digits.csv.gz", &csv)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_csv(path: impl AsRef<Path>, csv: &Csv) -> Result<Self> {
        labelled(Source::open(path.as_ref())?, csv)
    }

    /// As [`from_csv`](Self::from_csv), from a reader; `name` stands for the path in errors.
    ///
    /// # Errors
    /// As [`from_csv`](Self::from_csv).
    pub fn from_csv_reader(name: impl AsRef<Path>, reader: impl Read, csv: &Csv) -> Result<Self> {
        labelled(Source::new(name.as_ref(), reader)?, csv)
    }
}

impl<I: Flat, T: Flat + Clone> Dataset<I, T> {
    /// Reads a table with as many columns of inputs as `I` has numbers and as many columns of
    /// targets as `T` has: the last ones, unless `csv` says otherwise. The file may be compressed
    /// with gzip.
    ///
    /// # Errors
    /// As [`from_csv`](Dataset::from_csv), but for labels and classes.
    pub fn from_csv_values(path: impl AsRef<Path>, csv: &Csv) -> Result<Self> {
        values(Source::open(path.as_ref())?, csv)
    }

    /// As [`from_csv_values`](Self::from_csv_values), from a reader; `name` stands for the path in
    /// errors.
    ///
    /// # Errors
    /// As [`from_csv_values`](Self::from_csv_values).
    ///
    /// ```
    /// use typenet_runtime::data::{Csv, Dataset};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let table = "0.5, 1, 1.5, 0.5\n2, 2, 4, 4\n".as_bytes();
    /// let data = Dataset::<[f32; 2], [f32; 2]>::from_csv_values_reader("sums", table, &Csv::new())?;
    /// assert_eq!(data.inputs(), [[0.5, 1.0], [2.0, 2.0]]);
    /// assert_eq!(data.targets(), [[1.5, 0.5], [4.0, 4.0]]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_csv_values_reader(
        name: impl AsRef<Path>,
        reader: impl Read,
        csv: &Csv,
    ) -> Result<Self> {
        values(Source::new(name.as_ref(), reader)?, csv)
    }
}

fn labelled<I: Flat>(source: Source<'_>, csv: &Csv) -> Result<Dataset<I, usize>> {
    let classes = csv.classes;
    if classes == 0 {
        let expected = "the number of classes, at least 1, with `Csv::classes`";
        return Err(Error::Argument { name: "classes", value: "0".into(), expected });
    }
    let mut labels = Vec::new();
    let inputs = rows::<I>(source, csv, 1, "the label", |place, _, field| {
        let label = match field.parse::<usize>() {
            Ok(label) => label,
            // 2⁵³: below it every whole number is an f64.
            Err(_) => match field.parse::<f64>() {
                Ok(x) if x.fract() == 0.0 && (0.0..9007199254740992.0).contains(&x) => x as usize,
                _ => {
                    return Err(place.problem(format!(
                        "{:?} is no label 0..={}",
                        start(field),
                        classes - 1
                    )));
                }
            },
        };
        if label >= classes {
            return Err(Error::Label { place: place.text(), label, classes });
        }
        labels.push(label);
        Ok(())
    })?;
    Dataset::from_flat(inputs, labels)
}

fn values<I: Flat, T: Flat + Clone>(source: Source<'_>, csv: &Csv) -> Result<Dataset<I, T>> {
    if T::LEN == 0 {
        return Err(Error::size("numbers of a target", "at least 1", 0));
    }
    let mut numbers = Vec::new();
    let targets = format!("{} targets", T::LEN);
    let inputs = rows::<I>(source, csv, T::LEN, &targets, |place, column, field| {
        numbers.push(number(place, column, field)?);
        Ok(())
    })?;
    let targets = T::slice_from_flat(&numbers).unwrap_or_default().to_vec();
    Dataset::from_flat(inputs, targets)
}

/// A row, for errors.
struct Place<'a> {
    path: &'a Path,
    row: u64,
}

impl Place<'_> {
    fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Row { path: self.path.to_owned(), row: self.row, problem: problem.into() }
    }

    fn text(&self) -> String {
        format!("{}: row {}", self.path.display(), self.row)
    }
}

/// Reads all rows: returns the inputs, and gives the `targets` fields of each to `target` with
/// their column.
fn rows<I: Flat>(
    source: Source<'_>,
    csv: &Csv,
    targets: usize,
    target_name: &str,
    mut target: impl FnMut(&Place<'_>, usize, &str) -> Result<()>,
) -> Result<Vec<f32>> {
    check(csv)?;
    let fields = I::LEN.saturating_add(targets);
    let first = csv.label.unwrap_or(I::LEN);
    if first > I::LEN {
        return Err(Error::Argument {
            name: "label_column",
            value: first.to_string(),
            expected: "at most the number of input columns",
        });
    }
    let path = source.path().to_owned();
    let mut reader = ReaderBuilder::new()
        .delimiter(csv.delimiter)
        .has_headers(false)
        // Rows of other lengths get our own error.
        .flexible(true)
        .from_reader(source.skip_byte_order_mark()?);
    let mut record = ByteRecord::new();
    let mut inputs = Vec::new();
    let mut place = Place { path: &path, row: 0 };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => place.row += 1,
            Ok(false) => break,
            Err(error) => {
                return Err(match error.into_kind() {
                    ErrorKind::Io(error) => reader.get_ref().failure(error),
                    other => place.problem(format!("after this row: {other:?}")),
                });
            }
        }
        if csv.header && place.row == 1 {
            continue;
        }
        record.trim();
        if record.len() != fields {
            let problem = format!(
                "expected {fields} fields ({} inputs and {target_name}), found {}",
                I::LEN,
                record.len()
            );
            return Err(place.problem(problem));
        }
        for (column, field) in record.iter().enumerate() {
            let Ok(field) = str::from_utf8(field) else {
                return Err(place.problem(format!("column {} is no text", column + 1)));
            };
            if (first..first + targets).contains(&column) {
                target(&place, column, field)?;
            } else {
                let scaled = csv.scale * number(&place, column, field)?;
                if !scaled.is_finite() {
                    let problem = format!(
                        "column {}: {} × {} overflows",
                        column + 1,
                        start(field),
                        csv.scale
                    );
                    return Err(place.problem(problem));
                }
                inputs.push(scaled);
            }
        }
    }
    if place.row <= u64::from(csv.header) {
        place.row += 1;
        return Err(place.problem("expected a row of numbers, but the file has none"));
    }
    Ok(inputs)
}

fn check(csv: &Csv) -> Result<()> {
    let delimiter = csv.delimiter;
    if delimiter.is_ascii_alphanumeric() || b"+-.\"\r\n".contains(&delimiter) {
        return Err(Error::Argument {
            name: "delimiter",
            value: format!("b{:?}", char::from(delimiter)),
            expected: "a byte that is not part of numbers, quotes or line ends",
        });
    }
    if !csv.scale.is_finite() {
        let value = csv.scale.to_string();
        return Err(Error::Argument { name: "scale", value, expected: "a finite number" });
    }
    Ok(())
}

/// The number in a field; columns are counted from 0 here and from 1 in errors.
fn number(place: &Place<'_>, column: usize, field: &str) -> Result<f32> {
    let problem = |what: String| Err(place.problem(format!("column {}: {what}", column + 1)));
    match field.parse::<f32>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => problem(format!("{} is not finite", start(field))),
        Err(_) if field.is_empty() => problem("the number is missing".into()),
        Err(_) => problem(format!("{:?} is no number", start(field))),
    }
}

/// As much of a field as fits in an error.
fn start(field: &str) -> &str {
    let end = field.char_indices().nth(40).map_or(field.len(), |(end, _)| end);
    &field[..end]
}
