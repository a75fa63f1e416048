//! The modules of a crate, with what each defines and names.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Sources by their path.
pub(crate) type Files = BTreeMap<String, String>;

/// A crate.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The root first.
    pub(crate) modules: Vec<Module>,
    pub(crate) files: Vec<File>,
    /// The modules that define the macros with `#[macro_export]`, which stand in the root.
    pub(crate) macros: BTreeMap<String, usize>,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    /// `crate`, or `a::b`.
    pub(crate) module: String,
    pub(crate) lines: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Module {
    /// The index of its file; a module in braces has that of the one around it.
    pub(crate) file: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    /// The names of its items.
    pub(crate) items: BTreeSet<String>,
    pub(crate) uses: Vec<Use>,
    pub(crate) paths: BTreeSet<Path>,
}

/// A name that a `use` declaration makes known.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) path: Path,
    /// What it is called here; `*` for everything.
    pub(crate) name: String,
    /// Whether others may name it through this module.
    pub(crate) exported: bool,
}

/// Names with `::` between them. One name alone is a type, or is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Path {
    pub(crate) names: Vec<String>,
    pub(crate) line: usize,
}

impl Tree {
    /// Reads the modules from the file `first` on.
    pub(crate) fn read(files: &Files, first: &str) -> Tree {
        let mut tree = Tree { modules: vec![], files: vec![], macros: BTreeMap::new() };
        tree.file(files, &Place { name: "crate", folder: "", parent: None }, first);
        tree
    }

    fn file(&mut self, files: &Files, place: &Place<'_>, path: &str) -> usize {
        let text = files.get(path).unwrap_or_else(|| panic!("no file {path}"));
        let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let (path, module) = (path.to_owned(), place.name.to_owned());
        let lines = text.lines().map(|line| line.trim().to_owned()).collect();
        self.files.push(File { path, module, lines });
        self.module(files, place, self.files.len() - 1, tokens)
    }

    fn module(
        &mut self,
        files: &Files,
        place: &Place<'_>,
        file: usize,
        tokens: TokenStream,
    ) -> usize {
        let index = self.modules.len();
        self.modules.push(Module { file, parent: place.parent, ..Module::default() });
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while !rest.is_empty() {
            let (attributes, after) = attributes(rest);
            let (kind, len) = item(after);
            let (tokens, after) = after.split_at(len);
            rest = after;
            if attributes.iter().any(|attribute| is_for_tests(attribute)) {
                continue;
            }
            if let Kind::Module(child) = kind {
                let name =
                    if index == 0 { child.clone() } else { format!("{}::{child}", place.name) };
                let folder = format!("{}{child}/", place.folder);
                let inner = Place { name: &name, folder: &folder, parent: Some(index) };
                let child_index = match tokens.last() {
                    Some(TokenTree::Group(body)) => self.module(files, &inner, file, body.stream()),
                    _ => {
                        let beside = format!("{}{child}.rs", place.folder);
                        let within = format!("{folder}mod.rs");
                        let path = if files.contains_key(&beside) { beside } else { within };
                        self.file(files, &inner, &path)
                    }
                };
                self.modules[index].children.insert(child, child_index);
                continue;
            }
            let module = &mut self.modules[index];
            for attribute in &attributes {
                module.code(attribute.stream());
            }
            module.code(tokens.iter().cloned().collect());
            match kind {
                Kind::Macro(name) if attributes.iter().any(|one| says(one, "macro_export")) => {
                    self.macros.insert(name, index);
                }
                Kind::Macro(name) | Kind::Item(name) => {
                    module.items.insert(name);
                }
                Kind::Module(_) | Kind::Other => {}
            }
        }
        index
    }
}

/// Where a module stands in its crate.
struct Place<'a> {
    name: &'a str,
    /// The folder of its children, empty or with a slash behind it.
    folder: &'a str,
    parent: Option<usize>,
}

/// What an item is, with its name.
enum Kind {
    Module(String),
    Macro(String),
    Item(String),
    Other,
}

