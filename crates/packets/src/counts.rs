//! What was found in datagrams, and what could not be read.

use std::ops::AddAssign;

/// What a walk over datagrams found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Datagrams.
    pub datagrams: u64,
    /// Of these, those whose own header is unsound, and those that no decoder knows.
    pub datagrams_malformed: u64,
    /// Packets: of flow samples and of packet sections.
    pub packets: u64,
    /// Discarded packets, which are not among those.
    pub discarded: u64,
    /// Flow samples and discarded packets that have no packet's first bytes.
    pub without_header: u64,
    /// Samples (of IPFIX and NetFlow v9: sets) that could not be read to their end, so that records of them may be missing.
    pub samples_malformed: u64,
    /// Records of samples that could not be read, as one whose header is longer than itself.
    pub records_malformed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.datagrams += other.datagrams;
        self.datagrams_malformed += other.datagrams_malformed;
        self.packets += other.packets;
        self.discarded += other.discarded;
        self.without_header += other.without_header;
        self.samples_malformed += other.samples_malformed;
        self.records_malformed += other.records_malformed;
    }
}
