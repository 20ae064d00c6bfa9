//! Cells of any length: text, lists and maps.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, PrimitiveArray, StringArray, StructArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::UInt32Type;

use super::offset;
use super::validity::Validity;
use crate::kind::{list_item, map_entries, map_fields};

/// Cells of any length.
#[derive(Debug)]
pub struct Bytes {
    offsets: Vec<i32>,
    data: Vec<u8>,
    validity: Validity,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new(), validity: Validity::default() }
    }
}

impl Bytes {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One cell. In a text column the bytes must be UTF-8; what is not becomes U+FFFD when the batch closes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.offsets.push(offset(self.data.len()));
    }

    /// One cell, or a null.
    pub fn push_option(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.push(bytes),
            None => self.push_nulls(1),
        }
    }

    /// The same bytes in `count` cells.
    pub fn push_run(&mut self, bytes: &[u8], count: usize) {
        for _ in 0..count {
            self.push(bytes);
        }
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.len(), count);
        let end = offset(self.data.len());
        self.offsets.resize(self.offsets.len() + count, end);
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    /// Bytes of all cells.
    pub(super) const fn size(&self) -> usize {
        self.data.len()
    }

    pub(super) fn finish(&mut self) -> StringArray {
        let cells = self.len();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let (data, nulls) = (Buffer::from_vec(std::mem::take(&mut self.data)), self.validity.finish(cells));
        match StringArray::try_new(offsets.clone(), data.clone(), nulls.clone()) {
            Ok(text) => text,
            Err(_) => lossy_text(&offsets, &data, nulls.as_ref()),
        }
    }
}

/// Text in which something was not UTF-8: that cell alone is mended.
fn lossy_text(offsets: &OffsetBuffer<i32>, data: &[u8], nulls: Option<&NullBuffer>) -> StringArray {
    let cells = offsets.windows(2).enumerate().map(|(row, ends)| {
        let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
        valid.then(|| String::from_utf8_lossy(&data[ends[0] as usize..ends[1] as usize]).into_owned())
    });
    cells.collect()
}

/// Lists of numbers.
#[derive(Debug)]
pub struct Lists {
    offsets: Vec<i32>,
    items: Vec<u32>,
    validity: Validity,
}

impl Default for Lists {
    fn default() -> Self {
        Self { offsets: vec![0], items: Vec::new(), validity: Validity::default() }
    }
}

impl Lists {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One list.
    pub fn push(&mut self, items: impl Iterator<Item = u32>) {
        self.items.extend(items);
        self.offsets.push(offset(self.items.len()));
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.len(), count);
        let end = offset(self.items.len());
        self.offsets.resize(self.offsets.len() + count, end);
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    /// Bytes of all cells.
    pub(super) const fn size(&self) -> usize {
        self.items.len() * size_of::<u32>()
    }

    pub(super) fn finish(&mut self) -> ListArray {
        let nulls = self.validity.finish(self.len());
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let items = PrimitiveArray::<UInt32Type>::from(std::mem::take(&mut self.items));
        ListArray::new(list_item(), offsets, Arc::new(items), nulls)
    }
}

/// Names and values; entries of a row are added one by one, then the row is closed.
#[derive(Debug)]
pub struct Maps {
    offsets: Vec<i32>,
    keys: Bytes,
    values: Bytes,
    validity: Validity,
}

impl Default for Maps {
    fn default() -> Self {
        Self { offsets: vec![0], keys: Bytes::default(), values: Bytes::default(), validity: Validity::default() }
    }
}

impl Maps {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One entry of the row that is being filled; [`Maps::close`] ends the row.
    pub fn entry(&mut self, key: &str, value: &str) {
        self.keys.push(key.as_bytes());
        self.values.push(value.as_bytes());
    }

    /// Ends a row: all entries since the last one. A row without entries is null.
    pub fn close(&mut self) {
        let entries = offset(self.keys.len());
        if self.offsets.last() == Some(&entries) {
            self.push_nulls(1);
        } else {
            self.offsets.push(entries);
        }
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.len(), count);
        let end = offset(self.keys.len());
        self.offsets.resize(self.offsets.len() + count, end);
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    /// Bytes of all cells.
    pub(super) const fn size(&self) -> usize {
        self.keys.size() + self.values.size()
    }

    pub(super) fn finish(&mut self) -> MapArray {
        let nulls = self.validity.finish(self.len());
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let columns: Vec<ArrayRef> = vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())];
        let entries = StructArray::new(map_fields(), columns, None);
        MapArray::new(map_entries(), offsets, entries, nulls, false)
    }
}
