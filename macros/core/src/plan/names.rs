//! The names of a graph's nodes: what summaries, traces and diagrams show.

use std::collections::{HashMap, HashSet};
use std::iter::once;

use crate::check::Node;

/// A name for each node, no two alike. Layers with fields have the fields' names; a layer without a
/// name is the n-th of its kind in its scope, as those with fields are. A name that braces hide from
/// one like it above gets a number.
pub(super) fn names(nodes: &[Node]) -> Vec<String> {
    let has_field = |node: &Node| node.field.is_some();
    let is_numbered =
        |node: &Node| !has_field(node) && node.written_name.is_none() && node.keyword.is_some();
    let mut names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let mut taken: HashSet<String> =
        nodes.iter().filter(|node| has_field(node)).map(|node| node.name.clone()).collect();
    for (index, node) in nodes.iter().enumerate() {
        if !has_field(node) && !is_numbered(node) {
            let again = (2..).map(|number| format!("{}_{number}", node.name));
            names[index] = first_free(&mut taken, once(node.name.clone()).chain(again));
        }
    }
    let mut counts: HashMap<(&str, String), usize> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let Some(keyword) = &node.keyword else { continue };
        let scope = node.name.rsplit_once('.').map_or("", |(scope, _)| scope);
        let count = counts.entry((scope, keyword.to_string())).or_default();
        *count += 1;
        if is_numbered(node) {
            let from_here = (*count..).map(|number| format!("{}_{number}", node.name));
            names[index] = first_free(&mut taken, from_here);
        }
    }
    names
}

fn first_free(taken: &mut HashSet<String>, mut candidates: impl Iterator<Item = String>) -> String {
    candidates.find(|name| taken.insert(name.clone())).unwrap_or_default()
}
