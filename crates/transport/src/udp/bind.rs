//! Taking a port, alone: one socket a shard, and nobody else's.
//!
//! With `SO_REUSEPORT` a second process of the same user would join the group in silence and take a part of the
//! exporters. So the first socket is bound *without* the flag, which fails where anybody holds the port, and only
//! then is given the flag so that its siblings can join it. It stays bound throughout: there is no moment
//! at which the port is free again, and two collectors that start at once cannot both have it. With one shard
//! the flag is never set. (A foreign program that sets the flag and runs as the same user can still join a group of several shards;
//! this program never does, since it always begins with the exclusive bind.)
//!
//! Until all siblings are bound and the choosing program is attached, datagrams could reach the wrong shard. A socket filter that
//! refuses everything stands before each socket until then, so that nothing is received too early.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, Protocol, SockAddr, SockFilter, Socket, Type};

use super::holder::Holder;
use super::shard;
use super::socket::{Drops, ReceiveBuffer, UdpSocket};
use crate::endpoint::{self, HostPort};
use crate::{sys, unmapped};

/// The receive buffer that is asked for unless told otherwise: a second of 20,000 large datagrams.
pub const RECEIVE_BUFFER_BYTES: usize = 32 << 20;

/// More shards than any machine this runs on has cores.
pub const SHARDS_MAX: usize = 256;

/// How to bind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// The receive buffer to ask for, per shard.
    pub receive_buffer_bytes: usize,
    /// An IPv6 address takes no IPv4.
    pub ipv6_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { receive_buffer_bytes: RECEIVE_BUFFER_BYTES, ipv6_only: false }
    }
}

impl Options {
    /// What an endpoint's query parameters say.
    pub fn of(options: &endpoint::Options) -> Result<Self, BindError> {
        let bytes = options.value("receive_buffer").map(|text| {
            let bytes = text.parse().ok().filter(|bytes| (1..=i32::MAX as usize / 2).contains(bytes));
            bytes.ok_or_else(|| BindError::ReceiveBuffer(text.to_owned()))
        });
        let ipv6_only = match options.value("ipv6_only") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => return Err(BindError::Ipv6Only(other.to_owned())),
        };
        Ok(Self { receive_buffer_bytes: bytes.transpose()?.unwrap_or(RECEIVE_BUFFER_BYTES), ipv6_only })
    }
}

/// Why a port could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody has it.
    #[error("udp port {} is taken on {}{}", address.port(), address.ip(), by(holder))]
    InUse {
        /// What was to be bound.
        address: SocketAddr,
        /// Who holds it, where that can be known.
        holder: Option<Holder>,
    },
    /// Ports under 1024 want a privilege.
    #[error("udp port {} on {} needs CAP_NET_BIND_SERVICE; hint: take a port from 1024 on", address.port(), address.ip())]
    Denied {
        /// What was to be bound.
        address: SocketAddr,
    },
    /// No shard, or more than [`SHARDS_MAX`].
    #[error("{0} shards: there must be 1 to {SHARDS_MAX}")]
    Shards(usize),
    /// Sockets that were passed for an address, but not one for each shard.
    #[error("{sockets} sockets were passed for udp {address}, where there are {shards} shards: each needs its own")]
    Passed {
        /// Their address.
        address: SocketAddr,
        /// How many there are.
        sockets: usize,
        /// How many shards.
        shards: usize,
    },
    /// A host's name that cannot be looked up, or has no address.
    #[error("cannot find an address for {host}: {error}")]
    Resolve {
        /// The listener's host and port.
        host: HostPort,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// An option's value that is no sensible size.
    #[error("receive_buffer={0}: wants a number of bytes, at most 1073741823")]
    ReceiveBuffer(String),
    /// An option's value that is neither.
    #[error("ipv6_only={0}: wants true or false")]
    Ipv6Only(String),
    /// The system refused something else.
    #[error("cannot {action} on udp {address}: {error}")]
    System {
        /// What was to be bound.
        address: SocketAddr,
        /// The step that failed.
        action: &'static str,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

fn by(holder: &Option<Holder>) -> String {
    holder.as_ref().map(|holder| format!(" by {holder}")).unwrap_or_default()
}

/// Takes what an endpoint says; `port` where it says none. A name stands for its first address.
pub fn listen(place: &HostPort, port: u16, shards: usize, options: &Options) -> Result<Vec<UdpSocket>, BindError> {
    if place.host.is_none() {
        return bind_any(place.port.unwrap_or(port), shards, options);
    }
    let addresses = place.resolve(port).map_err(|error| BindError::Resolve { host: place.clone(), error })?;
    match addresses.first() {
        Some(address) => bind(*address, shards, options),
        None => Err(BindError::Resolve { host: place.clone(), error: io::ErrorKind::AddrNotAvailable.into() }),
    }
}

/// Takes `port` on all addresses: IPv6 and IPv4 in one, or IPv4 alone where the system has no IPv6.
pub fn bind_any(port: u16, shards: usize, options: &Options) -> Result<Vec<UdpSocket>, BindError> {
    match bind((Ipv6Addr::UNSPECIFIED, port).into(), shards, options) {
        Err(BindError::System { error, .. }) if lacks_ipv6(&error) => {
            bind((Ipv4Addr::UNSPECIFIED, port).into(), shards, options)
        }
        result => result,
    }
}

fn lacks_ipv6(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL))
}

