//! Which method of `Csv` reads what could not be read.

use crate::Error;

/// What often stands between fields.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// For a field that is no number.
pub(super) fn no_number(field: &str, decimal_comma: bool, may_be_header: bool) -> String {
    if !decimal_comma && has_decimal_comma(field) {
        return "; numbers with a decimal comma are read with `.decimal_comma(true)`".into();
    }
    if decimal_comma && field.contains('.') && is_number(&field.replace(['.', ','], "")) {
        return "; with `.decimal_comma(true)` numbers are written `1,5`, without points".into();
    }
    if may_be_header && field.contains(char::is_alphabetic) {
        return "; if this row names the columns, skip it with `.header(true)`".into();
    }
    String::new()
}

/// A row that cannot be read.
pub(super) struct Misfit {
    pub(super) record: Vec<String>,
    pub(super) inputs: usize,
    pub(super) targets: usize,
    pub(super) delimiter: char,
    pub(super) decimal_comma: bool,
    pub(super) may_be_header: bool,
}

impl Misfit {
    fn fields(&self) -> usize {
        self.inputs.saturating_add(self.targets)
    }

    fn line(&self) -> String {
        self.record.join(self.delimiter.to_string().as_str())
    }

    /// The row between other delimiters.
    fn others<'a>(&self, line: &'a str) -> Vec<(char, Vec<&'a str>)> {
        let others = DELIMITERS.into_iter().filter(|&other| other != self.delimiter);
        others.map(|other| (other, line.split(other).map(str::trim).collect())).collect()
    }

    /// The error of a field, which is another one if the row reads well between other delimiters.
    pub(super) fn explain(&self, error: Error) -> Error {
        let line = self.line();
        let fits = |(_, pieces): &&(char, Vec<&str>)| {
            let number = |piece: &&&str| is_number(piece) || has_decimal_comma(piece);
            let whole = |piece: &&str| !piece.contains(self.delimiter) || has_decimal_comma(piece);
            pieces.len() == self.fields()
                && pieces.iter().filter(number).count() >= self.inputs
                && pieces.iter().all(whole)
        };
        match (error, self.others(&line).iter().find(fits)) {
            (Error::Row { path, row, problem }, Some((other, pieces))) => {
                let methods = self.methods(*other, pieces);
                Error::Row { path, row, problem: format!("{problem}: read it with `{methods}`") }
            }
            (error, _) => error,
        }
    }

    /// What a row of another number of fields than it should have suggests.
    pub(super) fn advice(&self) -> String {
        let (fields, line) = (self.fields(), self.line());
        let others = self.others(&line);
        if let Some((other, pieces)) = others.iter().find(|(_, pieces)| pieces.len() == fields) {
            return format!(": read it with `{}`", self.methods(*other, pieces));
        }
        let alone = self.record.len() == 1;
        let most = others.iter().max_by_key(|(_, pieces)| pieces.len());
        if let Some((other, pieces)) = most.filter(|(_, pieces)| alone && pieces.len() > 1) {
            let methods = self.methods(*other, pieces);
            return format!("; `{methods}` would find {}", pieces.len());
        }
        if alone && line.split_whitespace().count() == fields {
            return match line.split(' ').count() == fields {
                true => ": read it with `.delimiter(b' ')`".into(),
                false => "; several spaces are no delimiter, write one comma there".into(),
            };
        }
        let pairs = 2 * self.record.len().div_ceil(2) == self.record.len();
        let doubled = match pairs {
            true => fields.checked_mul(2) == Some(self.record.len()),
            false => fields.checked_add(self.inputs) == Some(self.record.len()),
        };
        let whole = |field: &String| field.parse::<i64>().is_ok();
        if self.delimiter == ',' && doubled && self.record.iter().all(whole) {
            return "; numbers such as `0,5` need another delimiter, or quotes: separate the fields by \
                    `;`, and read them with `.delimiter(b';').decimal_comma(true)`"
                .into();
        }
        if self.is_header(self.record.iter().map(String::as_str)) {
            return "; if this row names the columns, skip it with `.header(true)`".into();
        }
        String::new()
    }

    /// The methods that read the row in these pieces.
    fn methods(&self, delimiter: char, pieces: &[&str]) -> String {
        let mut methods = format!(".delimiter(b'{}')", delimiter.escape_default());
        if !self.decimal_comma && pieces.iter().any(|piece| has_decimal_comma(piece)) {
            methods += ".decimal_comma(true)";
        }
        if self.is_header(pieces.iter().copied()) {
            methods += ".header(true)";
        }
        methods
    }

    /// Whether more than the label is text.
    fn is_header<'a>(&self, fields: impl Iterator<Item = &'a str>) -> bool {
        let text = |field: &&str| field.contains(char::is_alphabetic) && !is_number(field);
        self.may_be_header && fields.filter(text).count() > self.targets
    }
}

/// Whether this is a number like `0,5`, and no number with a point.
fn has_decimal_comma(field: &str) -> bool {
    field.matches(',').count() == 1 && !field.contains('.') && is_number(&field.replace(',', "."))
}

fn is_number(field: &str) -> bool {
    field.bytes().any(|byte| byte.is_ascii_digit()) && field.parse::<f64>().is_ok()
}
