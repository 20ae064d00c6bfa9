//! The stream of packets, or of whole datagrams, between a server and its readers.
//!
//! A stream is frame after frame: a length (4 bytes, little-endian) that counts what follows it, a kind (1 byte), and the
//! frame itself. [`Frame::encode`] appends one to a buffer, [`Frames`] reads them from a connection. A reader that is too
//! slow loses datagrams of its own, and is told how many ([`Frame::Lost`]).

use std::io::{self, Read};

use finderscope_wire::WireError;
use finderscope_wire::delivery::{self, Delivery};

use crate::frame::PACKET_BYTES_MAX;
use crate::{Item, Packet, Port};

/// What a classic capture is called.
pub const PCAP: &str = "application/vnd.tcpdump.pcap";
/// What a capture of the next generation is called.
pub const PCAPNG: &str = "application/x-pcapng";
/// What a stream of packets is called: [`Frame::Packet`], [`Frame::Port`] and [`Frame::Lost`].
pub const PACKETS: &str = "application/x-finderscope-packets";
/// What a stream of datagrams is called: [`Frame::Delivery`] and [`Frame::Lost`].
pub const DELIVERIES: &str = "application/x-finderscope-deliveries";

/// The most that a frame's length can count: a kind, and the longest of what follows.
pub const FRAME_BYTES_MAX: usize = 1 + max(PACKET_BYTES_MAX, delivery::FRAME_BYTES_MAX);

const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// One frame of a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Frame<'a> {
    /// Kind 1: a packet.
    Packet(Packet<'a>),
    /// Kind 2: a port's name or speed.
    Port(Port<'a>),
    /// Kind 3: how many datagrams this reader has lost since the stream began (8 bytes, little-endian), with their packets.
    Lost(u64),
    /// Kind 4: a datagram.
    Delivery(Delivery<'a>),
}

impl<'a> From<Item<'a>> for Frame<'a> {
    fn from(item: Item<'a>) -> Self {
        match item {
            Item::Packet(packet) => Self::Packet(packet),
            Item::Port(port) => Self::Port(port),
        }
    }
}

impl<'a> Frame<'a> {
    /// Appends the frame with its length to `out`. Nothing is written where a delivery does not fit its frame.
    ///
    /// # Errors
    /// As [`Delivery::encode`].
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let done = match self {
            Self::Packet(packet) => {
                out.push(1);
                packet.encode(out);
                Ok(())
            }
            Self::Port(port) => {
                out.push(2);
                port.encode(out);
                Ok(())
            }
            Self::Lost(lost) => {
                out.push(3);
                out.extend_from_slice(&lost.to_le_bytes());
                Ok(())
            }
            Self::Delivery(delivery) => {
                out.push(4);
                delivery.encode(out)
            }
        };
        if done.is_err() {
            out.truncate(start);
            return done;
        }
        // Every kind has a maximum far below 4 GiB.
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    /// Reads a frame without its length. None for a kind that a later version may have.
    ///
    /// # Errors
    /// When the frame is damaged.
    pub fn decode(frame: &'a [u8]) -> Result<Option<Self>, FrameError> {
        let Some((kind, body)) = frame.split_first() else { return Err(FrameError::Length(0)) };
        Ok(Some(match kind {
            1 => Self::Packet(Packet::decode(body)?),
            2 => Self::Port(Port::decode(body)?),
            3 => Self::Lost(u64::from_le_bytes(body.try_into().map_err(|_| FrameError::Length(frame.len() as u64))?)),
            4 => Self::Delivery(Delivery::decode(body)?),
            _ => return Ok(None),
        }))
    }
}

/// Why a stream cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A frame's content.
    #[error("the stream is damaged: {0}")]
    Wire(#[from] WireError),
    /// A length that no frame has.
    #[error("the stream is damaged: a frame of {0} bytes")]
    Length(u64),
}

/// Reads frames from a connection, which needs no buffer of its own.
#[derive(Debug)]
pub struct Frames<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// A read is worth its system call, and the longest frame fits.
const BUFFER_BYTES: usize = 256 << 10;

impl<R: Read> Frames<R> {
    /// Reads from `reader`.
    pub fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0 }
    }

    /// Whether the next frame is here already, so that [`Self::next`] will not wait.
    pub fn has_next(&self) -> bool {
        self.whole().is_ok_and(|whole| whole.is_some())
    }

    /// The next frame; none where the stream ends between two frames. Kinds that are not known are stepped over.
    ///
    /// # Errors
    /// When the connection fails or ends inside a frame, or a frame is damaged.
    #[expect(
        clippy::should_implement_trait,
        reason = "frames borrow from the buffer, which an iterator's items cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        loop {
            let Some(length) = self.whole()? else {
                if self.fill()? {
                    continue;
                }
                if self.start == self.end {
                    return Ok(None);
                }
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            };
            let body = self.start + 4..self.start + 4 + length;
            self.start = body.end;
            if is_known(self.buffer[body.start]) {
                return Frame::decode(&self.buffer[body]);
            }
        }
    }

    /// The length of the next frame, where all of it is here.
    fn whole(&self) -> Result<Option<usize>, FrameError> {
        let held = &self.buffer[self.start..self.end];
        let Some((length, rest)) = held.split_first_chunk() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length == 0 || length > FRAME_BYTES_MAX {
            return Err(FrameError::Length(length as u64));
        }
        Ok((rest.len() >= length).then_some(length))
    }

    /// Reads what there is; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

const fn is_known(kind: u8) -> bool {
    matches!(kind, 1..=4)
}
