//! Capture files: pcap and pcapng in, export datagrams out; IPFIX files in, messages out; and classic pcap written.
//!
//! [`Capture`] streams from a file or a pipe in bounded memory: blocks, then link layers, VLAN tags, labels and tunnels, IP with its
//! fragments put together, UDP; and the messages of IPFIX over TCP and SCTP. A frame that has neither is
//! counted by reason ([`Skipped`]) and stepped over; a damaged or cut file
//! gives everything before the damage and then one [`CaptureError`] that says at which byte. [`Writer`] is the other
//! direction. An IPFIX file (RFC 5655), told by its content, gives its messages as datagrams; text of hexadecimal digits is one frame
//! a line; where a line is a datagram, [`HexLines`] reads it. [`read_datagram_file`] takes a file that is one payload and nothing else.
//!
//! Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng (read by `pcap-parser`), and tcpdump.org's list of link types.

mod checksum;
mod counts;
mod digits;
mod error;
mod feed;
mod format;
mod fragments;
mod lines;
mod link;
mod messages;
mod network;
mod packets;
mod skipped;
mod streams;
mod writer;

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

pub use counts::Counts;
pub use error::CaptureError;
pub use lines::HexLines;
pub use packets::{Packet, Packets};
pub use skipped::{Skip, Skipped};
pub use writer::{Precision, WriteError, Writer};

use finderscope_wire::delivery::Scheme;
use finderscope_wire::packet::Layer;

use crate::endpoint;
use feed::Feed;
use format::{Format, Frame};
use fragments::{Fragments, Joined};
use messages::Messages;
use network::Found;
use streams::Streams;

/// A file that is one datagram is read up to this length; several back to back may be in it.
pub const DATAGRAM_FILE_BYTES_MAX: u64 = 16 << 20;

/// Reads a capture, datagram by datagram.
#[derive(Debug)]
pub struct Capture<R> {
    feed: Feed<R>,
    content: Content,
    fragments: Fragments,
    joined: Vec<u8>,
    streams: Streams,
    /// The message that was given out last.
    message: Option<streams::Message>,
    /// The error that ends the capture, behind the messages that are left.
    problem: Option<CaptureError>,
    counts: Counts,
    ended: bool,
}

/// What a file consists of.
#[derive(Debug)]
enum Content {
    Frames(Format),
    Messages(Messages),
}

/// A UDP datagram of a capture, or a message of an IPFIX file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Datagram<'a> {
    /// When it was captured, in nanoseconds since 1970 UTC; of a datagram in fragments, the last one's time; of a message
    /// in a file, its export time.
    pub received_ns: i64,
    /// Who sent it; 0.0.0.0 in an IPFIX file.
    pub source: SocketAddr,
    /// Whom it was sent to.
    pub destination: SocketAddr,
    /// How it came: by UDP, said as [`Scheme::Pcap`], or as a message over TCP or SCTP.
    pub scheme: Scheme,
    /// The payload, bounded by UDP's own length; or the message.
    pub bytes: &'a [u8],
}

impl Capture<Box<dyn Read + Send>> {
    /// Opens a file, or standard input. Where a file has no times, the time of its last change is the best there is.
    pub fn open(file: &endpoint::File) -> Result<Self, CaptureError> {
        let path = match file {
            endpoint::File::Standard => return Self::new(Box::new(io::stdin())),
            endpoint::File::Path(path) => path,
        };
        let opened = open(path)?;
        let changed_ns = changed_ns(&opened);
        let mut capture = Self::new(Box::new(opened))?;
        if let (Content::Frames(format), Some(changed_ns)) = (&mut capture.content, changed_ns) {
            format.assume_time(changed_ns);
        }
        Ok(capture)
    }
}

