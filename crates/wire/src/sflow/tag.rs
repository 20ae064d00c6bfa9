//! What a sample or record is: an enterprise and a format of its own.

use std::fmt;

/// The 32 bits before each sample and record: 20 of enterprise, 12 of format. Prints as `0:1`.
///
/// Samples, flow records and counter records each have their own name space.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag {
    /// Who defined the format; 0 is sFlow.org.
    pub enterprise: u32,
    /// Which of the enterprise's formats.
    pub format: u32,
}

impl Tag {
    /// Sample 0:1.
    pub const FLOW_SAMPLE: Self = Self::new(0, 1);
    /// Sample 0:2.
    pub const COUNTERS_SAMPLE: Self = Self::new(0, 2);
    /// Sample 0:3.
    pub const FLOW_SAMPLE_EXPANDED: Self = Self::new(0, 3);
    /// Sample 0:4.
    pub const COUNTERS_SAMPLE_EXPANDED: Self = Self::new(0, 4);
    /// Sample 0:5.
    pub const DISCARDED_PACKET: Self = Self::new(0, 5);
    /// Flow record 0:1016, which holds records.
    pub(super) const AGGREGATION: Self = Self::new(0, 1016);
    /// Sample 4300:1002: metrics by name.
    pub const RTMETRIC: Self = Self::new(4300, 1002);
    /// Sample 4300:1003: a flow by name.
    pub const RTFLOW: Self = Self::new(4300, 1003);

    /// A tag of an enterprise (20 bits) and a format (12 bits).
    pub const fn new(enterprise: u32, format: u32) -> Self {
        Self { enterprise, format }
    }

    /// The tag in a word off the wire.
    pub const fn from_word(word: u32) -> Self {
        Self::new(word >> 12, word & 0xFFF)
    }

    /// The word for the wire. Bits that do not fit are left out.
    pub const fn word(self) -> u32 {
        self.enterprise << 12 | self.format & 0xFFF
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.enterprise, self.format)
    }
}
