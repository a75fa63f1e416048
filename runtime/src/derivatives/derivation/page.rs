//! A derivation as text and as Markdown.

use std::fmt::{self, Write};

use super::{Derivation, Equation, LayerDerivation, LossDerivation};
use crate::symbolic::Style;

const INTRODUCTION: &str = "∂L/∂a says how much the loss L grows for a small change of each number of a, a value or a \
    parameter; it has a's shape. Values are of one image, and Σ_images adds up those of a minibatch. `+=`: other \
    layers read the value too, and its gradient is the sum of what all of them give it. [a > b] is 1 where that is \
    so, else 0; what has no indices is computed number by number.";

const MEAN: &str = "With the mean over a minibatch, the loss and its gradient are divided by the number of images.";

impl Derivation {
    /// The derivation as a page of Markdown with formulas in LaTeX between `$`, as GitHub, GitLab and most
    /// editors show them.
    pub fn markdown(&self) -> String {
        let mut page = String::new();
        // A String takes all that is written.
        let _ = self.write_markdown(&mut page);
        page
    }

    fn write_markdown(&self, page: &mut String) -> fmt::Result {
        writeln!(page, "# The derivative of `{}`, from the loss to the input\n", self.net)?;
        writeln!(
            page,
            "{}\n",
            INTRODUCTION
                .replace("∂L/∂a", r"$\frac{\partial L}{\partial a}$")
                .replace("Σ_images", r"$\sum_{\text{images}}$")
        )?;
        for LossDerivation { output, shape, loss, target, equations } in &self.losses {
            writeln!(page, "## {loss} of `{output}` {shape}\n")?;
            writeln!(page, "The target t: {target}. {MEAN}\n")?;
            write_equations(page, equations)?;
        }
        for own in &self.layers {
            let LayerDerivation { name, layer, output, set, value, gradients, notes, .. } = own;
            writeln!(page, "## `{name}`: {layer}\n")?;
            write!(page, "From {} to {output}", own.read_text("`"))?;
            match set {
                Some("each number") | None => writeln!(page, ".\n")?,
                Some(set) => writeln!(page, "; over {set}.\n")?,
            }
            write_equations(page, value)?;
            if !value.is_empty() && !gradients.is_empty() {
                writeln!(page, "The gradients:\n")?;
            }
            write_equations(page, gradients)?;
            for note in notes {
                writeln!(page, "{note}\n")?;
            }
        }
        Ok(())
    }
}

fn write_equations(page: &mut String, equations: &[Equation]) -> fmt::Result {
    for Equation { latex, shape, .. } in equations {
        match shape {
            Some(shape) => {
                writeln!(page, "$${latex} \\qquad {}$$\n", shape_text(shape, Style::Latex))?
            }
            None => writeln!(page, "$${latex}$$\n")?,
        }
    }
    Ok(())
}

fn shape_text(shape: &typenet_shape::Shape, style: Style) -> String {
    match style {
        Style::Text => shape.to_string(),
        Style::Latex => format!("\\text{{{shape}}}"),
    }
}

impl LayerDerivation {
    /// `relu_1 [6, 8, 8] and skip [6, 8, 8]`
    fn read_text(&self, quote: &str) -> String {
        let all = self.reads.iter().map(|(name, shape)| format!("{quote}{name}{quote} {shape}"));
        all.collect::<Vec<String>>().join(" and ")
    }
}

impl fmt::Display for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: the derivative of the loss, from the loss to the input\n", self.net)?;
        for line in lines(INTRODUCTION, 96) {
            writeln!(f, "{line}")?;
        }
        for LossDerivation { output, shape, loss, target, equations } in &self.losses {
            writeln!(f, "\n{loss} of {output} {shape}; t: {target}")?;
            show(f, equations)?;
        }
        if !self.losses.is_empty() {
            writeln!(f, "  {MEAN}")?;
        }
        for own in &self.layers {
            let LayerDerivation { name, layer, output, set, value, gradients, notes, .. } = own;
            writeln!(f, "\n{name}: {layer}    {} → {output}", own.read_text(""))?;
            if let Some(set) = set.filter(|set| *set != "each number") {
                writeln!(f, "  over {set}:")?;
            }
            show(f, value)?;
            show(f, gradients)?;
            for note in notes {
                writeln!(f, "  {note}")?;
            }
        }
        Ok(())
    }
}

fn show(f: &mut fmt::Formatter<'_>, equations: &[Equation]) -> fmt::Result {
    for Equation { text, shape, .. } in equations {
        match shape {
            Some(shape) => {
                let shape = shape_text(shape, Style::Text);
                let space =
                    96_usize.saturating_sub(text.chars().count() + shape.chars().count() + 2);
                writeln!(f, "  {text}{}{shape}", " ".repeat(space.max(2)))?;
            }
            None => writeln!(f, "  {text}")?,
        }
    }
    Ok(())
}

/// A text broken at spaces.
fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            lines[last].push_str(word);
        } else if lines[last].chars().count() + 1 + word.chars().count() <= width {
            let _ = write!(lines[last], " {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
