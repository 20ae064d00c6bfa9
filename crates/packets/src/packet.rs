//! A packet's first bytes, with all that its sample says of it.

use std::net::IpAddr;

use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{DataSource, Interface};

use crate::Port;

/// The first bytes of a packet that a device sampled, or threw away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Packet<'a> {
    /// When the datagram that told of it was received, in ns since 1970 UTC. Devices do not say when they saw it.
    pub received_ns: i64,
    /// The source of the datagram.
    pub exporter: IpAddr,
    /// The sFlow agent; else the same.
    pub agent: IpAddr,
    /// Where it was sampled, where that is said.
    pub source: Option<DataSource>,
    /// Where it came in, where that is said.
    pub input: Option<Interface>,
    /// Where it went out, or would have, where that is said.
    pub output: Option<Interface>,
    /// One in so many is sampled; none where it is not known, and for discarded packets, which are all meant.
    pub sampling_rate: Option<u32>,
    /// How many packets could have been sampled so far; 0 where that is not said.
    pub sample_pool: u32,
    /// How often the sampler had to leave one out so far.
    pub drops: u32,
    /// Why the device threw it away, of discarded packets alone; `sflow::discard_reason` has the names.
    pub discard: Option<u32>,
    /// What the bytes begin with.
    pub protocol: HeaderProtocol,
    /// The packet's whole length: on layer 2 as sFlow counts it, with the check sequence.
    pub frame_length: u32,
    /// How many bytes of it were taken off before the header was cut: the check sequence, outer tags.
    pub stripped: u32,
    /// The first bytes.
    pub bytes: &'a [u8],
}

impl Packet<'_> {
    /// How long the packet was, of which [`Self::bytes`] are the beginning: without what was taken off before.
    pub fn true_length(&self) -> u32 {
        let held = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.frame_length.saturating_sub(self.stripped).max(held)
    }

    /// The interface that saw it: the source of the samples where it is one, else where the packet came in.
    pub fn if_index(&self) -> Option<u32> {
        let source = self.source.and_then(DataSource::if_index).filter(|&index| index != 0);
        source.or_else(|| self.input.and_then(Interface::if_index))
    }

    /// Whether it was seen where it came in; none where that cannot be told.
    pub fn is_inbound(&self) -> Option<bool> {
        let seen = Some(self.if_index()?);
        let index = |interface: Option<Interface>| interface.and_then(Interface::if_index);
        match (index(self.input) == seen, index(self.output) == seen) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    }
}

/// What a datagram gives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Item<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// Something about a port.
    Port(Port<'a>),
}
