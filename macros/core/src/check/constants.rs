//! The values of expressions: arithmetic over constants and parameters of blocks.

use std::collections::HashSet;
use std::fmt;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::Checker;
use super::names::{line_of, name_mistake};
use super::symbols::Rule;
use crate::Mistake;
use crate::mistake::{Place, nearest};
use crate::number::{Number, shape_text};
use crate::parse::{Constant, Expression, Form, Operator};

/// What an expression is worth.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    /// A whole number.
    Integer(usize),
    /// A whole number that only the compiler knows.
    Symbolic(Number),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Flag(bool),
    /// `(height, width)`
    Pair([Number; 2]),
    /// `[channels, height, width]`
    List(Vec<Number>),
    /// Anything else, as text.
    Other(String),
    /// A value with a mistake that is already reported.
    Wrong,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Symbolic(number) => write!(f, "{number}"),
            Value::Pair([height, width]) => write!(f, "({height}, {width})"),
            Value::List(items) => f.write_str(&shape_text(items)),
            Value::Other(text) => f.write_str(text),
            Value::Wrong => f.write_str("?"),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        match number.known() {
            Some(number) => Value::Integer(number),
            None => Value::Symbolic(number),
        }
    }
}

impl Value {
    /// The whole number that it is.
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            Value::Integer(number) => Some(Number::from(*number)),
            Value::Symbolic(number) => Some(number.clone()),
            _ => None,
        }
    }
}

/// The constants so far.
#[derive(Default)]
pub(super) struct Constants<'a> {
    known: Vec<(&'a Constant, Value)>,
    /// The one whose value is being read.
    reading: Option<usize>,
    /// The members of each cycle that is reported, in order.
    cycles: Vec<Vec<usize>>,
}

impl<'a> Checker<'a> {
    /// The constants in order, each of which may use those above it; then the heads of the blocks.
    pub(super) fn items(&mut self) {
        let body = self.body;
        for (index, constant) in body.constants.iter().enumerate() {
            let name = &constant.name;
            if let Some(mistake) = name_mistake(name, "a constant") {
                self.report(mistake);
                self.forgiven.insert(name.unraw().to_string());
            } else if let Some((other, _)) =
                self.constants.known.iter().find(|(other, _)| other.name == *name)
            {
                let line = line_of(other.name.span());
                let message = format!("`{name}` is already the name of a constant above{line}");
                self.report(Mistake::new(name.span(), message));
                self.forgiven.insert(name.unraw().to_string());
                continue;
            } else if let Some(mistake) = self.generic_taken(name) {
                self.report(mistake);
                self.forgiven.insert(name.unraw().to_string());
            }
            self.constants.reading = Some(index);
            let value = self.evaluate(&constant.value);
            self.constants.reading = None;
            let value = match value {
                value @ (Value::Integer(_) | Value::Symbolic(_) | Value::Wrong) => value,
                value => {
                    let what = format!("a constant is a whole number, not `{value}`");
                    let place = constant.value.place;
                    self.report(Mistake::about(&name.to_string(), place, what));
                    Value::Wrong
                }
            };
            if value == Value::Wrong {
                self.forgiven.insert(name.unraw().to_string());
            }
            self.constants.known.push((constant, value));
        }
        self.block_heads();
    }

    /// The value that a name stands for: of a parameter of the block, of a constant, or of a generic.
    pub(super) fn constant(&self, name: &Ident) -> Option<Value> {
        let parameters = self.uses.last().map(|one| one.values.as_slice()).unwrap_or_default();
        let parameter = parameters.iter().find(|(parameter, _)| *parameter == name);
        let constant = || self.constants.known.iter().find(|(one, _)| one.name == *name);
        match parameter {
            Some((_, value)) => Some(value.clone()),
            None => constant().map(|(_, value)| value.clone()).or_else(|| self.generic(name)),
        }
    }

    /// Whether a parameter of the block has part in the value.
    pub(super) fn depends_on_use(&self, value: &Expression) -> bool {
        match &value.form {
            Form::Name(name) => self
                .uses
                .last()
                .is_some_and(|one| one.block.parameters.iter().any(|p| p.name == *name)),
            Form::Negative(inner) => self.depends_on_use(inner),
            Form::Arithmetic(sides, _) | Form::Pair(sides) => {
                sides.iter().any(|side| self.depends_on_use(side))
            }
            Form::List(items) => items.iter().any(|item| self.depends_on_use(item)),
            _ => false,
        }
    }

