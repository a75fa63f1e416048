//! `residual { … } shortcut { … }`, `concat { branch { … } … }` and `repeat(n) { … }`.

use proc_macro2::{Delimiter, Group, Ident, TokenTree};

use super::attributes::Before;
use super::expression;
use super::reader::Reader;
use super::{Branch, Entry, Expression, Form, Shortcut, Structure, StructureKind, Tokens};
use super::{flat, punct, shown};
use crate::layers::{self, STRUCTURES};
use crate::mistake::nearest;

impl<'a> Reader<'a, '_, '_> {
    /// The structure that this word begins, if it begins one; reports a misspelt one.
    pub(super) fn structure_word(&mut self, keyword: &Ident) -> Option<&'static str> {
        let text = keyword.to_string();
        let braces = self.at_braces();
        let exact = STRUCTURES.iter().find(|word| **word == text).copied();
        match exact {
            // `concat(a)` is a layer that reads values by name.
            Some("concat") if !braces => None,
            Some(word) => Some(word),
            None if braces && layers::find(&text).is_none() && !self.is_block(&text) => {
                let near = nearest(&text, STRUCTURES.iter().copied());
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "braces follow residual, shortcut, concat, branch and repeat(n)".into(),
                };
                let message = format!("there is no structure `{text}`");
                self.report_with(keyword.span(), message, help);
                // What it holds is read nevertheless, for mistakes of its own.
                near.or(Some("?"))
            }
            None => None,
        }
    }

    /// Whether braces come next, with or without parentheses before them.
    fn at_braces(&self) -> bool {
        let is = |index: usize, delimiter| matches!(self.tokens.rest.get(index), Some(TokenTree::Group(group)) if group.delimiter() == delimiter);
        is(0, Delimiter::Brace) || (is(0, Delimiter::Parenthesis) && is(1, Delimiter::Brace))
    }

    pub(super) fn structure(
        &mut self,
        before: Before,
        name: Option<Ident>,
        keyword: &Ident,
        word: &'static str,
    ) -> Option<Entry> {
        let parentheses = self.tokens.group(Delimiter::Parenthesis);
        if let Some(group) = parentheses
            && word != "repeat"
            && word != "?"
        {
            let message = format!("`{word}` takes no arguments");
            self.report_with(group.span(), message, format!("write `{word} {{ … }}`"));
        }
        let Some(braces) = self.tokens.group(Delimiter::Brace) else {
            let form = if word == "repeat" { "repeat(2)" } else { word };
            let message = format!("the layers of `{word}` are missing");
            self.report_with(
                keyword.span(),
                message,
                format!("write them in braces: `{form} {{ … }}`"),
            );
            self.skip();
            return None;
        };
        let kind = match word {
            "residual" => self.residual(keyword, braces),
            "concat" => self.concat(keyword, braces),
            "repeat" => {
                let count = self.count(keyword, parentheses);
                let body = self.layers_of(keyword, braces);
                StructureKind::Repeat { count, body }
            }
            "shortcut" => {
                self.report_with(
                    keyword.span(),
                    "a shortcut belongs to a residual",
                    "write it after the residual's braces: `residual { … } shortcut { … }`",
                );
                self.inside(braces);
                return None;
            }
            "branch" => {
                self.report_with(
                    keyword.span(),
                    "a branch belongs into a concat",
                    "write `concat { branch { … } branch { … } }`",
                );
                self.inside(braces);
                return None;
            }
            _ => {
                self.inside(braces);
                return None;
            }
        };
        let Before { docs, attributes, .. } = before;
        Some(Entry::Structure(Structure { docs, attributes, name, keyword: keyword.clone(), kind }))
    }

    /// The layers in braces that must hold some.
    fn layers_of(&mut self, keyword: &Ident, braces: &Group) -> Vec<Entry> {
        let entries = self.inside(braces);
        if !entries.is_empty() {
            return entries;
        }
        let message = format!("`{keyword}` has no layers");
        self.report_with(braces.span(), message, "a layer or more stand in its braces");
        vec![Entry::Gap]
    }

    fn residual(&mut self, keyword: &Ident, braces: &Group) -> StructureKind {
        let body = self.layers_of(keyword, braces);
        let is_shortcut = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(word)) if word == "shortcut");
        if let Some(comma) = self.tokens.peek_punct(',')
            && is_shortcut(self.tokens.rest.get(1))
        {
            let comma = comma.span();
            self.tokens.next();
            self.report(comma, "no comma stands between a residual and its shortcut");
        }
        let mut shortcut = None;
        let at = self.after_attributes();
        if is_shortcut(self.tokens.rest.get(at)) && !self.tokens.is_at(at + 1, ":") {
            let Before { attributes, .. } = self.before();
            if let Some(TokenTree::Ident(keyword)) = self.tokens.next() {
                let entries = match self.tokens.group(Delimiter::Brace) {
                    Some(braces) => self.inside(braces),
                    None => {
                        let help = "write them in braces: `shortcut { conv2d(16, kernel = 1) }`";
                        let message = "the layers of `shortcut` are missing";
                        self.report_with(keyword.span(), message, help);
                        self.skip();
                        vec![Entry::Gap]
                    }
                };
                shortcut = Some(Shortcut { attributes, keyword: keyword.clone(), entries });
            }
        }
        StructureKind::Residual { body, shortcut }
    }

    /// How many tokens the attributes that come next take.
    fn after_attributes(&self) -> usize {
        let pairs = self.tokens.rest.chunks(2);
        2 * pairs.take_while(|pair| punct(pair.first(), '#').is_some()).count()
    }

    fn concat(&mut self, keyword: &Ident, braces: &Group) -> StructureKind {
        let inner = flat(braces.stream());
        let mistakes_before = self.found.mistakes.len();
        let mut reader = Reader { tokens: Tokens::new(&inner), found: self.found };
        let mut branches = Vec::new();
        while reader.tokens.peek().is_some() {
            branches.extend(reader.branch());
        }
        let help = "write `concat { branch { … } branch { … } }`; an empty branch keeps the value";
        if self.found.mistakes.len() == mistakes_before && branches.len() < 2 {
            let message = match branches.len() {
                0 => "`concat` has no branches",
                _ => "a concat of one branch is that branch",
            };
            self.report_with(keyword.span(), message, help);
            let gap = vec![Entry::Gap];
            let keyword = keyword.clone();
            let (docs, attributes) = (Vec::new(), Vec::new());
            branches.push(Branch { docs, attributes, name: None, keyword, entries: gap });
        }
        StructureKind::Concat { branches }
    }

    /// One branch of a concat, and the comma after it.
    fn branch(&mut self) -> Option<Branch> {
        let before = self.before();
        let Some(start) = self.tokens.peek() else {
            if let Some(place) = before.last {
                self.report(place, "a branch is missing after this");
            }
            return None;
        };
        let Before { docs, attributes, .. } = before;
        let name = match self.tokens.peek_ident() {
            Some(word) => self.name(word),
            None => None,
        };
        let word = self.tokens.peek_ident().filter(|word| *word == "branch");
        if let Some(keyword) = word {
            self.tokens.next();
            if let Some(braces) = self.tokens.group(Delimiter::Brace) {
                let entries = self.inside(braces);
                self.tokens.punct(',');
                return Some(Branch { docs, attributes, name, keyword: keyword.clone(), entries });
            }
            let help = "write them in braces: `branch { … }`; an empty branch keeps the value";
            self.report_with(keyword.span(), "the layers of `branch` are missing", help);
        } else {
            let message = format!("expected a branch of the concat, found `{}`", shown(start));
            self.report_with(start.span(), message, "layers stand in branches: `branch { … }`");
        }
        // Whatever it is, it ends where the next branch begins.
        while self.tokens.peek_ident().is_none_or(|word| word != "branch") {
            self.tokens.next()?;
        }
        None
    }

    /// The number in the parentheses of a repeat.
    fn count(&mut self, keyword: &Ident, parentheses: Option<&'a Group>) -> Expression {
        let wrong = Expression { place: keyword.span().into(), form: Form::Wrong };
        let inner = parentheses.map(|group| flat(group.stream())).unwrap_or_default();
        if inner.is_empty() {
            let message = format!("`{keyword}`: how often is missing");
            self.report_with(keyword.span(), message, "for example `repeat(2) { … }`");
            return wrong;
        }
        expression::whole(&inner, keyword.span(), self.found.mistakes)
    }
}
