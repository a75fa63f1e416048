//! What may stand before the struct.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Attribute, Meta};

use super::place_of_path;
use crate::mistake::Place;
use crate::{Mistake, weights};

/// The attributes of a declaration, by the generated items they go on.
#[derive(Clone, Default)]
pub struct Attributes {
    /// Documentation, `must_use` and `expect`: on the struct alone.
    pub on_struct: Vec<Attribute>,
    /// Lint levels: on every item.
    pub lints: Vec<Attribute>,
    /// `cfg`: on every item, macro calls included.
    pub cfg: Vec<Attribute>,
    /// The weight file that the program holds.
    pub weights: Option<weights::Attribute>,
}

impl std::fmt::Debug for Attributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use quote::ToTokens;
        let all = self.on_struct.iter().chain(&self.lints).chain(&self.cfg);
        f.debug_list().entries(all.map(|one| one.to_token_stream().to_string())).finish()
    }
}

/// Every net has these; deriving them says what is so anyway.
const DERIVES: &[&str] = &["Clone", "Debug", "PartialEq"];

pub(super) fn check(attributes: &[Attribute], mistakes: &mut Vec<Mistake>) -> Attributes {
    let mut kept = Attributes::default();
    for attribute in attributes {
        let path = attribute.path();
        let is = |names: &[&str]| names.iter().any(|name| path.is_ident(name));
        if is(&["derive"]) {
            derives(attribute, mistakes);
        } else if is(&["doc", "must_use", "expect"]) {
            kept.on_struct.push(attribute.clone());
        } else if is(&["allow", "warn", "deny", "forbid"]) {
            kept.lints.push(attribute.clone());
        } else if is(&["cfg"]) {
            kept.cfg.push(attribute.clone());
        } else if is(&["weights"]) || is(&["cfg_attr"]) && conditional(attribute).is_some() {
            match (weights(attribute), &kept.weights) {
                (Ok(_), Some(first)) => {
                    let message = format!(
                        "`#[weights]` stands here twice: a net has one file, `{}`",
                        first.path
                    );
                    mistakes.push(Mistake::new(place_of_path(path), message));
                }
                (Ok(found), None) => kept.weights = Some(found),
                (Err(mistake), _) => mistakes.push(mistake),
            }
        } else {
            let message = format!("`#[{}]` cannot stand on a net", text(path));
            mistakes.push(Mistake::new(place_of_path(path), message).help(
                "what can: documentation, `weights(\"…\")`, `derive`, `cfg`, `must_use`, and lint levels such as `allow`",
            ));
        }
    }
    kept
}

/// The condition of `#[cfg_attr(condition, weights("…"))]`, and what it puts before the net.
fn conditional(attribute: &Attribute) -> Option<(TokenStream, Vec<TokenTree>)> {
    let Meta::List(list) = &attribute.meta else { return None };
    let tokens: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
    let is_comma =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let comma = tokens.iter().position(is_comma)?;
    let (condition, rest) = tokens.split_at(comma);
    let inner = rest.get(1..)?.to_vec();
    let is_weights = matches!(inner.first(), Some(TokenTree::Ident(word)) if word == "weights");
    is_weights.then(|| (condition.iter().cloned().collect(), inner))
}

/// `#[weights("net.safetensors")]`, alone or behind a condition.
fn weights(attribute: &Attribute) -> Result<weights::Attribute, Mistake> {
    let (condition, tokens) = match conditional(attribute) {
        Some((condition, tokens)) => (Some(condition), tokens),
        None => (None, quote::ToTokens::to_token_stream(&attribute.meta).into_iter().collect()),
    };
    let whole = Place::of(&tokens, attribute.bracket_token.span.join());
    let wrong = |place: Place, help: &str| {
        Mistake::new(place, "`#[weights]` takes the path of a weight file").help(help)
    };
    let form =
        "write `#[weights(\"net.safetensors\")]`: the path starts at the folder of `Cargo.toml`";
    let inner: Vec<TokenTree> = match tokens.as_slice() {
        [TokenTree::Ident(_), TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Parenthesis =>
        {
            group.stream().into_iter().collect()
        }
        [TokenTree::Ident(_), TokenTree::Punct(equals), value] if equals.as_char() == '=' => {
            return Err(wrong(whole, &format!("write `#[weights({value})]`")));
        }
        _ => return Err(wrong(whole, form)),
    };
    let [TokenTree::Literal(literal)] = inner.as_slice() else { return Err(wrong(whole, form)) };
    match syn::parse2(TokenTree::Literal(literal.clone()).into()) {
        Ok(syn::Lit::Str(path)) if !path.value().is_empty() => {
            Ok(weights::Attribute { path: path.value(), span: literal.span(), condition })
        }
        _ => Err(wrong(whole, form)),
    }
}

fn derives(attribute: &Attribute, mistakes: &mut Vec<Mistake>) {
    let Meta::List(_) = &attribute.meta else {
        let place = place_of_path(attribute.path());
        mistakes.push(Mistake::new(place, "expected `#[derive(Clone, Debug, PartialEq)]`"));
        return;
    };
    let read = attribute.parse_nested_meta(|meta| {
        let name = meta.path.segments.last().map(|last| last.ident.to_string());
        let name = name.unwrap_or_default();
        if DERIVES.contains(&name.as_str()) {
            return Ok(());
        }
        let help = match name.as_str() {
            "Copy" => "a net's parameters are on the heap: use `clone`",
            "Default" => "a net is made by `seeded` or `load`",
            "Serialize" | "Deserialize" => "`save` and `load` write and read the parameters",
            _ => "a net is always `Clone`, `Debug` and `PartialEq`",
        };
        let message = format!("a net cannot derive `{name}`");
        mistakes.push(Mistake::new(place_of_path(&meta.path), message).help(help));
        Ok(())
    });
    if let Err(error) = read {
        mistakes.push(Mistake::new(error.span(), error.to_string()));
    }
}

fn text(path: &syn::Path) -> String {
    let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    names.join("::")
}
