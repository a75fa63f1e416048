//! The documentation of the generated items.

use crate::check::Node;
use crate::number::{Number, shape_text};
use crate::plan::Plan;

/// The lines of the table of layers. Shapes are in backticks: rustdoc takes bare brackets for links.
pub(super) fn table(plan: &Plan) -> Vec<String> {
    let mut lines = vec![
        " | name | layer | output | parameters | multiply-adds |".to_string(),
        " |---|---|---|---:|---:|".to_string(),
    ];
    let code = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let unless_none = |number: &Number| match number.known() {
        Some(0) => String::new(),
        _ => count(number),
    };
    let mut sums = [Some(Number::from(0)), Some(Number::from(0))];
    for row in &plan.rows {
        lines.push(format!(
            " | {} | {}{} | `{}` | {} | {} |",
            code(&row.name),
            code(&row.layer),
            row.marks,
            row.output,
            unless_none(&row.parameters),
            unless_none(&row.multiply_adds)
        ));
        for (sum, number) in sums.iter_mut().zip([&row.parameters, &row.multiply_adds]) {
            *sum = sum.take().and_then(|sum| sum.add(number));
        }
    }
    let [parameters, multiply_adds] = sums.map(|sum| sum.as_ref().map_or("…".into(), count));
    lines.push(format!(" | | | | **{parameters}** | **{multiply_adds}** |"));
    lines
}

/// The lines of a field's documentation: the layer with its shapes, then the user's.
pub(super) fn field(node: &Node, input: Option<Vec<Number>>) -> Vec<String> {
    let keyword = node.layer.map_or("", |layer| layer.keyword);
    let mut line = match &node.part {
        Some(_) => format!(" `{}`", node.kind_and_arguments()),
        None => format!(" `{keyword}({})`", node.arguments),
    };
    if let (Some(input), Some(output)) = (input, node.dims()) {
        line += &format!(", `{}` → `{}`", shape_text(&input), shape_text(&output));
    }
    if node.marks.frozen {
        line += ", frozen";
    }
    line += match node.marks.no_decay {
        [true, true] => ", no weight decay",
        [true, false] => ", no weight decay of the weight",
        [false, true] => ", no weight decay of the bias",
        [false, false] => "",
    };
    if let Some(name) = &node.file_name {
        line += &format!("; `{name}` in weight files");
    }
    let mut lines = vec![line];
    if !node.docs.is_empty() {
        lines.push(String::new());
        lines.extend(node.docs.iter().cloned());
    }
    lines
}

/// A number with a comma before every three digits; one that the compiler alone knows as code,
/// unless it is long.
fn count(number: &Number) -> String {
    const LONGEST: usize = 60;
    match (number.known(), number.to_string()) {
        (Some(number), _) => thousands(number),
        (None, text) if text.len() <= LONGEST && !text.contains('?') => format!("`{text}`"),
        _ => "…".into(),
    }
}

/// `61,706`
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1000, 61_706, 1_234_567].map(thousands),
            ["0", "999", "1,000", "61,706", "1,234,567"]
        );
    }
}
