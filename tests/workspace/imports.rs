//! Which file imports which, and the circles among them.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use crate::source::{Module, Tree};

/// The lines by which a file imports another one.
type Imports = BTreeMap<(usize, usize), BTreeSet<usize>>;

/// Files that import each other.
#[derive(Debug)]
pub(crate) struct Cycle<'a> {
    tree: &'a Tree,
    imports: Imports,
    /// A shortest way round.
    way: Vec<usize>,
    /// All files of which each leads to each.
    knot: BTreeSet<usize>,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Target {
    Module(usize),
    /// An item that this file defines.
    Item(usize),
}

/// The knots of a crate.
pub(crate) fn cycles(tree: &Tree) -> Vec<Cycle<'_>> {
    let imports = tree.imports();
    let reached: Vec<BTreeSet<usize>> =
        (0..tree.files.len()).map(|file| reached(&imports, file)).collect();
    let mut cycles: Vec<Cycle<'_>> = Vec::new();
    for file in 0..tree.files.len() {
        if !reached[file].contains(&file) || cycles.iter().any(|cycle| cycle.knot.contains(&file)) {
            continue;
        }
        let knot: BTreeSet<usize> =
            reached[file].iter().copied().filter(|&other| reached[other].contains(&file)).collect();
        let ways = knot.iter().filter_map(|&start| way_round(&imports, start));
        let Some(way) = ways.min_by_key(Vec::len) else { continue };
        let within = |(from, to): &(usize, usize)| knot.contains(from) && knot.contains(to);
        let imports = imports.iter().filter(|(pair, _)| within(pair));
        let imports = imports.map(|(pair, lines)| (*pair, lines.clone())).collect();
        cycles.push(Cycle { tree, imports, way, knot });
    }
    cycles
}

fn next(imports: &Imports, file: usize) -> impl Iterator<Item = usize> {
    imports.range((file, 0)..(file + 1, 0)).map(|((_, to), _)| *to)
}

/// All files to which imports lead.
fn reached(imports: &Imports, file: usize) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        open.extend(next(imports, file).filter(|&to| all.insert(to)));
    }
    all
}

/// A shortest way from a file to itself, which stands at both ends.
fn way_round(imports: &Imports, start: usize) -> Option<Vec<usize>> {
    let mut from = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for to in next(imports, file) {
            if let Entry::Vacant(place) = from.entry(to) {
                place.insert(file);
                open.push_back(to);
            }
        }
    }
    let mut way = vec![start, *from.get(&start)?];
    while let Some(&last) = way.last().filter(|&&last| last != start) {
        way.push(from[&last]);
    }
    way.reverse();
    Some(way)
}

