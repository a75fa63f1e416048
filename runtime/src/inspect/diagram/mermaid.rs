//! Mermaid's flowcharts.

use std::fmt::Write as _;

use super::{Colours, Diagram, INK, LayerGroup};

/// A text in quotes, with what Mermaid or HTML would read as more than a letter in its code.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | '\\' => {
                escaped += &format!("#{};", u32::from(letter));
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

pub(super) fn write(diagram: &Diagram) -> String {
    let mut text = String::from("flowchart TD\n");
    for (i, layer) in diagram.boxes.iter().enumerate() {
        let mut lines = vec![escape(&layer.title())];
        lines.extend(layer.details().iter().map(|line| escape(line)));
        let (open, close) = match layer.is_folded() {
            true => ("[[", "]]"),
            false if diagram.is_end(i) => ("([", "])"),
            false => ("[", "]"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    n{i}{open}\"{}\"{close}", lines.join("<br/>"));
    }
    for arrow in &diagram.arrows {
        let shape = escape(&arrow.shape.to_string());
        let _ = writeln!(text, "    n{} -->|\"{shape}\"| n{}", arrow.from, arrow.to);
    }
    for group in LayerGroup::ALL {
        let members: Vec<String> = (0..diagram.boxes.len())
            .filter(|&i| diagram.boxes[i].group == group)
            .map(|i| format!("n{i}"))
            .collect();
        if !members.is_empty() {
            let (name, Colours { fill, border }) = (group.name(), group.colours());
            let _ = writeln!(text, "    classDef {name} fill:{fill},stroke:{border},color:{INK}");
            let _ = writeln!(text, "    class {} {name}", members.join(","));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_a_meaning_are_written_as_codes() {
        assert_eq!(escape("conv1.0: [3, 8]"), "conv1.0: [3, 8]");
        assert_eq!(escape("a<b>\"&`#;\\"), "a#60;b#62;#34;#38;#96;#35;;#92;");
    }
}
