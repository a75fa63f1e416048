//! The documentation of the generated items.

use crate::check::{Checked, Definition, Group};
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

/// The lines of a layer's documentation: its shapes and what it costs, then the user's.
pub(super) fn field(checked: &Checked, plan: &Plan, index: usize) -> Vec<String> {
    let node = &checked.nodes[index];
    // What another net or an own layer takes, the compiler alone knows.
    let input = node.inputs.first().filter(|_| node.part.is_none());
    let input = input.and_then(|&input| checked.nodes[input].dims());
    let keyword = node.layer.map_or("", |layer| layer.keyword);
    let mut line = match (&node.part, node.arguments.as_str()) {
        (Some(_), _) => format!(" `{}`", node.kind_and_arguments()),
        (None, "") => format!(" `{keyword}`"),
        (None, arguments) => format!(" `{keyword}({arguments})`"),
    };
    line += &way(input, node.dims());
    if let Some(row) = plan.rows.get(index) {
        let counts = [(&row.parameters, "parameters"), (&row.multiply_adds, "multiply-adds")];
        for (number, what) in counts {
            if let Some(number) = number.known().filter(|&number| number > 0) {
                line += &format!(", {} {what}", thousands(number));
            }
        }
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
    with_own(line, &node.docs)
}

/// The lines of the documentation of a field that holds fields: what was written there, then the
/// user's.
pub(super) fn group(group: &Group, checked: &Checked) -> Vec<String> {
    let mut line = format!(" {}", group.what);
    if let Some([from, to]) = group.way {
        line += &way(checked.nodes[from].dims(), checked.nodes[to].dims());
    }
    with_own(line, &group.docs)
}

/// The lines of a block's documentation: its head, then the user's.
pub(super) fn block(block: &Definition) -> Vec<String> {
    with_own(format!(" `{}`", block.head), &block.docs)
}

/// `` , `[8, 14, 14]` → `[16, 7, 7]` `` where both are known.
fn way(from: Option<Vec<Number>>, to: Option<Vec<Number>>) -> String {
    match (from, to) {
        (Some(from), Some(to)) => format!(", `{}` → `{}`", shape_text(&from), shape_text(&to)),
        _ => String::new(),
    }
}

fn with_own(line: String, own: &[String]) -> Vec<String> {
    let mut lines = vec![line];
    if !own.is_empty() {
        lines.push(String::new());
        lines.extend(own.iter().cloned());
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
