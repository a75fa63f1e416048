//! What is written and used nowhere.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use super::blocks::keywords;
use super::{Checker, MOST_ENTRIES};
use crate::Mistake;
use crate::parse::{Block, Declaration, Entry, Expression, HeaderShape, Structure, StructureKind};

impl Checker<'_> {
    /// Reports values that nothing reads, and constants, blocks and parameters that nothing uses.
    /// Where something could not be read, it may be what uses them.
    pub(super) fn unused(&mut self, declaration: &Declaration) {
        let body = &declaration.body;
        if !body.complete || self.entries_read > MOST_ENTRIES {
            return;
        }
        let lost =
            |shape: &HeaderShape| matches!(shape, HeaderShape::Missing(_) | HeaderShape::Wrong);
        // A layer that nothing reads may be a head that was not read.
        if !(self.open_names[1] || self.missed_names[1] || lost(&declaration.output)) {
            self.unread();
        }
        let mut words = Vec::new();
        keywords(&body.entries, &mut words);
        for block in &body.blocks {
            keywords(&block.entries, &mut words);
        }
        let mut used: HashSet<String> = words.iter().map(|word| word.to_string()).collect();
        for block in &body.blocks {
            if !used.contains(&block.name.to_string()) {
                self.report_unused(&block.name, format!("block `{}` is not used", block.name));
            }
            self.unused_parameters(block);
        }
        used.clear();
        let shapes = [&declaration.input, &declaration.output];
        for shape in shapes.into_iter().flat_map(HeaderShape::written) {
            shape.dimensions.iter().for_each(|one| names(one, &mut used));
        }
        names_of(&body.entries, &mut used);
        for block in &body.blocks {
            names_of(&block.entries, &mut used);
            let defaults = block.parameters.iter().filter_map(|one| one.default.as_ref());
            defaults.for_each(|one| names(one, &mut used));
        }
        body.constants.iter().for_each(|one| names(&one.value, &mut used));
        let named = |shape: &HeaderShape| matches!(shape, HeaderShape::Named(all) if all.iter().any(|one| one.shape.is_none()));
        if shapes.into_iter().any(|shape| lost(shape) || named(shape)) {
            return;
        }
        for generic in &declaration.generics {
            let name = &generic.name;
            if !used.contains(&name.to_string()) {
                self.report_unused(name, format!("generic `{name}` is not used"));
            }
        }
        for constant in &body.constants {
            if !used.contains(&constant.name.to_string()) {
                let name = &constant.name;
                self.report_unused(name, format!("constant `{name}` is not used"));
            }
        }
    }

    fn unused_parameters(&mut self, block: &Block) {
        let mut used = HashSet::new();
        names_of(&block.entries, &mut used);
        let defaults = block.parameters.iter().filter_map(|one| one.default.as_ref());
        defaults.for_each(|one| names(one, &mut used));
        for parameter in &block.parameters {
            let name = &parameter.name;
            if !used.contains(&name.to_string()) {
                let message = format!("parameter `{name}` of block `{}` is not used", block.name);
                self.report_unused(name, message);
            }
        }
    }

    fn report_unused(&mut self, name: &Ident, message: String) {
        let text = name.unraw().to_string();
        if !text.starts_with('_') && !self.forgiven.contains(&text) {
            let help = format!("leave it out, or call it `_{text}`");
            self.report(Mistake::new(name.span(), message).help(help));
        }
    }

    /// Reports nodes that no other reads and that are not the output.
    fn unread(&mut self) {
        let mut read = vec![false; self.nodes.len()];
        for node in &self.nodes {
            for &input in &node.inputs {
                read[input] = true;
            }
        }
        for head in &self.heads {
            match head.node {
                Some(node) => read[node] = true,
                // It may be what the last layer is meant to be.
                None => read[self.current] = true,
            }
        }
        if self.heads.is_empty() {
            read[self.current] = true;
        }
        let mut mistakes = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let gap = node.layer.is_none() && node.keyword.is_none();
            let is_input = self.inputs.get(index);
            if read[index] || (gap && index > 0 && is_input.is_none()) {
                continue;
            }
            let written = node.written_name.as_ref().map(|name| name.unraw().to_string());
            if written.as_ref().is_some_and(|name| self.forgiven.contains(name)) {
                continue;
            }
            let place = match &node.written_name {
                Some(name) => name.span(),
                None => node.span,
            };
            if let Some(name) = is_input {
                let help = format!(
                    "go on from it as in `from({name})`, join it with a value as in `concat({name})`, \
                     or leave it out"
                );
                let mistake = Mistake::about(&node.name, place, "nothing reads this input");
                mistakes.push(mistake.help(help));
                continue;
            }
            let help = match &written {
                Some(name) if index == self.current => {
                    format!(
                        "it is the last layer and no head: name it like one, or read it above `{name}`'s line"
                    )
                }
                None if index == self.current => {
                    "it is the last layer and no head: name it like one".into()
                }
                Some(name) => {
                    format!("read it below, as in `add({name})`, or leave the layer out")
                }
                None => {
                    "give it a name and read it below, as in `add(name)`, or leave the layer out"
                        .into()
                }
            };
            self.missed_names[1] = true;
            mistakes.push(Mistake::about(&node.name, place, "nothing reads its value").help(help));
        }
        for mistake in mistakes {
            self.report(mistake);
        }
    }
}

/// The names in the values of these entries.
fn names_of(entries: &[Entry], used: &mut HashSet<String>) {
    for entry in entries {
        match entry {
            Entry::Layer(layer) => {
                layer.arguments.iter().for_each(|argument| names(&argument.value, used));
            }
            Entry::Structure(Structure { kind, .. }) => {
                if let StructureKind::Repeat { count, .. } = kind {
                    names(count, used);
                }
                kind.parts().into_iter().for_each(|inner| names_of(inner, used));
            }
            Entry::Gap => {}
        }
    }
}

fn names(value: &Expression, used: &mut HashSet<String>) {
    used.extend(value.names().into_iter().map(ToString::to_string));
}
