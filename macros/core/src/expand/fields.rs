//! The tree of parameter structs: what is named, and each round of a repeat, holds the layers in it.

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::ext::IdentExt;

use super::{docs, site};
use crate::check::{Checked, Segment, path_text};

/// A field of a parameter struct.
pub(super) struct Field<'a> {
    /// Its name; rounds of a repeat have none.
    pub(super) name: Option<&'a Ident>,
    /// Its documentation, where it is no layer.
    pub(super) docs: Vec<String>,
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    /// The parameters of the layer at this node.
    Layer(usize),
    /// A struct of its own.
    Group {
        /// The struct's name.
        name: Ident,
        /// Its place among the parameters: `stage1.0`.
        path: String,
        /// Whether its fields have no names: the rounds of a repeat.
        tuple: bool,
        inner: Vec<Field<'a>>,
    },
}

/// `.stage1.0.conv1`
pub(super) fn access(path: &[Segment]) -> TokenStream {
    let segments = path.iter().map(|segment| match segment {
        Segment::Name(name) => name.to_token_stream(),
        Segment::Index(index) => Literal::usize_unsuffixed(*index).to_token_stream(),
    });
    quote_spanned!(site()=> #(.#segments)*)
}

/// The fields of a net in the order of its layers.
pub(super) fn fields<'a>(checked: &'a Checked, net: &Ident) -> Vec<Field<'a>> {
    let nodes = checked.nodes.iter().enumerate();
    let layers: Vec<(&[Segment], usize)> =
        nodes.filter_map(|(index, node)| Some((node.field.as_deref()?, index))).collect();
    let mut taken = HashSet::new();
    at(checked, net, &layers, 0, &mut taken)
}

/// The fields of layers whose paths have the first `depth` segments in common.
fn at<'a>(
    checked: &'a Checked,
    net: &Ident,
    layers: &[(&'a [Segment], usize)],
    depth: usize,
    taken: &mut HashSet<String>,
) -> Vec<Field<'a>> {
    let runs = layers.chunk_by(|one, other| one.0.get(depth) == other.0.get(depth));
    let field = |run: &[(&'a [Segment], usize)]| {
        let &(path, node) = run.first()?;
        let name = match path.get(depth)? {
            Segment::Name(name) => Some(name),
            Segment::Index(_) => None,
        };
        if path.len() == depth + 1 {
            return Some(Field { name, docs: Vec::new(), content: Content::Layer(node) });
        }
        let path = &path[..=depth];
        let group = checked.groups.iter().find(|group| group.path == path);
        let docs = group.map(|group| docs::group(group, checked)).unwrap_or_default();
        let struct_name = struct_name(net, path, taken);
        let inner = at(checked, net, run, depth + 1, taken);
        let tuple = inner.first().is_some_and(|first| first.name.is_none());
        let content = Content::Group { name: struct_name, path: path_text(path), tuple, inner };
        Some(Field { name, docs, content })
    };
    runs.filter_map(field).collect()
}

/// `NetStage1_0Parameters` for `stage1.0`.
fn struct_name(net: &Ident, path: &[Segment], taken: &mut HashSet<String>) -> Ident {
    let mut text = net.unraw().to_string();
    for segment in path {
        match segment {
            Segment::Name(name) => {
                for word in name.unraw().to_string().split('_') {
                    let mut letters = word.chars();
                    text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
                    text += letters.as_str();
                }
            }
            Segment::Index(index) => text += &format!("_{index}"),
        }
    }
    text += "Parameters";
    let mut unique = text.clone();
    let mut number = 1;
    while !taken.insert(unique.clone()) {
        number += 1;
        unique = format!("{text}{number}");
    }
    format_ident!("{unique}", span = net.span().resolved_at(site()))
}
