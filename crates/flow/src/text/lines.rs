//! All rows of a batch as lines, made column by column.
//!
//! A block of rows is cut into strips from the left to the right: neighbours whose cells seldom change are one strip, all
//! else has a strip of its own. Each is made by a loop over one type's values, and then the lines are put together.

use super::record::{OnNull, Rows, Style};
use super::strip::{Column, Manner, Strip};

/// Rows that are made at once: their strips stay in a core's own cache.
const BLOCK: usize = 128;
/// Of so many rows one may change where neighbours are written in one.
const SELDOM: usize = 4;

impl Rows<'_> {
    /// Writes all rows as JSON objects, one a line, as [`Rows::write_json`] writes each.
    pub fn write_json_lines(&self, out: &mut Vec<u8>) {
        self.write_lines(out, Style::Json, self.on_null(), |out, start| {
            // The first member's comma makes way for the brace.
            match out.get_mut(start) {
                Some(comma) => *comma = b'{',
                None => out.push(b'{'),
            }
            out.extend_from_slice(b"}\n");
        });
    }

    /// Writes all rows as lines of CSV, as [`Rows::write_csv`] writes each.
    pub fn write_csv_lines(&self, out: &mut Vec<u8>) {
        self.write_lines(out, Style::Csv, OnNull::Name, |out, _| out.push(b'\n'));
    }

    fn write_lines(&self, out: &mut Vec<u8>, style: Style, on_null: OnNull, end: impl Fn(&mut Vec<u8>, usize)) {
        let manner = Manner { style, on_null };
        let mut names: Vec<Vec<u8>> = self.columns.iter().map(|(name, _)| style.name(name)).collect();
        if let Some(first) = names.first_mut().filter(|_| style == Style::Csv) {
            first.clear();
        }
        let columns: Vec<Column<'_>> = names
            .iter()
            .zip(&self.columns)
            .map(|(name, (_, cells))| Column { name, cells })
            .filter(|column| on_null != OnNull::Skip || !column.cells.all_null())
            .collect();
        let mut block = Block::default();
        for first in (0..self.len()).step_by(BLOCK) {
            let rows = BLOCK.min(self.len() - first);
            block.cut(&columns, manner, first, rows);
            for row in 0..rows {
                let start = out.len();
                block.strips().for_each(|strip| strip.put(out, row));
                end(out, start);
            }
        }
    }
}

/// A block's strips, and the room of those of the block before.
#[derive(Debug, Default)]
struct Block {
    strips: Vec<Strip>,
    count: usize,
    /// Which rows have another text than the row before, of the strip that is being gathered.
    changed: Vec<bool>,
    /// And of the column that may join it.
    joining: Vec<bool>,
}

impl Block {
    fn strips(&self) -> impl Iterator<Item = &Strip> {
        self.strips[..self.count].iter()
    }

    /// Makes the strips of so many rows from `first` on.
    fn cut(&mut self, columns: &[Column<'_>], manner: Manner, first: usize, rows: usize) {
        self.count = 0;
        let mut gathered = 0..0;
        for (at, column) in columns.iter().enumerate() {
            let is_known = column.cells.mark_changes(first..first + rows, &mut self.joining);
            if !(is_known && is_seldom(self.joining.iter().copied())) {
                self.repeat(&columns[gathered.clone()], manner, first);
                gathered = at + 1..at + 1;
                self.next().fill(*column, manner, first, rows);
                continue;
            }
            if !gathered.is_empty() && !self.joins() {
                self.repeat(&columns[gathered.clone()], manner, first);
                gathered = at..at;
            }
            if gathered.is_empty() {
                std::mem::swap(&mut self.changed, &mut self.joining);
            }
            gathered.end = at + 1;
        }
        self.repeat(&columns[gathered.clone()], manner, first);
    }

    /// Counts the joining column's changes among those that were gathered, unless they are too many then.
    fn joins(&mut self) -> bool {
        let both = self.changed.iter().zip(&self.joining).map(|(one, other)| one | other);
        if !is_seldom(both) {
            return false;
        }
        for (changed, joining) in self.changed.iter_mut().zip(&self.joining) {
            *changed |= joining;
        }
        true
    }

    /// A strip of columns that seldom change.
    fn repeat(&mut self, columns: &[Column<'_>], manner: Manner, first: usize) {
        if !columns.is_empty() {
            let changed = std::mem::take(&mut self.changed);
            self.next().repeat(columns, manner, first, &changed);
            self.changed = changed;
        }
    }

    fn next(&mut self) -> &mut Strip {
        if self.count == self.strips.len() {
            self.strips.push(Strip::default());
        }
        self.count += 1;
        &mut self.strips[self.count - 1]
    }
}

fn is_seldom(changed: impl ExactSizeIterator<Item = bool>) -> bool {
    let rows = changed.len();
    changed.map(usize::from).sum::<usize>() * SELDOM <= rows
}