fn changed_ns(file: &File) -> Option<i64> {
    let changed = file.metadata().ok()?.modified().ok()?;
    i64::try_from(changed.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

fn open(path: &Path) -> Result<File, CaptureError> {
    File::open(path).map_err(|error| CaptureError::Open(path.display().to_string(), error))
}

impl<R: Read> Capture<R> {
    /// Reads the file's header. `reader` needs no buffer of its own.
    pub fn new(reader: R) -> Result<Self, CaptureError> {
        let mut feed = Feed::new(reader);
        let content = match feed.ensure(4)? && messages::are_in(feed.bytes()) {
            true => Content::Messages(Messages::default()),
            false => Content::Frames(Format::read(&mut feed)?),
        };
        let (fragments, streams, counts) = Default::default();
        let joined = Vec::new();
        Ok(Self { feed, content, fragments, joined, streams, message: None, problem: None, counts, ended: false })
    }

    /// The next datagram; none at the end. After an error there is nothing more, unless it is only a
    /// [pause](CaptureError::is_pause).
    pub fn read(&mut self) -> Result<Option<Datagram<'_>>, CaptureError> {
        loop {
            self.message = self.streams.ready.pop_front();
            if self.message.is_some() || self.ended {
                break;
            }
            let next = match &mut self.content {
                Content::Frames(format) => format.next(&mut self.feed).map(|frame| frame.map(Unit::Frame)),
                Content::Messages(messages) => messages.next(&mut self.feed).map(|next| next.map(Unit::Message)),
            };
            let unit = match next {
                Ok(Some(unit)) => unit,
                Err(pause) if pause.is_pause() => return Err(pause),
                ended => {
                    self.end();
                    self.problem = ended.err();
                    continue;
                }
            };
            self.counts.frames += 1;
            let (time_ns, place) = match unit {
                Unit::Frame(frame) => (frame.time_ns, self.locate(&frame)),
                Unit::Message(message) => (message.exported_ns, Some(Place::of_message(message.length))),
            };
            if let Some(place) = place {
                self.counts.datagrams += 1;
                return Ok(Some(self.datagram(time_ns, place)));
            }
        }
        match (&self.message, self.problem.take()) {
            // The end of the file ends sessions too, and what they still had comes before it.
            (Some(message), problem) => {
                self.problem = problem;
                Ok(Some(message.datagram()))
            }
            (None, Some(problem)) => Err(problem),
            (None, None) => Ok(None),
        }
    }

    /// What became of the frames so far.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Finds the frame's datagram, or counts why there is none.
    fn locate(&mut self, frame: &Frame) -> Option<Place> {
        let bytes = &self.feed.bytes()[frame.data.clone()];
        let Some(link) = frame.link else { return self.skip(Skip::NoInterface) };
        let found = link::layer(link, bytes).and_then(|(layer, at)| Ok((network::find(layer, &bytes[at..])?, at)));
        let (found, at) = match found {
            Ok(found) => found,
            Err(reason) => return self.skip(reason),
        };
        let bytes = &bytes[at..];
        match found {
            Found::Udp(udp) => {
                let start = frame.data.start + at;
                let range = start + udp.payload.start..start + udp.payload.end;
                return Some(Place { source: udp.source, destination: udp.destination, joined: false, range });
            }
            Found::Tcp(segment) => self.streams.tcp(&segment, bytes, frame.time_ns, &mut self.counts),
            Found::Sctp(packet) => self.streams.sctp(&packet, bytes, frame.time_ns, &mut self.counts),
            Found::Fragment(fragment) => {
                let joined = self.fragments.add(&fragment, &bytes[fragment.payload.clone()], &mut self.counts.skipped);
                return joined.and_then(|whole| self.join(whole, frame.time_ns));
            }
        }
        None
    }

    /// Reads a packet that is whole again. It may be a part of another: a tunnel's end can be fragmented as well as what it carries.
    fn join(&mut self, mut whole: Joined, time_ns: i64) -> Option<Place> {
        const NESTED_MAX: usize = 4;
        for _ in 0..NESTED_MAX {
            let found = match network::find(Layer::Ip, &whole.bytes) {
                Ok(found) => found,
                Err(reason) => {
                    self.counts.skipped.add(reason, whole.parts);
                    return None;
                }
            };
            self.counts.datagrams_joined += 1;
            self.counts.fragments += whole.parts;
            match found {
                Found::Udp(udp) => {
                    self.joined = whole.bytes;
                    let (source, destination) = (udp.source, udp.destination);
                    return Some(Place { source, destination, joined: true, range: udp.payload });
                }
                Found::Tcp(segment) => self.streams.tcp(&segment, &whole.bytes, time_ns, &mut self.counts),
                Found::Sctp(packet) => self.streams.sctp(&packet, &whole.bytes, time_ns, &mut self.counts),
                Found::Fragment(fragment) => {
                    let payload = &whole.bytes[fragment.payload.clone()];
                    whole = self.fragments.add(&fragment, payload, &mut self.counts.skipped)?;
                    continue;
                }
            }
            return None;
        }
        self.counts.skipped.add(Skip::Malformed, whole.parts);
        None
    }

    fn skip(&mut self, reason: Skip) -> Option<Place> {
        self.counts.skipped.add(reason, 1);
        None
    }

    fn datagram(&self, received_ns: i64, place: Place) -> Datagram<'_> {
        let bytes = if place.joined { &self.joined } else { self.feed.bytes() };
        let Place { source, destination, range, .. } = place;
        Datagram { received_ns, source, destination, scheme: Scheme::Pcap, bytes: &bytes[range] }
    }

    fn end(&mut self) {
        self.ended = true;
        self.fragments.give_up(&mut self.counts.skipped);
        self.streams.give_up(&mut self.counts);
    }
}

