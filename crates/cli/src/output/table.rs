//! Aligned columns: the first rows decide the widths, all others follow as they come.

use std::io::{self, Write};

/// Rows that are looked at before the first is written.
const MEASURED_ROWS: usize = 10_000;

/// On which side a column's cells stand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, with its unit or zone.
    pub header: String,
    /// Where its cells stand.
    pub align: Align,
}

impl Column {
    /// A column of text.
    pub fn left(header: impl Into<String>) -> Self {
        Self { header: header.into(), align: Align::Left }
    }

    /// A column of numbers.
    pub fn right(header: impl Into<String>) -> Self {
        Self { header: header.into(), align: Align::Right }
    }
}

/// A table that is written row by row.
pub struct Table<'w> {
    out: Box<dyn Write + 'w>,
    columns: Vec<Column>,
    waiting: Vec<Vec<String>>,
    /// Known once the header was written.
    widths: Option<Vec<usize>>,
    line: String,
}

impl<'w> Table<'w> {
    /// A table without rows.
    pub fn new(out: Box<dyn Write + 'w>, columns: Vec<Column>) -> Self {
        Self { out, columns, waiting: Vec::new(), widths: None, line: String::new() }
    }

    /// Adds a row: one cell for each column.
    pub fn push(&mut self, row: Vec<String>) -> io::Result<()> {
        debug_assert_eq!(row.len(), self.columns.len(), "a row has a cell for each column");
        if self.widths.is_some() {
            return self.write(&row);
        }
        self.waiting.push(row);
        if self.waiting.len() >= MEASURED_ROWS { self.begin() } else { Ok(()) }
    }

    /// Writes what still waits; gives back where lines below the table go.
    pub fn finish(mut self) -> io::Result<Box<dyn Write + 'w>> {
        self.begin()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self) -> io::Result<()> {
        if self.widths.is_some() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.waiting);
        let width = |(at, column): (usize, &Column)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell));
            cells.max().unwrap_or_default().max(width(&column.header))
        };
        self.widths = Some(self.columns.iter().enumerate().map(width).collect());
        let header: Vec<String> = self.columns.iter().map(|column| column.header.clone()).collect();
        self.write(&header)?;
        rows.iter().try_for_each(|row| self.write(row))
    }

    fn write(&mut self, row: &[String]) -> io::Result<()> {
        self.line.clear();
        let widths = self.widths.as_deref().unwrap_or_default();
        for ((column, &room), cell) in self.columns.iter().zip(widths).zip(row) {
            if !self.line.is_empty() {
                self.line.push_str("  ");
            }
            let padding = std::iter::repeat_n(' ', room.saturating_sub(width(cell)));
            match column.align {
                Align::Left => {
                    self.line.push_str(cell);
                    self.line.extend(padding);
                }
                Align::Right => {
                    self.line.extend(padding);
                    self.line.push_str(cell);
                }
            }
        }
        writeln!(self.out, "{}", self.line.trim_end())
    }
}

/// Columns of a terminal, as far as letters are one wide each.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::{Column, MEASURED_ROWS, Table};

    fn written(columns: Vec<Column>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut out = Vec::new();
        let mut table = Table::new(Box::new(&mut out), columns);
        for row in rows {
            table.push(row).unwrap();
        }
        drop(table.finish().unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_stand_on_the_right_and_lines_end_without_blanks() {
        let columns = vec![Column::left("name"), Column::right("n"), Column::left("note")];
        let rows = [["α", "1", ""], ["longer", "1000", "x"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(written(columns, rows), "name       n  note\nα          1\nlonger  1000  x\n");
    }

    #[test]
    fn a_table_without_rows_is_its_header() {
        assert_eq!(written(vec![Column::left("a"), Column::right("b")], []), "a  b\n");
    }

    #[test]
    fn rows_beyond_the_measured_ones_all_come() {
        let rows = (0..MEASURED_ROWS + 5).map(|row| vec![row.to_string()]);
        let text = written(vec![Column::right("row")], rows);
        assert_eq!(text.lines().count(), MEASURED_ROWS + 6);
        assert!(text.ends_with("\n10004\n"));
    }
}
