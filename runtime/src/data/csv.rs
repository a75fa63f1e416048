use std::io::Read;
use std::path::Path;

use ::csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::Dataset;
use super::source::Source;
use crate::{Error, Result};
use advice::Misfit;
use blanks::WithoutBlanks;
use field::{Numbers, Place, start};
pub use labels::ClassOrder;
use labels::Labels;
use typenet_engine::Flat;

mod advice;
mod blanks;
mod field;
mod labels;

/// The layout of a table of numbers, with one example per row.
///
/// | method | default |
/// |---|---|
/// | [`header`](Self::header) | `false`: the first row is an example |
/// | [`delimiter`](Self::delimiter) | `b','` |
/// | [`decimal_comma`](Self::decimal_comma) | `false`: numbers are written `0.5` |
/// | [`label_first`](Self::label_first), [`label_column`](Self::label_column) | the last column |
/// | [`scale`](Self::scale) | 1.0 |
/// | [`classes`](Self::classes) | as many as the labels need |
/// | [`class_order`](Self::class_order), [`class_names`](Self::class_names) | labels are numbers, or names that are sorted |
///
/// Space around fields is ignored, and so are empty lines. A field may stand in quotes.
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
    /// 0 if not given.
    classes: usize,
    kind: labels::Kind,
    decimal_comma: bool,
}

impl Default for Csv {
    fn default() -> Csv {
        Csv {
            header: false,
            delimiter: b',',
            label: None,
            scale: 1.0,
            classes: 0,
            kind: labels::Kind::default(),
            decimal_comma: false,
        }
    }
}

impl Csv {
    /// No header, commas, the label in the last column: a number, or the name of a class.
    pub fn new() -> Csv {
        Csv::default()
    }

    /// Whether the first row names the columns and is skipped; `false` by default.
    #[must_use]
    pub fn header(self, header: bool) -> Csv {
        Csv { header, ..self }
    }

    /// What separates the fields; `b','` by default.
    #[must_use]
    pub fn delimiter(self, delimiter: u8) -> Csv {
        Csv { delimiter, ..self }
    }

    /// Whether numbers are written `0,5`, as in many European tables; `false` by default. Something else,
    /// `;` most often, then separates the fields, or they stand in quotes. Numbers may then have no points:
    /// `1.000` could be 1 or 1000.
    ///
    /// ```
    /// use typenet_runtime::data::{Csv, Dataset};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let csv = Csv::new().delimiter(b';').decimal_comma(true);
    /// let data = Dataset::<[f32; 2]>::from_csv_reader("table", &b"0,5;1,25;1"[..], &csv)?;
    /// assert_eq!(data.inputs(), [[0.5, 1.25]]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn decimal_comma(self, decimal_comma: bool) -> Csv {
        Csv { decimal_comma, ..self }
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

    /// What each input is multiplied by, 1.0 by default: `1.0 / 255.0` turns bytes into numbers 0..=1.
    /// Targets are not scaled.
    #[must_use]
    pub fn scale(self, scale: f32) -> Csv {
        Csv { scale, ..self }
    }

    /// How many classes there are: labels are 0 to `classes − 1`, or at most this many names. Without it
    /// any labels are read; training then refuses a label that the net has no output for, without naming
    /// its row. Tables without labels ignore it.
    #[must_use]
    pub fn classes(self, classes: usize) -> Csv {
        Csv { classes, ..self }
    }

    /// Labels are the names of classes, also where they look like numbers, and the classes are numbered
    /// in this order. Without it, labels are names if the first one is no number, and the names are sorted.
    ///
    /// The names become the data set's [`class_names`](Dataset::class_names); training gives them to the
    /// net, which saves them with its weights.
    ///
    /// ```
    /// use typenet_runtime::data::{ClassOrder, Csv, Dataset};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let table = "4.2, dog\n0.3, cat\n5.1, dog\n".as_bytes();
    /// let data = Dataset::<[f32; 1]>::from_csv_reader("pets", table, &Csv::new())?;
    /// assert_eq!((data.class_names().join(" "), data.targets()), ("cat dog".into(), &[1, 0, 1][..]));
    ///
    /// let csv = Csv::new().class_order(ClassOrder::Appearance);
    /// let data = Dataset::<[f32; 1]>::from_csv_reader("pets", table, &csv)?;
    /// assert_eq!((data.class_names().join(" "), data.targets()), ("dog cat".into(), &[0, 1, 0][..]));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn class_order(self, order: ClassOrder) -> Csv {
        Csv { kind: labels::Kind::Names(order), ..self }
    }

    /// Labels are these names, and the classes are numbered in their order: for a test set, give those of
    /// the training set. Any other label is an error.
    ///
    /// ```
    /// use typenet_runtime::data::{Csv, Dataset};
    ///
    /// # fn main() -> Result<(), typenet_runtime::Error> {
    /// let table = "4.2, dog\n0.3, cat\n".as_bytes();
    /// let train = Dataset::<[f32; 1]>::from_csv_reader("train", table, &Csv::new())?;
    /// let csv = Csv::new().class_names(train.class_names());
    /// let test = Dataset::<[f32; 1]>::from_csv_reader("test", &b"3.9, dog"[..], &csv)?;
    /// assert_eq!(test.targets(), [1]);
    ///
    /// let error = Dataset::<[f32; 1]>::from_csv_reader("test", &b"3.9, dgo"[..], &csv).unwrap_err();
    /// let expected = r#"test: row 1: the label "dgo" is none of "cat", "dog": did you mean "dog"?"#;
    /// assert_eq!(error.to_string(), expected);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn class_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Csv {
        Csv { kind: labels::Kind::Known(names.into_iter().map(Into::into).collect()), ..self }
    }
}

