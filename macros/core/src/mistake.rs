use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// A span from one token of the declaration to another.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The span of the first token to point at.
    pub start: Span,
    /// The span of the last one.
    pub end: Span,
}

impl Place {
    /// From the first to the last of these tokens, or `instead` where there are none.
    pub fn of(tokens: &[TokenTree], instead: Span) -> Place {
        Place {
            start: tokens.first().map_or(instead, TokenTree::span),
            end: tokens.last().map_or(instead, TokenTree::span),
        }
    }
}

impl From<Span> for Place {
    fn from(span: Span) -> Place {
        Place { start: span, end: span }
    }
}

/// An error that the user must fix, and where.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The tokens to point at.
    pub place: Place,
    /// One or more lines: what is wrong, the shapes so far, a way out.
    pub message: String,
    /// What is wrong, without saying where: the same mistake in each round of a `repeat` has the
    /// same.
    pub(crate) key: String,
}

impl Mistake {
    /// A mistake at this place.
    pub fn new(place: impl Into<Place>, message: impl Into<String>) -> Mistake {
        let message = message.into();
        Mistake { place: place.into(), key: message.clone(), message }
    }

    /// A mistake of the layer or structure of this name.
    pub fn about(name: &str, place: impl Into<Place>, what: impl Into<String>) -> Mistake {
        let key = what.into();
        Mistake { place: place.into(), message: format!("`{name}`: {key}"), key }
    }

    /// The same mistake with one more line.
    #[must_use]
    pub fn note(mut self, line: &str) -> Mistake {
        self.message += "\n";
        self.message += line;
        self
    }

    /// The same mistake with a line that shows which shapes led to it.
    #[must_use]
    pub fn shapes(mut self, shapes: &str) -> Mistake {
        self.message += "\nshapes so far: ";
        self.message += shapes;
        self
    }

    /// The same mistake with a line that shows a way out, unless `help` is empty.
    #[must_use]
    pub fn help(mut self, help: impl AsRef<str>) -> Mistake {
        if !help.as_ref().is_empty() {
            self.message += "\nhelp: ";
            self.message += help.as_ref();
        }
        self
    }

    /// The `compile_error!` that makes the compiler show it.
    pub fn to_compile_error(&self) -> TokenStream {
        let Place { start, end } = self.place;
        let mut message = Literal::string(&self.message);
        message.set_span(end);
        let mut braces =
            Group::new(Delimiter::Brace, TokenStream::from(TokenTree::Literal(message)));
        braces.set_span(end);
        quote_spanned!(start=> ::core::compile_error! #braces)
    }
}

/// The candidate that `word` most likely stands for, if one is near enough.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "");
    let word = plain(word);
    candidates
        .filter_map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::damerau_levenshtein(&word, &other);
            // A beginning is nearer than its length says: `conv` for `conv2d`.
            let starts = word.len() >= 3 && (other.starts_with(&word) || word.starts_with(&other));
            let distance = if starts { distance.min(1) } else { distance };
            let shorter = word.chars().count().min(other.chars().count());
            let allowed = if shorter < 3 { 0 } else { 1.max(other.len() / 3) };
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["conv2d", "max_pool2d", "relu", "leaky_relu", "p", "padding", "stride"];
        let near = |word| nearest(word, words.into_iter());
        assert_eq!(near("Conv2D"), Some("conv2d"));
        assert_eq!(near("maxpool"), Some("max_pool2d"));
        assert_eq!(near("LeakyReLU"), Some("leaky_relu"));
        assert_eq!(near("rleu"), Some("relu"));
        assert_eq!(near("strides"), Some("stride"));
        assert_eq!(near("pading"), Some("padding"));
        assert_eq!(near("q"), None);
        assert_eq!(near("attention"), None);
    }
}
