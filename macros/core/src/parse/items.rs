//! `const NAME: usize = value;` and `block name(parameters) { … }`, which stand before the layers.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::attributes::Before;
use super::expression::{self, pieces};
use super::reader::Reader;
use super::{Block, Constant, Entry, Expression, Form, Parameter, flat, ident, punct, shown};
use crate::Mistake;

impl Reader<'_, '_, '_> {
    /// Reads a constant or a block if one comes next; says so where none may stand, and keeps it.
    pub(super) fn item(&mut self, before: &Before, after_layers: bool) -> bool {
        let Some(word) = self.tokens.peek_ident() else { return false };
        // `block: relu` is a layer with a name that it may not have.
        let named = self.tokens.is_at(1, ":") || self.tokens.is_at(1, "=");
        if (word != "const" && word != "block") || named {
            return false;
        }
        self.tokens.next();
        if let Some(attribute) = before.attributes.first() {
            let (message, help) = match word == "const" {
                true => ("a constant takes no attributes", ""),
                false => (
                    "a block takes no attributes",
                    "write them where the block is used, or in its braces",
                ),
            };
            self.report_with(attribute.place, message, help);
        }
        let what = if word == "const" { "constant" } else { "block" };
        let help = "constants and blocks stand first in the net";
        if self.found.depth > 0 {
            let message = format!("a {what} stands at the top of the net, not in braces");
            self.report_with(word.span(), message, help);
        } else if after_layers {
            let message = format!("a {what} stands before the layers");
            self.report_with(word.span(), message, help);
        }
        if word == "const" {
            self.constant(word);
        } else {
            self.block(word, &before.docs);
        }
        true
    }

    fn constant(&mut self, word: &Ident) {
        let form = "write `const WIDTH: usize = 16;`";
        let Some(name) = self.tokens.peek_ident() else {
            self.report_with(word.span(), "the name of this constant is missing", form);
            return self.skip_item();
        };
        self.tokens.next();
        let mut other_type = false;
        if self.tokens.punct(':').is_some() {
            let kind = self.tokens.peek_ident();
            if let Some(kind) = kind
                && kind == "usize"
            {
                self.tokens.next();
            } else {
                let place = self.tokens.peek().map_or(name.span(), TokenTree::span);
                other_type = true;
                let message = format!("`{name}`: a constant is a whole number, `usize`");
                let help = "write other values where they are used, or as a block's parameter";
                self.report_with(place, message, help);
                if kind.is_some() {
                    self.tokens.next();
                }
            }
        } else {
            let message = format!("`{name}`: the type of this constant is missing");
            self.report_with(name.span(), message, form);
        }
        if self.tokens.punct('=').is_none() {
            let message = format!("`{name}`: the value of this constant is missing");
            self.report_with(name.span(), message, form);
            self.found.constants.push(Constant {
                name: name.clone(),
                value: Expression { place: name.span().into(), form: Form::Wrong },
            });
            return self.skip_item();
        }
        let ends = |token: &TokenTree| [';', ','].iter().any(|c| punct(Some(token), *c).is_some());
        let tokens = self.tokens.rest;
        let until = tokens.iter().position(ends).unwrap_or(tokens.len());
        let mut value = if until == 0 {
            let message = format!("`{name}`: the value of this constant is missing");
            self.report_with(name.span(), message, form);
            Expression { place: name.span().into(), form: Form::Wrong }
        } else {
            let (value, rest) =
                expression::first(&tokens[..until], name.span(), self.found.mistakes);
            self.tokens.rest = &tokens[until - rest.len()..];
            value
        };
        if other_type {
            value.form = Form::Wrong;
        }
        if self.tokens.punct(';').is_none() {
            let place = self.tokens.peek().map_or(value.place, |token| token.span().into());
            self.report(place, format!("a semicolon is missing after the constant `{name}`"));
            self.tokens.punct(',');
        }
        self.found.constants.push(Constant { name: name.clone(), value });
    }

    /// Goes on behind the next semicolon, or to the end of what cannot be a constant.
    fn skip_item(&mut self) {
        while let Some(token) = self.tokens.peek() {
            if self.tokens.punct(';').is_some() || self.tokens.punct(',').is_some() {
                return;
            }
            if matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace) {
                return;
            }
            self.tokens.next();
        }
    }

    fn block(&mut self, word: &Ident, docs: &[String]) {
        let form = "write `block basic(out, stride = 1) { … }`";
        let name = self.tokens.peek_ident();
        let Some(name) = name else {
            self.report_with(word.span(), "the name of this block is missing", form);
            self.tokens.group(Delimiter::Parenthesis);
            if let Some(braces) = self.tokens.group(Delimiter::Brace) {
                self.inside(braces);
            }
            return;
        };
        self.tokens.next();
        let parameters = match self.tokens.group(Delimiter::Parenthesis) {
            Some(group) => self.parameters(name, group),
            None => Vec::new(),
        };
        let entries = match self.tokens.group(Delimiter::Brace) {
            Some(braces) => {
                let entries = self.inside(braces);
                if entries.is_empty() {
                    let message = format!("block `{name}` has no layers");
                    self.report_with(braces.span(), message, form);
                    vec![Entry::Gap]
                } else {
                    entries
                }
            }
            None => {
                let message = format!("the layers of block `{name}` are missing");
                self.report_with(name.span(), message, form);
                vec![Entry::Gap]
            }
        };
        self.tokens.punct(',');
        let (docs, name) = (docs.to_vec(), name.clone());
        self.found.blocks.push(Block { docs, name, parameters, entries });
    }

    fn parameters(&mut self, block: &Ident, group: &Group) -> Vec<Parameter> {
        let inner = flat(group.stream());
        let mut parameters: Vec<Parameter> = Vec::new();
        for piece in pieces(&inner) {
            let Some(name) = ident(piece.first()) else {
                let (span, found) = match piece.first() {
                    Some(token) => (token.span(), format!("found `{}`", shown(token))),
                    None => (group.span(), "found nothing between two commas".to_string()),
                };
                let message = format!("block `{block}`: expected a parameter, {found}");
                self.report_with(span, message, "for example `out` or `stride = 1`");
                continue;
            };
            let mut rest = &piece[1..];
            if let Some(colon) = punct(rest.first(), ':') {
                let message = format!("block `{block}`: parameters have no types");
                let help = format!("write `{name}`, or `{name} = 1` with a value to start from");
                self.report_with(colon.span(), message, help);
                let equals = rest.iter().position(|token| punct(Some(token), '=').is_some());
                rest = &rest[equals.unwrap_or(rest.len())..];
            }
            let default = match rest {
                [] => None,
                [equals] if punct(Some(equals), '=').is_some() => {
                    let message = format!("block `{block}`: the value of `{name}` is missing");
                    self.found.mistakes.push(Mistake::new(name.span(), message));
                    Some(Expression { place: name.span().into(), form: Form::Wrong })
                }
                [equals, value @ ..] if punct(Some(equals), '=').is_some() => {
                    Some(expression::whole(value, name.span(), self.found.mistakes))
                }
                [other, ..] => {
                    let message = format!(
                        "block `{block}`: expected a comma after `{name}`, found `{}`",
                        shown(other)
                    );
                    self.found.mistakes.push(Mistake::new(other.span(), message));
                    None
                }
            };
            parameters.push(Parameter { name: name.clone(), default });
        }
        parameters
    }
}
