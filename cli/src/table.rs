//! Tables and numbers for a terminal.

use comfy_table::{CellAlignment, Table, presets};

/// A table with these headings; columns from `numbers` on are aligned to the right.
pub(crate) fn table(headings: &[&str], numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(headings.iter().copied());
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    typenet_report::thousands(number as u64)
}

/// `1 file`, `2 files`.
pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `12.7 MB`.
pub(crate) fn bytes(count: usize) -> String {
    match count as f64 {
        count if count < 1e3 => format!("{count} B"),
        count if count < 1e6 => format!("{:.1} kB", count / 1e3),
        count if count < 1e9 => format!("{:.1} MB", count / 1e6),
        count => format!("{:.2} GB", count / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_in_threes() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "file", "files"), "1 file");
        assert_eq!(bytes(12_700_000), "12.7 MB");
    }
}
