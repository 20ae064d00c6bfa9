//! IPFIX over TCP and SCTP inside captures (RFC 7011 sections 10.2 and 10.4): messages out of what was seen of a session.
//!
//! A capture may begin in the middle of a session, lose segments, and see them twice or in another order. What is missing costs
//! the messages that it cuts, is counted, and the next message is looked for. Sessions that carry something else
//! are told after a bounded number of bytes and then cost nothing. All memory is bounded.

mod sctp;
mod tcp;

use std::collections::VecDeque;
use std::net::SocketAddr;

use finderscope_wire::delivery::Scheme;

use super::network::Carried;
use super::{Counts, Skip};

/// Sessions that are remembered, one direction each; the idlest goes first.
const SESSIONS_MAX: usize = 1_024;
/// IPFIX's message header.
const HEADER_BYTES: usize = 16;

/// A whole message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) received_ns: i64,
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) scheme: Scheme,
    pub(super) bytes: Vec<u8>,
}

/// What a session turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Not known yet; so many frames wait for the decision.
    Open(u64),
    Telemetry,
    Foreign,
}

/// Sessions of both transports, and the messages that are ready.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// The one used last comes last.
    sessions: VecDeque<Session>,
    pub(super) ready: VecDeque<Message>,
}

#[derive(Debug)]
struct Session {
    source: SocketAddr,
    destination: SocketAddr,
    standing: Standing,
    /// When the last of its frames was captured.
    last_ns: i64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tcp(tcp::Stream),
    Sctp(sctp::Association),
}

impl Kind {
    /// Lets go of bytes that nobody will want.
    fn forget(&mut self) {
        match self {
            Self::Tcp(stream) => stream.forget(),
            Self::Sctp(association) => *association = sctp::Association::default(),
        }
    }
}

/// Where a session's messages go, and what is counted.
struct Output<'a> {
    received_ns: i64,
    source: SocketAddr,
    destination: SocketAddr,
    scheme: Scheme,
    ready: &'a mut VecDeque<Message>,
    counts: &'a mut Counts,
}

impl Output<'_> {
    fn message(&mut self, bytes: &[u8]) {
        let Self { received_ns, source, destination, scheme, .. } = *self;
        self.ready.push_back(Message { received_ns, source, destination, scheme, bytes: bytes.to_vec() });
        self.counts.messages += 1;
    }

    const fn gap(&mut self, bytes: u64) {
        self.counts.stream_gaps += 1;
        self.counts.stream_bytes_lost += bytes;
    }
}

impl Streams {
    /// Takes a TCP segment, from its header on.
    pub(super) fn tcp(&mut self, segment: &Carried, bytes: &[u8], received_ns: i64, counts: &mut Counts) {
        let Some(segment_bytes) = bytes.get(segment.range.clone()) else { return skip(counts, Skip::Truncated) };
        let Some(header) = tcp::Header::read(segment_bytes) else { return skip(counts, Skip::NotUdp) };
        let known = self.take(segment, |kind| matches!(kind, Kind::Tcp(_)));
        if header.payload.is_empty() && !header.syn && known.is_none() {
            return skip(counts, Skip::NotUdp);
        }
        let mut session = match known {
            Some(session) if !header.syn => session,
            before => {
                if let Some(before) = before {
                    self.close(before, counts);
                }
                Session::of(segment, Kind::Tcp(tcp::Stream::new(&header)))
            }
        };
        session.last_ns = received_ns;
        let Session { standing, kind: Kind::Tcp(stream), .. } = &mut session else { return };
        let mut output = Output {
            received_ns,
            source: segment.source,
            destination: segment.destination,
            scheme: Scheme::Tcp,
            ready: &mut self.ready,
            counts,
        };
        if header.payload.is_empty() {
            skip(output.counts, Skip::NotUdp);
        } else {
            count(standing, output.counts);
            let verdict = if *standing == Standing::Foreign { None } else { stream.add(&header, &mut output) };
            settle(standing, verdict, output.counts);
        }
        if header.end && *standing != Standing::Foreign {
            stream.finish(&mut output);
        }
        self.keep(session, counts);
    }

