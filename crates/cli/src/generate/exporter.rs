//! What an exporter remembers between its datagrams, and its clock.

use std::net::Ipv4Addr;

use super::traffic::Flow;

/// How long every exporter has been up at the start.
const UPTIME_AT_START_MS: u64 = 86_400_000;

/// One exporter of the workload.
#[derive(Clone, Copy, Debug)]
pub struct Exporter {
    /// From 0.
    pub number: usize,
    /// The next sequence number, in the protocol's own unit.
    pub sequence: u32,
    /// Datagrams sent.
    pub datagrams: u32,
    /// sFlow samples sent.
    pub samples: u32,
    /// One in how many packets; 0 where it samples nothing and does not say so.
    pub sampling_rate: u32,
}

impl Exporter {
    /// The exporters' addresses: 192.168.0.1 and so on.
    pub fn address(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(0xC0A8_0000 + self.number as u32 + 1)
    }
}

/// The time at which a datagram is sent.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// When the workload begins, in milliseconds since 1970.
    pub start_ms: u64,
    /// Since then.
    pub elapsed_ms: u64,
}

impl Clock {
    /// Now, in milliseconds since 1970.
    pub const fn now_ms(self) -> u64 {
        self.start_ms + self.elapsed_ms
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> u32 {
        (self.now_ms() / 1000) as u32
    }

    /// The rest of the second.
    pub const fn nanoseconds(self) -> u32 {
        (self.now_ms() % 1000) as u32 * 1_000_000
    }

    /// The exporters' uptime, which wraps every 49.7 days.
    pub const fn uptime_ms(self) -> u32 {
        (UPTIME_AT_START_MS + self.elapsed_ms) as u32
    }

    /// The uptime when a flow that ends now began.
    pub const fn flow_start_uptime_ms(self, flow: &Flow) -> u32 {
        self.uptime_ms().wrapping_sub(flow.duration_ms)
    }

    /// When a flow that ends now began, in milliseconds since 1970.
    pub const fn flow_start_ms(self, flow: &Flow) -> u64 {
        self.now_ms() - flow.duration_ms as u64
    }
}
