//! Values as they were written, and as an argument of some kind takes them.

use std::fmt;

use crate::layers::Kind;

/// The value of an argument.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A whole number from 0.
    Whole(usize),
    /// Any other number.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// Python's `True` or `False`.
    Python(bool),
    /// Text in quotes.
    Text(String),
    /// A word that stands for no number.
    Word(String),
    /// Several in parentheses.
    Many(Vec<Value>),
    /// Several in brackets.
    List(Vec<Value>),
    /// What stands for a number: a name, a path, arithmetic.
    Arithmetic(String),
    /// Python's `None`.
    Nothing,
    /// Anything else.
    Other(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Whole(number) => write!(f, "{number}"),
            Value::Number(number) => f.write_str(&decimal(*number)),
            Value::Flag(flag) | Value::Python(flag) => write!(f, "{flag}"),
            Value::Text(text) => write!(f, "\"{text}\""),
            Value::Word(text) | Value::Arithmetic(text) | Value::Other(text) => f.write_str(text),
            Value::Many(items) | Value::List(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                write!(f, "({})", items.join(", "))
            }
            Value::Nothing => f.write_str("None"),
        }
    }
}

/// A number as Rust writes it, without the noise behind the digits of an `f32`.
fn decimal(number: f64) -> String {
    let short = number as f32;
    if f64::from(short) == number || !number.is_finite() {
        format!("{number:?}")
    } else {
        format!("{short:?}")
    }
}

impl Value {
    /// The name in a text or a word, as other libraries name things.
    pub fn name(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Word(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number that it is, also in a pair of two equal ones.
    pub(super) fn whole(&self) -> Option<usize> {
        match self {
            Value::Whole(number) => Some(*number),
            Value::Number(number) if number.fract() == 0.0 && (0.0..1e9).contains(number) => {
                Some(*number as usize)
            }
            Value::Many(items) | Value::List(items) => match items.as_slice() {
                [one] => one.whole(),
                [one, other] if one == other => one.whole(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Height and width that it is, one number for both or two.
    pub(super) fn sides(&self) -> Option<[usize; 2]> {
        match self {
            Value::Many(items) | Value::List(items) => match items.as_slice() {
                [height, width] => Some([height.whole()?, width.whole()?]),
                _ => self.whole().map(|both| [both; 2]),
            },
            _ => self.whole().map(|both| [both; 2]),
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Whole(number) => Some(*number as f64),
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it says no or nothing.
    pub(super) fn is_off(&self) -> bool {
        matches!(self, Value::Flag(false) | Value::Python(false) | Value::Nothing | Value::Whole(0))
    }

    /// The text with which an argument of this kind takes it: `Some(None)` where the argument is left out,
    /// `None` where it takes no such value.
    pub fn taken(&self, kind: Kind) -> Option<Option<String>> {
        if *self == Value::Nothing {
            return Some(None);
        }
        let text = match kind {
            Kind::Count => self.count()?,
            Kind::Pair => self.pair()?,
            Kind::Padding => match self.name() {
                Some("valid" | "VALID") => return Some(None),
                Some("same" | "SAME") => "same".into(),
                _ => self.pair()?,
            },
            Kind::Flag => match self {
                Value::Flag(flag) | Value::Python(flag) => flag.to_string(),
                Value::Whole(number @ (0 | 1)) => (*number == 1).to_string(),
                Value::Arithmetic(word) if is_word(word) => word.clone(),
                _ => return None,
            },
            Kind::Number => match self {
                Value::Whole(_) | Value::Number(_) => self.to_string(),
                Value::Arithmetic(word) if is_word(word) => word.clone(),
                _ => return None,
            },
            Kind::Word(words) => {
                let word = self.name()?;
                words.iter().find(|known| **known == word)?.to_string()
            }
            Kind::Shape => match self {
                Value::Many(items) | Value::List(items) => {
                    let items: Option<Vec<String>> = items.iter().map(Value::count).collect();
                    format!("[{}]", items?.join(", "))
                }
                _ => format!("[{}]", self.count()?),
            },
        };
        Some(Some(text))
    }

    /// A whole number, or what stands for one.
    fn count(&self) -> Option<String> {
        match self {
            Value::Arithmetic(text) => Some(text.clone()),
            Value::Many(items) | Value::List(items) if items.len() != 1 => None,
            _ => self.whole().map(|number| number.to_string()),
        }
    }

    fn pair(&self) -> Option<String> {
        match self {
            Value::Many(items) | Value::List(items) => match items.as_slice() {
                [one, other] if one != other => {
                    Some(format!("({}, {})", one.count()?, other.count()?))
                }
                [one] | [one, _] => one.count(),
                _ => None,
            },
            _ => self.count(),
        }
    }
}

/// Whether a text is one word, which may stand for a parameter of a block.
fn is_word(text: &str) -> bool {
    text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}
