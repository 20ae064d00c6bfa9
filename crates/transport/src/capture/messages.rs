//! IPFIX files: messages back to back, and nothing else (RFC 5655 section 7).
//!
//! Such a file has no header of its own; it is known by its first message's. Who sent the messages, and when they came,
//! is not in it (where options say so, they are data like others): the sender is nobody, and a message counts as
//! received when it was exported.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use finderscope_wire::ipfix;

use super::CaptureError;
use super::feed::Feed;

/// Who sent what has no sender.
pub(super) const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

const HEADER_BYTES: usize = size_of::<ipfix::Header>();

/// A walk over the messages of a file.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The last message's length, which stays in the feed until the next is asked for.
    consumed_next: usize,
    /// Where the message begins that the file ends in.
    cut: Option<u64>,
}

/// Whether a file that begins with these bytes is one: an IPFIX header with a length that can be.
pub(super) fn are_in(first: &[u8]) -> bool {
    matches!(ipfix::stream_message_length(first), Ok(Some(_)))
}

/// A message at the beginning of the feed.
pub(super) struct Message {
    pub(super) exported_ns: i64,
    pub(super) length: usize,
}

impl Messages {
    /// The next message. One that the file ends in is given out as far as it goes, and is an error after that.
    pub(super) fn next<R: Read>(&mut self, feed: &mut Feed<R>) -> Result<Option<Message>, CaptureError> {
        feed.consume(std::mem::take(&mut self.consumed_next));
        let offset = feed.offset();
        let cut = |offset| CaptureError::Cut { inside: "message", offset };
        if let Some(offset) = self.cut.take() {
            return Err(cut(offset));
        }
        if !feed.ensure(HEADER_BYTES)? {
            return if feed.bytes().is_empty() { Ok(None) } else { Err(cut(offset)) };
        }
        let damaged = |problem: String| CaptureError::Damaged { offset, problem };
        let length = ipfix::stream_message_length(feed.bytes()).map_err(|error| damaged(error.to_string()))?;
        let claimed = length.unwrap_or(HEADER_BYTES);
        let length = if feed.ensure(claimed)? { claimed } else { feed.bytes().len() };
        self.cut = (length < claimed).then_some(offset);
        self.consumed_next = length;
        let read = ipfix::Message::read(feed.bytes()).map_err(|error| damaged(error.to_string()))?;
        Ok(Some(Message { exported_ns: read.0.header().export_ns(), length }))
    }
}
