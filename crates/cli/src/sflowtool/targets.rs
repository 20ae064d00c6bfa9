//! Those to whom datagrams are sent: collectors of NetFlow, and receivers of what is forwarded.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use anyhow::Context;

/// Sends the same datagrams to several places. A place that cannot be reached is told once, and tried again.
#[derive(Debug, Default)]
pub struct Targets {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    address: SocketAddr,
    socket: UdpSocket,
    /// The last error, which is not said again.
    said: Option<io::ErrorKind>,
}

impl Targets {
    /// Opens a socket for each place.
    pub fn open(addresses: impl IntoIterator<Item = SocketAddr>) -> anyhow::Result<Self> {
        let places = addresses.into_iter().map(|address| {
            let any: IpAddr =
                if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            let socket = UdpSocket::bind((any, 0)).with_context(|| format!("cannot send to {address}"))?;
            Ok(Place { address, socket, said: None })
        });
        Ok(Self { places: places.collect::<anyhow::Result<_>>()? })
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Sends a datagram to each.
    pub fn send(&mut self, bytes: &[u8]) {
        for place in &mut self.places {
            let failed = match place.socket.send_to(bytes, place.address) {
                Ok(_) => {
                    place.said = None;
                    continue;
                }
                Err(error) => error,
            };
            if place.said.replace(failed.kind()) != Some(failed.kind()) {
                crate::say(format_args!("cannot send to {}: {failed}", place.address));
            }
        }
    }
}
