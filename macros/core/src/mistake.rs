use proc_macro2::{Span, TokenStream};

/// Something that the user must change, and where.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The token to point at.
    pub span: Span,
    /// One or more lines: what is wrong, the shapes so far, a way out.
    pub message: String,
}

impl Mistake {
    /// A mistake at this place.
    pub fn new(span: Span, message: impl Into<String>) -> Mistake {
        Mistake { span, message: message.into() }
    }

    /// The same with a line that shows a way out.
    #[must_use]
    pub fn help(mut self, help: impl AsRef<str>) -> Mistake {
        if !help.as_ref().is_empty() {
            self.message += "\nhelp: ";
            self.message += help.as_ref();
        }
        self
    }

    /// The tokens that make the compiler show it.
    pub fn to_compile_error(&self) -> TokenStream {
        syn::Error::new(self.span, &self.message).to_compile_error()
    }
}

/// The candidate that `word` most likely stands for, if one is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "");
    let word = plain(word);
    candidates
        .map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::damerau_levenshtein(&word, &other);
            // A beginning is nearer than its length says: `conv` for `conv2d`.
            let starts = word.len() >= 3 && (other.starts_with(&word) || word.starts_with(&other));
            (if starts { distance.min(1) } else { distance }, candidate)
        })
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