    /// The value of an expression; a mistake in it is reported.
    pub(super) fn evaluate(&mut self, written: &Expression) -> Value {
        match &written.form {
            Form::Integer(number) => Value::Integer(*number),
            Form::Float(number) => Value::Float(*number),
            Form::Flag(flag) => Value::Flag(*flag),
            Form::Name(name) => match self.constant(name) {
                Some(value) => {
                    self.mention_constant(name);
                    value
                }
                None => {
                    self.unknown_constant(name);
                    Value::Wrong
                }
            },
            Form::Negative(inner) => match self.evaluate(inner) {
                Value::Float(number) => Value::Float(-number),
                Value::Wrong => Value::Wrong,
                Value::Integer(0) => Value::Integer(0),
                Value::Integer(number) => {
                    self.arithmetic_mistake(written, &format!("is negative: -{number}"));
                    Value::Wrong
                }
                _ => Value::Other(written.to_string()),
            },
            Form::Arithmetic(sides, operator) => {
                match (self.operand(written, &sides[0]), self.operand(written, &sides[1])) {
                    (Some(left), Some(right)) => self.result(written, left, *operator, right),
                    _ => Value::Wrong,
                }
            }
            Form::Path(path) => self.symbol(path).into(),
            Form::Pair(sides) => {
                let sides = [self.evaluate(&sides[0]), self.evaluate(&sides[1])];
                match (sides[0].number(), sides[1].number()) {
                    (Some(height), Some(width)) => Value::Pair([height, width]),
                    _ if sides.contains(&Value::Wrong) => Value::Wrong,
                    _ => Value::Other(format!("({}, {})", sides[0], sides[1])),
                }
            }
            Form::List(items) => {
                let values: Vec<Value> = items.iter().map(|item| self.evaluate(item)).collect();
                match values.iter().map(Value::number).collect() {
                    Some(numbers) => Value::List(numbers),
                    None if values.contains(&Value::Wrong) => Value::Wrong,
                    None => Value::Other(written.to_string()),
                }
            }
            Form::Other(text) => Value::Other(text.clone()),
            Form::Wrong => Value::Wrong,
        }
    }

    fn operand(&mut self, whole: &Expression, side: &Expression) -> Option<Number> {
        match self.evaluate(side) {
            Value::Wrong => None,
            value => {
                let number = value.number();
                if number.is_none() {
                    let what = format!("`{whole}`: arithmetic takes whole numbers, not `{value}`");
                    self.value_mistake(side, &what, "");
                }
                number
            }
        }
    }

    fn result(
        &mut self,
        whole: &Expression,
        left: Number,
        operator: Operator,
        right: Number,
    ) -> Value {
        let result = match operator {
            Operator::Add => left.add(&right),
            Operator::Subtract => left.subtract(&right),
            Operator::Multiply => left.multiply(&right),
            Operator::Divide => left.divide(&right),
            Operator::Remainder => left.remainder(&right),
        };
        if let Some(result) = result {
            self.leave_arithmetic(whole, left, operator, right);
            return result.into();
        }
        let what = match operator {
            Operator::Subtract => "is negative",
            Operator::Divide | Operator::Remainder => "divides by zero",
            Operator::Add | Operator::Multiply => "is too large a number",
        };
        self.arithmetic_mistake(whole, &format!("{what}: {left} {operator} {right}"));
        Value::Wrong
    }

    /// Leaves to the compiler what may be wrong with a result that is not known here.
    fn leave_arithmetic(
        &mut self,
        whole: &Expression,
        left: Number,
        operator: Operator,
        right: Number,
    ) {
        let negative = operator == Operator::Subtract
            && left.subtract(&right).is_none_or(|result| !result.is_plain());
        let by_zero =
            matches!(operator, Operator::Divide | Operator::Remainder) && right.known().is_none();
        if !negative && !by_zero {
            return;
        }
        let spot = self.spot_of_value(whole);
        let name = match self.uses.last() {
            Some(one) if self.depends_on_use(whole) => one.name.clone(),
            _ => String::new(),
        };
        let (text, sides) = (whole.to_string(), [left, right]);
        self.leave(
            spot,
            match operator {
                Operator::Subtract => Rule::Difference(name, text, sides),
                operator => Rule::Divisor(name, text, sides, operator),
            },
        );
    }

    fn arithmetic_mistake(&mut self, whole: &Expression, what: &str) {
        let help =
            if what.starts_with("is negative") { "every number here is 0 or more" } else { "" };
        self.value_mistake(whole, &format!("`{whole}` {what}"), help);
    }

    fn value_mistake(&mut self, value: &Expression, what: &str, help: &str) {
        let mistake = match self.uses.last().map(|one| one.name.clone()) {
            Some(name) if self.depends_on_use(value) => self.blame(&name, value.place, what),
            _ => Mistake::new(value.place, what),
        };
        self.report(mistake.help(help));
    }

    /// Reports a constant that is made of itself by way of this one, which the constant being read
    /// uses; returns whether it is.
    fn cycle(&mut self, name: &Ident) -> bool {
        let Some(mut members) = self.constants.reading.and_then(|to| self.way(name, to)) else {
            return false;
        };
        let constants = &self.body.constants;
        let text = |index: &usize| constants[*index].name.unraw().to_string();
        let names: Vec<String> = members.iter().map(text).collect();
        members.sort_unstable();
        // Each member would say it again.
        if self.constants.cycles.contains(&members) {
            return true;
        }
        self.constants.cycles.push(members);
        self.forgiven.extend(names.iter().cloned());
        let (way, last) = (names.join(" → "), names.last().cloned().unwrap_or_default());
        let message = match names.len() {
            1 => format!("constant `{last}` is made of itself, a cycle: {last} → {way}"),
            _ => format!("these constants are made of each other, a cycle: {last} → {way}"),
        };
        let help = format!("give `{last}` a number: `const {last}: usize = 8;`, say");
        self.report(Mistake::new(name.span(), message).help(help));
        true
    }

