//! Helpers to look at tokens.

use proc_macro2::{Delimiter, Ident, Punct, TokenStream, TokenTree};

/// The tokens of a stream, without the invisible groups that `macro_rules` puts around its
/// variables.
pub(crate) fn flat(stream: TokenStream) -> Vec<TokenTree> {
    let mut tokens = Vec::new();
    for token in stream {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                tokens.extend(flat(group.stream()));
            }
            token => tokens.push(token),
        }
    }
    tokens
}

/// The token, if it is a word.
pub(crate) fn ident(token: Option<&TokenTree>) -> Option<&Ident> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}

/// The token, if it is this sign.
pub(crate) fn punct(token: Option<&TokenTree>, character: char) -> Option<&Punct> {
    match token {
        Some(TokenTree::Punct(punct)) if punct.as_char() == character => Some(punct),
        _ => None,
    }
}
