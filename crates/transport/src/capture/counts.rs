//! What became of a capture's frames.

use std::ops::AddAssign;

use super::Skipped;

/// What became of a capture's frames.
///
/// At the end, `frames + datagrams_joined = datagrams + fragments + segments + skipped.total()`: each frame is a
/// datagram, a part of one, a part of a session, or skipped.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Frames read.
    pub frames: u64,
    /// Datagrams given out.
    pub datagrams: u64,
    /// Those of them that were put together from fragments.
    pub datagrams_joined: u64,
    /// The frames that these came in.
    pub fragments: u64,
    /// Frames with data of sessions that carry IPFIX over TCP or SCTP.
    pub segments: u64,
    /// Messages given out of them.
    pub messages: u64,
    /// Holes in these sessions: what was not captured, or could not be read.
    pub stream_gaps: u64,
    /// Bytes of these sessions that were missing, or belonged to messages that are not whole.
    pub stream_bytes_lost: u64,
    /// Frames stepped over, by reason.
    pub skipped: Skipped,
}

impl AddAssign<&Self> for Counts {
    fn add_assign(&mut self, other: &Self) {
        let Self { frames, datagrams, datagrams_joined, fragments, segments, messages, .. } = self;
        *frames += other.frames;
        *datagrams += other.datagrams;
        *datagrams_joined += other.datagrams_joined;
        *fragments += other.fragments;
        *segments += other.segments;
        *messages += other.messages;
        self.stream_gaps += other.stream_gaps;
        self.stream_bytes_lost += other.stream_bytes_lost;
        self.skipped += &other.skipped;
    }
}
