//! What may stand before the struct.

use syn::{Attribute, Meta};

use super::place_of_path;
use crate::Mistake;

/// The attributes of a declaration by the items they go to.
#[derive(Clone, Default)]
pub struct Attributes {
    /// Documentation, `must_use` and `expect`: on the struct alone.
    pub on_struct: Vec<Attribute>,
    /// Lint levels: on every item.
    pub lints: Vec<Attribute>,
    /// `cfg`: on every item, macro calls included.
    pub cfg: Vec<Attribute>,
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
        } else {
            let message = format!("`#[{}]` cannot stand on a net", text(path));
            mistakes.push(Mistake::new(place_of_path(path), message).help(
                "what can: documentation, `derive`, `cfg`, `must_use`, and lint levels such as `allow`",
            ));
        }
    }
    kept
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
