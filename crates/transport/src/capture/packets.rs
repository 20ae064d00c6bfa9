//! The packets of a capture as they are, for those who look at traffic rather than at what exporters say of it.

use std::io::Read;

use finderscope_wire::packet::Layer;

use super::feed::Feed;
use super::format::Format;
use super::{CaptureError, Skip, link};

/// Reads a capture, packet by packet.
#[derive(Debug)]
pub struct Packets<R> {
    feed: Feed<R>,
    format: Format,
    ended: bool,
}

/// A packet of a capture, as much of it as was captured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// When it was captured, in nanoseconds since 1970 UTC.
    pub captured_ns: i64,
    /// Its link type (tcpdump.org/linktypes); none where its interface was never described.
    pub link: Option<u16>,
    /// Its bytes, from the link type's header on.
    pub bytes: &'a [u8],
    /// How many it had, of which these are the first.
    pub length: u32,
}

impl<R: Read> Packets<R> {
    /// Reads the file's header. `reader` needs no buffer of its own.
    pub fn new(reader: R) -> Result<Self, CaptureError> {
        let mut feed = Feed::new(reader);
        let format = Format::read(&mut feed)?;
        Ok(Self { feed, format, ended: false })
    }

    /// The next packet; none at the end. After an error there is nothing more.
    pub fn read(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        if self.ended {
            return Ok(None);
        }
        let next = self.format.next(&mut self.feed);
        self.ended = !matches!(next, Ok(Some(_)));
        let Some(frame) = next? else { return Ok(None) };
        let bytes = &self.feed.bytes()[frame.data];
        Ok(Some(Packet { captured_ns: frame.time_ns, link: frame.link, bytes, length: frame.length }))
    }
}

impl<'a> Packet<'a> {
    /// What can be read of it by [`finderscope_wire::packet`], behind the link type's own header; or why nothing can.
    pub fn layer(&self) -> Result<(Layer, &'a [u8]), Skip> {
        let (layer, at) = link::layer(self.link.ok_or(Skip::NoInterface)?, self.bytes)?;
        Ok((layer, self.bytes.get(at..).ok_or(Skip::Truncated)?))
    }
}
