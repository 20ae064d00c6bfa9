//! The message header and what it says about lengths (RFC 7011 section 3.1).

use zerocopy::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{Extent, Sets};
use crate::{Problem, Reader, WireError};

/// The version number in the header.
pub const VERSION: u16 = 10;

/// The 16 bytes before the first set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Header {
    /// 10.
    pub version: U16,
    /// Bytes of the message, header included.
    pub length: U16,
    /// Seconds since 1970 at the exporter.
    pub export_time: U32,
    /// Data records sent before this message, of this domain and transport session.
    pub sequence_number: U32,
    /// Whose templates these are.
    pub observation_domain_id: U32,
}

impl Header {
    /// The export time in nanoseconds since 1970.
    pub const fn export_ns(&self) -> i64 {
        self.export_time.get() as i64 * 1_000_000_000
    }
}

/// One message, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    header: &'a Header,
    offset: usize,
    body: Reader<'a>,
    extent: Extent,
}

impl<'a> Message<'a> {
    /// Reads the first message of a datagram; what follows it is left in the second reader.
    ///
    /// Fails only when the header is not there, is another version's, or claims a length under its
    /// own 16 bytes. A length over the datagram's makes a message whose [`Message::extent`] is cut.
    pub fn read(datagram: &'a [u8]) -> Result<(Self, Reader<'a>), WireError> {
        let mut reader = Reader::new(datagram);
        let message = Self::take(&mut reader)?;
        Ok((message, reader))
    }

    /// Reads the next message of a datagram that holds several.
    pub fn take(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        let whole = *reader;
        let header: &Header = reader.header("message.header")?;
        if header.version.get() != VERSION {
            return Err(whole.error("version", Problem::Version(header.version.get().into())));
        }
        let length = usize::from(header.length.get());
        let Some(wanted) = length.checked_sub(size_of::<Header>()) else {
            let problem = Problem::TooShort { length, minimum: size_of::<Header>() };
            return Err(WireError::new("message.length", whole.offset() + 2, problem));
        };
        let there = wanted.min(reader.len());
        let problem = Problem::TooLong { length, maximum: whole.len() };
        let extent = Extent::of(wanted, there, WireError::new("message.length", whole.offset() + 2, problem));
        Ok(Self { header, offset: whole.offset(), body: reader.sub("message", there)?, extent })
    }

    /// The header.
    pub const fn header(&self) -> &'a Header {
        self.header
    }

    /// The message's first byte, counted from the start of the datagram.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the datagram holds as much as the header's length says.
    pub const fn extent(&self) -> Extent {
        self.extent
    }

    /// The sets, to the end of the message or of what there is of it.
    pub const fn sets(&self) -> Sets<'a> {
        Sets::new(self.body)
    }
}

/// The messages of one datagram: mostly one, but some exporters send several back to back.
pub const fn messages(datagram: &[u8]) -> Messages<'_> {
    Messages { rest: Reader::new(datagram), failed: false, started: false }
}

/// Iterates over messages; a header that is unsound is the last item. See [`messages`].
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: Reader<'a>,
    started: bool,
    failed: bool,
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        // An empty datagram is not a sound one: it yields its one error.
        if self.failed || (self.started && self.rest.is_empty()) {
            return None;
        }
        self.started = true;
        let message = Message::take(&mut self.rest);
        self.failed = message.is_err();
        Some(message)
    }
}

/// How long the message is that a stream goes on with (RFC 7011 section 10.4): TCP has no datagrams.
///
/// `None` while the first four bytes are not there yet. An error means that the stream is lost: there
/// is no way to find the next message.
pub fn stream_message_length(buffered: &[u8]) -> Result<Option<usize>, WireError> {
    let Some(&[v0, v1, l0, l1]) = buffered.first_chunk() else {
        return Ok(None);
    };
    let version = u16::from_be_bytes([v0, v1]);
    if version != VERSION {
        return Err(WireError::new("version", 0, Problem::Version(version.into())));
    }
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if length < size_of::<Header>() {
        let problem = Problem::TooShort { length, minimum: size_of::<Header>() };
        return Err(WireError::new("message.length", 2, problem));
    }
    Ok(Some(length))
}
