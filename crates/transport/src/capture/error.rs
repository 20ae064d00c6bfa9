//! Why a capture could not be read.

use std::io;

/// Why a capture could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be opened.
    #[error("cannot open {0}: {1}")]
    Open(String, #[source] io::Error),
    /// The file could not be read.
    #[error("cannot read the capture at byte {offset}: {error}")]
    Read {
        /// How far it was read.
        offset: u64,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The file is something else.
    #[error("not a pcap, pcapng or IPFIX file: it begins with {0:02x?}{hint}", hint = hint(.0))]
    NotACapture([u8; 4]),
    /// The file ends inside a header or packet.
    #[error("the capture is cut off: it ends inside the {inside} that begins at byte {offset}")]
    Cut {
        /// What it ends inside of.
        inside: &'static str,
        /// The first byte of that.
        offset: u64,
    },
    /// What follows makes no sense, so that the rest cannot be found.
    #[error("the capture is damaged at byte {offset}: {problem}")]
    Damaged {
        /// The first byte of the block or packet.
        offset: u64,
        /// What is wrong there.
        problem: String,
    },
}

impl CaptureError {
    /// Whether nothing is wrong but that nothing more has come yet: the reader said so
    /// ([`io::ErrorKind::WouldBlock`]), and reading can go on when it has more.
    pub fn is_pause(&self) -> bool {
        matches!(self, Self::Read { error, .. } if error.kind() == io::ErrorKind::WouldBlock)
    }
}

fn hint(first: &[u8; 4]) -> &'static str {
    match first {
        [0x1f, 0x8b, ..] => "; hint: it is gzip: zcat FILE | … pcap:-",
        // NetFlow's versions, and sFlow's.
        [0, 1 | 5..=9, ..] | [0, 0, 0, 2 | 4 | 5] => {
            "; hint: it may be the payload of one datagram, which `finderscope decode --datagram` reads"
        }
        _ => "",
    }
}
