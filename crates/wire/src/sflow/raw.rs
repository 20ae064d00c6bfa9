//! The walk over a sample's records, whatever they are.

use super::{Tag, xdr};
use crate::{Reader, WireError};

/// Tags and bodies of a sample's records.
///
/// Each step takes at least the eight bytes of a tag and a length, so the bytes bound the walk, not
/// the count, and a record without length cannot repeat for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRecords<'a> {
    reader: Reader<'a>,
    left: u32,
    cut: Option<WireError>,
}

impl<'a> RawRecords<'a> {
    /// `cut` is what is known to be wrong with the sample's end. It is told once, after the last whole record.
    pub(super) const fn new(reader: Reader<'a>, left: u32, cut: Option<WireError>) -> Self {
        Self { reader, left, cut }
    }

    /// How many records are said to come.
    pub(super) const fn said(&self) -> u32 {
        self.left
    }

    /// What lies behind the records that have been read.
    pub(super) const fn rest(self) -> Reader<'a> {
        self.reader
    }

    #[cold]
    fn end(&mut self, error: WireError) -> WireError {
        self.left = 0;
        self.cut.take().unwrap_or(error)
    }

    #[inline]
    fn read(&mut self) -> Result<(Tag, Reader<'a>), WireError> {
        let tag = Tag::from_word(self.reader.u32("record.tag")?);
        let length = xdr::length(&mut self.reader, "record.length")?;
        Ok((tag, xdr::padded_sub(&mut self.reader, "record.length", length)?))
    }
}

impl<'a> Iterator for RawRecords<'a> {
    type Item = Result<(Tag, Reader<'a>), WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Some(left) = self.left.checked_sub(1) else { return self.cut.take().map(Err) };
        self.left = left;
        match self.read() {
            Ok(record) => Some(Ok(record)),
            Err(error) => Some(Err(self.end(error))),
        }
    }
}