impl streams::Message {
    fn datagram(&self) -> Datagram<'_> {
        let Self { received_ns, source, destination, scheme, ref bytes } = *self;
        Datagram { received_ns, source, destination, scheme, bytes }
    }
}

/// What a file's content is read by.
enum Unit {
    Frame(Frame),
    Message(messages::Message),
}

/// Where a datagram's payload lies: in the feed, or among the joined fragments.
struct Place {
    source: SocketAddr,
    destination: SocketAddr,
    joined: bool,
    range: Range<usize>,
}

impl Place {
    fn of_message(length: usize) -> Self {
        Self { source: messages::NOBODY, destination: messages::NOBODY, joined: false, range: 0..length }
    }
}

/// Reads a file that holds the payload of one datagram, as fuzzers and test suites keep them.
pub fn read_datagram_file(path: &Path) -> Result<Vec<u8>, CaptureError> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(DATAGRAM_FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    let offset = bytes.len() as u64;
    read.map_err(|error| CaptureError::Read { offset, error })?;
    if offset > DATAGRAM_FILE_BYTES_MAX {
        let problem = format!("a datagram file has at most {DATAGRAM_FILE_BYTES_MAX} bytes");
        return Err(CaptureError::Damaged { offset: DATAGRAM_FILE_BYTES_MAX, problem });
    }
    Ok(bytes)
}

impl Writer<io::BufWriter<File>> {
    /// Makes the file, or empties it.
    pub fn create(path: &Path, precision: Precision) -> io::Result<Self> {
        Self::new(io::BufWriter::with_capacity(1 << 20, File::create(path)?), precision)
    }
}

impl Writer<Box<dyn Write + Send>> {
    /// Makes the file, or takes standard output.
    pub fn open(file: &endpoint::File, precision: Precision) -> io::Result<Self> {
        let out: Box<dyn Write + Send> = match file {
            endpoint::File::Standard => Box::new(io::stdout()),
            endpoint::File::Path(path) => Box::new(File::create(path)?),
        };
        Self::new(Box::new(io::BufWriter::with_capacity(1 << 20, out)), precision)
    }
}
