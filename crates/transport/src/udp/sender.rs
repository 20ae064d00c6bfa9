//! Sending as many exporters at once, for `replay`.
//!
//! Each exporter gets a socket of its own, bound to an address and connected to the collector, so that the collector
//! sees separate exporters and the kernel looks its route up once. Datagrams go out in batches (`sendmmsg`), each
//! exporter's in their order; nothing is counted as sent that the kernel refused.

use std::collections::{HashMap, HashSet};
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
use socket2::{Domain, Protocol, Socket, Type};

/// The most exporters of one sender.
pub const SOCKETS_MAX: usize = 4096;

/// Datagrams of one system call.
const BATCH: usize = 64;

/// Room for bursts on their way out; asked for, and less will do.
const SEND_BUFFER_BYTES: usize = 8 << 20;

/// Sends datagrams from many source addresses to one destination.
#[derive(Debug)]
pub struct Sender {
    destination: SocketAddr,
    sockets: Vec<Socket>,
    sockets_max: usize,
    by_source: HashMap<Option<SocketAddr>, Exporter>,
    tally: Tally,
}

/// A source that the sender has a socket for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Exporter(u32);

/// A datagram to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Whose socket it leaves from.
    pub exporter: Exporter,
    /// Its payload.
    pub bytes: &'a [u8],
}

/// What became of the datagrams so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Datagrams that the kernel took.
    pub sent: u64,
    /// Their payload bytes.
    pub sent_bytes: u64,
    /// Datagrams that it did not take.
    pub errors: u64,
    /// The `errno` of the latest of them.
    pub last_error: Option<i32>,
    /// Notices that nobody listens at the destination; each speaks of datagrams sent before.
    pub refused: u64,
}

/// Why an exporter got no socket.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The sender's own limit.
    #[error("more than {0} exporters at once")]
    TooManyExporters(usize),
    /// The process's limit.
    #[error("too many open files after {0} exporters; hint: raise the limit (ulimit -n)")]
    TooManyFiles(usize),
    /// The machine does not have the source address.
    #[error("{0} is not an address of this machine, so nothing can be sent from it")]
    NotLocal(SocketAddr),
    /// IPv4 to IPv6, or the other way round.
    #[error("cannot send from {0} to {1}: they are of different families")]
    Families(SocketAddr, SocketAddr),
    /// Anything else the system said.
    #[error("cannot send from {0:?} to {1}: {2}")]
    System(Option<SocketAddr>, SocketAddr, #[source] io::Error),
}

impl Sender {
    /// A sender to `destination` with up to `sockets_max` exporters ([`SOCKETS_MAX`] fits most).
    pub fn new(destination: SocketAddr, sockets_max: usize) -> Self {
        let tally = Tally::default();
        Self { destination, sockets: Vec::new(), sockets_max, by_source: HashMap::new(), tally }
    }

    /// The exporter that sends from `source`, made when it is new. Port 0 takes any port, `None` any address.
    pub fn exporter(&mut self, source: Option<SocketAddr>) -> Result<Exporter, SenderError> {
        if let Some(known) = self.by_source.get(&source) {
            return Ok(*known);
        }
        if self.sockets.len() >= self.sockets_max {
            return Err(SenderError::TooManyExporters(self.sockets_max));
        }
        let exporter = Exporter(self.sockets.len() as u32);
        self.sockets.push(self.connect(source)?);
        self.by_source.insert(source, exporter);
        Ok(exporter)
    }

    fn connect(&self, source: Option<SocketAddr>) -> Result<Socket, SenderError> {
        let destination = self.destination;
        let system = |error| SenderError::System(source, destination, error);
        let socket = Socket::new(Domain::for_address(destination), Type::DGRAM, Some(Protocol::UDP)).map_err(
            |error| match error.raw_os_error() {
                Some(libc::EMFILE | libc::ENFILE) => SenderError::TooManyFiles(self.sockets.len()),
                _ => system(error),
            },
        )?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES).map_err(system)?;
        if let Some(source) = source {
            if source.is_ipv4() != destination.is_ipv4() {
                return Err(SenderError::Families(source, destination));
            }
            socket.bind(&source.into()).map_err(|error| match error.kind() {
                io::ErrorKind::AddrNotAvailable => SenderError::NotLocal(source),
                _ => system(error),
            })?;
        }
        socket.connect(&destination.into()).map_err(system)?;
        Ok(socket)
    }

    /// Sends them, waiting where the kernel's buffer is full, and keeps count.
    ///
    /// Each exporter's datagrams leave in their order; those of different exporters may pass each other within one call.
    pub fn send(&mut self, datagrams: &[Outgoing<'_>]) {
        let mut rest: Vec<Outgoing<'_>> = datagrams.to_vec();
        rest.sort_by_key(|datagram| datagram.exporter); // stable: order within an exporter stays
        for run in rest.chunk_by(|a, b| a.exporter == b.exporter) {
            if let Some(socket) = self.sockets.get(run[0].exporter.0 as usize) {
                run.chunks(BATCH).for_each(|batch| send_batch(socket, batch, &mut self.tally));
            }
        }
    }

    /// What became of everything so far.
    pub const fn tally(&self) -> Tally {
        self.tally
    }
}

