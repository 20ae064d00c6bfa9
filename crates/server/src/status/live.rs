//! Those who look on, and those to whom is forwarded, as status gives them.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::time_of;
use crate::forward::ForwardFigures;
use crate::http::connections;
use crate::tap::{Figures, GuestFigures};

/// Connections over HTTP, live readers' with them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ConnectionsView {
    /// Those that are there.
    pub open: usize,
    /// How many there may be.
    pub max: usize,
    /// How many from one address.
    pub per_address_max: usize,
    /// Turned away since there were too many.
    pub refused: u64,
    /// Turned away since there were too many from their address.
    pub refused_of_address: u64,
    /// Ended since nothing came, or nothing was taken, for too long.
    pub timed_out: u64,
}

impl ConnectionsView {
    pub(crate) const fn of(figures: &connections::Figures) -> Self {
        Self {
            open: figures.open,
            max: figures.max,
            per_address_max: figures.per_address_max,
            refused: figures.refused_all,
            refused_of_address: figures.refused_address,
            timed_out: figures.timed_out,
        }
    }
}

/// Readers of live packets and datagrams.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LiveView {
    /// Those who read now.
    pub subscribers: Vec<SubscriberView>,
    /// How many there may be.
    pub subscribers_max: usize,
    /// Readers for whom there was no place.
    pub refused: u64,
    /// Datagrams for all readers since the start.
    pub sent: u64,
    /// Datagrams that a reader was too slow for.
    pub lost: u64,
}

/// A reader.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SubscriberView {
    /// From where it reads.
    pub address: SocketAddr,
    /// What its program calls itself.
    pub program: String,
    /// What it reads: `packets` or `deliveries`.
    pub stream: String,
    /// Since when.
    pub since: String,
    /// Datagrams for it.
    pub sent: u64,
    /// Datagrams that it was too slow for.
    pub lost: u64,
    /// Bytes that wait for it.
    pub queued_bytes: usize,
}

impl LiveView {
    pub(crate) fn of(figures: &Figures) -> Self {
        Self {
            subscribers: figures.guests.iter().map(SubscriberView::of).collect(),
            subscribers_max: figures.limit,
            refused: figures.refused,
            sent: figures.total.datagrams,
            lost: figures.total.lost,
        }
    }
}

impl SubscriberView {
    fn of(guest: &GuestFigures) -> Self {
        Self {
            address: guest.peer,
            program: guest.agent.clone(),
            stream: guest.stream.to_owned(),
            since: time_of(guest.since),
            sent: guest.sent.datagrams,
            lost: guest.sent.lost,
            queued_bytes: guest.queued_bytes,
        }
    }
}

/// To whom sFlow datagrams are sent on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ForwardView {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub address: SocketAddr,
    /// Whose datagrams it gets; all where nobody is named.
    pub agents: Vec<IpAddr>,
    /// Whether the configuration has it; else it lasts until the server ends.
    pub configured: bool,
    /// Datagrams that the system took.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Datagrams that it did not take.
    pub failed: u64,
    /// How often it said that nobody listens there.
    pub refused: u64,
    /// Datagrams, of any protocol, that came too fast.
    pub lost: u64,
}

impl ForwardView {
    pub(crate) fn of(figures: ForwardFigures) -> Self {
        Self {
            name: figures.name,
            address: figures.target.to,
            agents: figures.target.agents().collect(),
            configured: figures.is_configured,
            sent: figures.tally.sent,
            sent_bytes: figures.tally.sent_bytes,
            failed: figures.tally.failed,
            refused: figures.tally.refused,
            lost: figures.tally.lost,
        }
    }
}
