//! The fields of a row, and what is said about those that cannot be read.

use std::path::Path;

use super::advice;
use crate::{Error, Result};

/// A row, for errors.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) row: u64,
    /// Whether the row may be a header that was not announced.
    pub(super) may_be_header: bool,
}

impl Place<'_> {
    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Row { path: self.path.to_owned(), row: self.row, problem: problem.into() }
    }

    pub(super) fn text(&self) -> String {
        format!("{}: row {}", self.path.display(), self.row)
    }
}

/// How numbers are written.
#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) decimal_comma: bool,
}

impl Numbers {
    /// The field in Rust's notation; `None` where it cannot be a number of this kind.
    pub(super) fn plain(self, field: &str) -> Option<String> {
        match self.decimal_comma {
            true if field.contains('.') => None,
            true => Some(field.replacen(',', ".", 1)),
            false => Some(field.to_owned()),
        }
    }

    /// The number in a field; columns are counted from 0 here and from 1 in errors.
    pub(super) fn read(self, place: &Place<'_>, column: usize, field: &str) -> Result<f32> {
        let problem = |what: String| Err(place.problem(format!("column {}: {what}", column + 1)));
        let number = match self.decimal_comma {
            false => field.parse::<f32>().ok(),
            true => self.plain(field).and_then(|field| field.parse().ok()),
        };
        match number {
            Some(number) if number.is_finite() => Ok(number),
            Some(_) => problem(format!("{} is not finite", start(field))),
            None if field.is_empty() => problem("the number is missing".into()),
            None => {
                let advice = advice::no_number(field, self.decimal_comma, place.may_be_header);
                problem(format!("{:?} is no number{advice}", start(field)))
            }
        }
    }
}

/// As much of a field as fits in an error.
pub(super) fn start(field: &str) -> &str {
    let end = field.char_indices().nth(40).map_or(field.len(), |(end, _)| end);
    &field[..end]
}
