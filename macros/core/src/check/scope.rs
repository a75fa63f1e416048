//! Where names are known. Two things go together, except where braces have no name: a *frame* is a pair of
//! braces, in which names of values are known; a *scope* is a segment of parameter names, in which names of
//! fields must differ and unnamed layers are numbered.

use std::fmt;

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;

use super::marks::{FileName, round_of};
use super::names::Name;
use super::{Checker, Group};
use crate::mistake::Place;
use crate::parse::{Entry, Structure, StructureKind};

/// One segment of the path to a layer's parameters.
#[derive(Clone, Debug)]
pub enum Segment {
    /// A name.
    Name(Ident),
    /// The round of a repeat, from 0.
    Index(usize),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Name(name) => write!(f, "{}", name.unraw()),
            Segment::Index(index) => write!(f, "{index}"),
        }
    }
}

impl PartialEq for Segment {
    fn eq(&self, other: &Segment) -> bool {
        match (self, other) {
            (Segment::Name(one), Segment::Name(other)) => one == other,
            (Segment::Index(one), Segment::Index(other)) => one == other,
            _ => false,
        }
    }
}

/// `stage1.0.conv1`
pub fn path_text(path: &[Segment]) -> String {
    path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

/// What braces shut out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Bounds {
    /// Nothing: what is around them can be read.
    None,
    /// They are a repeat's.
    Repeat,
    /// They are a block's.
    Block,
}

/// The names of values in one pair of braces.
pub(super) struct Frame<'a> {
    /// Its number among all frames.
    id: usize,
    pub(super) bounds: Bounds,
    /// The names so far, with the nodes that they stand for.
    pub(super) names: Vec<(String, usize)>,
    entries: &'a [Entry],
}

impl Frame<'_> {
    /// Whether the name is written in these braces, above or below.
    pub(super) fn writes(&self, name: &str) -> bool {
        let is = |written: &Option<Ident>| written.as_ref().is_some_and(|one| one.unraw() == name);
        self.entries.iter().any(|entry| match entry {
            Entry::Layer(layer) => is(&layer.name),
            Entry::Structure(Structure { name: written, kind, .. }) => {
                let branches = match kind {
                    StructureKind::Concat { branches } => branches.as_slice(),
                    _ => &[],
                };
                is(written) || branches.iter().any(|branch| is(&branch.name))
            }
            Entry::Gap => false,
        })
    }
}

/// The names of fields in one segment of parameter names.
#[derive(Default)]
pub(super) struct Scope {
    path: Vec<Segment>,
    names: Vec<Taken>,
    /// How many there are of each kind.
    counts: Vec<(String, usize)>,
    /// Whether a name on the way here is a mistake, so that there are no fields.
    lost: bool,
    file: FilePath,
}

/// What weight files call a scope.
#[derive(Clone, Default)]
struct FilePath {
    /// The segments.
    text: String,
    /// The innermost attribute that changed one of them.
    place: Option<Place>,
    /// For a repeat whose name numbers its rounds: the segments around it, and that name.
    rounds: Option<(String, String)>,
}

impl FilePath {
    /// A segment further in, of this name unless an attribute gives it another.
    fn further(&self, name: &Segment, own: Option<&FileName>) -> FilePath {
        if let (Some((around, text)), Segment::Index(index)) = (&self.rounds, name)
            && let Some((before, first, after)) = round_of(text)
        {
            let segment = format!("{before}{}{after}", first.saturating_add(*index));
            return FilePath { text: joined(around, &segment), place: self.place, rounds: None };
        }
        let Some(own) = own else {
            let text = joined(&self.text, &name.to_string());
            return FilePath { text, place: self.place, rounds: None };
        };
        let rounds = round_of(&own.text).map(|_| (self.text.clone(), own.text.clone()));
        FilePath { text: joined(&self.text, &own.text), place: Some(own.place), rounds }
    }
}

fn joined(path: &str, name: &str) -> String {
    match (path, name) {
        ("", _) => name.to_string(),
        (_, "") => path.to_string(),
        _ => format!("{path}.{name}"),
    }
}

/// A name that is taken.
pub(super) struct Taken {
    text: String,
    /// The word that has it.
    pub(super) keyword: String,
    /// The first word of what has it.
    pub(super) span: Span,
    pub(super) written: bool,
    frame: usize,
    field: bool,
}

impl Taken {
    /// Whether it was taken in these braces.
    pub(super) fn same_braces(&self, frame: Option<&Frame<'_>>) -> bool {
        frame.is_none_or(|frame| frame.id == self.frame)
    }
}

