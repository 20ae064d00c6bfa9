//! Where the records of a capture's piece end: what became of a piece that was handed on in part is told by that.

use super::Format;

/// The records of a piece of a capture, behind the head of a classic one: how long each is, and whether it is a packet.
/// A record that the piece ends in is not among them.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    format: Format,
    bytes: &'a [u8],
}

impl<'a> Records<'a> {
    /// Of a piece that begins with a record.
    pub const fn new(format: Format, bytes: &'a [u8]) -> Self {
        Self { format, bytes }
    }

    /// How many packets there are.
    pub fn packets(self) -> u64 {
        self.filter(|&(_, packet)| packet).count() as u64
    }
}

impl Iterator for Records<'_> {
    type Item = (usize, bool);

    fn next(&mut self) -> Option<(usize, bool)> {
        /// What lies around the bytes of a packet.
        const PCAP_AROUND: usize = 16;
        const PCAPNG_AROUND: usize = 12;
        const PCAPNG_PACKET: u32 = 6;
        let word = |at: usize| {
            let word = self.bytes.get(at..)?.first_chunk()?;
            Some(u32::from_ne_bytes(*word))
        };
        let (length, packet) = match self.format {
            Format::Pcap => (PCAP_AROUND + word(8)? as usize, true),
            Format::Pcapng => ((word(4)? as usize).max(PCAPNG_AROUND), word(0)? == PCAPNG_PACKET),
        };
        self.bytes = self.bytes.get(length..)?;
        Some((length, packet))
    }
}
