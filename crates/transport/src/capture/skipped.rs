//! Frames that gave no datagram, by reason.

use std::fmt;
use std::ops::AddAssign;

/// Why a frame gave no datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Skip {
    /// A link type that is not read.
    LinkType,
    /// A pcapng packet of an interface that was never described.
    NoInterface,
    /// Neither IPv4 nor IPv6: ARP, spanning tree and the like.
    NotIp,
    /// IP that carries neither UDP nor IPFIX over TCP or SCTP.
    NotUdp,
    /// The capture has only the beginning of the packet.
    Truncated,
    /// Headers that contradict themselves or each other.
    Malformed,
    /// Fragments of a packet whose other fragments never came, or came too late.
    Fragment,
}

impl Skip {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::LinkType,
        Self::NoInterface,
        Self::NotIp,
        Self::NotUdp,
        Self::Truncated,
        Self::Malformed,
        Self::Fragment,
    ];

    /// A stable name, for counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinkType => "link_type",
            Self::NoInterface => "no_interface",
            Self::NotIp => "not_ip",
            Self::NotUdp => "not_udp",
            Self::Truncated => "truncated",
            Self::Malformed => "malformed",
            Self::Fragment => "fragment",
        }
    }
}

/// How many frames gave no datagram, by reason.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Skipped([u64; Skip::ALL.len()]);

impl Skipped {
    /// The frames skipped for one reason.
    pub const fn count(&self, reason: Skip) -> u64 {
        self.0[reason as usize]
    }

    /// The frames skipped for any reason.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons that occurred, with their frames.
    pub fn iter(&self) -> impl Iterator<Item = (Skip, u64)> {
        Skip::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }

    /// The frames that were not what they were taken for, or not all there: all but those with other traffic in them.
    pub fn damaged(&self) -> Self {
        let mut damaged = self.clone();
        for other in [Skip::NotIp, Skip::NotUdp] {
            damaged.0[other as usize] = 0;
        }
        damaged
    }

    pub(super) const fn add(&mut self, reason: Skip, frames: u64) {
        self.0[reason as usize] += frames;
    }
}

impl AddAssign<&Self> for Skipped {
    fn add_assign(&mut self, other: &Self) {
        for (reason, frames) in other.iter() {
            self.add(reason, frames);
        }
    }
}

impl fmt::Display for Skipped {
    /// `not_ip 3, truncated 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (reason, count)) in self.iter().enumerate() {
            write!(f, "{}{} {count}", if at == 0 { "" } else { ", " }, reason.name())?;
        }
        Ok(())
    }
}