fn send_batch(socket: &Socket, batch: &[Outgoing<'_>], tally: &mut Tally) {
    let slices: Vec<IoSlice<'_>> = batch.iter().map(|datagram| IoSlice::new(datagram.bytes)).collect();
    let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> = batch.iter().map(|_| Default::default()).collect();
    let mut messages: Vec<MMsgHdr<'_>> =
        slices.chunks(1).zip(&mut controls).map(|(slice, control)| MMsgHdr::new(slice, control)).collect();
    let mut done = 0;
    let mut notices = 0;
    while done < batch.len() {
        match sendmmsg(socket, &mut messages[done..], SendFlags::empty()) {
            Ok(count) => {
                tally.sent += count as u64;
                tally.sent_bytes +=
                    batch[done..done + count].iter().map(|datagram| datagram.bytes.len() as u64).sum::<u64>();
                done += count;
            }
            Err(Errno::INTR) => {}
            // Says that an earlier datagram found no listener; this one was not tried yet. Bounded, to be sure of an end.
            Err(Errno::CONNREFUSED) if notices <= 2 * batch.len() => {
                notices += 1;
                tally.refused += 1;
            }
            Err(error) => {
                tally.errors += 1;
                tally.last_error = Some(error.raw_os_error());
                done += 1;
            }
        }
    }
}

/// Addresses on the loopback network in the place of exporters' real ones, so that one machine can play many.
///
/// An exporter keeps the low 16 bits of its address (10.0.3.7 is 127.1.3.7), or gets the next free ones where two would share them.
#[derive(Debug, Default)]
pub struct Aliases {
    by_exporter: HashMap<IpAddr, Ipv4Addr>,
    taken: HashSet<u16>,
}

impl Aliases {
    /// The exporter's address in 127.1.0.0/16; none when all 65,536 are taken.
    pub fn of(&mut self, exporter: IpAddr) -> Option<Ipv4Addr> {
        if let Some(known) = self.by_exporter.get(&exporter) {
            return Some(*known);
        }
        let wanted = match exporter {
            IpAddr::V4(v4) => v4.to_bits() as u16,
            IpAddr::V6(v6) => v6.to_bits() as u16,
        };
        let low = (0..=u16::MAX).map(|step| wanted.wrapping_add(step)).find(|low| !self.taken.contains(low))?;
        let alias = Ipv4Addr::from_bits(0x7f01_0000 | u32::from(low));
        self.taken.insert(low);
        self.by_exporter.insert(exporter, alias);
        Some(alias)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn exporters_with_the_same_low_bits_get_different_aliases() {
        let mut aliases = Aliases::default();
        let [a, b] = ["10.0.3.7", "10.9.3.7"].map(|text| aliases.of(text.parse().unwrap()).unwrap());
        assert_eq!((a, b), (Ipv4Addr::new(127, 1, 3, 7), Ipv4Addr::new(127, 1, 3, 8)));
        assert_eq!(aliases.of("10.0.3.7".parse().unwrap()), Some(a));
    }

    #[test]
    fn the_cap_on_exporters_holds() {
        let mut sender = Sender::new("127.0.0.1:9".parse().unwrap(), 1);
        let first = sender.exporter(Some("127.1.0.1:0".parse().unwrap())).unwrap();
        assert_eq!(sender.exporter(Some("127.1.0.1:0".parse().unwrap())).unwrap(), first);
        let second = sender.exporter(Some("127.1.0.2:0".parse().unwrap()));
        assert!(matches!(second, Err(SenderError::TooManyExporters(1))));
    }

    #[test]
    fn an_address_of_another_machine_is_refused_by_name() {
        let mut sender = Sender::new("127.0.0.1:9".parse().unwrap(), 1);
        let error = sender.exporter(Some("192.0.2.1:0".parse().unwrap())).unwrap_err();
        assert!(error.to_string().starts_with("192.0.2.1:0 is not an address of this machine"), "{error}");
    }
}
