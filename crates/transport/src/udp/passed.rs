//! Sockets that were open before this process was: systemd's socket activation (sd_listen_fds(3)).
//!
//! The port stays open while the collector is restarted, and the kernel queues meanwhile. `$LISTEN_FDS` sockets stand behind the
//! standard streams, where `$LISTEN_PID` is this process. A listener whose address one of them has takes it instead of binding one.
//!
//! A passed socket cannot be split as our own are: the kernel lets only sockets of one user share a port, and these are
//! root's. So there are as many shards as sockets were passed for an address (`ReusePort=`, and the address as many times).

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

use socket2::{Socket, Type};

use super::bind::{BindError, Options, step};
use super::shard;
use super::socket::{Drops, ReceiveBuffer, UdpSocket};
use crate::endpoint::HostPort;
use crate::{sys, unmapped};

/// The first one's number.
const FIRST: i32 = 3;
/// More than anybody passes.
const PASSED_MAX: i32 = 1024;

/// Sockets that nobody has taken yet.
#[derive(Debug, Default)]
pub struct Passed {
    sockets: Vec<(SocketAddr, Socket)>,
    others: usize,
}

impl Passed {
    /// Those of this process. To be called once.
    ///
    /// # Errors
    /// When the environment names sockets that are not there.
    pub fn from_environment() -> io::Result<Self> {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
        let is_ours = number("LISTEN_PID").is_some_and(|pid| u32::try_from(pid) == Ok(std::process::id()));
        let count = if is_ours { number("LISTEN_FDS").unwrap_or(0).clamp(0, PASSED_MAX) } else { 0 };
        let mut passed = Self::default();
        for descriptor in FIRST..FIRST + count {
            passed.add(Socket::from(sys::inherited(descriptor)?));
        }
        Ok(passed)
    }

    fn add(&mut self, socket: Socket) {
        let is_udp = socket.r#type().is_ok_and(|it| it == Type::DGRAM);
        match socket.local_addr().ok().and_then(|address| address.as_socket()) {
            Some(address) if is_udp => self.sockets.push((address, socket)),
            _ => self.others += 1,
        }
    }

    /// How many shards they make for a listener: as many as there are of each address. No host is that of either family, and
    /// where both were passed, the smaller number counts.
    pub fn count(&self, place: &HostPort, port: u16) -> usize {
        let of_it = self.sockets.iter().map(|(address, _)| *address).filter(|address| is_at(place, port, *address));
        let mut counts = BTreeMap::new();
        of_it.for_each(|address| *counts.entry(address).or_insert(0) += 1);
        counts.into_values().min().unwrap_or(0)
    }

    /// Those that no listener wanted, and how many were no UDP sockets.
    pub fn left(&self) -> (Vec<SocketAddr>, usize) {
        (self.sockets.iter().map(|(address, _)| unmapped(*address)).collect(), self.others)
    }

    /// Takes those of a listener, for each of its addresses one a shard, address by address; none where none were passed for it.
    pub fn listen(
        &mut self,
        place: &HostPort,
        port: u16,
        shards: usize,
        options: &Options,
    ) -> Option<Result<Vec<UdpSocket>, BindError>> {
        let (taken, left) =
            std::mem::take(&mut self.sockets).into_iter().partition(|(address, _)| is_at(place, port, *address));
        self.sockets = left;
        let taken: Vec<(SocketAddr, Socket)> = taken;
        taken.first()?;
        // The kernel shares a port among the sockets of one address alone.
        let mut by_address: BTreeMap<SocketAddr, Vec<Socket>> = BTreeMap::new();
        for (address, socket) in taken {
            by_address.entry(address).or_default().push(socket);
        }
        let opened = by_address.into_iter().map(|(address, sockets)| {
            let passed = BindError::Passed { address, sockets: sockets.len(), shards };
            if sockets.len() == shards { open_all(sockets, address, options) } else { Err(passed) }
        });
        Some(opened.collect::<Result<Vec<_>, _>>().map(|groups| groups.into_iter().flatten().collect()))
    }
}

fn is_at(place: &HostPort, port: u16, address: SocketAddr) -> bool {
    if place.host.is_none() {
        return address.ip().is_unspecified() && address.port() == place.port.unwrap_or(port);
    }
    // What cannot be looked up fails where it is bound.
    place.resolve(port).is_ok_and(|wanted| wanted.first().is_some_and(|wanted| unmapped(*wanted) == unmapped(address)))
}

fn open_all(passed: Vec<Socket>, address: SocketAddr, options: &Options) -> Result<Vec<UdpSocket>, BindError> {
    if let [first, _, ..] = passed.as_slice() {
        let mut program = shard::program(passed.len() as u32);
        step(address, "attach the shards' program", sys::choose_shard_by(first.as_fd(), &mut program))?;
    }
    passed.into_iter().enumerate().map(|(shard, socket)| open(socket, shard, address, options)).collect()
}

