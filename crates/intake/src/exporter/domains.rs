//! The domains of one exporter: nearly always one, and nearly always that of the datagram before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{Domain, DomainKey};

/// Domains by their keys.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<DomainKey, Domain>")]
pub(crate) struct Domains {
    /// In the order of their keys.
    list: Vec<(DomainKey, Domain)>,
    /// Where the last one was found.
    last: usize,
}

impl Domains {
    pub(crate) fn get(&self, key: &DomainKey) -> Option<&Domain> {
        let at = self.place(key).ok()?;
        self.list.get(at).map(|(_, domain)| domain)
    }

    pub(crate) fn get_mut(&mut self, key: &DomainKey) -> Option<&mut Domain> {
        self.last = self.place(key).ok()?;
        self.list.get_mut(self.last).map(|(_, domain)| domain)
    }

    /// The domain of `key`, which is made where there is none.
    pub(crate) fn open(&mut self, key: DomainKey) -> &mut Domain {
        self.last = self.place(&key).unwrap_or_else(|at| {
            self.list.insert(at, (key, Domain::default()));
            at
        });
        &mut self.list[self.last].1
    }

    /// Where the domain of `key` stands, which is made where there is none. It stands there until another is made or removed.
    pub(crate) fn seat(&mut self, key: DomainKey) -> usize {
        self.open(key);
        self.last
    }

    /// The domain that stands there.
    #[inline]
    pub(crate) fn at(&mut self, seat: usize) -> Option<&mut Domain> {
        self.list.get_mut(seat).map(|(_, domain)| domain)
    }

    pub(crate) fn contains(&self, key: &DomainKey) -> bool {
        self.place(key).is_ok()
    }

    pub(crate) fn remove(&mut self, key: &DomainKey) -> Option<Domain> {
        let at = self.place(key).ok()?;
        Some(self.list.remove(at).1)
    }

    pub(crate) const fn len(&self) -> usize {
        self.list.len()
    }

    /// In the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&DomainKey, &Domain)> {
        self.list.iter().map(|(key, domain)| (key, domain))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Domain> {
        self.list.iter().map(|(_, domain)| domain)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Domain> {
        self.list.iter_mut().map(|(_, domain)| domain)
    }

    /// Where the domain stands, or where it would.
    fn place(&self, key: &DomainKey) -> Result<usize, usize> {
        match self.list.get(self.last) {
            Some((last, _)) if last == key => Ok(self.last),
            _ => self.list.binary_search_by(|(known, _)| known.cmp(key)),
        }
    }
}

impl From<BTreeMap<DomainKey, Domain>> for Domains {
    fn from(domains: BTreeMap<DomainKey, Domain>) -> Self {
        Self { list: domains.into_iter().collect(), last: 0 }
    }
}

impl Serialize for Domains {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::Protocol;

    fn key(id: u32) -> DomainKey {
        DomainKey { protocol: Protocol::Ipfix, id, agent: None, session: None }
    }

    #[test]
    fn domains_are_found_by_their_keys_whichever_was_found_last() {
        let mut domains = Domains::default();
        for id in [7, 3, 9, 3, 5] {
            domains.open(key(id)).datagrams += u64::from(id);
        }
        assert_eq!(
            domains.iter().map(|(key, domain)| (key.id, domain.datagrams)).collect::<Vec<_>>(),
            [(3, 6), (5, 5), (7, 7), (9, 9)]
        );
        domains.get_mut(&key(9)).unwrap();
        assert!(domains.remove(&key(3)).is_some());
        assert!(!domains.contains(&key(3)));
        assert_eq!(domains.get(&key(9)).unwrap().datagrams, 9);
        assert_eq!(domains.get_mut(&key(7)).unwrap().datagrams, 7);
        assert_eq!(domains.len(), 3);
        let seat = domains.seat(key(7));
        domains.get_mut(&key(5)).unwrap();
        assert_eq!(domains.at(seat).unwrap().datagrams, 7);
        assert!(domains.at(3).is_none());
        let saved = postcard::to_allocvec(&domains).unwrap();
        let restored: Domains = postcard::from_bytes(&saved).unwrap();
        assert_eq!(restored.values().map(|domain| domain.datagrams).collect::<Vec<_>>(), [5, 7, 9]);
    }
}
