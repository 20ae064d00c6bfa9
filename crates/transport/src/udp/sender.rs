//! Sending as many exporters at once, for `replay`.
//!
//! Each exporter gets a socket of its own, bound to an address and connected to the collector, so that the collector
//! sees separate exporters and the kernel looks its route up once. Datagrams go out in batches (`sendmmsg`), each
//! exporter's in their order; nothing is counted as sent that the kernel refused. Datagrams of equal length that follow
//! each other go to the kernel as one train (`UDP_SEGMENT`), which it takes apart only at the far end of its own way:
//! that halves what sending costs. Where a route cannot do that they are sent one by one.

use std::collections::{HashMap, HashSet};
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, Socket, Type};

use crate::sys::{self, MESSAGES_MAX, Train};

/// The most exporters of one sender.
pub const SOCKETS_MAX: usize = 4096;

/// The longest train: more save nothing any more, and it has to fit one IP packet of 65,535 bytes.
const TRAIN_DATAGRAMS_MAX: usize = 32;
const TRAIN_BYTES_MAX: usize = 65_000;

/// Room for bursts on their way out; asked for, and less will do.
const SEND_BUFFER_BYTES: usize = 8 << 20;

/// Sends datagrams from many source addresses to one destination.
#[derive(Debug)]
pub struct Sender {
    destination: SocketAddr,
    sockets: Vec<Socket>,
    sockets_max: usize,
    by_source: HashMap<Option<SocketAddr>, Exporter>,
    train_datagrams_max: usize,
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
        Self {
            destination,
            sockets: Vec::new(),
            sockets_max,
            by_source: HashMap::new(),
            train_datagrams_max: TRAIN_DATAGRAMS_MAX,
            tally: Tally::default(),
        }
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
        let slices: Vec<IoSlice<'_>> = rest.iter().map(|datagram| IoSlice::new(datagram.bytes)).collect();
        let mut start = 0;
        for run in rest.chunk_by(|a, b| a.exporter == b.exporter) {
            let slices = &slices[start..start + run.len()];
            start += run.len();
            self.send_run(run[0].exporter, slices);
        }
    }

    /// Sends one exporter's datagrams.
    fn send_run(&mut self, exporter: Exporter, mut datagrams: &[IoSlice<'_>]) {
        let Some(socket) = self.sockets.get(exporter.0 as usize) else { return };
        let mut notices = 0;
        while !datagrams.is_empty() {
            let mut trains = [Train { datagrams: &[], segment_bytes: None }; MESSAGES_MAX];
            let count = fill(&mut trains, datagrams, self.train_datagrams_max);
            let error = match sys::send_many(socket.as_fd(), &trains[..count]) {
                Ok(sent) => {
                    let sent = trains[..sent].iter().map(|train| train.datagrams.len()).sum();
                    self.tally.sent += sent as u64;
                    self.tally.sent_bytes += datagrams[..sent].iter().map(|bytes| bytes.len() as u64).sum::<u64>();
                    datagrams = &datagrams[sent..];
                    continue;
                }
                Err(error) => error,
            };
            match error.raw_os_error() {
                Some(libc::EINTR) => {}
                // Says that an earlier datagram found no listener; this one was not tried yet. Bounded, to be sure of an end.
                Some(libc::ECONNREFUSED) if notices <= 2 * datagrams.len() => {
                    notices += 1;
                    self.tally.refused += 1;
                }
                // A route whose packets are shorter, or whose device cannot sum them up. It may also be the datagram.
                _ if trains[0].segment_bytes.is_some() => self.train_datagrams_max = 1,
                errno => {
                    self.tally.errors += 1;
                    self.tally.last_error = errno;
                    datagrams = &datagrams[1..];
                }
            }
        }
    }

    /// What became of everything so far, with the notices that came since the last datagrams were sent.
    pub fn tally(&mut self) -> Tally {
        let errors = self.sockets.iter().filter_map(|socket| socket.take_error().ok().flatten());
        self.tally.refused += errors.filter(|error| error.raw_os_error() == Some(libc::ECONNREFUSED)).count() as u64;
        self.tally
    }
}

/// Puts datagrams into trains, until either runs out; says how many trains that are.
fn fill<'a>(trains: &mut [Train<'a>], mut datagrams: &'a [IoSlice<'a>], most: usize) -> usize {
    let mut count = 0;
    for train in trains {
        let Some(first) = datagrams.first() else { break };
        let together = couple(datagrams, most);
        let segment_bytes = (together > 1).then_some(first.len() as u16); // it fits: a train is shorter than 65,000
        *train = Train { datagrams: &datagrams[..together], segment_bytes };
        datagrams = &datagrams[together..];
        count += 1;
    }
    count
}

/// How many datagrams, at least one, make the first train: equally long ones, and a shorter one at the end.
fn couple(datagrams: &[IoSlice<'_>], most: usize) -> usize {
    let length = datagrams[0].len();
    if length == 0 {
        return 1;
    }
    let most = most.min(TRAIN_BYTES_MAX / length).clamp(1, datagrams.len());
    let equal = datagrams[..most].iter().take_while(|datagram| datagram.len() == length).count();
    let last = datagrams[..most].get(equal).is_some_and(|last| !last.is_empty() && last.len() < length);
    equal + usize::from(last)
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
    fn equally_long_datagrams_and_a_shorter_last_one_make_a_train() {
        let bytes = [0; 40_000];
        let trains_of = |lengths: &[usize], most| {
            let slices: Vec<_> = lengths.iter().map(|length| IoSlice::new(&bytes[..*length])).collect();
            let mut trains = [Train { datagrams: &[], segment_bytes: None }; 8];
            let count = fill(&mut trains, &slices, most);
            trains[..count].iter().map(|train| (train.datagrams.len(), train.segment_bytes)).collect::<Vec<_>>()
        };
        assert_eq!(trains_of(&[9, 9, 9, 5, 9], 32), [(4, Some(9)), (1, None)]);
        assert_eq!(trains_of(&[5, 9, 9, 0, 0, 3], 32), [(1, None), (2, Some(9)), (1, None), (1, None), (1, None)]);
        assert_eq!(trains_of(&[9; 7], 3), [(3, Some(9)), (3, Some(9)), (1, None)]);
        assert_eq!(trains_of(&[9; 3], 1), [(1, None), (1, None), (1, None)]);
        assert_eq!(trains_of(&[30_000; 5], 32), [(2, Some(30_000)), (2, Some(30_000)), (1, None)]);
        assert_eq!(trains_of(&[40_000, 40_000], 32), [(1, None), (1, None)]);
        assert_eq!(trains_of(&[1; 300], 32).len(), 8, "what does not fit waits for the next call");
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
