//! A piece of many lines: a column's cells, or those of neighbours that seldom change.
//!
//! The texts lie one after the other in a strip's own room, each with what stands before its value. Where a row has the
//! text of the row before, both have the same place in it. So lines are put together of strips by copies alone, most of
//! a length that the compiler knows.

use super::address::write_address;
use super::cells::{Cells, Values};
use super::digits::write_number;
use super::line::put_block;
use super::record::{OnNull, Style};

/// The longest text that is copied without a call. So far the room goes on behind the last text.
const COPIED: usize = 64;

/// A column: what stands before each of its values, and those.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'a> {
    pub(super) name: &'a [u8],
    pub(super) cells: &'a Cells<'a>,
}

/// What lines look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) style: Style,
    pub(super) on_null: OnNull,
}

/// The texts that some rows next to each other have in one place of their lines.
#[derive(Debug, Default)]
pub(super) struct Strip {
    text: Vec<u8>,
    /// For each row where its text begins, and how long it is.
    places: Vec<(usize, usize)>,
}

impl Strip {
    /// Makes the texts of the rows from `first` on. Those that are not marked as changed have the text of the row before.
    pub(super) fn repeat(&mut self, columns: &[Column<'_>], manner: Manner, first: usize, changed: &[bool]) {
        self.begin();
        for (at, &changed) in changed.iter().enumerate() {
            match self.places.last() {
                Some(&place) if !changed => self.places.push(place),
                _ => {
                    let start = self.text.len();
                    columns.iter().for_each(|column| column.write(&mut self.text, manner, first + at));
                    self.places.push((start, self.text.len() - start));
                }
            }
        }
        self.end();
    }

    /// Makes the texts of so many rows from `first` on, each of them.
    pub(super) fn fill(&mut self, column: Column<'_>, manner: Manner, first: usize, rows: usize) {
        self.begin();
        let Column { name, cells } = column;
        let quote: &[u8] = if manner.style == Style::Json { b"\"" } else { b"" };
        let quoted = [name, quote].concat();
        let mut each = Each { strip: self, column, manner, rows: first..first + rows };
        let address = |out: &mut Vec<u8>, bytes: &[u8], row| {
            if bytes.is_empty() {
                // CSV has quotes where nothing else tells it from a null.
                out.truncate(out.len() - quoted.len());
                return column.write(out, manner, row);
            }
            write_address(out, bytes);
            out.extend_from_slice(quote);
        };
        match &cells.values {
            Values::U8(values) => each.write(name, |out, row| write_number(out, values[row].into())),
            Values::U16(values) => each.write(name, |out, row| write_number(out, values[row].into())),
            Values::U32(values) => each.write(name, |out, row| write_number(out, values[row].into())),
            Values::U64(values) => each.write(name, |out, row| write_number(out, values[row])),
            Values::Time { values, per_second, clock } => each.write(&quoted, |out, row| {
                clock.write(out, values[row], *per_second);
                out.extend_from_slice(quote);
            }),
            Values::Bytes(array) => each.write(&quoted, |out, row| address(out, array.value(row), row)),
            Values::BytesView(array) => each.write(&quoted, |out, row| address(out, array.value(row), row)),
            _ => each.write(name, |out, row| manner.style.write(out, cells, row)),
        }
        self.end();
    }

    /// Writes what the row, counted from the first, has of it.
    #[inline]
    pub(super) fn put(&self, out: &mut Vec<u8>, row: usize) {
        let (start, length) = self.places[row];
        let text = &self.text[start..];
        match (text.first_chunk::<{ COPIED / 2 }>(), text.first_chunk::<COPIED>()) {
            (Some(block), _) if length <= COPIED / 2 => put_block(out, block, length),
            (_, Some(block)) if length <= COPIED => put_block(out, block, length),
            _ => out.extend_from_slice(&text[..length]),
        }
    }

    fn begin(&mut self) {
        self.text.clear();
        self.places.clear();
    }

    fn end(&mut self) {
        self.text.extend_from_slice(&[0; COPIED]);
    }
}

/// Rows whose texts a column makes one by one.
struct Each<'s, 'a> {
    strip: &'s mut Strip,
    column: Column<'a>,
    manner: Manner,
    rows: std::ops::Range<usize>,
}

impl Each<'_, '_> {
    /// Makes them: the name, and what `value` writes behind it.
    #[inline]
    fn write(&mut self, name: &[u8], mut value: impl FnMut(&mut Vec<u8>, usize)) {
        let mut block = [0; COPIED];
        let name_fits = block.get_mut(..name.len()).map(|place| place.copy_from_slice(name)).is_some();
        let Strip { text, places } = &mut *self.strip;
        for row in self.rows.clone() {
            let start = text.len();
            if self.column.cells.is_null(row) {
                self.column.write(text, self.manner, row);
            } else {
                if name_fits {
                    put_block(text, &block, name.len())
                } else {
                    text.extend_from_slice(name)
                }
                value(text, row);
            }
            places.push((start, text.len() - start));
        }
    }
}

impl Column<'_> {
    /// Writes a cell and what stands before it.
    pub(super) fn write(&self, out: &mut Vec<u8>, manner: Manner, row: usize) {
        match manner.on_null {
            _ if !self.cells.is_null(row) => {
                out.extend_from_slice(self.name);
                manner.style.write(out, self.cells, row);
            }
            OnNull::Skip => {}
            OnNull::Name => out.extend_from_slice(self.name),
            OnNull::Value => {
                out.extend_from_slice(self.name);
                out.extend_from_slice(b"null");
            }
        }
    }
}
