//! Which exporters somebody wants to hear of.

use std::net::IpAddr;

use finderscope_wire::delivery::Delivery;
use finderscope_wire::sflow;

/// A list of agents; empty for all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Agents(Vec<IpAddr>);

impl Agents {
    pub(crate) fn new(mut agents: Vec<IpAddr>) -> Self {
        agents.iter_mut().for_each(|agent| *agent = agent.to_canonical());
        agents.sort_unstable();
        agents.dedup();
        Self(agents)
    }

    /// Whether nobody is left out.
    pub(crate) const fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The agents that are wanted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.0.iter().copied()
    }

    /// Whether a datagram is wanted: by the agent that an sFlow datagram names, or by its source.
    pub(crate) fn want(&self, delivery: &Delivery<'_>) -> bool {
        self.are_all()
            || self.want_address(delivery.source.ip())
            || agent(delivery).is_some_and(|it| self.want_address(it))
    }

    /// Whether an exporter or agent is wanted.
    pub(crate) fn want_address(&self, address: IpAddr) -> bool {
        self.are_all() || self.0.binary_search(&address.to_canonical()).is_ok()
    }
}

/// The agent of an sFlow datagram.
fn agent(delivery: &Delivery<'_>) -> Option<IpAddr> {
    sflow::Datagram::read(delivery.bytes).ok()?.agent
}
