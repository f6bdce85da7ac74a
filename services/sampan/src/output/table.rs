//! Tables: aligned columns, two spaces between, and never a cell that is broken over two lines.
//!
//! What does not fit a terminal is left out column by column, in an order that the table names.

use std::fmt;

use console::measure_text_width;

use super::{style, words};

const GAP: usize = 2;

/// Rows under a heading.
#[derive(Debug)]
pub struct Table {
    header: Vec<&'static str>,
    expendable: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Returns a table without rows.
pub fn table<const N: usize>(header: [&'static str; N]) -> Table {
    Table { header: header.to_vec(), expendable: Vec::new(), rows: Vec::new() }
}

impl Table {
    /// Names the columns that a narrow terminal does without, the first to go first.
    #[must_use]
    pub fn expendable(mut self, columns: &[&'static str]) -> Self {
        self.expendable = columns.to_vec();
        self
    }

    /// Adds a row.
    pub fn add_row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Leaves out a column in which every cell is `boring`.
    pub fn drop_boring(&mut self, column: &str, boring: &str) {
        let Some(index) = self.header.iter().position(|name| *name == column) else { return };
        if self.rows.iter().all(|row| row.get(index).is_none_or(|cell| cell == boring)) {
            self.remove(index);
        }
    }

    fn remove(&mut self, index: usize) {
        self.header.remove(index);
        for row in self.rows.iter_mut().filter(|row| index < row.len()) {
            row.remove(index);
        }
    }

    /// Returns the lines for a terminal of that many columns, and what was left out of them.
    fn lay_out(&self, columns: Option<usize>) -> (Vec<String>, Vec<&'static str>) {
        let mut kept = Self { header: self.header.clone(), expendable: Vec::new(), rows: self.rows.clone() };
        let mut left_out = Vec::new();
        let fits = |table: &Self| {
            columns.is_none_or(|columns| table.widths().iter().map(|width| width + GAP).sum::<usize>() <= columns + GAP)
        };
        for name in &self.expendable {
            if fits(&kept) {
                break;
            }
            if let Some(index) = kept.header.iter().position(|known| known == name) {
                kept.remove(index);
                left_out.push(*name);
            }
        }
        let widths = kept.widths();
        let header: Vec<String> = kept.header.iter().map(|name| (*name).to_owned()).collect();
        let lines = std::iter::once(&header).chain(&kept.rows).map(|cells| align(cells, &widths)).collect();
        (lines, left_out)
    }

    fn widths(&self) -> Vec<usize> {
        let width = |index: usize, name: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| measure_text_width(cell));
            cells.chain([name.len()]).max().unwrap_or(0)
        };
        self.header.iter().enumerate().map(|(index, name)| width(index, name)).collect()
    }
}

fn align(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width - measure_text_width(cell) + GAP));
    }
    line.trim_end().to_owned()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lines, left_out) = self.lay_out(style::width());
        for (index, line) in lines.iter().enumerate() {
            let line = if index == 0 { style::bold(line) } else { line.clone() };
            write!(f, "{}{line}", if index == 0 { "" } else { "\n" })?;
        }
        if left_out.is_empty() {
            return Ok(());
        }
        let hint = format!("(too narrow for: {}; --output json shows everything)", left_out.join(", "));
        for line in words::wrapped("", &hint, style::width()) {
            write!(f, "\n{}", style::faint(&line))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = table(["id", "state", "note"]).expendable(&["note", "state"]);
        table.add_row(["12345".to_owned(), "ok".to_owned(), "something long".to_owned()]);
        table
    }

    #[test]
    fn a_pipe_gets_every_column_and_no_blanks_at_the_end() {
        let (lines, left_out) = sample().lay_out(None);
        assert_eq!(lines, ["id     state  note", "12345  ok     something long"]);
        assert!(left_out.is_empty());
    }

    #[test]
    fn a_narrow_terminal_loses_columns_in_the_named_order_and_breaks_none() {
        assert_eq!(sample().lay_out(Some(28)).1, [] as [&str; 0], "28 columns are exactly enough");
        assert_eq!(sample().lay_out(Some(27)), (vec!["id     state".to_owned(), "12345  ok".to_owned()], vec!["note"]));
        assert_eq!(sample().lay_out(Some(8)).1, ["note", "state"]);
    }
}