impl<'a> Checker<'a> {
    pub(super) fn open_frame(&mut self, bounds: Bounds, entries: &'a [Entry]) {
        self.frames_opened += 1;
        self.frames.push(Frame { id: self.frames_opened, bounds, names: Vec::new(), entries });
    }

    pub(super) fn close_frame(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.closed.extend(frame.names.into_iter().map(|(name, _)| name));
        }
    }

    /// Entries between braces of their own.
    pub(super) fn framed(&mut self, bounds: Bounds, entries: &'a [Entry]) {
        self.open_frame(bounds, entries);
        self.entries(entries);
        self.close_frame();
    }

    /// From here on the name stands for the current value.
    pub(super) fn define(&mut self, name: &Ident) {
        self.define_text(&name.unraw().to_string(), self.current);
    }

    pub(super) fn define_text(&mut self, name: &str, node: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.names.push((name.to_string(), node));
        }
    }

    /// Opens the scope of a named structure, a block or a repeat.
    pub(super) fn open_scope(
        &mut self,
        name: &Name,
        what: String,
        docs: &[String],
        file: Option<&FileName>,
    ) {
        let segment = Segment::Name(name.ident.clone());
        self.open_segment(segment, name.lost, format!("`{what}`"), docs, file);
    }

    pub(super) fn open_segment(
        &mut self,
        segment: Segment,
        lost: bool,
        what: String,
        docs: &[String],
        file: Option<&FileName>,
    ) {
        let (mut path, before, file) = match self.scopes.last() {
            Some(scope) => (scope.path.clone(), scope.lost, scope.file.further(&segment, file)),
            None => (Vec::new(), false, FilePath::default()),
        };
        path.push(segment);
        let lost = lost || before;
        if !lost {
            let docs = docs.to_vec();
            self.groups.push(Group { path: path.clone(), what, docs, way: None });
        }
        self.scopes.push(Scope { path, lost, file, ..Scope::default() });
    }

    /// Notes that the group of this number, if there is one, leads from a node to the current one.
    pub(super) fn arrive(&mut self, group: usize, from: usize) {
        let way = [from, self.current];
        if let Some(group) = self.groups.get_mut(group) {
            group.way = Some(way);
        }
    }

    pub(super) fn close_scope(&mut self) {
        if self.scopes.len() > 1 {
            self.scopes.pop();
        }
    }

    /// The name with the segments before it.
    pub(super) fn full_name(&self, name: &str) -> String {
        match self.scopes.last() {
            Some(scope) if !scope.path.is_empty() => format!("{}.{name}", path_text(&scope.path)),
            _ => name.to_string(),
        }
    }

    /// What weight files call the layer of this name here, and the attribute that has a part in it.
    pub(super) fn file_name_of(
        &self,
        name: &str,
        own: Option<&FileName>,
    ) -> (String, Option<Place>) {
        let around = self.scopes.last().map(|scope| &scope.file);
        let text = around.map_or("", |file| file.text.as_str());
        match own {
            Some(own) => (joined(text, &own.text), Some(own.place)),
            None => (joined(text, name), around.and_then(|file| file.place)),
        }
    }

    /// The way to the field of this name, unless there can be none.
    pub(super) fn field(&self, name: &Name) -> Option<Vec<Segment>> {
        let scope = self.scopes.last()?;
        if scope.lost || name.lost {
            return None;
        }
        let mut path = scope.path.clone();
        path.push(Segment::Name(name.ident.clone()));
        Some(path)
    }

    /// Counts one more of a kind in this scope.
    pub(super) fn count(&mut self, kind: &str) -> usize {
        let Some(scope) = self.scopes.last_mut() else { return 1 };
        match scope.counts.iter_mut().find(|(other, _)| other == kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                scope.counts.push((kind.to_string(), 1));
                1
            }
        }
    }

    /// What has the name already, if it cannot be had twice: in the same braces, or as fields of one
    /// scope, or if one of them was not written.
    pub(super) fn taken(&self, text: &str, written: bool, field: bool) -> Option<&Taken> {
        let frame = self.frames.last().map_or(0, |frame| frame.id);
        self.scopes.last()?.names.iter().find(|other| {
            let meet = other.frame == frame || (field && other.field) || !written || !other.written;
            other.text == text && meet
        })
    }

    pub(super) fn take(
        &mut self,
        text: &str,
        keyword: &Ident,
        span: Span,
        written: bool,
        field: bool,
    ) {
        let frame = self.frames.last().map_or(0, |frame| frame.id);
        if let Some(scope) = self.scopes.last_mut() {
            let (text, keyword) = (text.to_string(), keyword.to_string());
            scope.names.push(Taken { text, keyword, span, written, frame, field });
        }
    }
}
