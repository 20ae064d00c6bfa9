//! Who is remembered, and who is forgotten where there are too many.
//!
//! Addresses can be forged, so room is bounded: beyond the limit the idlest exporters that the operator did not name
//! are forgotten, some at once, so that looking for them costs little for each. Their ledgers are kept in one sum.

use std::collections::HashMap;
use std::net::IpAddr;

use finderscope_wire::delivery::Delivery;

use crate::Config;
use crate::exporter::{Exporter, ExporterKey, Forgotten};
use crate::ledger::Ledger;

/// One in so many exporters is forgotten at once.
const FORGET_SHARE: usize = 64;

/// Exporters that are found without a search: two that share a place take it from each other.
const RECENT: usize = 32;

/// All exporters.
#[derive(Debug, Default)]
pub(crate) struct Exporters {
    list: Vec<Exporter>,
    by_address: HashMap<IpAddr, usize>,
    by_identity: HashMap<String, usize>,
    /// Where those stand who sent last, by the lower bits of their addresses.
    recent: [u32; RECENT],
    /// How many are not listed.
    strangers: usize,
    /// What those counted who are forgotten.
    pub(crate) forgotten: Ledger,
}

impl Exporters {
    /// Where the sender of `delivery` stands, if it is known.
    pub(crate) fn find(&mut self, delivery: &Delivery<'_>) -> Option<usize> {
        if let Some(identity) = delivery.identity {
            return self.by_identity.get(identity).copied();
        }
        let address = delivery.source.ip();
        let last = match address {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(address) => address.octets()[15],
        };
        let recent = &mut self.recent[usize::from(last) % RECENT];
        // Whoever stands there now may have come after the one that did.
        match self.list.get(*recent as usize) {
            Some(known) if matches!(known.key, ExporterKey::Address(key) if key == address) => Some(*recent as usize),
            _ => {
                let at = *self.by_address.get(&address)?;
                *recent = at as u32;
                Some(at)
            }
        }
    }

    /// The exporter that is known by an address.
    pub(crate) fn of_address(&self, address: IpAddr) -> Option<&Exporter> {
        self.list.get(*self.by_address.get(&address)?)
    }

    /// Makes the sender of `delivery` known, which it was not, and makes room before.
    pub(crate) fn add(&mut self, delivery: &Delivery<'_>, config: &Config) -> (usize, Forgotten) {
        let forgotten = self.make_room(config);
        let address = delivery.source.ip();
        let key =
            delivery.identity.map_or(ExporterKey::Address(address), |name| ExporterKey::Identity(name.to_owned()));
        let at = self.insert(Exporter::new(key, address, delivery.received_ns), config);
        (at, forgotten)
    }

    /// Adds an exporter whose key is not there yet.
    pub(crate) fn insert(&mut self, mut exporter: Exporter, config: &Config) -> usize {
        exporter.listed = config.lists(exporter.address);
        exporter.config = config.exporters.iter().position(|known| known.network.contains(exporter.address));
        let at = self.list.len();
        self.index(&exporter.key, at);
        self.strangers += usize::from(!exporter.listed);
        self.list.push(exporter);
        at
    }

    fn index(&mut self, key: &ExporterKey, at: usize) {
        match key {
            ExporterKey::Address(address) => self.by_address.insert(*address, at),
            ExporterKey::Identity(name) => self.by_identity.insert(name.clone(), at),
        };
    }

    /// Listed exporters have their own room: only the others count and go.
    fn make_room(&mut self, config: &Config) -> Forgotten {
        let mut forgotten = Forgotten::default();
        if self.strangers < config.limits.exporters.max(1) {
            return forgotten;
        }
        let mut strangers: Vec<(i64, usize)> = self
            .list
            .iter()
            .enumerate()
            .filter(|(_, exporter)| !exporter.listed)
            .map(|(at, exporter)| (exporter.last_ns, at))
            .collect();
        let share = (strangers.len() / FORGET_SHARE).max(1);
        strangers.sort_unstable();
        strangers.truncate(share);
        // From the back, so that what takes a freed place has been looked at.
        strangers.sort_unstable_by_key(|&(_, at)| std::cmp::Reverse(at));
        for (_, at) in strangers {
            self.forget(at, &mut forgotten);
        }
        forgotten
    }

    fn forget(&mut self, at: usize, forgotten: &mut Forgotten) {
        let mut exporter = self.list.swap_remove(at);
        self.strangers -= usize::from(!exporter.listed);
        match &exporter.key {
            ExporterKey::Address(address) => self.by_address.remove(address),
            ExporterKey::Identity(name) => self.by_identity.remove(name),
        };
        if let Some(moved) = self.list.get(at) {
            let key = moved.key.clone();
            self.index(&key, at);
        }
        let waiting = std::mem::take(&mut exporter.ledger.sets.waiting);
        exporter.ledger.sets.expired.add("exporter_forgotten", waiting);
        exporter.ledger.notes.add("exporters", 1);
        forgotten.waiting_bytes += exporter.waiting.bytes();
        forgotten.template_fields += exporter.template_fields();
        self.forgotten.merge(&exporter.ledger);
    }

    /// Empties the list, to be filled anew.
    pub(crate) fn take(&mut self) -> Vec<Exporter> {
        self.by_address.clear();
        self.by_identity.clear();
        self.strangers = 0;
        std::mem::take(&mut self.list)
    }

    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Exporter> {
        self.list.get_mut(at)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Exporter> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Exporter> {
        self.list.iter_mut()
    }
}
