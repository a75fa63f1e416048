//! SVG documents.

use std::fmt::Write as _;

use super::layout::{self, ARROWHEAD, Arrow, Fall, Point, Size};
use super::{Colours, Diagram, DiagramBox, INK, LINE};

/// Fonts whose letters are all 0.6 times as wide as high, so that boxes fit what is written in them.
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";
const LETTER_WIDTH: f64 = 0.605;

/// Sizes of the letters of names, and of all others.
const NAME: f64 = 13.0;
const DETAIL: f64 = 11.0;
/// From one line to the next, in sizes of the letters.
const LINE_HEIGHT: f64 = 1.4;
/// Between a box's border and what is written in it.
const PADDING: Size = Size { width: 12.0, height: 6.0 };
/// From the sides of a box that stands for several to the lines within it.
const INSET: f64 = 5.0;

/// A text in which nothing is read as markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER_WIDTH
}

fn box_size(layer: &DiagramBox) -> Size {
    let details = layer.details();
    let widths = details.iter().map(|line| text_width(line, DETAIL));
    let width = widths.fold(text_width(&layer.title(), NAME), f64::max);
    let height = LINE_HEIGHT * (NAME + DETAIL * details.len() as f64);
    let inset = if layer.is_folded() { INSET } else { 0.0 };
    Size { width: width + 2.0 * (PADDING.width + inset), height: height + 2.0 * PADDING.height }
}

/// The path of an arrow: straight down, with a bend from one place to the next.
fn path(falls: &[Fall]) -> String {
    let mut path = String::new();
    let Some(first) = falls.first() else { return path };
    // Writing to a string cannot fail.
    let _ = write!(path, "M{:.1} {:.1}", first.x, first.top);
    let mut last = *first;
    for &fall in falls.iter().skip(1) {
        if (fall.x - last.x).abs() >= 0.05 {
            let (x0, y0, x1, y1) = (last.x, last.bottom, fall.x, fall.top);
            let middle = (y0 + y1) / 2.0;
            let _ =
                write!(path, "V{y0:.1}C{x0:.1} {middle:.1} {x1:.1} {middle:.1} {x1:.1} {y1:.1}");
        }
        last = fall;
    }
    let _ = write!(path, "V{:.1}", last.bottom);
    path
}

/// The arrowhead at the last place, as a path.
fn arrowhead(falls: &[Fall]) -> String {
    let Some(&Fall { x, bottom, .. }) = falls.last() else { return String::new() };
    let (left, right, back) = (x - ARROWHEAD * 0.45, x + ARROWHEAD * 0.45, bottom - ARROWHEAD);
    format!("M{x:.1} {bottom:.1}L{left:.1} {back:.1}H{right:.1}Z")
}

/// Text around `x` with its foot at `y`: fonts agree on where a foot is, less on middles.
fn text(svg: &mut String, x: f64, y: f64, attributes: &str, text: &str) {
    let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}"{attributes}>{}</text>"#, escape(text));
}

pub(super) fn write(diagram: &Diagram) -> String {
    let sizes: Vec<Size> = diagram.boxes.iter().map(box_size).collect();
    let shapes: Vec<String> = diagram.arrows.iter().map(|arrow| arrow.shape.to_string()).collect();
    let arrow = |i: usize| {
        let (from, to) = (diagram.arrows[i].from, diagram.arrows[i].to);
        Arrow {
            from,
            to,
            label: Size { width: text_width(&shapes[i], DETAIL), height: DETAIL * LINE_HEIGHT },
            // What flows from line to line of the declaration.
            is_main: i == 0 || diagram.arrows[i - 1].to != to,
        }
    };
    let arrows: Vec<Arrow> = (0..shapes.len()).map(arrow).collect();
    let layout = layout::place(&sizes, &arrows);

    let mut svg = String::new();
    let (Point { x, y }, Size { width, height }) = (layout.corner, layout.size);
    let name = escape(diagram.name);
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="{x:.1} {y:.1} {width:.1} {height:.1}" role="img" font-family="{FONTS}" font-size="{DETAIL}" text-anchor="middle">"#
    );
    let _ = writeln!(svg, "<title>{name}</title>");
    for ((arrow, route), shape) in diagram.arrows.iter().zip(&layout.routes).zip(&shapes) {
        let [from, to] = [arrow.from, arrow.to].map(|i| diagram.boxes[i].name.as_str());
        let _ = writeln!(svg, r#"<g data-from="{}" data-to="{}">"#, escape(from), escape(to));
        let line = path(&route.falls);
        let _ = writeln!(svg, r#"<path d="{line}" fill="none" stroke="{LINE}"/>"#);
        let _ = writeln!(svg, r#"<path d="{}" fill="{LINE}"/>"#, arrowhead(&route.falls));
        let foot = route.label.y + DETAIL * 0.35;
        text(&mut svg, route.label.x, foot, &format!(r#" fill="{LINE}""#), shape);
        svg += "</g>\n";
    }
    for (i, ((layer, at), size)) in diagram.boxes.iter().zip(&layout.boxes).zip(&sizes).enumerate()
    {
        let Colours { fill, border } = layer.group.colours();
        let (x, mut y) = (at.x - size.width / 2.0, at.y - size.height / 2.0);
        let round = if diagram.is_end(i) { size.height / 2.0 } else { 5.0 };
        let (layer_name, group) = (escape(&layer.name), layer.group.name());
        let _ = writeln!(svg, r#"<g data-layer="{layer_name}" data-group="{group}" fill="{INK}">"#);
        let _ = writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}" rx="{round:.1}" fill="{fill}" stroke="{border}"/>"#,
            size.width, size.height
        );
        // As flowcharts draw a process that is shown elsewhere.
        if layer.is_folded() {
            let (left, right) = (x + INSET, x + size.width - INSET);
            let (width, height) = (right - left, size.height);
            let line = format!("M{left:.1} {y:.1}v{height:.1}m{width:.1} 0v{:.1}", -height);
            let _ = writeln!(svg, r#"<path d="{line}" fill="none" stroke="{border}"/>"#);
        }
        y += PADDING.height + NAME * LINE_HEIGHT / 2.0;
        let bold = format!(r#" font-size="{NAME}" font-weight="bold""#);
        text(&mut svg, at.x, y + NAME * 0.35, &bold, &layer.title());
        y += NAME * LINE_HEIGHT / 2.0;
        for line in layer.details() {
            text(&mut svg, at.x, y + DETAIL * (LINE_HEIGHT / 2.0 + 0.35), "", &line);
            y += DETAIL * LINE_HEIGHT;
        }
        svg += "</g>\n";
    }
    svg += "</svg>\n";
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("conv1: [3, 8]"), "conv1: [3, 8]");
        assert_eq!(escape("<a b='c'>&\""), "&lt;a b=&#39;c&#39;&gt;&amp;&quot;");
    }
}
