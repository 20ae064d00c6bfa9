//! Collectors of NetFlow, which with `-S` see each agent's own address as the source.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use anyhow::Context;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SendFlags, SocketFlags, SocketType};

use super::targets::Targets;

/// Sends NetFlow, from here or from an agent's address.
#[derive(Debug)]
pub enum Collectors {
    /// From here.
    Plain(Targets),
    /// From an agent's address, in packets with headers of our own.
    Spoofed(Spoofed),
}

/// A raw socket and those that it sends to.
#[derive(Debug)]
pub struct Spoofed {
    socket: OwnedFd,
    /// Each with its last error, which is not said again.
    collectors: Vec<(Ipv4Addr, Option<Errno>)>,
    port: u16,
    packet: Vec<u8>,
}

impl Collectors {
    /// Nobody.
    pub fn none() -> Self {
        Self::Plain(Targets::default())
    }

    /// Opens the socket or sockets that it takes.
    pub fn open(collectors: &[IpAddr], port: u16, spoofed: bool) -> anyhow::Result<Self> {
        if !spoofed {
            return Targets::open(collectors.iter().map(|address| SocketAddr::new(*address, port))).map(Self::Plain);
        }
        let v4 = collectors.iter().filter_map(|address| match address {
            IpAddr::V4(address) => Some((*address, None)),
            IpAddr::V6(_) => None,
        });
        // With this protocol the header is ours; the kernel fills in its length and check sum (raw(7)).
        let (family, kind) = (AddressFamily::INET, SocketType::RAW);
        let socket = net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(net::ipproto::RAW))
            .context("-S wants a raw socket, and so CAP_NET_RAW")?;
        Ok(Self::Spoofed(Spoofed { socket, collectors: v4.collect(), port, packet: Vec::new() }))
    }

    /// Sends a datagram to each. An agent without an IPv4 address cannot be the source of one.
    pub fn send(&mut self, agent: Option<IpAddr>, bytes: &[u8]) {
        match (self, agent) {
            (Self::Plain(targets), _) => targets.send(bytes),
            (Self::Spoofed(spoofed), Some(IpAddr::V4(agent))) => spoofed.send(agent, bytes),
            (Self::Spoofed(_), _) => {}
        }
    }
}

const IP_HEADER_BYTES: usize = 20;
const UDP_HEADER_BYTES: usize = 8;

impl Spoofed {
    fn send(&mut self, agent: Ipv4Addr, bytes: &[u8]) {
        for (collector, said) in &mut self.collectors {
            let Some(()) = write_packet(&mut self.packet, agent, *collector, self.port, bytes) else { return };
            // The port of a raw socket's address means nothing: it stands in our header.
            let to = SocketAddrV4::new(*collector, 0);
            match net::sendto(&self.socket, &self.packet, SendFlags::empty(), &to) {
                Ok(_) => *said = None,
                Err(error) => {
                    if said.replace(error) != Some(error) {
                        crate::say(format_args!("cannot send to {collector} as {agent}: {error}"));
                    }
                }
            }
        }
    }
}

/// A UDP packet; from the collector's port, as sflowtool has it, and without a check sum, which IPv4 allows.
fn write_packet(out: &mut Vec<u8>, from: Ipv4Addr, to: Ipv4Addr, port: u16, bytes: &[u8]) -> Option<()> {
    let udp_length = u16::try_from(UDP_HEADER_BYTES + bytes.len()).ok()?;
    let [high, low] = udp_length.checked_add(IP_HEADER_BYTES as u16)?.to_be_bytes();
    out.clear();
    out.extend_from_slice(&[0x45, 0, high, low, 0, 0, 0, 0, 64, 17, 0, 0]);
    out.extend_from_slice(&from.octets());
    out.extend_from_slice(&to.octets());
    for word in [port, port, udp_length, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(bytes);
    Some(())
}
