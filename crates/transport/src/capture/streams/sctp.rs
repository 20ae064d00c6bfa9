//! One direction of an SCTP association: user messages out of DATA chunks (RFC 9260 section 3.3.1) and I-DATA chunks (RFC 8260).
//!
//! A user message is an IPFIX message (RFC 7011 section 10.2). Streams are independent, and templates hold for all of them, so
//! that messages are given out as they become whole.

use std::collections::VecDeque;

use finderscope_wire::delivery::DATAGRAM_BYTES_MAX;

use super::{Output, message_length};

const HEADER_BYTES: usize = 12;
const DATA: u8 = 0;
const I_DATA: u8 = 64;
const INIT: u8 = 1;
/// A chunk's flags.
const LAST: u8 = 1;
const FIRST: u8 = 2;

/// Fragments of unfinished messages, of one association.
const FRAGMENTS_MAX: usize = 2_048;
const FRAGMENT_BYTES_MAX: usize = 256 << 10;
/// Numbers of the chunks seen last, to know repetitions.
const RECENT_MAX: usize = 1_024;

/// A chunk that carries data.
pub(super) struct Chunk<'a> {
    number: u32,
    first: bool,
    last: bool,
    restart: bool,
    data: &'a [u8],
}

/// The data chunks of a packet, and a beginning of an association; none where the chunks' lengths cannot be.
pub(super) fn chunks(packet: &[u8]) -> Option<Vec<Chunk<'_>>> {
    let mut chunks = Vec::new();
    let mut rest = packet.get(HEADER_BYTES..)?;
    while let Some(&[kind, flags, high, low]) = rest.first_chunk() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let body = rest.get(4..length)?;
        let data_at = match kind {
            DATA => Some(12),
            I_DATA => Some(16),
            _ => None,
        };
        if let Some(at) = data_at {
            let number = u32::from_be_bytes(*body.first_chunk()?);
            let (first, last) = (flags & FIRST != 0, flags & LAST != 0);
            chunks.push(Chunk { number, first, last, restart: false, data: body.get(at..)? });
        } else if kind == INIT {
            chunks.push(Chunk { number: 0, first: false, last: false, restart: true, data: &[] });
        }
        // The last chunk may lack its padding.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(chunks)
}

/// What was seen of the association and is not yet part of a message.
#[derive(Debug, Default)]
pub(super) struct Association {
    /// By number, in order.
    fragments: VecDeque<Fragment>,
    fragment_bytes: usize,
    recent: VecDeque<u32>,
    /// Whether a message was seen, so that what cannot be read is a loss.
    found: bool,
}

#[derive(Debug)]
struct Fragment {
    number: u32,
    first: bool,
    last: bool,
    data: Vec<u8>,
}

impl Association {
    /// Takes a chunk. Says whether this is telemetry, once that is known.
    pub(super) fn add(&mut self, chunk: &Chunk<'_>, output: &mut Output<'_>) -> Option<bool> {
        if chunk.restart {
            self.finish(output);
            self.recent.clear();
            return None;
        }
        if self.recent.contains(&chunk.number) {
            return None;
        }
        self.recent.push_back(chunk.number);
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
        if chunk.first && chunk.last {
            return Some(self.give(chunk.data, output));
        }
        self.hold(chunk);
        let whole = self.join(chunk.number);
        while self.fragments.len() > FRAGMENTS_MAX || self.fragment_bytes > FRAGMENT_BYTES_MAX {
            self.drop_first(output);
        }
        whole.map(|bytes| self.give(&bytes, output))
    }

    /// Nothing more comes: unfinished messages are lost.
    pub(super) fn finish(&mut self, output: &mut Output<'_>) {
        while !self.fragments.is_empty() {
            self.drop_first(output);
        }
    }

    fn hold(&mut self, chunk: &Chunk<'_>) {
        let at = self.fragments.partition_point(|held| (held.number.wrapping_sub(chunk.number) as i32) < 0);
        self.fragment_bytes += chunk.data.len();
        let Chunk { number, first, last, .. } = *chunk;
        self.fragments.insert(at, Fragment { number, first, last, data: chunk.data.to_vec() });
    }

    /// The message of which the fragment of that number is a part, if it is whole: its numbers follow each other.
    fn join(&mut self, number: u32) -> Option<Vec<u8>> {
        let at = self.fragments.iter().position(|held| held.number == number)?;
        let mut first = at;
        while !self.fragments[first].first {
            let before = first.checked_sub(1)?;
            let follows = self.fragments[before].number.wrapping_add(1) == self.fragments[first].number;
            if !follows || self.fragments[before].last {
                return None;
            }
            first = before;
        }
        let mut last = at;
        while !self.fragments[last].last {
            let after = self.fragments.get(last + 1)?;
            if self.fragments[last].number.wrapping_add(1) != after.number || after.first {
                return None;
            }
            last += 1;
        }
        let bytes: Vec<u8> = self.fragments.drain(first..=last).flat_map(|held| held.data).collect();
        self.fragment_bytes -= bytes.len();
        Some(bytes)
    }

    fn drop_first(&mut self, output: &mut Output<'_>) {
        if let Some(fragment) = self.fragments.pop_front() {
            self.fragment_bytes -= fragment.data.len();
            if self.found {
                output.gap(fragment.data.len() as u64);
            }
        }
    }

    /// Gives out a user message that is an IPFIX message, or several.
    fn give(&mut self, bytes: &[u8], output: &mut Output<'_>) -> bool {
        let fits = (super::HEADER_BYTES..=DATAGRAM_BYTES_MAX).contains(&bytes.len());
        let is_message = fits && message_length(bytes).is_some_and(|length| length <= bytes.len());
        if is_message {
            self.found = true;
            output.message(bytes);
        } else if self.found {
            output.gap(bytes.len() as u64);
        }
        is_message
    }
}
