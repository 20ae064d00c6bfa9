//! A column's part of a line, written with as little work as can be.
//!
//! A cell often is what the row before had: whole datagrams share type, exporter and times. So each column keeps
//! its last text, name included, in a block of fixed size; a cell that is the same again costs a comparison and
//! a copy whose length the compiler knows.

use super::cells::Cells;
use super::record::Style;

/// Name and value of most cells. The longest address after the longest name of an address fits.
const ROOM: usize = 64;

/// What a column writes: its name, or what separates it from the column before, and a value.
#[derive(Debug)]
pub(super) struct Member {
    name: Vec<u8>,
    /// The name, if it fits, and the last value, if it fitted.
    block: [u8; ROOM],
    /// How much of the block both are.
    length: usize,
    /// The row that the value is of.
    row: Option<usize>,
}

impl Member {
    pub(super) fn new(name: Vec<u8>) -> Self {
        let mut block = [0; ROOM];
        if let Some(place) = block.get_mut(..name.len()) {
            place.copy_from_slice(&name);
        }
        Self { name, block, length: 0, row: None }
    }

    /// Writes the name alone.
    pub(super) fn write_name(&self, out: &mut Vec<u8>) {
        match self.name.as_slice() {
            &[separator] => out.push(separator),
            name if name.len() > ROOM => out.extend_from_slice(name),
            name => put_block(out, &self.block, name.len()),
        }
    }

    /// Writes the name and a cell that is not null.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, style: Style, cells: &Cells<'_>, row: usize) {
        if self.row.is_some_and(|last| cells.same(last, row)) {
            return put_block(out, &self.block, self.length);
        }
        let start = out.len();
        self.write_name(out);
        let value = out.len();
        style.write(out, cells, row);
        self.row = self.keep(&out[value..], out.len() - start).then_some(row);
    }

    /// Keeps a value behind the name, if both fit.
    fn keep(&mut self, value: &[u8], length: usize) -> bool {
        let Some(place) = self.block.get_mut(length - value.len()..length) else { return false };
        place.copy_from_slice(value);
        self.length = length;
        true
    }
}

/// Writes the first `length` bytes of a block. All of it is copied, which takes no loop and no call.
#[inline]
pub(super) fn put_block<const ROOM: usize>(out: &mut Vec<u8>, block: &[u8; ROOM], length: usize) {
    let end = out.len() + length;
    out.extend_from_slice(block);
    out.truncate(end);
}
