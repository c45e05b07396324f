//! Lays out columns of text for a terminal: each as wide as its widest cell. The one owner of how
//! `list`, `discover` and `setup` lay out their lines. It is pure.

use crate::text::{printable, shortened};

/// What stands between two columns.
const GAP_WIDTH: usize = 2;

/// A table that is built column by column, from left to right.
pub(crate) struct TextTable {
    lines: Vec<String>,
    /// The longest cell that is shown whole.
    max_length: usize,
}

impl TextTable {
    /// Returns a table with a line for the headings and one for each row, without a column.
    pub(crate) fn new(rows: usize, max_length: usize) -> Self {
        Self {
            lines: vec![String::new(); rows + 1],
            max_length,
        }
    }

    /// Returns how wide the columns are up to now, the gap after the last one included.
    pub(crate) fn width(&self) -> usize {
        let mut widest = 0;
        for line in &self.lines {
            widest = widest.max(line.chars().count());
        }
        if widest == 0 { 0 } else { widest + GAP_WIDTH }
    }

    /// Adds a column.
    pub(crate) fn add(&mut self, heading: &str, cells: &[String]) {
        let width = self.width();
        for (index, line) in self.lines.iter_mut().enumerate() {
            let padding = width - line.chars().count();
            line.extend(std::iter::repeat_n(' ', padding));
            if index == 0 {
                line.push_str(heading);
            } else {
                line.push_str(&shortened(&printable(&cells[index - 1]), self.max_length));
            }
        }
    }

    /// Adds a column, unless there are rows and all its cells are empty.
    pub(crate) fn add_unless_empty(&mut self, heading: &str, cells: &[String]) {
        if cells.is_empty() || !cells.iter().all(String::is_empty) {
            self.add(heading, cells);
        }
    }

    /// Returns the lines, without blanks at their ends.
    pub(crate) fn lines(self) -> Vec<String> {
        self.lines
            .iter()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(texts: [&str; 2]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = TextTable::new(2, 9);
        table.add("NAME", &cells(["é", "a longer name"]));
        table.add_unless_empty("NOTHING", &cells(["", ""]));
        table.add("H", &cells(["", "h\n"]));
        let lines = table.lines();
        assert_eq!(lines[0], "NAME       H");
        assert_eq!(lines[1], "é");
        assert_eq!(lines[2], r"a long...  h\n");
    }

    #[test]
    fn without_rows_there_are_the_headings() {
        let mut table = TextTable::new(0, 9);
        table.add_unless_empty("NAME", &[]);
        table.add("HOST", &[]);
        assert_eq!(table.lines(), ["NAME  HOST"]);
    }
}