fn open(socket: Socket, shard: usize, local: SocketAddr, options: &Options) -> Result<UdpSocket, BindError> {
    let asked_bytes = options.receive_buffer_bytes;
    step(local, "make the socket wait for nobody", socket.set_nonblocking(true))?;
    step(local, "ask for receive times", sys::ask_for_times_and_drops(socket.as_fd()))?;
    // What systemd granted as root (`ReceiveBuffer=`) may be more than we could have: it is only ever raised.
    let granted = || Ok(step(local, "read the receive buffer", socket.recv_buffer_size())? / 2);
    if granted()? < asked_bytes
        && rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, asked_bytes).is_err()
    {
        step(local, "set the receive buffer", socket.set_recv_buffer_size(asked_bytes))?;
    }
    let buffer = ReceiveBuffer { asked_bytes, granted_bytes: granted()? };
    // What the kernel dropped while nobody ran is not this run's.
    let before = step(local, "read the drop counter", sys::memory(socket.as_fd()))?;
    Ok(UdpSocket { socket, local: unmapped(local), shard, buffer, drops: Drops::since(before.drops), ready: false })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::net::{TcpListener, UdpSocket as Plain};

    use super::*;
    use crate::endpoint::Endpoint;
    use crate::udp::Batch;

    fn passed(sockets: impl IntoIterator<Item = Socket>) -> Passed {
        let mut passed = Passed::default();
        sockets.into_iter().for_each(|socket| passed.add(socket));
        passed
    }

    fn bound(address: &str) -> (Socket, SocketAddr) {
        let socket = Plain::bind(address).unwrap();
        let address = socket.local_addr().unwrap();
        (socket.into(), address)
    }

    fn place(text: &str) -> HostPort {
        match format!("udp://{text}").parse().unwrap() {
            Endpoint::Network(_, place, _) => place,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_listener_takes_the_socket_of_its_address_with_what_it_has_queued() {
        let (socket, address) = bound("127.0.0.1:0");
        Plain::bind("127.0.0.1:0").unwrap().send_to(b"early", address).unwrap();
        let mut passed = passed([socket]);
        let place = place(&address.to_string());
        assert_eq!(passed.count(&place, 6343), 1);
        let mut sockets = passed.listen(&place, 6343, 1, &Options::default()).unwrap().unwrap();
        assert_eq!((sockets.len(), sockets[0].local_address()), (1, address));
        let mut batch = Batch::new(4);
        assert_eq!(sockets[0].receive(&mut batch).unwrap(), 1);
        assert_eq!(batch.iter().next().unwrap().bytes, b"early");
        assert!(passed.listen(&place, 6343, 1, &Options::default()).is_none(), "it is taken");
    }

    #[test]
    fn any_address_is_that_of_either_family() {
        let (socket, address) = bound("0.0.0.0:0");
        let passed = passed([socket]);
        let any = place(&format!(":{}", address.port()));
        assert_eq!(passed.count(&any, 1), 1);
        assert_eq!(passed.count(&place(&format!("127.0.0.1:{}", address.port())), 1), 0);
    }

    #[test]
    fn both_families_of_one_port_are_two_addresses_of_one_listener() {
        let socket = |address: SocketAddr| {
            let socket = Socket::new(socket2::Domain::for_address(address), Type::DGRAM, None).unwrap();
            if address.is_ipv6() {
                socket.set_only_v6(true).unwrap();
            }
            socket.bind(&address.into()).map(|()| socket)
        };
        let Ok(v6) = socket("[::]:0".parse().unwrap()) else { return };
        let port = v6.local_addr().unwrap().as_socket().unwrap().port();
        let v4 = socket(SocketAddr::from(([0, 0, 0, 0], port))).unwrap();
        let mut passed = passed([v4, v6]);
        let any = place(&format!(":{port}"));
        assert_eq!(passed.count(&any, 1), 1, "one shard, not two");
        let mut sockets = passed.listen(&any, 1, 1, &Options::default()).unwrap().unwrap();
        let addresses: Vec<_> =
            sockets.iter().map(|socket| (socket.local_address().is_ipv4(), socket.shard())).collect();
        assert_eq!(addresses, [(true, 0), (false, 0)]);
        for (socket, from, to) in [(0, "127.0.0.1:0", "127.0.0.1"), (1, "[::1]:0", "::1")] {
            let Ok(sender) = Plain::bind(from) else { continue };
            sender.send_to(b"x", (to, port)).unwrap();
            assert_eq!(sockets[socket].receive(&mut Batch::new(4)).unwrap(), 1, "{from}");
        }
    }

    #[test]
    fn what_nobody_wants_is_named() {
        let (socket, address) = bound("127.0.0.1:0");
        let tcp: Socket = TcpListener::bind("127.0.0.1:0").unwrap().into();
        let mut passed = passed([socket, tcp]);
        assert!(passed.listen(&place("127.0.0.1:1"), 1, 1, &Options::default()).is_none());
        assert_eq!(passed.left(), (vec![address], 1));
    }

    #[test]
    fn a_socket_cannot_be_split() {
        let (socket, address) = bound("127.0.0.1:0");
        let mut passed = passed([socket]);
        let refused = passed.listen(&place(&address.to_string()), 1, 2, &Options::default()).unwrap().unwrap_err();
        assert!(matches!(refused, BindError::Passed { sockets: 1, shards: 2, .. }), "{refused}");
    }

    #[test]
    fn several_for_one_address_are_shards() {
        let first = Socket::new(socket2::Domain::IPV4, Type::DGRAM, None).unwrap();
        first.set_reuse_port(true).unwrap();
        first.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        let address = first.local_addr().unwrap().as_socket().unwrap();
        let second = Socket::new(socket2::Domain::IPV4, Type::DGRAM, None).unwrap();
        second.set_reuse_port(true).unwrap();
        second.bind(&address.into()).unwrap();
        let mut passed = passed([first, second]);
        let mut sockets = passed.listen(&place(&address.to_string()), 1, 2, &Options::default()).unwrap().unwrap();
        for source in ["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0", "127.0.0.4:0"] {
            let sender = Plain::bind(source).unwrap();
            sender.send_to(b"x", address).unwrap();
            let wanted = super::super::shard_of(sender.local_addr().unwrap().ip(), 2);
            let mut batch = Batch::new(4);
            let received = sockets[wanted].receive(&mut batch).unwrap();
            assert_eq!(received, 1, "{source} belongs to shard {wanted}");
        }
    }
}
