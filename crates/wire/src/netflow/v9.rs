//! NetFlow version 9 (RFC 3954): a header, then sets until the datagram ends.
//!
//! There is no length field: the datagram is the message. The count is what the exporter believes it
//! sent; many get it wrong, so nothing here goes by it. A few exporters put several messages into one datagram:
//! [`messages`] finds those where no set can be meant. Sets, templates and data records are read by
//! [`crate::ipfix`] in the dialect [`Dialect::V9`](crate::ipfix::Dialect::V9).

use zerocopy::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::ipfix::Sets;
use crate::{Problem, Reader, WireError};

/// The version number in the header.
pub const VERSION: u16 = 9;

/// The 20 bytes before the first set (RFC 3954 section 5.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    /// 9.
    pub version: U16,
    /// Records of all kinds, templates included, as claimed.
    pub count: U16,
    /// Milliseconds since the exporter booted.
    pub uptime_ms: U32,
    /// Seconds since 1970 at the exporter.
    pub unix_seconds: U32,
    /// Number of this datagram, of all of this source id.
    pub sequence_number: U32,
    /// Which of the exporter's engines speaks.
    pub source_id: U32,
}

impl Header {
    /// The header's time in nanoseconds since 1970: whole seconds, so uptimes are off by up to one.
    pub const fn export_ns(&self) -> i64 {
        self.unix_seconds.get() as i64 * 1_000_000_000
    }
}

/// A version 9 datagram, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    header: &'a Header,
    body: Reader<'a>,
}

impl<'a> Message<'a> {
    /// Reads a datagram. Fails only when the header is not there or is another version's.
    pub fn read(datagram: &'a [u8]) -> Result<Self, WireError> {
        let mut body = Reader::new(datagram);
        let header = read_header(&mut body)?;
        Ok(Self { header, body })
    }

    /// The header.
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// Bytes of header and sets.
    pub const fn length(&self) -> usize {
        size_of::<Header>() + self.body.len()
    }

    /// The sets, to the end of the message.
    pub const fn sets(&self) -> Sets<'a> {
        Sets::new(self.body)
    }
}

fn read_header<'a>(reader: &mut Reader<'a>) -> Result<&'a Header, WireError> {
    let whole = *reader;
    let header: &Header = reader.header("header")?;
    if header.version.get() != VERSION {
        return Err(whole.error("version", Problem::Version(header.version.get().into())));
    }
    Ok(header)
}

/// Messages of one datagram are at most so far apart.
const APART_MAX_SECONDS: u32 = 3600;

/// The messages of one datagram: nearly always one, which goes on to its end.
///
/// Where a set would begin with the id 9, which none can have (RFC 3954 section 5.2), and what stands there is a header of
/// the same source id and within an hour of the first, another message begins.
pub const fn messages(datagram: &[u8]) -> Messages<'_> {
    Messages { rest: Some(Reader::new(datagram)) }
}

/// Iterates over messages; a header that is unsound is the only item. See [`messages`].
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: Option<Reader<'a>>,
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.rest.take()?;
        let header = match read_header(&mut rest) {
            Ok(header) => header,
            Err(error) => return Some(Err(error)),
        };
        let length = length_of_sets(header, rest);
        let body = rest.sub("message", length);
        self.rest = (!rest.is_empty()).then_some(rest);
        Some(body.map(|body| Message { header, body }))
    }
}

/// How many bytes there are before the next message, or to the end.
fn length_of_sets(header: &Header, body: Reader<'_>) -> usize {
    let mut rest = body;
    while rest.len() >= size_of::<Header>() {
        if is_message(header, rest) {
            return body.len() - rest.len();
        }
        let mut set = rest;
        let (Ok(_), Ok(length)) = (set.u16("set.id"), set.u16("set.length")) else { break };
        // A set without length gives no place from which to go on; one that is too long reaches to the end.
        if length < 4 || rest.bytes("set", length.into()).is_err() {
            break;
        }
    }
    body.len()
}

fn is_message(first: &Header, mut rest: Reader<'_>) -> bool {
    read_header(&mut rest).is_ok_and(|header| {
        let apart = header.unix_seconds.get().abs_diff(first.unix_seconds.get());
        header.source_id == first.source_id && apart <= APART_MAX_SECONDS
    })
}