impl Tree {
    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        let mut re_exports = Imports::new();
        for (index, module) in self.modules.iter().enumerate() {
            for path in module.paths.iter().filter(|path| path.names.len() > 1) {
                for target in self.resolve(index, &path.names, &mut BTreeSet::new()) {
                    if let Target::Item(file) = target {
                        imports.entry((module.file, file)).or_default().insert(path.line);
                    }
                }
            }
            for one in &module.uses {
                let targets = self.resolve(index, &one.path.names, &mut BTreeSet::new());
                let alone = module.paths.iter().filter(|path| path.names.len() == 1);
                for target in targets {
                    match target {
                        Target::Module(other) if one.name == "*" => {
                            for path in
                                module.paths.iter().filter(|path| !module.knows(&path.names[0]))
                            {
                                let found =
                                    self.lookup(other, &path.names[0], &mut BTreeSet::new());
                                for file in found.into_iter().map(|target| self.file_of(target)) {
                                    imports
                                        .entry((module.file, file))
                                        .or_default()
                                        .insert(path.line);
                                }
                            }
                            if one.exported {
                                let pair = (module.file, self.modules[other].file);
                                re_exports.entry(pair).or_default().insert(one.path.line);
                            }
                        }
                        Target::Module(other) => {
                            let through = |path: &crate::source::Path| {
                                path.names.len() > 1 && path.names[0] == one.name
                            };
                            if !one.exported && !module.paths.iter().any(through) {
                                let pair = (module.file, self.modules[other].file);
                                imports.entry(pair).or_default().insert(one.path.line);
                            }
                        }
                        Target::Item(file) if one.exported => {
                            let pair = (module.file, file);
                            re_exports.entry(pair).or_default().insert(one.path.line);
                            for path in alone.clone().filter(|path| path.names[0] == one.name) {
                                imports.entry(pair).or_default().insert(path.line);
                            }
                        }
                        Target::Item(file) => {
                            imports.entry((module.file, file)).or_default().insert(one.path.line);
                        }
                    }
                }
            }
        }
        imports.retain(|&(from, to), _| from != to && !self.holds(from, to));
        for ((from, to), lines) in re_exports {
            if from != to && !self.holds(from, to) && imports.contains_key(&(to, from)) {
                imports.entry((from, to)).or_default().extend(lines);
            }
        }
        imports
    }

    /// Whether a file's module has the other one within it.
    fn holds(&self, file: usize, other: usize) -> bool {
        let [outer, inner] = [file, other].map(|file| self.files[file].module.as_str());
        outer == "crate" || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"))
    }

    fn file_of(&self, target: Target) -> usize {
        match target {
            Target::Module(module) => self.modules[module].file,
            Target::Item(file) => file,
        }
    }

    /// What a path stands for in a module: nothing where it leads to another crate.
    fn resolve(
        &self,
        module: usize,
        names: &[String],
        seen: &mut BTreeSet<(usize, String)>,
    ) -> BTreeSet<Target> {
        let mut at = 0;
        let mut start = module;
        while let Some(name) = names.get(at) {
            match name.as_str() {
                "crate" => start = 0,
                "self" => {}
                "super" => start = self.modules[start].parent.unwrap_or_default(),
                _ => break,
            }
            at += 1;
        }
        let is_of_crate = at > 0;
        let mut targets = BTreeSet::from([Target::Module(start)]);
        for (index, name) in names.iter().enumerate().skip(at) {
            let mut next = BTreeSet::new();
            for target in targets {
                let Target::Module(module) = target else {
                    // A variant, or what is associated with a type.
                    next.insert(target);
                    continue;
                };
                let found = self.lookup(module, name, seen);
                if found.is_empty() && (is_of_crate || index > at) {
                    // What a macro writes there.
                    next.insert(Target::Item(self.modules[module].file));
                }
                next.extend(found);
            }
            targets = next;
        }
        targets
    }

    /// What a name stands for in a module.
    fn lookup(
        &self,
        module: usize,
        name: &str,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> BTreeSet<Target> {
        let mut found = BTreeSet::new();
        if !seen.insert((module, name.to_owned())) {
            return found;
        }
        let here = &self.modules[module];
        found.extend(here.children.get(name).map(|&child| Target::Module(child)));
        if here.items.contains(name) {
            found.insert(Target::Item(here.file));
        }
        for one in here.uses.iter().filter(|one| one.name == name) {
            found.extend(self.resolve(module, &one.path.names, seen));
        }
        if found.is_empty() {
            for one in here.uses.iter().filter(|one| one.name == "*") {
                for target in self.resolve(module, &one.path.names, seen) {
                    if let Target::Module(other) = target {
                        found.extend(self.lookup(other, name, seen));
                    }
                }
            }
        }
        if module == 0
            && let Some(&definer) = self.macros.get(name)
        {
            found.insert(Target::Item(self.modules[definer].file));
        }
        found
    }
}

impl Module {
    /// Whether a name stands for something that is written here.
    fn knows(&self, name: &str) -> bool {
        self.children.contains_key(name)
            || self.items.contains(name)
            || self.uses.iter().any(|one| one.name == name)
            || matches!(name, "crate" | "self" | "super")
    }
}

impl fmt::Display for Cycle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |files: &mut dyn Iterator<Item = &usize>| -> Vec<&str> {
            files.map(|&file| self.tree.files[file].module.as_str()).collect()
        };
        writeln!(f, "{}", names(&mut self.way.iter()).join(" → "))?;
        let ties: Vec<(usize, usize)> =
            self.way.windows(2).map(|pair| (pair[0], pair[1])).collect();
        for pair in &ties {
            self.lines(f, *pair)?;
        }
        if self.imports.len() > ties.len() {
            writeln!(f, "  and in one knot with it: {}", names(&mut self.knot.iter()).join(", "))?;
            for pair in self.imports.keys().filter(|pair| !ties.contains(pair)) {
                self.lines(f, *pair)?;
            }
        }
        Ok(())
    }
}

impl Cycle<'_> {
    fn lines(&self, f: &mut fmt::Formatter<'_>, (from, to): (usize, usize)) -> fmt::Result {
        let (file, name) = (&self.tree.files[from], &self.tree.files[to].module);
        for line in &self.imports[&(from, to)] {
            let text = file.lines.get(line - 1).map_or("", String::as_str);
            writeln!(f, "  {}:{line} imports {name}: {text}", file.path)?;
        }
        Ok(())
    }
}
