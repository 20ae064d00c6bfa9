//! How many connections there may be, in all and from one address: strangers cannot take what the collector needs.
//!
//! A connection that finds no place is turned away and counted; whoever has one keeps it until the connection ends. Descriptors
//! are shared with sockets, journals and the store, so that some are always left to those.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};

use crate::seldom::Seldom;

/// Descriptors that connections leave to sockets, journals and the store, beside those that are open when HTTP begins.
pub(crate) const DESCRIPTORS_KEPT: usize = 512;
/// So many there may be, however few descriptors the process may have: else nobody could ask why.
const CONNECTIONS_MIN: usize = 8;
/// A machine has at least so many bits of an IPv6 address for itself.
const IPV6_HOST_BITS: u32 = 64;

/// What connections may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Limits {
    /// How many there may be.
    pub(crate) connections: usize,
    /// How many from one address.
    pub(crate) per_address: usize,
    /// For a request's head, from its first byte, or from the connection's begin; and as long again for its body.
    pub(crate) request: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// Without the other end taking anything of an answer.
    pub(crate) stall: Duration,
}

/// All connections.
#[derive(Debug)]
pub(crate) struct Connections {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: Limits,
    /// What the process's descriptors have room for.
    room: usize,
    by_network: HashMap<IpAddr, usize>,
    figures: Figures,
    told: Seldom,
}

/// Connections at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Figures {
    /// Those that are there.
    pub(crate) open: usize,
    /// How many there may be.
    pub(crate) max: usize,
    /// How many from one address.
    pub(crate) per_address_max: usize,
    /// Turned away since there were too many.
    pub(crate) refused_all: u64,
    /// Turned away since there were too many from their address.
    pub(crate) refused_address: u64,
    /// Ended since nothing came, or nothing was taken, for too long.
    pub(crate) timed_out: u64,
}

/// Why a connection finds no place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    /// There are too many.
    #[error("there are {0} connections already; hint: http.connections")]
    All(usize),
    /// There are too many from its address.
    #[error("there are {0} connections from this address already; hint: http.connections_per_address")]
    Address(usize),
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    network: IpAddr,
}

impl Connections {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let state = State {
            limits,
            room: usize::MAX,
            by_network: HashMap::new(),
            figures: Figures::default(),
            told: Seldom::default(),
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Leaves enough descriptors to everybody else. To be called when everything else is open.
    pub(crate) fn leave_descriptors(&self) {
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let room = match getrlimit(Resource::Nofile).current {
            Some(limit) => room(usize::try_from(limit).unwrap_or(usize::MAX), open),
            None => usize::MAX,
        };
        let mut state = self.lock();
        state.room = room;
        let wanted = state.limits.connections;
        drop(state);
        if room < wanted {
            tracing::warn!(
                "HTTP takes {room} connections at once instead of {wanted}, as the process may have few descriptors; \
                 hint: LimitNOFILE= or ulimit -n"
            );
        }
    }

    /// Changes what holds for the connections to come.
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    pub(crate) fn limits(&self) -> Limits {
        self.lock().limits
    }

    /// A place for a connection from `peer`.
    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Place, Refused> {
        let network = network(peer);
        let mut state = self.lock();
        let (max, per_address) = (state.max(), state.limits.per_address);
        let from_there = state.by_network.get(&network).copied().unwrap_or_default();
        if from_there >= per_address {
            state.figures.refused_address += 1;
            return Err(state.tell(peer, Refused::Address(per_address)));
        }
        if state.figures.open >= max {
            state.figures.refused_all += 1;
            return Err(state.tell(peer, Refused::All(max)));
        }
        state.figures.open += 1;
        state.by_network.insert(network, from_there + 1);
        drop(state);
        Ok(Place { connections: Arc::clone(self), network })
    }

    pub(crate) fn count_time_out(&self) {
        self.lock().figures.timed_out += 1;
    }

    pub(crate) fn figures(&self) -> Figures {
        let state = self.lock();
        Figures { max: state.max(), per_address_max: state.limits.per_address, ..state.figures }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn max(&self) -> usize {
        self.limits.connections.min(self.room)
    }

    /// Says so in the log, once in a while.
    fn tell(&mut self, peer: IpAddr, refused: Refused) -> Refused {
        if let Some(times) = self.told.say(Instant::now()) {
            tracing::warn!(%peer, times, "an HTTP connection was turned away: {refused}");
        }
        refused
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.connections.lock();
        state.figures.open = state.figures.open.saturating_sub(1);
        let left = state.by_network.get(&self.network).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            state.by_network.remove(&self.network);
        } else {
            state.by_network.insert(self.network, left);
        }
    }
}

/// Connections that `limit` descriptors have room for, of which `open` are taken.
fn room(limit: usize, open: usize) -> usize {
    limit.saturating_sub(open).saturating_sub(DESCRIPTORS_KEPT).max(CONNECTIONS_MIN)
}

/// What counts as one address: of IPv6 the network, in which a machine can have any number.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> IPV6_HOST_BITS << IPV6_HOST_BITS)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn connections(connections: usize, per_address: usize) -> Arc<Connections> {
        let time = Duration::from_secs(10);
        Connections::new(Limits { connections, per_address, request: time, idle: time, stall: time })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_taken_until_its_connection_ends() {
        let all = connections(2, 2);
        let places = [all.admit(ip("10.0.0.1")).unwrap(), all.admit(ip("10.0.0.2")).unwrap()];
        assert_eq!(all.admit(ip("10.0.0.3")).unwrap_err(), Refused::All(2));
        assert_eq!((all.figures().open, all.figures().refused_all), (2, 1));
        drop(places);
        assert!(all.admit(ip("10.0.0.3")).is_ok());
        assert_eq!(all.figures().open, 0);
        assert!(all.lock().by_network.is_empty(), "nobody is remembered who is gone");
    }

    #[test]
    fn one_address_has_its_own_limit_and_leaves_room_for_others() {
        let all = connections(10, 2);
        let _mapped = all.admit(ip("::ffff:10.0.0.1")).unwrap();
        let _plain = all.admit(ip("10.0.0.1")).unwrap();
        assert_eq!(all.admit(ip("10.0.0.1")).unwrap_err(), Refused::Address(2));
        assert_eq!(all.figures().refused_address, 1);
        let _other = all.admit(ip("10.0.0.2")).unwrap();
        // One machine's many addresses.
        let _first = all.admit(ip("2001:db8:0:1::1")).unwrap();
        let _second = all.admit(ip("2001:db8:0:1:ffff::2")).unwrap();
        assert_eq!(all.admit(ip("2001:db8:0:1::3")).unwrap_err(), Refused::Address(2));
        assert!(all.admit(ip("2001:db8:0:2::1")).is_ok());
    }

    #[test]
    fn descriptors_are_left_to_the_collector() {
        assert_eq!(room(1024, 100), 1024 - 100 - DESCRIPTORS_KEPT);
        assert_eq!(room(256, 100), CONNECTIONS_MIN);
        let all = connections(usize::MAX, 1);
        all.leave_descriptors();
        let limit = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| limit as usize);
        assert!(all.figures().max <= limit.saturating_sub(DESCRIPTORS_KEPT).max(CONNECTIONS_MIN));
    }
}
