//! Sockets and capture files behind endpoints: how datagrams get in and out.
//!
//! * [`endpoint`]: the one parser of the URLs that every command takes for input and output.
//! * [`udp`]: receiving with one socket a shard, shards chosen by the exporter's address, and [`udp::Sender`] for replay.
//! * [`bpf`]: filters in libpcap's language, where libpcap is installed.
//! * [`capture`]: pcap and pcapng files, read down to UDP datagrams, and written.
//!
//! Nothing here looks inside a datagram: what comes out is bytes with their receive time, source and destination.

pub mod bpf;
pub mod capture;
pub mod endpoint;
pub mod listener;
mod sys;
pub mod udp;

use std::net::{IpAddr, SocketAddr};

/// The address without its IPv6 mapping: `::ffff:10.0.0.1` is `10.0.0.1`.
///
/// A dual-stack socket shows IPv4 exporters as mapped addresses, and an exporter must have one name.
pub fn unmapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::new(IpAddr::V4(v4), v6.port()),
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}
