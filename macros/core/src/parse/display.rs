//! The declaration as text: one line for the header and one for each entry, what stands in braces
//! further in.

use std::fmt;

use super::{Argument, Block, Body, Declaration, Entry, HeaderShape, Layer, NamedShape};
use super::{Shortcut, StructureKind};

impl fmt::Display for HeaderShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderShape::Written(shape) => write!(f, "[{}]", joined(&shape.dimensions)),
            HeaderShape::Named(all) => {
                let one = |one: &NamedShape| match &one.shape {
                    Some(shape) => format!("{}: [{}]", one.name, joined(&shape.dimensions)),
                    None => format!("{}: ?", one.name),
                };
                write!(f, "({})", all.iter().map(one).collect::<Vec<_>>().join(", "))
            }
            HeaderShape::Missing(_) | HeaderShape::Wrong => f.write_str("?"),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "{key} = ")?;
        }
        write!(f, "{}", self.value)
    }
}

/// The layer without its name.
impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => f.write_str(&super::path_text(path))?,
            None => write!(f, "{}", self.keyword)?,
        }
        if self.arguments.is_empty() { Ok(()) } else { write!(f, "({})", joined(&self.arguments)) }
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "struct {}", self.name)?;
        if !self.generics.is_empty() {
            let generics = self.generics.iter().map(|one| format!("const {}: usize", one.name));
            write!(f, "<{}>", generics.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(f, ": {} -> {}", self.input, self.output)?;
        let Body { constants, blocks, entries: layers, .. } = &self.body;
        for constant in constants {
            writeln!(f, "  const {} = {}", constant.name, constant.value)?;
        }
        for Block { name, parameters, entries: layers, .. } in blocks {
            let parameters: Vec<String> = parameters
                .iter()
                .map(|parameter| match &parameter.default {
                    Some(default) => format!("{} = {default}", parameter.name),
                    None => parameter.name.to_string(),
                })
                .collect();
            writeln!(f, "  block {name}({})", parameters.join(", "))?;
            entries(f, layers, 2)?;
        }
        entries(f, layers, 1)
    }
}

fn entries(f: &mut fmt::Formatter<'_>, all: &[Entry], depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for entry in all {
        let name = match entry {
            Entry::Layer(layer) => &layer.name,
            Entry::Structure(structure) => &structure.name,
            Entry::Gap => &None,
        };
        f.write_str(&indent)?;
        if let Some(name) = name {
            write!(f, "{name}: ")?;
        }
        match entry {
            Entry::Gap => writeln!(f, "?")?,
            Entry::Layer(layer) => writeln!(f, "{layer}")?,
            Entry::Structure(structure) => match &structure.kind {
                StructureKind::Residual { body, shortcut } => {
                    writeln!(f, "residual")?;
                    entries(f, body, depth + 1)?;
                    if let Some(Shortcut { entries: shortcut, .. }) = shortcut {
                        writeln!(f, "{indent}shortcut")?;
                        entries(f, shortcut, depth + 1)?;
                    }
                }
                StructureKind::Concat { branches } => {
                    writeln!(f, "concat")?;
                    for branch in branches {
                        let name = branch.name.as_ref().map(|name| format!("{name}: "));
                        writeln!(f, "{indent}  {}branch", name.unwrap_or_default())?;
                        entries(f, &branch.entries, depth + 2)?;
                    }
                }
                StructureKind::Repeat { count, body } => {
                    writeln!(f, "repeat({count})")?;
                    entries(f, body, depth + 1)?;
                }
            },
        }
    }
    Ok(())
}

fn joined(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
