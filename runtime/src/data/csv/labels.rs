//! Labels: numbers of classes, or their names.

use std::collections::HashMap;

use super::advice;
use super::field::{Numbers, Place, start};
use crate::error::nearest;
use crate::{Error, Result};

/// The order in which classes are numbered when labels are names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClassOrder {
    /// Sorted by name, byte by byte, whatever the order of the rows (`"10"` comes before `"9"`, and `"Z"`
    /// before `"a"`).
    #[default]
    Sorted,
    /// In the order in which they first appear in the table.
    Appearance,
}

/// What the labels of a table are.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) enum Kind {
    /// What the first one is: a number, or a name.
    #[default]
    AsFound,
    /// Names, also where they look like numbers.
    Names(ClassOrder),
    /// These names.
    Known(Vec<String>),
}

/// The labels that were read, and how to read the next one.
pub(super) struct Labels {
    /// The number of each row's class; for names in the order of appearance.
    pub(super) numbers: Vec<usize>,
    reading: Reading,
    /// How many classes there are; 0 if not given.
    classes: usize,
}

enum Reading {
    /// No label was read yet.
    Undecided,
    Numbers,
    Names {
        order: ClassOrder,
        names: Names,
        as_found: bool,
    },
    Known(Names),
}

#[derive(Default)]
struct Names {
    in_order: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Names {
    fn push(&mut self, name: &str) -> usize {
        let number = self.in_order.len();
        self.in_order.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

impl Labels {
    /// # Errors
    /// [`Error::Argument`] for names that are none.
    pub(super) fn new(kind: &Kind, classes: usize) -> Result<Labels> {
        let reading = match kind {
            Kind::AsFound => Reading::Undecided,
            Kind::Names(order) => {
                Reading::Names { order: *order, names: Names::default(), as_found: false }
            }
            Kind::Known(known) => {
                let argument = |value: String, expected| {
                    Err(Error::Argument { name: "class_names", value, expected })
                };
                let mut names = Names::default();
                for name in known {
                    if name.trim() != name || name.is_empty() {
                        return argument(format!("{name:?}"), "names without space around them");
                    }
                    if names.numbers.contains_key(name) {
                        return argument(format!("{name:?} twice"), "each name once");
                    }
                    names.push(name);
                }
                if known.is_empty() {
                    return argument("[]".into(), "at least one name");
                }
                Reading::Known(names)
            }
        };
        Ok(Labels { numbers: Vec::new(), reading, classes })
    }

    /// Reads one label.
    pub(super) fn add(&mut self, place: &Place<'_>, numbers: Numbers, field: &str) -> Result<()> {
        if let Reading::Undecided = self.reading {
            self.reading = match is_name(field) {
                false => Reading::Numbers,
                true => Reading::Names {
                    order: ClassOrder::default(),
                    names: Names::default(),
                    as_found: true,
                },
            };
        }
        let classes = self.classes;
        let number = match &mut self.reading {
            Reading::Undecided | Reading::Numbers => number(place, numbers, field, classes)?,
            Reading::Known(names) => match names.numbers.get(field) {
                Some(&number) => number,
                None => return Err(place.problem(unknown(field, &names.in_order))),
            },
            Reading::Names { .. } if field.is_empty() => {
                return Err(place.problem("the label is missing"));
            }
            Reading::Names { as_found: true, names, .. } if !is_name(field) => {
                let first = names.in_order.first().map_or("", String::as_str);
                let second = self.numbers.len() == 1;
                let header = match second {
                    true => "if the row above names the columns, skip it with `.header(true)`; ",
                    false => "",
                };
                return Err(place.problem(format!(
                    "the label {:?} is a number, and the first one, {:?}, is a name: {header}if all are \
                     names, say so with `.class_order(ClassOrder::Sorted)`",
                    start(field),
                    start(first)
                )));
            }
            Reading::Names { names, .. } => match names.numbers.get(field) {
                Some(&number) => number,
                None if names.in_order.len() == classes && classes > 0 => {
                    return Err(place.problem(format!(
                        "the label {:?} is one class more than the {classes} of `.classes({classes})`: {}",
                        start(field),
                        listed(&names.in_order)
                    )));
                }
                None => names.push(field),
            },
        };
        self.numbers.push(number);
        Ok(())
    }

    /// The number of each row's class, and the names of the classes.
    pub(super) fn finish(self) -> (Vec<usize>, Vec<String>) {
        let mut numbers = self.numbers;
        match self.reading {
            Reading::Undecided | Reading::Numbers => (numbers, Vec::new()),
            Reading::Known(names) => (numbers, names.in_order),
            Reading::Names { order: ClassOrder::Appearance, names, .. } => {
                (numbers, names.in_order)
            }
            Reading::Names { order: ClassOrder::Sorted, names: Names { in_order, .. }, .. } => {
                let mut sorted: Vec<(String, usize)> = in_order.into_iter().zip(0..).collect();
                sorted.sort();
                let mut new = vec![0; sorted.len()];
                for (number, (_, old)) in sorted.iter().enumerate() {
                    new[*old] = number;
                }
                numbers.iter_mut().for_each(|number| *number = new[*number]);
                (numbers, sorted.into_iter().map(|(name, _)| name).collect())
            }
        }
    }
}

/// Whether a label is a name: text that is no number of any kind.
fn is_name(field: &str) -> bool {
    !field.is_empty() && field.replace(',', ".").parse::<f64>().is_err()
}

/// The class whose number stands in a field: `3`, or `3.0`.
fn number(place: &Place<'_>, numbers: Numbers, field: &str, classes: usize) -> Result<usize> {
    let plain = numbers.plain(field).unwrap_or_default();
    // 2⁵³: below it every whole number is an f64.
    let whole = |x: &f64| x.fract() == 0.0 && (0.0..9007199254740992.0).contains(x);
    let number = match plain.parse::<usize>() {
        Ok(number) => Some(number),
        Err(_) => plain.parse::<f64>().ok().filter(whole).map(|x| x as usize),
    };
    match number {
        Some(label) if classes > 0 && label >= classes => {
            Err(Error::Label { place: place.text(), label, classes })
        }
        Some(number) => Ok(number),
        None => {
            let range = match classes {
                0 => ": labels are the numbers of classes, from 0".to_owned(),
                classes => format!(" 0..={}", classes - 1),
            };
            let advice = match is_name(field) {
                true => "; the first one is a number: if all are names, say so with \
                     `.class_order(ClassOrder::Sorted)`"
                    .to_owned(),
                false => advice::no_number(field, numbers.decimal_comma, false),
            };
            Err(place.problem(format!("{:?} is no label{range}{advice}", start(field))))
        }
    }
}

fn unknown(field: &str, names: &[String]) -> String {
    let listed = listed(names);
    if field.is_empty() {
        return format!("the label is missing; the classes are {listed}");
    }
    let advice = match nearest(field, names.iter()) {
        _ if !is_name(field) => {
            "; labels that are numbers get names with `Dataset::with_class_names`".to_owned()
        }
        Some(name) => format!(": did you mean {name:?}?"),
        None => String::new(),
    };
    format!("the label {:?} is none of {listed}{advice}", start(field))
}

/// The first names, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(8).map(|name| format!("{:?}", start(name))).collect();
    let more = match names.len().saturating_sub(8) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}
