//! A page of `docs/` that a bench writes, section by section.

use std::io;

pub(crate) struct Page {
    /// The names of the sections that are wanted; none for all.
    only: Vec<String>,
    text: String,
}

impl Page {
    /// The page that the program's arguments ask for; `None` where `cargo test --benches` starts it.
    pub(crate) fn of_arguments() -> Option<Page> {
        let (flags, only): (Vec<String>, Vec<String>) =
            std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
        let is_bench = flags.iter().any(|flag| flag == "--bench");
        is_bench.then(|| Page { only, text: String::new() })
    }

    pub(crate) fn begin(&mut self, head: &str) {
        self.text += head;
    }

    /// Prints a section and keeps it, if it is wanted.
    pub(crate) fn add(&mut self, name: &str, section: impl FnOnce() -> String) {
        if self.only.is_empty() || self.only.iter().any(|only| only == name) {
            let section = section();
            println!("{section}");
            self.text += &section;
        }
    }

    /// Writes the whole page; of a part, nothing.
    pub(crate) fn save(&self, file: &str) -> io::Result<()> {
        if !self.only.is_empty() {
            return Ok(());
        }
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/").to_owned();
        std::fs::write(docs + file, self.text.trim_end().to_owned() + "\n")
    }
}