    /// Takes an SCTP packet, from its header on.
    pub(super) fn sctp(&mut self, packet: &Carried, bytes: &[u8], received_ns: i64, counts: &mut Counts) {
        let Some(packet_bytes) = bytes.get(packet.range.clone()) else { return skip(counts, Skip::Truncated) };
        let Some(chunks) = sctp::chunks(packet_bytes) else { return skip(counts, Skip::NotUdp) };
        if chunks.is_empty() {
            return skip(counts, Skip::NotUdp);
        }
        let known = self.take(packet, |kind| matches!(kind, Kind::Sctp(_)));
        let mut session = known.unwrap_or_else(|| Session::of(packet, Kind::Sctp(sctp::Association::default())));
        session.last_ns = received_ns;
        let Session { standing, kind: Kind::Sctp(association), .. } = &mut session else { return };
        let mut output = Output {
            received_ns,
            source: packet.source,
            destination: packet.destination,
            scheme: Scheme::Sctp,
            ready: &mut self.ready,
            counts,
        };
        count(standing, output.counts);
        for chunk in chunks {
            if *standing != Standing::Foreign {
                let verdict = association.add(&chunk, &mut output);
                settle(standing, verdict, output.counts);
            }
        }
        self.keep(session, counts);
    }

    /// Nothing more comes: what is unfinished stays so.
    pub(super) fn give_up(&mut self, counts: &mut Counts) {
        while let Some(session) = self.sessions.pop_front() {
            self.close(session, counts);
        }
    }

    fn take(&mut self, packet: &Carried, kind: impl Fn(&Kind) -> bool) -> Option<Session> {
        let is_it = |session: &Session| {
            session.source == packet.source && session.destination == packet.destination && kind(&session.kind)
        };
        let at = self.sessions.iter().rposition(is_it)?;
        self.sessions.remove(at)
    }

    fn keep(&mut self, mut session: Session, counts: &mut Counts) {
        if session.standing == Standing::Foreign {
            session.kind.forget();
        }
        self.sessions.push_back(session);
        if self.sessions.len() > SESSIONS_MAX
            && let Some(idlest) = self.sessions.pop_front()
        {
            self.close(idlest, counts);
        }
    }

    fn close(&mut self, mut session: Session, counts: &mut Counts) {
        let scheme = if matches!(session.kind, Kind::Tcp(_)) { Scheme::Tcp } else { Scheme::Sctp };
        let mut output = Output {
            received_ns: session.last_ns,
            source: session.source,
            destination: session.destination,
            scheme,
            ready: &mut self.ready,
            counts,
        };
        if session.standing == Standing::Telemetry {
            match &mut session.kind {
                Kind::Tcp(stream) => stream.finish(&mut output),
                Kind::Sctp(association) => association.finish(&mut output),
            }
        }
        settle(&mut session.standing, Some(false), counts);
    }
}

impl Session {
    const fn of(packet: &Carried, kind: Kind) -> Self {
        Self { source: packet.source, destination: packet.destination, standing: Standing::Open(0), last_ns: 0, kind }
    }
}

const fn skip(counts: &mut Counts, reason: Skip) {
    counts.skipped.add(reason, 1);
}

/// Counts a frame for what its session is, or keeps it until that is known.
const fn count(standing: &mut Standing, counts: &mut Counts) {
    match standing {
        Standing::Open(frames) => *frames += 1,
        Standing::Telemetry => counts.segments += 1,
        Standing::Foreign => skip(counts, Skip::NotUdp),
    }
}

/// Takes a first decision, and counts the frames that waited for it.
const fn settle(standing: &mut Standing, verdict: Option<bool>, counts: &mut Counts) {
    if let (Standing::Open(frames), Some(telemetry)) = (&standing, verdict) {
        if telemetry {
            counts.segments += *frames;
            *standing = Standing::Telemetry;
        } else {
            counts.skipped.add(Skip::NotUdp, *frames);
            *standing = Standing::Foreign;
        }
    }
}

/// The length of the message that `bytes` begin with; none where they begin with something else. At least four bytes are needed.
fn message_length(bytes: &[u8]) -> Option<usize> {
    let &[version_high, version_low, length_high, length_low] = bytes.first_chunk()?;
    let length = usize::from(u16::from_be_bytes([length_high, length_low]));
    ([version_high, version_low] == [0, 10] && length >= HEADER_BYTES).then_some(length)
}
