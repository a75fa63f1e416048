//! What stands in programs of other languages and declares no layer: statements, comments, and signs
//! in place of commas.

use proc_macro2::{Delimiter, Span, TokenTree};

use super::reader::Reader;
use super::{Entry, ident, punct};
use crate::mistake::Place;

impl Reader<'_, '_, '_> {
    /// A line of a program that declares no layer: `return x`, `def forward(self, x):`, `import torch`.
    pub(super) fn statement(&mut self) -> Option<Vec<Entry>> {
        let word = self.tokens.peek_ident()?.clone();
        let text = word.to_string();
        if self.tokens.is_at(1, ":") && text != "else" || self.tokens.is_at(1, "=") {
            return None;
        }
        let next = ident(self.tokens.rest.get(1)).map(ToString::to_string);
        let is_word = matches!(
            text.as_str(),
            "return"
                | "def"
                | "class"
                | "import"
                | "use"
                | "fn"
                | "impl"
                | "for"
                | "if"
                | "while"
                | "else"
                | "with"
                | "async"
                | "unsafe"
                | "struct"
                | "enum"
                | "type"
                | "mod"
                | "trait"
                | "match"
                | "loop"
        );
        let is_import = text == "from" && next.is_some();
        let is_super =
            text == "super" && matches!(self.tokens.rest.get(1), Some(TokenTree::Group(_)));
        let is_print =
            text == "print" && matches!(self.tokens.rest.get(1), Some(TokenTree::Group(_)));
        let is_public = text == "pub"
            && next.is_some_and(|next| {
                matches!(next.as_str(), "fn" | "struct" | "use" | "mod" | "const" | "type" | "enum")
            });
        if !(is_word || is_import || is_super || is_print || is_public) {
            return None;
        }
        let message = match text.as_str() {
            "return" => "the last layer's value is the output".to_string(),
            "for" | "while" | "loop" => format!("a declaration holds layers: it has no `{text}`"),
            _ => format!("a declaration holds layers alone, and no `{text}`"),
        };
        let help = match text.as_str() {
            "for" | "while" | "loop" => "`repeat(2) { … }` repeats layers",
            "def" | "fn" | "class" | "struct" => "`block name(out) { … }` gives layers a name",
            _ => "leave this line out",
        };
        let start = word.span();
        let line = start.start().line;
        let mut end = start;
        // To the end of the line where lines are known, else to a comma, a semicolon or a brace.
        while let Some(token) = self.tokens.peek() {
            let here = token.span().start().line;
            if line > 0 && here > line && here > end.end().line {
                break;
            }
            end = token.span();
            self.tokens.next();
            let stops = punct(Some(token), ';').is_some()
                || punct(Some(token), ',').is_some()
                || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if stops {
                if !matches!(token, TokenTree::Punct(_)) {
                    self.tokens.punct(',');
                }
                break;
            }
        }
        self.report_with(Place { start, end }, message, help);
        Some(vec![Entry::Gap])
    }

    /// Reads over a comment of Python's.
    pub(super) fn comment(&mut self) -> bool {
        let Some(pound) = self.tokens.peek_punct('#') else { return false };
        let line = pound.span().start().line;
        let next = self.tokens.rest.get(1);
        if matches!(next, Some(TokenTree::Group(_))) || next.is_none() || line == 0 {
            return false;
        }
        let message = "expected a layer, found `#`: a comment begins with `//`";
        self.once("#", |reader| reader.report(pound.span(), message));
        while self.tokens.peek().is_some_and(|token| token.span().start().line == line) {
            self.tokens.next();
        }
        true
    }

    /// A sign that stands where a comma belongs, with a layer behind it.
    pub(super) fn sign(&self) -> Option<(&'static str, usize)> {
        const SIGNS: [&str; 12] = ["->", "=>", "|>", ">>", "||", "|", "+", "&", "/", ".", "~", ">"];
        let sign = SIGNS.into_iter().find(|sign| self.tokens.is_at(0, sign))?;
        let after = self.tokens.rest.get(sign.len());
        ident(after).is_some().then_some((sign, sign.len()))
    }

    /// Reads over such a sign; says so once for each kind of sign.
    pub(super) fn arrow(&mut self, keyword: &str) {
        let Some((sign, length)) = self.sign() else { return };
        let place = Place::of(&self.tokens.rest[..length], Span::call_site());
        let next = ident(self.tokens.rest.get(length)).map(ToString::to_string).unwrap_or_default();
        self.tokens.rest = &self.tokens.rest[length..];
        self.once(sign, |reader| {
            let message = format!("a comma stands between layers, not `{sign}`");
            let help = match keyword {
                "" => format!("write `, {next}`"),
                _ => format!("write `{keyword}, {next}`"),
            };
            reader.report_with(place, message, help);
        });
    }

    /// Says something of a sign, unless it has been said of another one of its kind.
    pub(super) fn once(&mut self, sign: &'static str, say: impl FnOnce(&mut Self)) {
        if !self.found.signs.contains(&sign) {
            self.found.signs.push(sign);
            say(self);
        }
    }
}