impl Module {
    /// Notes the `use` declarations and the paths in some code.
    fn code(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if is(tokens.get(at), '#')
                && let Some(TokenTree::Group(attribute)) = tokens.get(at + 1)
                && is_for_tests(attribute)
            {
                let (attributes, _) = attributes(&tokens[at..]);
                at += 2 * attributes.len();
                at += item(&tokens[at..]).1.max(1);
                continue;
            }
            match &tokens[at] {
                TokenTree::Group(group) => self.code(group.stream()),
                // Not `impl Trait + use<'a>`.
                TokenTree::Ident(word) if word == "use" && !is(tokens.get(at + 1), '<') => {
                    let len = tokens[at..].iter().take_while(|token| !is(Some(token), ';')).count();
                    let exported = is_public(&tokens[..at]);
                    self.declaration(&tokens[at + 1..at + len], &[], exported);
                    at += len;
                }
                TokenTree::Ident(_) => at += self.path(&tokens, at) - 1,
                _ => {}
            }
            at += 1;
        }
    }

    /// Notes the path that begins here; returns its number of tokens.
    fn path(&mut self, tokens: &[TokenTree], at: usize) -> usize {
        let mut names = Vec::new();
        let (mut end, mut line) = (at, 0);
        while let Some(TokenTree::Ident(word)) = tokens.get(end) {
            line = word.span().start().line;
            names.push(plain(&word.to_string()));
            end += 1;
            if !is_double_colon(&tokens[end..])
                || !matches!(tokens.get(end + 2), Some(TokenTree::Ident(_)))
            {
                break;
            }
            end += 2;
        }
        let before = &tokens[..at];
        let of_value = is(before.last(), '.') && !is(before.iter().nth_back(1), '.');
        let of_other_crate = before.len() >= 2 && is_double_colon(&before[before.len() - 2..]);
        // A name in lower case alone is mostly a variable's or a field's.
        let is_type = names[0].starts_with(|first: char| first.is_uppercase());
        let is_called = matches!(
            tokens.get(end),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis
        );
        if !of_value && !of_other_crate && (names.len() > 1 || is_type || is_called) {
            self.paths.insert(Path { names, line });
        }
        end - at
    }

    /// Notes what `use prefix::{tokens};` makes known.
    fn declaration(&mut self, tokens: &[TokenTree], prefix: &[String], exported: bool) {
        let parts = tokens.split(|token| is(Some(token), ','));
        for part in parts.filter(|part| !part.is_empty()) {
            if is_double_colon(part) && prefix.is_empty() {
                continue;
            }
            let mut names = prefix.to_vec();
            let (mut line, mut name) = (0, None);
            let mut words = part.iter();
            while let Some(word) = words.next() {
                line = word.span().start().line;
                match word {
                    TokenTree::Ident(word) if word == "as" => {
                        name = words.next().map(|name| plain(&name.to_string()));
                    }
                    TokenTree::Ident(word) if word == "self" && !names.is_empty() => {}
                    TokenTree::Ident(word) => names.push(plain(&word.to_string())),
                    TokenTree::Group(group) => {
                        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.declaration(&tokens, &names, exported);
                        names.clear();
                    }
                    TokenTree::Punct(sign) if sign.as_char() == '*' => name = Some("*".to_owned()),
                    _ => {}
                }
            }
            if let Some(name) = name.or_else(|| names.last().cloned())
                && !names.is_empty()
            {
                self.uses.push(Use { path: Path { names, line }, name, exported });
            }
        }
    }
}

/// The attributes at the start, and what is behind them.
fn attributes(mut tokens: &[TokenTree]) -> (Vec<&Group>, &[TokenTree]) {
    let mut attributes = Vec::new();
    loop {
        match tokens {
            [TokenTree::Punct(sign), TokenTree::Group(group), rest @ ..]
                if sign.as_char() == '#' =>
            {
                attributes.push(group);
                tokens = rest;
            }
            // That of a file.
            [TokenTree::Punct(sign), TokenTree::Punct(_), TokenTree::Group(_), rest @ ..]
                if sign.as_char() == '#' =>
            {
                tokens = rest;
            }
            _ => return (attributes, tokens),
        }
    }
}

/// Whether the attribute `#[test]`, or `#[cfg(…)]` with `test` in it.
fn is_for_tests(attribute: &Group) -> bool {
    says(attribute, "test") && attribute.stream().into_iter().count() == 1
        || says(attribute, "cfg")
            && names(attribute).contains("test")
            && !names(attribute).contains("not")
}

fn says(attribute: &Group, word: &str) -> bool {
    attribute.stream().into_iter().next().is_some_and(|first| first.to_string() == word)
}

fn names(group: &Group) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for token in group.stream() {
        match token {
            TokenTree::Group(inner) => all.extend(names(&inner)),
            other => drop(all.insert(other.to_string())),
        }
    }
    all
}

/// What the item at the start is, and its number of tokens.
fn item(tokens: &[TokenTree]) -> (Kind, usize) {
    let word = |at: usize| tokens.get(at).map(ToString::to_string).unwrap_or_default();
    let mut at = 0;
    if word(0) == "pub" {
        at = 1 + usize::from(matches!(tokens.get(1), Some(TokenTree::Group(_))));
    }
    while matches!(word(at).as_str(), "unsafe" | "async" | "extern" | "default")
        || word(at).starts_with('"')
        || word(at) == "const"
            && matches!(word(at + 1).as_str(), "fn" | "unsafe" | "extern" | "async")
    {
        at += 1;
    }
    let name = plain(&word(at + 1));
    let to_semicolon = matches!(word(at).as_str(), "use" | "type" | "const" | "static" | "crate");
    let kind = match word(at).as_str() {
        "mod" => Kind::Module(name),
        "static" if name == "mut" => Kind::Item(word(at + 2)),
        "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" => {
            Kind::Item(name)
        }
        "macro_rules" => Kind::Macro(word(at + 2)),
        _ => Kind::Other,
    };
    let is_end = |at: usize| match &tokens[at] {
        TokenTree::Group(group) => {
            let is_argument = is(tokens.get(at + 1), ',') || is(tokens.get(at + 1), '>');
            group.delimiter() == Delimiter::Brace && !to_semicolon && !is_argument
        }
        token => is(Some(token), ';'),
    };
    let end = (at..tokens.len()).find(|&at| is_end(at));
    (kind, end.map_or(tokens.len(), |end| end + 1))
}

/// Whether `pub`, or `pub(…)`, stands at the end.
fn is_public(tokens: &[TokenTree]) -> bool {
    let is_pub = |token: Option<&TokenTree>| token.is_some_and(|token| token.to_string() == "pub");
    is_pub(tokens.last())
        || matches!(tokens.last(), Some(TokenTree::Group(_))) && is_pub(tokens.iter().nth_back(1))
}

fn is(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    is(tokens.first(), ':') && is(tokens.get(1), ':')
}

/// A name without `r#`.
fn plain(name: &str) -> String {
    name.trim_start_matches("r#").to_owned()
}
