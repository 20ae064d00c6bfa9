//! Captures: packets as the bytes of pcap and pcapng files (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
//!
//! An [`Encoder`] appends to a buffer, whole packets only; a [`Writer`] hands such a buffer on to an [`io::Write`]: when
//! it is full, and when it is told to [`Writer::flush`], which is how a live stream does it after each burst.
//! One capture has one link type: readers stop at, or misread, what differs. A [`Shape`](crate::Shape) chooses and fits.

mod interfaces;
pub(crate) mod pcap;
mod pcapng;
mod records;

use std::io::{self, Write};

pub use records::Records;

use interfaces::Interfaces;

use crate::{LinkType, Packet, Port, Shaped};

/// The two kinds of capture files.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// The classic one: time, length and bytes.
    #[default]
    Pcap,
    /// The next generation, which has room for ports, directions and comments.
    Pcapng,
}

/// How packets are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// Into which kind of file.
    pub format: Format,
    /// What all packets begin with.
    pub link: LinkType,
    /// Whether the length in a classic capture is that of the bytes' packet, rather than what the device counted. The
    /// next generation has always the former.
    pub true_length: bool,
    /// Whether a classic capture has times in nanoseconds, rather than the microseconds that everything reads.
    pub nanoseconds: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: Format::Pcap, link: LinkType::ETHERNET, true_length: false, nanoseconds: false }
    }
}

/// Makes the bytes of a capture.
#[derive(Debug)]
pub struct Encoder {
    options: Options,
    interfaces: Interfaces,
}

impl Encoder {
    /// For captures of this kind.
    pub fn new(options: Options) -> Self {
        Self { options, interfaces: Interfaces::default() }
    }

    /// Appends the head of a capture. What is known of ports stays known from one capture to the next.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        match self.options.format {
            Format::Pcap => pcap::head(&self.options, out),
            Format::Pcapng => {
                self.interfaces.forget_ids();
                pcapng::head(out);
            }
        }
    }

    /// Keeps what is said about a port, for its packets to come.
    pub fn port(&mut self, port: &Port<'_>) {
        if self.options.format == Format::Pcapng {
            self.interfaces.learn(port);
        }
    }

    /// Says at this time how many datagrams were lost so far, whose packets are missing. False where that cannot be said: in
    /// classic captures, and before the first packet.
    pub fn lost(&mut self, at_ns: i64, datagrams: u64, out: &mut Vec<u8>) -> bool {
        let can_say = self.options.format == Format::Pcapng && !self.interfaces.are_none();
        if can_say {
            pcapng::lost(at_ns, datagrams, out);
        }
        can_say
    }

    /// Appends a packet, of which `shaped` is what the capture holds.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, shaped: &Shaped<'_>, out: &mut Vec<u8>) {
        match self.options.format {
            Format::Pcap => pcap::record(&self.options, packet.received_ns, shaped, out),
            Format::Pcapng => pcapng::packet(self.options.link, &mut self.interfaces, packet, shaped, out),
        }
    }
}

/// Writes a capture.
#[derive(Debug)]
pub struct Writer<W> {
    encoder: Encoder,
    out: W,
    buffer: Vec<u8>,
    /// Packets in the buffer.
    held: u64,
    written: u64,
    /// Bytes of this file that were handed on.
    bytes: u64,
}

/// A write of so much is worth its system call, and its pages are still in the processor's cache. Of larger ones the
/// system makes larger pages, which it first has to find: a write of a megabyte takes up to five times as long.
const BUFFER_BYTES: usize = 256 << 10;

impl<W: Write> Writer<W> {
    /// Writes the head at once: who reads waits for it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: W, options: Options) -> io::Result<Self> {
        let mut encoder = Encoder::new(options);
        let mut buffer = Vec::with_capacity(BUFFER_BYTES + (64 << 10));
        encoder.begin(&mut buffer);
        let mut writer = Self { encoder, out, buffer, held: 0, written: 0, bytes: 0 };
        writer.flush()?;
        Ok(writer)
    }

    /// Goes on in another file, with a head of its own, and gives the one before back.
    ///
    /// # Errors
    /// Those of either.
    pub fn turn_to(&mut self, out: W) -> io::Result<W> {
        self.flush()?;
        let before = std::mem::replace(&mut self.out, out);
        self.bytes = 0;
        self.encoder.begin(&mut self.buffer);
        self.flush()?;
        Ok(before)
    }

    /// Keeps what is said about a port.
    pub fn port(&mut self, port: &Port<'_>) {
        self.encoder.port(port);
    }

    /// Writes a packet, into a buffer as long as there is room.
    ///
    /// # Errors
    /// Those of the output.
    #[inline]
    pub fn packet(&mut self, packet: &Packet<'_>, shaped: &Shaped<'_>) -> io::Result<()> {
        self.encoder.packet(packet, shaped, &mut self.buffer);
        self.held += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Hands on what the buffer holds: whole packets, in one piece.
    ///
    /// # Errors
    /// Those of the output. What it has not taken is lost, then, and does not count as written.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let (taken, done) = hand_on(&mut self.out, &self.buffer);
        self.bytes += taken as u64;
        self.written += match &self.buffer[..taken] {
            all if all.len() == self.buffer.len() => held,
            // A head stands alone.
            _ if held == 0 => 0,
            part => Records::new(self.encoder.options.format, part).packets(),
        };
        self.buffer.clear();
        done.and_then(|()| self.out.flush())
    }

    /// How many packets the output has.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// How long this file is, with what is still in the buffer.
    pub const fn bytes(&self) -> u64 {
        self.bytes + self.buffer.len() as u64
    }
}

/// Writes all of it. Says how much was taken, also where the rest was not.
fn hand_on(out: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut taken = 0;
    while taken < bytes.len() {
        match out.write(&bytes[taken..]) {
            Ok(0) => return (taken, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => taken += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (taken, Err(error)),
        }
    }
    (taken, Ok(()))
}