    /// The constants on the shortest way from this one to the one of index `to`, by what each is made
    /// of; the last is that one.
    fn way(&self, from: &Ident, to: usize) -> Option<Vec<usize>> {
        let constants = &self.body.constants;
        let position = |name: &Ident| constants.iter().position(|one| one.name == *name);
        let from = position(from)?;
        let (mut ways, mut seen, mut next) = (vec![vec![from]], HashSet::from([from]), 0);
        loop {
            let way = ways.get(next)?.clone();
            let last = *way.last()?;
            if last == to {
                return Some(way);
            }
            let further = constants[last].value.names().into_iter().filter_map(position);
            for one in further.filter(|&one| seen.insert(one)) {
                ways.push([way.as_slice(), &[one]].concat());
            }
            next += 1;
        }
    }

    /// Says in one that there are no such constants, where several among these values are none.
    pub(super) fn unknown_constants(&mut self, values: &[&Expression]) {
        let declared = |name: &Ident| self.body.constants.iter().any(|one| one.name == *name);
        let mut unknown: Vec<&Ident> = Vec::new();
        for name in values.iter().flat_map(|value| value.names()) {
            let known = self.constant(name).is_some()
                || declared(name)
                || self.frames.iter().any(|frame| frame.writes(&name.unraw().to_string()));
            if !known && !unknown.contains(&name) {
                unknown.push(name);
            }
        }
        let [first, .., last] = unknown.as_slice() else { return };
        if self.open_generics {
            return;
        }
        if unknown.iter().any(|name| self.near(&name.unraw().to_string()).is_some()) {
            return;
        }
        let list = |form: &dyn Fn(&Ident) -> String| {
            unknown.iter().map(|name| form(name)).collect::<Vec<_>>().join(", ")
        };
        let message = format!("there are no constants {}", list(&|name| format!("`{name}`")));
        let help = format!(
            "write {} for those of your program, or declare each before the layers: `const {first}: usize = …;`",
            list(&|name| format!("`self::{name}`"))
        );
        let place = Place { start: first.span(), end: last.span() };
        self.unknown_names.extend(unknown.iter().map(|name| name.unraw().to_string()));
        self.report(Mistake::new(place, message).help(help));
    }

    /// The constant, generic or parameter that a name most likely stands for.
    fn near(&self, text: &str) -> Option<String> {
        let parameters = self.uses.last().map(|one| one.block.parameters.as_slice());
        let names: Vec<String> = parameters
            .unwrap_or_default()
            .iter()
            .map(|parameter| parameter.name.to_string())
            .chain(self.body.constants.iter().map(|constant| constant.name.to_string()))
            .chain(self.generics.iter().map(|(generic, _)| generic.name.to_string()))
            .collect();
        nearest(text, names.iter().map(String::as_str)).map(str::to_string)
    }

    fn unknown_constant(&mut self, name: &Ident) {
        let text = name.unraw().to_string();
        let (place, body) = (name.span(), self.body);
        if body.constants.iter().any(|constant| constant.name == *name) {
            if !self.cycle(name) {
                let message = format!("`{text}` is used above its line");
                let help = "a constant stands above its use";
                self.report(Mistake::new(place, message).help(help));
            }
            return;
        }
        if self.frames.iter().any(|frame| frame.writes(&text)) {
            let message = format!("`{text}` names a layer, and a number is expected here");
            self.forgiven.insert(text);
            self.report(Mistake::new(place, message));
            return;
        }
        // One constant that is not declared is one mistake, however often it is used.
        if !self.unknown_names.insert(text.clone()) || self.open_generics {
            self.found += 1;
            return;
        }
        let parameters = self.uses.last().map(|one| one.block.parameters.as_slice());
        let near = self.near(&text);
        let (what, help) = match (parameters, near) {
            (_, Some(near)) => {
                let help = format!("did you mean `{near}`?");
                self.forgiven.insert(near);
                ("constant", help)
            }
            (Some(_), None) => (
                "constant or parameter",
                format!(
                    "declare `const {text}: usize = …;` before the layers, or the block's parameter `{text}`"
                ),
            ),
            (None, None) if self.takes_paths => (
                "constant",
                format!(
                    "declare `const {text}: usize = …;` before the layers, or write `self::{text}` for one of your crate"
                ),
            ),
            (None, None) => {
                ("constant", format!("declare `const {text}: usize = …;` before the layers"))
            }
        };
        self.report(Mistake::new(place, format!("there is no {what} `{text}`")).help(help));
    }
}
