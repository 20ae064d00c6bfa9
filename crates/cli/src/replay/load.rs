//! A capture's datagrams, in memory, ready to be sent again and again.

use std::collections::HashMap;
use std::net::SocketAddr;

use finderscope_transport::capture::{Capture, CaptureError};
use finderscope_transport::endpoint;

use super::patch::Patch;
use super::rewrite::Rewriter;

const SECOND_NS: i64 = 1_000_000_000;

/// The datagrams of a capture in one piece of memory, with what changes from loop to loop.
pub struct Recording {
    bytes: Vec<u8>,
    datagrams: Vec<Datagram>,
    sources: Vec<SocketAddr>,
    patches: Vec<Patch>,
    /// Why the capture could not be read to its end.
    pub problem: Option<CaptureError>,
}

struct Datagram {
    start: usize,
    length: u32,
    source: u32,
    received_ns: i64,
}

impl Recording {
    /// Reads the whole capture. Of a damaged one, everything before the damage.
    pub fn load(file: &endpoint::File) -> Result<Self, CaptureError> {
        let mut capture = Capture::open(file)?;
        let (bytes, datagrams, sources, patches) = Default::default();
        let mut recording = Self { bytes, datagrams, sources, patches, problem: None };
        let mut places = HashMap::new();
        let mut rewriter = Rewriter::default();
        loop {
            let datagram = match capture.read() {
                Ok(Some(datagram)) => datagram,
                Ok(None) => break,
                Err(error) => {
                    recording.problem = Some(error);
                    break;
                }
            };
            let sources = &mut recording.sources;
            let source = *places.entry(datagram.source).or_insert_with(|| {
                sources.push(datagram.source);
                sources.len() - 1
            });
            let start = recording.bytes.len();
            rewriter.learn(datagram.source.ip(), datagram.bytes, start);
            recording.bytes.extend_from_slice(datagram.bytes);
            recording.datagrams.push(Datagram {
                start,
                length: datagram.bytes.len() as u32, // a UDP payload
                source: source as u32,
                received_ns: datagram.received_ns,
            });
        }
        recording.patches = rewriter.patches(recording.span_ns());
        Ok(recording)
    }

    /// How many datagrams there are.
    pub const fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Every source address and port, in order of appearance.
    pub fn sources(&self) -> &[SocketAddr] {
        &self.sources
    }

    /// The source port to send from: the capture's own where it can be had without a privilege.
    pub fn port_of(&self, source: SocketAddr) -> u16 {
        if source.port() < 1024 { 0 } else { source.port() }
    }

    /// A datagram, and the place of its source among [`Self::sources`].
    pub fn datagram(&self, at: usize) -> (usize, &[u8]) {
        let Datagram { start, length, source, .. } = self.datagrams[at];
        (source as usize, &self.bytes[start..start + length as usize])
    }

    /// When a datagram was received, from the first one on.
    pub fn elapsed_ns(&self, at: usize) -> i64 {
        self.datagrams[at].received_ns.saturating_sub(self.datagrams[0].received_ns).max(0)
    }

    /// How long the capture lasted, in whole seconds and at least one: headers have seconds only.
    pub fn span_ns(&self) -> i64 {
        let last = self.datagrams.len().checked_sub(1).map_or(0, |last| self.elapsed_ns(last));
        (last / SECOND_NS + 1) * SECOND_NS
    }

    /// Rewrites sequence numbers and times as they would be one loop later.
    pub fn advance(&mut self) {
        for patch in &self.patches {
            patch.advance(&mut self.bytes);
        }
    }

    /// Rewrites times so that the capture begins at `now_ns`.
    pub fn shift_to(&mut self, now_ns: i64) {
        let first = self.datagrams.first().map_or(0, |datagram| datagram.received_ns);
        let seconds = (now_ns - first).div_euclid(SECOND_NS);
        for patch in &self.patches {
            patch.shift(&mut self.bytes, seconds);
        }
    }
}
