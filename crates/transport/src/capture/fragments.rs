//! IP packets that came in parts (RFC 791 section 3.2, RFC 8200 section 4.5).
//!
//! Bounded: when there are too many unfinished packets or bytes, the oldest goes and its frames are counted. Parts that overlap cost
//! the whole packet, as RFC 5722 wants it; an exact repetition is one frame too many and nothing more.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::network::Fragment;
use super::{Skip, Skipped};

/// Unfinished packets that are remembered. A capture interleaves a few at a time.
const PENDING_MAX: usize = 64;
/// Bytes of all unfinished packets.
const BYTES_MAX: usize = 1 << 20;
/// IP cannot carry more in one packet.
const PACKET_BYTES_MAX: usize = 65_535;
/// Parts of one packet: enough for the longest over the smallest link that IPv4 allows (68 bytes, 48 of them payload).
const PARTS_MAX: usize = 1_366;

/// Unfinished packets, oldest first.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    pending: VecDeque<Pending>,
    bytes: usize,
}

/// A packet that is whole again, behind an IP header made for it.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) bytes: Vec<u8>,
    /// The frames that it came in.
    pub(super) parts: u64,
}

#[derive(Debug)]
struct Pending {
    source: IpAddr,
    destination: IpAddr,
    identification: u32,
    /// What the whole begins with; its first part says it, and all parts should.
    protocol: u8,
    /// Ordered by offset, without overlaps.
    parts: Vec<(usize, Vec<u8>)>,
    bytes: usize,
    length: Option<usize>,
}

impl Fragments {
    /// Takes a part; gives the packet that it completes.
    pub(super) fn add(&mut self, fragment: &Fragment, payload: &[u8], skipped: &mut Skipped) -> Option<Joined> {
        if fragment.offset + payload.len() > PACKET_BYTES_MAX || (fragment.more && !payload.len().is_multiple_of(8)) {
            skipped.add(Skip::Malformed, 1);
            return None;
        }
        let at = self.pending.iter().position(|pending| pending.is_of(fragment)).unwrap_or_else(|| {
            self.pending.push_back(Pending::of(fragment));
            self.pending.len() - 1
        });
        match self.pending[at].insert(fragment, payload) {
            Insert::Repeated => skipped.add(Skip::Fragment, 1),
            Insert::Contradiction => {
                skipped.add(Skip::Malformed, 1);
                self.remove(at, Skip::Malformed, skipped);
            }
            Insert::Taken => {
                self.bytes += payload.len();
                if self.pending[at].is_complete() {
                    return self.pending.remove(at).map(|pending| {
                        self.bytes -= pending.bytes;
                        pending.join()
                    });
                }
                while self.pending.len() > PENDING_MAX || self.bytes > BYTES_MAX {
                    self.remove(0, Skip::Fragment, skipped);
                }
            }
        }
        None
    }

    /// Nothing more comes: what is unfinished stays so.
    pub(super) fn give_up(&mut self, skipped: &mut Skipped) {
        while !self.pending.is_empty() {
            self.remove(0, Skip::Fragment, skipped);
        }
    }

    fn remove(&mut self, at: usize, reason: Skip, skipped: &mut Skipped) {
        if let Some(pending) = self.pending.remove(at) {
            self.bytes -= pending.bytes;
            skipped.add(reason, pending.parts.len() as u64);
        }
    }
}

enum Insert {
    Taken,
    Repeated,
    Contradiction,
}

impl Pending {
    fn of(fragment: &Fragment) -> Self {
        let Fragment { source, destination, identification, protocol, .. } = *fragment;
        Self { source, destination, identification, protocol, parts: Vec::new(), bytes: 0, length: None }
    }

    fn is_of(&self, fragment: &Fragment) -> bool {
        self.identification == fragment.identification
            && self.protocol == fragment.protocol
            && self.source == fragment.source
            && self.destination == fragment.destination
    }

    fn insert(&mut self, fragment: &Fragment, payload: &[u8]) -> Insert {
        let (start, end) = (fragment.offset, fragment.offset + payload.len());
        let at = self.parts.partition_point(|(offset, _)| *offset < start);
        if self.parts.get(at).is_some_and(|(offset, part)| *offset == start && part == payload) {
            return Insert::Repeated;
        }
        let overlaps_next = self.parts.get(at).is_some_and(|(offset, _)| *offset < end);
        let before = at.checked_sub(1).and_then(|before| self.parts.get(before));
        let overlaps_before = before.is_some_and(|(offset, part)| offset + part.len() > start);
        let past_end = self.length.is_some_and(|length| end > length || !fragment.more);
        let too_short = !fragment.more && self.parts.len() > at;
        if overlaps_next || overlaps_before || past_end || too_short || self.parts.len() == PARTS_MAX {
            return Insert::Contradiction;
        }
        if !fragment.more {
            self.length = Some(end);
        }
        self.bytes += payload.len();
        self.parts.insert(at, (start, payload.to_vec()));
        Insert::Taken
    }

    /// Parts do not overlap and none lies past the end, so enough bytes are all bytes.
    fn is_complete(&self) -> bool {
        self.length == Some(self.bytes)
    }

    fn join(self) -> Joined {
        let count = self.parts.len() as u64;
        let mut bytes = header(self.source, self.destination, self.protocol);
        bytes.extend(self.parts.into_iter().flat_map(|(_, part)| part));
        Joined { bytes, parts: count }
    }
}

/// An IP header for a packet that is whole again. Its length is open, since 65,535 bytes of payload do not fit a header's field.
fn header(source: IpAddr, destination: IpAddr, protocol: u8) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let start = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
            [&start[..], &source.octets(), &destination.octets()].concat()
        }
        (source, destination) => {
            let octets = |address: IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                IpAddr::V6(address) => address.octets(),
            };
            [&[0x60, 0, 0, 0, 0, 0, protocol, 64][..], &octets(source), &octets(destination)].concat()
        }
    }
}
