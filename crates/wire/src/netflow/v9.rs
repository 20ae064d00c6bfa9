//! NetFlow version 9 (RFC 3954): a header, then sets until the datagram ends.
//!
//! There is no length field: the datagram is the message. The count is what the exporter believes it
//! sent; many get it wrong, so nothing here goes by it. Sets, templates and data records are read by
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
        let header: &Header = body.header("header")?;
        if header.version.get() != VERSION {
            return Err(WireError::new("version", 0, Problem::Version(header.version.get().into())));
        }
        Ok(Self { header, body })
    }

    /// The header.
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// The sets, to the end of the datagram.
    pub const fn sets(&self) -> Sets<'a> {
        Sets::new(self.body)
    }
}
