//! One direction of a TCP connection, put in order and cut into messages.

use std::collections::VecDeque;

use super::{HEADER_BYTES, Output, message_length};

/// Bytes of segments that came too early, of one stream; more mean that what is missing never comes.
const EARLY_BYTES_MAX: usize = 256 << 10;
/// Such segments.
const EARLY_MAX: usize = 512;
/// Bytes in which a first message must be found.
const SEARCH_BYTES_MAX: usize = 256 << 10;

/// A segment's header, as far as it matters here.
pub(super) struct Header<'a> {
    sequence: u32,
    pub(super) syn: bool,
    /// FIN or RST: nothing more comes.
    pub(super) end: bool,
    pub(super) payload: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn read(segment: &'a [u8]) -> Option<Self> {
        const BYTES: usize = 20;
        const FIN: u8 = 1;
        const SYN: u8 = 2;
        const RST: u8 = 4;
        let header: &[u8; BYTES] = segment.first_chunk()?;
        let sequence = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        let payload = segment.get(usize::from(header[12] >> 4) * 4..).filter(|_| header[12] >> 4 >= 5)?;
        let flags = header[13];
        Some(Self { sequence, syn: flags & SYN != 0, end: flags & (FIN | RST) != 0, payload })
    }
}

/// What was seen of the stream and is not yet part of a message.
#[derive(Debug)]
pub(super) struct Stream {
    /// The sequence number that continues `buffer`.
    next: u32,
    /// Whether `buffer` begins where a message must begin.
    aligned: bool,
    /// Whether the beginning of the connection was seen, so that anything else than a message is another protocol.
    from_start: bool,
    found: bool,
    searched: usize,
    buffer: Vec<u8>,
    /// Segments behind a hole, in order.
    early: VecDeque<(u32, Vec<u8>)>,
    early_bytes: usize,
}

impl Stream {
    /// A stream of which this is the first segment seen.
    pub(super) fn new(first: &Header<'_>) -> Self {
        Self {
            next: first.sequence.wrapping_add(first.syn.into()),
            aligned: first.syn,
            from_start: first.syn,
            found: false,
            searched: 0,
            buffer: Vec::new(),
            early: VecDeque::new(),
            early_bytes: 0,
        }
    }

    /// Takes a segment. Says whether this is telemetry, once that is known.
    pub(super) fn add(&mut self, header: &Header<'_>, output: &mut Output<'_>) -> Option<bool> {
        let sequence = header.sequence.wrapping_add(header.syn.into());
        if self.ahead(sequence) > 0 {
            self.hold(sequence, header.payload);
            if self.early_bytes > EARLY_BYTES_MAX || self.early.len() > EARLY_MAX {
                self.jump(output);
            }
        } else {
            self.append(sequence, header.payload);
        }
        self.catch_up();
        self.cut(output)
    }

    /// Nothing more comes: what waits behind holes is taken without what is missing.
    pub(super) fn finish(&mut self, output: &mut Output<'_>) {
        while !self.early.is_empty() {
            self.jump(output);
            self.catch_up();
            self.cut(output);
        }
        if self.found && !self.buffer.is_empty() {
            output.gap(self.buffer.len() as u64);
        }
        self.buffer = Vec::new();
    }

    /// Lets go of all bytes.
    pub(super) fn forget(&mut self) {
        self.buffer = Vec::new();
        self.early = VecDeque::new();
        self.early_bytes = 0;
    }

    /// How far a sequence number is ahead of what is expected; negative where it was seen already.
    const fn ahead(&self, sequence: u32) -> i32 {
        sequence.wrapping_sub(self.next) as i32
    }

    /// Takes what is new of a segment that is not ahead.
    fn append(&mut self, sequence: u32, payload: &[u8]) {
        let seen = self.next.wrapping_sub(sequence) as usize;
        if let Some(new) = payload.get(seen..) {
            self.buffer.extend_from_slice(new);
            self.next = self.next.wrapping_add(new.len() as u32);
        }
    }

    fn hold(&mut self, sequence: u32, payload: &[u8]) {
        let next = self.next;
        let at = self.early.partition_point(|(early, _)| early.wrapping_sub(next) < sequence.wrapping_sub(next));
        let is_longer = |(early, bytes): &(u32, Vec<u8>)| *early == sequence && bytes.len() >= payload.len();
        if !self.early.get(at).is_some_and(is_longer) {
            self.early_bytes += payload.len();
            self.early.insert(at, (sequence, payload.to_vec()));
        }
    }

    /// Appends the early segments that the hole no longer separates.
    fn catch_up(&mut self) {
        while self.early.front().is_some_and(|(sequence, _)| self.ahead(*sequence) <= 0) {
            if let Some((sequence, payload)) = self.early.pop_front() {
                self.early_bytes -= payload.len();
                self.append(sequence, &payload);
            }
        }
    }

    /// Gives up what is missing: the message that it cuts is lost, and the next must be found.
    fn jump(&mut self, output: &mut Output<'_>) {
        let Some((sequence, _)) = self.early.front() else { return };
        let lost = self.ahead(*sequence).max(0) as u64 + self.buffer.len() as u64;
        self.next = *sequence;
        self.buffer.clear();
        self.aligned = false;
        self.from_start = false;
        if self.found {
            output.gap(lost);
        }
    }

    /// Gives out the messages that are whole.
    fn cut(&mut self, output: &mut Output<'_>) -> Option<bool> {
        let mut at = 0;
        loop {
            let rest = self.buffer.get(at..).unwrap_or_default();
            if !self.aligned {
                let (skipped, found) = search(rest);
                at += skipped;
                self.searched += skipped;
                if self.found {
                    output.counts.stream_bytes_lost += skipped as u64;
                }
                if !found {
                    break;
                }
                self.aligned = true;
                continue;
            }
            if rest.len() < 4 {
                break;
            }
            match message_length(rest) {
                Some(length) if rest.len() >= length => {
                    output.message(&rest[..length]);
                    self.found = true;
                    at += length;
                }
                Some(_) => break,
                None if self.from_start && !self.found => return Some(false),
                None => {
                    self.aligned = false;
                    output.counts.stream_gaps += u64::from(self.found);
                }
            }
        }
        self.buffer.drain(..at);
        match self.found {
            true => Some(true),
            false if self.searched > SEARCH_BYTES_MAX => Some(false),
            false => None,
        }
    }
}

/// Looks for the beginning of a message: how many bytes can be left behind, and whether one begins there. Where more bytes are
/// needed to tell, the place stays the first.
fn search(bytes: &[u8]) -> (usize, bool) {
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        if rest[0] != 0 {
            continue;
        }
        if rest.len() < HEADER_BYTES + 4 {
            let begins = [0, 10].iter().zip(rest).all(|(expected, byte)| expected == byte);
            if begins {
                return (at, false);
            }
            continue;
        }
        let Some(length) = message_length(rest) else { continue };
        let set = u16::from_be_bytes([rest[16], rest[17]]);
        let set_length = usize::from(u16::from_be_bytes([rest[18], rest[19]]));
        let is_message = (set == 2 || set == 3 || set >= 256) && set_length >= 4 && HEADER_BYTES + set_length <= length;
        if !is_message {
            continue;
        }
        // Where the next message is seen, it must be one; where it is not yet, this one is believed when it is whole.
        match rest.get(length..) {
            None => return (at, false),
            Some(after) if after.len() >= 4 && message_length(after).is_none() => {}
            Some(_) => return (at, true),
        }
    }
    (bytes.len(), false)
}
