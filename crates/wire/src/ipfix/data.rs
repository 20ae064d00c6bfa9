//! Data records: runs of fields without names, as their template laid them out (RFC 7011 section 3.4.3).
//!
//! Where every field has its length from the template, a record is a stride over the set's body, and
//! nothing here is needed but [`shortest`] and [`is_zero`]. [`RecordWalker`] is for the others.

use super::VARIABLE;
use crate::{Problem, Reader, WireError};

/// The first length byte that says: two more bytes have the length (RFC 7011 section 7).
pub(super) const LONG_FORM: u8 = 255;

/// Bytes of the shortest record with these field lengths: a field that varies takes at least its length byte.
pub fn shortest(lengths: impl IntoIterator<Item = u16>) -> usize {
    lengths.into_iter().map(|length| if length == VARIABLE { 1 } else { usize::from(length) }).sum()
}

/// Whether all bytes are zero, as in the records with which some exporters fill up a set.
pub fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// A field that states its own length: one byte, or 255 and two bytes. Short ones may come in the long form.
pub fn variable_length<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], WireError> {
    let length = match reader.u8("field.length")? {
        LONG_FORM => reader.u16("field.length")?.into(),
        short => short.into(),
    };
    reader.bytes("field", length)
}

fn field<'a>(reader: &mut Reader<'a>, length: u16) -> Result<&'a [u8], WireError> {
    match length {
        VARIABLE => variable_length(reader),
        fixed => reader.bytes("field", fixed.into()),
    }
}

/// Iterates over the data records of a set whose template has fields that vary.
///
/// A rest shorter than the shortest record is padding. A record that reaches beyond the set is an
/// error and the last item; those before it are good. What [`Record::is_zero`] is padding, too, in the
/// habit of some exporters, and for the caller to skip.
#[derive(Clone, Debug)]
pub struct RecordWalker<'a, 't> {
    rest: Reader<'a>,
    lengths: &'t [u16],
    shortest: usize,
    failed: bool,
}

impl<'a, 't> RecordWalker<'a, 't> {
    /// The records in `body`, whose fields have these `lengths`, [`VARIABLE`] among them.
    pub fn new(body: Reader<'a>, lengths: &'t [u16]) -> Self {
        Self { rest: body, lengths, shortest: shortest(lengths.iter().copied()), failed: false }
    }

    /// What has not been read yet; after the last record, the padding.
    pub const fn rest(&self) -> Reader<'a> {
        self.rest
    }

    fn take(&mut self) -> Result<Record<'a, 't>, WireError> {
        if self.shortest == 0 {
            return Err(self.rest.error("record", Problem::ZeroLength));
        }
        let length = match record_length(self.rest.rest(), self.lengths) {
            Some(length) => length,
            None => self.read_fields()?,
        };
        let bytes = self.rest.sub("record", length)?;
        Ok(Record { bytes, lengths: self.lengths })
    }

    /// Field by field, to say at which one the record ends too early.
    #[cold]
    fn read_fields(&self) -> Result<usize, WireError> {
        let mut end = self.rest;
        for &length in self.lengths {
            field(&mut end, length)?;
        }
        Ok(self.rest.len() - end.len())
    }
}

/// Bytes of the record that `bytes` begins with, if all of it is there.
#[inline]
fn record_length(bytes: &[u8], lengths: &[u16]) -> Option<usize> {
    let mut at = 0;
    for &length in lengths {
        at += match length {
            VARIABLE => match *bytes.get(at..)? {
                [LONG_FORM, high, low, ..] => 3 + usize::from(u16::from_be_bytes([high, low])),
                [LONG_FORM, ..] | [] => return None,
                [short, ..] => 1 + usize::from(short),
            },
            fixed => usize::from(fixed),
        };
    }
    (at <= bytes.len()).then_some(at)
}

impl<'a, 't> Iterator for RecordWalker<'a, 't> {
    type Item = Result<Record<'a, 't>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.is_empty() || self.rest.len() < self.shortest {
            return None;
        }
        let record = self.take();
        self.failed = record.is_err();
        Some(record)
    }
}

/// One data record, known to be all there.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a, 't> {
    bytes: Reader<'a>,
    lengths: &'t [u16],
}

impl<'a, 't> Record<'a, 't> {
    /// The record's first byte, counted from the start of the datagram.
    pub const fn offset(&self) -> usize {
        self.bytes.offset()
    }

    /// The record as it came, with the length bytes of its fields that vary.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes.rest()
    }

    /// Whether there is nothing but zeros in it.
    pub fn is_zero(&self) -> bool {
        is_zero(self.bytes())
    }

    /// The content of each field, in the template's order.
    pub fn fields(&self) -> Fields<'a, 't> {
        Fields { rest: self.bytes(), lengths: self.lengths.iter() }
    }
}

/// The fields of a record. See [`Record::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a, 't> {
    rest: &'a [u8],
    lengths: std::slice::Iter<'t, u16>,
}

impl<'a> Iterator for Fields<'a, '_> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        // The record was walked to its end when it was read, so every field is there.
        let (content, length) = match *self.lengths.next()? {
            VARIABLE => match *self.rest {
                [LONG_FORM, high, low, ref content @ ..] => (content, u16::from_be_bytes([high, low])),
                [short, ref content @ ..] => (content, u16::from(short)),
                [] => return None,
            },
            fixed => (self.rest, fixed),
        };
        let (field, rest) = content.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(field)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.lengths.size_hint()
    }
}

impl ExactSizeIterator for Fields<'_, '_> {}