impl<I: Flat> Dataset<I, usize> {
    /// Reads a table with as many columns of inputs as `I` has numbers, in row-major order, and one column
    /// of labels: `3`, or `3.0` as some programs write it, or names. The file may be compressed with gzip.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::Row`] when a row has another number of fields,
    /// a field is missing, not a number, NaN, infinite or not a label, or there are no rows;
    /// [`Error::Label`] for a label outside the classes; [`Error::Format`] when gzip data is damaged;
    /// [`Error::Argument`] when `csv` has class names that cannot be names, or a delimiter that cannot be
    /// one.
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
    let mut labels = Labels::new(&csv.kind, csv.classes)?;
    let inputs = rows::<I>(source, csv, 1, "the label", |place, numbers, _, field| {
        labels.add(place, numbers, field)
    })?;
    let (labels, names) = labels.finish();
    Ok(Dataset::from_flat(inputs, labels)?.with_class_names(names))
}

fn values<I: Flat, T: Flat + Clone>(source: Source<'_>, csv: &Csv) -> Result<Dataset<I, T>> {
    if T::LEN == 0 {
        return Err(Error::size("numbers of a target", "at least 1", 0));
    }
    let mut numbers = Vec::new();
    let targets = format!("{} targets", T::LEN);
    let inputs = rows::<I>(source, csv, T::LEN, &targets, |place, how, column, field| {
        numbers.push(how.read(place, column, field)?);
        Ok(())
    })?;
    let targets = T::slice_from_flat(&numbers).unwrap_or_default().to_vec();
    Dataset::from_flat(inputs, targets)
}

/// Reads all rows: returns the inputs, and gives the `targets` fields of each to `target` with
/// their column.
fn rows<I: Flat>(
    source: Source<'_>,
    csv: &Csv,
    targets: usize,
    target_name: &str,
    mut target: impl FnMut(&Place<'_>, Numbers, usize, &str) -> Result<()>,
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
        .from_reader(WithoutBlanks::new(source.skip_byte_order_mark()?, csv.delimiter));
    let mut record = ByteRecord::new();
    let mut inputs = Vec::new();
    let numbers = Numbers { decimal_comma: csv.decimal_comma };
    let mut place = Place { path: &path, row: 0, may_be_header: false };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => place.row += 1,
            Ok(false) => break,
            Err(error) => {
                return Err(match error.into_kind() {
                    ErrorKind::Io(error) => reader.get_ref().table.failure(error),
                    other => place.problem(format!("after this row: {other:?}")),
                });
            }
        }
        if csv.header && place.row == 1 {
            continue;
        }
        place.may_be_header = !csv.header && place.row == 1;
        record.trim();
        if record.len() != fields {
            let problem = format!(
                "expected {fields} fields ({} inputs and {target_name}), found {}{}",
                I::LEN,
                record.len(),
                misfit(&record, csv, [I::LEN, targets], place.may_be_header).advice()
            );
            return Err(place.problem(problem));
        }
        for (column, field) in record.iter().enumerate() {
            let Ok(field) = str::from_utf8(field) else {
                return Err(place.problem(format!("column {} is no text", column + 1)));
            };
            let read = match (first..first + targets).contains(&column) {
                true => target(&place, numbers, column, field).map(|()| None),
                false => numbers.read(&place, column, field).map(Some),
            };
            let read = read.map_err(|error| {
                misfit(&record, csv, [I::LEN, targets], place.may_be_header).explain(error)
            })?;
            if let Some(number) = read {
                let scaled = csv.scale * number;
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

/// A row that cannot be read, for what it suggests.
fn misfit(
    record: &ByteRecord,
    csv: &Csv,
    [inputs, targets]: [usize; 2],
    may_be_header: bool,
) -> Misfit {
    // A row of any length is looked at, but no more of it than tells what it is.
    let fields = record.iter().take(1 << 16);
    Misfit {
        record: fields.map(|field| String::from_utf8_lossy(field).into_owned()).collect(),
        inputs,
        targets,
        delimiter: char::from(csv.delimiter),
        decimal_comma: csv.decimal_comma,
        may_be_header,
    }
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
