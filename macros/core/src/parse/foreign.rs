//! Arguments as [`foreign`](crate::foreign) reads them, and layers of the calls that it gives back.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

use super::arguments;
use super::expression::pieces;
use super::{Argument, Expression, Form, Layer, Operator, flat};
use crate::foreign::{self, Call, Value};

impl Argument {
    /// What another library's user may have meant; `None` where it has a mistake already.
    /// `is_number` says whether a word stands for a number.
    pub(crate) fn elsewhere(
        &self,
        is_number: &dyn Fn(&Ident) -> bool,
    ) -> Option<foreign::Argument> {
        let value = self.value.elsewhere(is_number)?;
        Some(foreign::Argument { key: self.key.as_ref().map(Ident::to_string), value })
    }
}

impl Expression {
    fn elsewhere(&self, is_number: &dyn Fn(&Ident) -> bool) -> Option<Value> {
        let all = |items: &[Expression]| -> Option<Vec<Value>> {
            items.iter().map(|item| item.elsewhere(is_number)).collect()
        };
        Some(match &self.form {
            Form::Integer(number) => Value::Whole(*number),
            Form::Float(number) => Value::Number(*number),
            Form::Flag(flag) => Value::Flag(*flag),
            Form::Name(name) if is_number(name) => Value::Arithmetic(name.to_string()),
            Form::Name(name) => match name.to_string().as_str() {
                "True" => Value::Python(true),
                "False" => Value::Python(false),
                "None" | "nullptr" | "null" => Value::Nothing,
                word => Value::Word(word.to_string()),
            },
            Form::Arithmetic(..) => match decimal(self) {
                Some(number) => Value::Number(number),
                None => Value::Arithmetic(self.to_string()),
            },
            Form::Path(_) => Value::Arithmetic(self.to_string()),
            Form::Negative(_) => Value::Other(self.to_string()),
            Form::Pair(sides) => Value::Many(all(&sides[..])?),
            Form::List(items) => Value::List(all(items)?),
            Form::Other(text) => other(text, is_number),
            Form::Wrong => return None,
        })
    }
}

/// Arithmetic with fractions in it.
fn decimal(expression: &Expression) -> Option<f64> {
    fn number(expression: &Expression, fractions: &mut bool) -> Option<f64> {
        match &expression.form {
            Form::Integer(number) => Some(*number as f64),
            Form::Float(number) => {
                *fractions = true;
                Some(*number)
            }
            Form::Arithmetic(sides, operator) => {
                let [left, right] = [number(&sides[0], fractions)?, number(&sides[1], fractions)?];
                Some(match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Remainder => left % right,
                })
            }
            _ => None,
        }
    }
    let mut fractions = false;
    number(expression, &mut fractions).filter(|number| fractions && number.is_finite())
}

/// What a text is that no argument takes: quotes, a negative number, or several in parentheses.
fn other(text: &str, is_number: &dyn Fn(&Ident) -> bool) -> Value {
    let Ok(stream) = text.parse::<TokenStream>() else { return Value::Other(text.to_string()) };
    let tokens = flat(stream);
    match tokens.as_slice() {
        [TokenTree::Literal(literal)] => {
            match syn::parse2(TokenTree::Literal(literal.clone()).into()) {
                Ok(syn::Lit::Str(text)) => Value::Text(text.value()),
                Ok(syn::Lit::Char(letter)) => Value::Text(letter.value().to_string()),
                _ => Value::Other(text.to_string()),
            }
        }
        [TokenTree::Punct(minus), TokenTree::Literal(literal)] if minus.as_char() == '-' => {
            match literal.to_string().parse::<f64>() {
                Ok(number) => Value::Number(-number),
                Err(_) => Value::Other(text.to_string()),
            }
        }
        [TokenTree::Group(group)] => many(group, is_number),
        _ => Value::Other(text.to_string()),
    }
}

fn many(group: &Group, is_number: &dyn Fn(&Ident) -> bool) -> Value {
    let inner = flat(group.stream());
    let mut mistakes = Vec::new();
    let items: Option<Vec<Value>> = pieces(&inner)
        .into_iter()
        .map(|piece| {
            super::expression::whole(piece, group.span(), &mut mistakes).elsewhere(is_number)
        })
        .collect();
    match items {
        Some(items) if mistakes.is_empty() => Value::Many(items),
        _ => Value::Other(group.to_string()),
    }
}

impl Layer {
    /// The layer of a call, in place of this one: at its keyword.
    pub(crate) fn corrected(&self, call: &Call) -> Option<Layer> {
        let span = self.keyword.span();
        let arguments = arguments(call, span)?;
        let keyword = Ident::new(call.keyword, span);
        Some(Layer { keyword, path: None, arguments, corrected: true, ..self.clone() })
    }
}

/// The arguments of a call, all of them at one place.
pub(super) fn arguments(call: &Call, span: Span) -> Option<Vec<Argument>> {
    let tokens = flat(call.to_string().parse().ok()?);
    match tokens.as_slice() {
        [TokenTree::Ident(_)] => Some(Vec::new()),
        [TokenTree::Ident(word), TokenTree::Group(group)] => {
            let mut all = Group::new(group.delimiter(), moved(group.stream(), span));
            all.set_span(span);
            let mut mistakes = Vec::new();
            let arguments = arguments::arguments(&all, word, &mut mistakes);
            mistakes.is_empty().then_some(arguments)
        }
        _ => None,
    }
}

/// The same tokens at another place.
fn moved(stream: TokenStream, span: Span) -> TokenStream {
    let one = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), moved(group.stream(), span)).into();
        }
        token.set_span(span);
        token
    };
    stream.into_iter().map(one).collect()
}
