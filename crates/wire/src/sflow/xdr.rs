//! The XDR types of RFC 4506 that sFlow uses, read as agents really send them.
//!
//! Opaque data is padded to four bytes (RFC 4506 section 4.10). Agents deviate in two ways:
//!
//! * The padding is there, but the length around it does not count it. So it is skipped where it is there, and never
//!   asked for, and lengths are rounded up.
//! * The padding is not there at all. Behind a sample or record that is told by what follows: only where that makes no
//!   sense with padding, and does without. Inside a record, by its length: what cannot be read with padding is read
//!   without it when that ends with the record's last byte ([`Padding::Absent`]).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Problem, Reader, WireError, Writer};

/// Whether data inside a record is padded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Padding {
    /// As the specification says.
    Present,
    /// Against it.
    Absent,
}

/// Data of variable length: a length, the bytes, padding.
#[inline]
pub(super) fn opaque<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
    padding: Padding,
) -> Result<&'a [u8], WireError> {
    let length = length(reader, field)?;
    fixed(reader, field, length, padding)
}

/// Data of fixed length, and padding.
#[inline]
pub(super) fn fixed<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
    length: usize,
    padding: Padding,
) -> Result<&'a [u8], WireError> {
    let bytes = reader.bytes(field, length)?;
    if padding == Padding::Present {
        skip_padding(reader, length);
    }
    Ok(bytes)
}

/// A reader over the next `length` bytes, a sample or a record, with the padding after them skipped.
#[inline]
pub(super) fn padded_sub<'a>(
    reader: &mut Reader<'a>,
    field: &'static str,
    length: usize,
) -> Result<Reader<'a>, WireError> {
    let body = reader.sub(field, length)?;
    if !length.is_multiple_of(4) {
        skip_padding_before_item(reader, length);
    }
    Ok(body)
}

/// Skips padding, but not what begins the next sample or record of an agent that does not pad.
#[cold]
fn skip_padding_before_item(reader: &mut Reader<'_>, length: usize) {
    let mut padded = *reader;
    skip_padding(&mut padded, length);
    if padded.is_empty() || begins_item(padded) || !begins_item(*reader) {
        *reader = padded;
    }
}

/// Whether a tag and a length follow, and as many bytes.
fn begins_item(mut reader: Reader<'_>) -> bool {
    let _tag = reader.u32("record.tag");
    length(&mut reader, "record.length").is_ok_and(|length| length <= reader.len())
}

/// A MAC address: six bytes, padded to eight.
pub(super) fn mac(reader: &mut Reader<'_>, field: &'static str, padding: Padding) -> Result<[u8; 6], WireError> {
    let mac = reader.array(field)?;
    if padding == Padding::Present {
        skip_padding(reader, 6);
    }
    Ok(mac)
}

/// A type and an address; none for type 0.
pub(super) fn address(reader: &mut Reader<'_>, field: &'static str) -> Result<Option<IpAddr>, WireError> {
    let kind = *reader;
    match reader.u32(field)? {
        0 => Ok(None),
        1 => Ok(Some(IpAddr::V4(ipv4(reader, field)?))),
        2 => Ok(Some(IpAddr::V6(ipv6(reader, field)?))),
        other => Err(kind.error(field, Problem::Value(other.into()))),
    }
}

/// Four bytes of address.
pub(super) fn ipv4(reader: &mut Reader<'_>, field: &'static str) -> Result<Ipv4Addr, WireError> {
    reader.array::<4>(field).map(Ipv4Addr::from)
}

/// Sixteen bytes of address.
pub(super) fn ipv6(reader: &mut Reader<'_>, field: &'static str) -> Result<Ipv6Addr, WireError> {
    reader.array::<16>(field).map(Ipv6Addr::from)
}

/// A count, and so many numbers.
pub(super) fn numbers<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<Numbers<'a>, WireError> {
    let count = length(reader, field)?;
    let bytes = reader.bytes(field, count.saturating_mul(4))?;
    Ok(Numbers { bytes })
}

/// Numbers of 32 bits, still as they lie on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Numbers<'a> {
    bytes: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// The numbers in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + Clone + use<'a> {
        self.bytes.as_chunks::<4>().0.iter().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.bytes.len() / 4
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first.
    pub fn first(&self) -> Option<u32> {
        self.iter().next()
    }

    /// The last.
    pub fn last(&self) -> Option<u32> {
        self.iter().next_back()
    }
}

/// Writes data of variable length.
pub(super) fn put_opaque(writer: &mut Writer<'_>, bytes: &[u8]) {
    writer.u32(count(bytes.len()));
    put_fixed(writer, bytes);
}

/// Writes data of fixed length. All that is written here is whole words, so the end is the place to pad.
pub(super) fn put_fixed(writer: &mut Writer<'_>, bytes: &[u8]) {
    writer.bytes(bytes).pad(4);
}

/// Writes a type and an address.
pub(super) fn put_address(writer: &mut Writer<'_>, address: Option<IpAddr>) {
    match address {
        None => writer.u32(0),
        Some(IpAddr::V4(address)) => writer.u32(1).bytes(&address.octets()),
        Some(IpAddr::V6(address)) => writer.u32(2).bytes(&address.octets()),
    };
}

/// Writes a count and so many numbers.
pub(super) fn put_numbers(writer: &mut Writer<'_>, numbers: impl ExactSizeIterator<Item = u32>) {
    writer.u32(count(numbers.len()));
    for number in numbers {
        writer.u32(number);
    }
}

/// A length as XDR has it. No buffer that fits a datagram comes near the limit.
pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A length or count off the wire. One too large for the machine is too large for any datagram, and fails as such.
#[inline]
pub(super) fn length(reader: &mut Reader<'_>, field: &'static str) -> Result<usize, WireError> {
    Ok(usize::try_from(reader.u32(field)?).unwrap_or(usize::MAX))
}

#[inline]
fn skip_padding(reader: &mut Reader<'_>, length: usize) {
    let padding = (length.wrapping_neg() & 3).min(reader.len());
    // Cannot fail: no more is asked for than there is.
    let _ = reader.bytes("padding", padding);
}