/// Takes `address` for `shards` sockets, of which each gets the exporters that [`shard_of`](super::shard_of) names.
///
/// Nobody else may hold the port, not even with `SO_REUSEPORT`. `[::]` takes IPv4 too.
pub fn bind(address: SocketAddr, shards: usize, options: &Options) -> Result<Vec<UdpSocket>, BindError> {
    if !(1..=SHARDS_MAX).contains(&shards) {
        return Err(BindError::Shards(shards));
    }
    let first = prepare(address, options)?;
    take(&first, address)?;
    let local = local_address(&first, address)?;
    let mut sockets = vec![first];
    if shards > 1 {
        step(address, "share the port", sockets[0].set_reuse_port(true))?;
        for _ in 1..shards {
            let sibling = prepare(local, options)?;
            step(address, "share the port", sibling.set_reuse_port(true))?;
            take(&sibling, local)?;
            sockets.push(sibling);
        }
        let mut program = shard::program(shards as u32);
        step(address, "attach the shards' program", sys::choose_shard_by(sockets[0].as_fd(), &mut program))?;
    }
    sockets.into_iter().enumerate().map(|(shard, socket)| open(socket, shard, local, options)).collect()
}

/// A socket with everything set, closed by a filter, not yet bound.
fn prepare(address: SocketAddr, options: &Options) -> Result<Socket, BindError> {
    let socket = step(
        address,
        "make a socket",
        Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP)),
    )?;
    if address.is_ipv6() {
        step(address, "choose the families", socket.set_only_v6(options.ipv6_only))?;
    }
    let bytes = options.receive_buffer_bytes;
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, bytes).is_err() {
        // Not privileged: the system's limit holds, and what it granted is reported.
        step(address, "set the receive buffer", socket.set_recv_buffer_size(bytes))?;
    }
    step(address, "ask for receive times", sys::ask_for_times_and_drops(socket.as_fd()))?;
    step(address, "attach a filter", socket.attach_filter(&[REFUSE_ALL]))?;
    Ok(socket)
}

/// `ret #0`: keep no byte of any datagram.
const REFUSE_ALL: SockFilter = SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0);

fn take(socket: &Socket, address: SocketAddr) -> Result<(), BindError> {
    socket.bind(&SockAddr::from(address)).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address, holder: Holder::of_udp(address) },
        io::ErrorKind::PermissionDenied => BindError::Denied { address },
        _ => BindError::System { address, action: "bind", error },
    })
}

fn local_address(socket: &Socket, address: SocketAddr) -> Result<SocketAddr, BindError> {
    let local = step(address, "read the address", socket.local_addr())?;
    local.as_socket().ok_or(BindError::System {
        address,
        action: "read the address",
        error: io::ErrorKind::InvalidData.into(),
    })
}

/// Takes the filter away, and counts drops from here on: what the filter refused came before the listener was open.
fn open(socket: Socket, shard: usize, local: SocketAddr, options: &Options) -> Result<UdpSocket, BindError> {
    let booked = step(local, "read the receive buffer", socket.recv_buffer_size())?;
    let buffer = ReceiveBuffer { asked_bytes: options.receive_buffer_bytes, granted_bytes: booked / 2 };
    let before = step(local, "read the drop counter", sys::memory(socket.as_fd()))?;
    step(local, "detach the filter", socket.detach_filter())?;
    Ok(UdpSocket { socket, local: unmapped(local), shard, buffer, drops: Drops::since(before.drops), ready: false })
}

pub(super) fn step<T>(address: SocketAddr, action: &'static str, result: io::Result<T>) -> Result<T, BindError> {
    result.map_err(|error| BindError::System { address, action, error })
}
