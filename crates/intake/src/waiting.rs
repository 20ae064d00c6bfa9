//! Data that came before its template, kept for as long as the limits allow.
//!
//! It waits per exporter, bounded by bytes and age; where there is no room, the oldest goes. Ages are told by receive
//! times of deliveries, so that a replay gives up the same sets as the live run.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::exporter::DomainKey;

/// What a set costs beyond its bytes, so that many small ones cannot take more than the limit says.
const OVERHEAD_BYTES: usize = 160;

/// A data set without a template.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct WaitingSet {
    pub(crate) domain: DomainKey,
    pub(crate) template: u16,
    pub(crate) context: Context,
    /// Where the set's body stood in its datagram.
    pub(crate) offset: usize,
    pub(crate) body: Vec<u8>,
}

impl WaitingSet {
    /// What it counts against the limits.
    pub(crate) const fn cost(&self) -> usize {
        self.body.len() + OVERHEAD_BYTES
    }
}

/// The sets of one exporter that wait, oldest first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(from = "Vec<WaitingSet>", into = "Vec<WaitingSet>")]
pub(crate) struct Waiting {
    /// The number of the first in `sets`; numbers go on for ever.
    first: u64,
    /// Those that were released from the middle leave a hole until all before them are gone.
    sets: VecDeque<Option<WaitingSet>>,
    by_template: BTreeMap<(DomainKey, u16), VecDeque<u64>>,
    bytes: usize,
}

impl Waiting {
    /// What waits, in bytes with overhead.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many sets wait.
    pub(crate) fn len(&self) -> usize {
        self.by_template.values().map(VecDeque::len).sum()
    }

    /// When the oldest set was received.
    pub(crate) fn oldest_ns(&self) -> Option<i64> {
        self.sets.front()?.as_ref().map(|set| set.context.received_ns)
    }

    /// Adds a set; the caller has made room.
    pub(crate) fn push(&mut self, set: WaitingSet) {
        let number = self.first + self.sets.len() as u64;
        self.by_template.entry((set.domain, set.template)).or_default().push_back(number);
        self.bytes += set.cost();
        self.sets.push_back(Some(set));
    }

    /// Takes the oldest set out.
    pub(crate) fn pop(&mut self) -> Option<WaitingSet> {
        let set = self.sets.pop_front()??;
        self.first += 1;
        let key = (set.domain, set.template);
        if let Some(numbers) = self.by_template.get_mut(&key) {
            numbers.pop_front();
            if numbers.is_empty() {
                self.by_template.remove(&key);
            }
        }
        self.bytes -= set.cost();
        self.skip_holes();
        Some(set)
    }

    /// Takes out all sets of a template, oldest first.
    pub(crate) fn release(&mut self, domain: DomainKey, template: u16) -> Vec<WaitingSet> {
        let numbers = self.by_template.remove(&(domain, template)).unwrap_or_default();
        let mut released = Vec::with_capacity(numbers.len());
        for number in numbers {
            let at = (number - self.first) as usize;
            if let Some(set) = self.sets.get_mut(at).and_then(Option::take) {
                self.bytes -= set.cost();
                released.push(set);
            }
        }
        self.skip_holes();
        released
    }

    /// Takes out all sets of a domain.
    pub(crate) fn release_domain(&mut self, domain: DomainKey) -> Vec<WaitingSet> {
        let templates = self.by_template.range((domain, 0)..=(domain, u16::MAX)).map(|(&(_, template), _)| template);
        let templates: Vec<u16> = templates.collect();
        templates.into_iter().flat_map(|template| self.release(domain, template)).collect()
    }

    /// The first slot always holds a set, or there are none.
    fn skip_holes(&mut self) {
        while let Some(None) = self.sets.front() {
            self.sets.pop_front();
            self.first += 1;
        }
    }
}

impl From<Vec<WaitingSet>> for Waiting {
    fn from(sets: Vec<WaitingSet>) -> Self {
        let mut waiting = Self::default();
        for set in sets {
            waiting.push(set);
        }
        waiting
    }
}

impl From<Waiting> for Vec<WaitingSet> {
    fn from(waiting: Waiting) -> Self {
        waiting.sets.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::IpAddr;

    use super::*;
    use crate::Protocol;

    fn set(template: u16, received_ns: i64) -> WaitingSet {
        let address = IpAddr::from([10, 0, 0, 1]);
        let context = Context {
            protocol: Protocol::Ipfix,
            received_ns,
            export_ns: None,
            uptime_ms: None,
            exporter: address,
            sampler: address,
            domain: 0,
            sequence: Some(0),
        };
        WaitingSet { domain: key(0), template, context, offset: 0, body: vec![1, 2, 3] }
    }

    fn key(id: u32) -> DomainKey {
        DomainKey { protocol: Protocol::Ipfix, id, agent: None, session: None }
    }

    #[test]
    fn sets_are_released_by_template_and_given_up_oldest_first() {
        let mut waiting = Waiting::default();
        for (template, at) in [(256, 1), (257, 2), (256, 3), (258, 4)] {
            waiting.push(set(template, at));
        }
        let received = |sets: &[WaitingSet]| sets.iter().map(|set| set.context.received_ns).collect::<Vec<_>>();
        assert_eq!(received(&waiting.release(key(0), 256)), [1, 3]);
        assert!(waiting.release(key(0), 256).is_empty());
        assert!(waiting.release(key(1), 257).is_empty());
        assert_eq!(waiting.oldest_ns(), Some(2));
        assert_eq!(waiting.pop().unwrap().context.received_ns, 2);
        assert_eq!(waiting.pop().unwrap().context.received_ns, 4);
        assert!(waiting.pop().is_none());
        assert_eq!((waiting.bytes(), waiting.by_template.len(), waiting.sets.len()), (0, 0, 0));
    }

    #[test]
    fn a_saved_queue_is_the_same_queue() {
        let mut waiting = Waiting::default();
        for (template, at) in [(256, 1), (257, 2), (256, 3)] {
            waiting.push(set(template, at));
        }
        waiting.release(key(0), 257);
        let saved = postcard::to_allocvec(&waiting).unwrap();
        let mut restored: Waiting = postcard::from_bytes(&saved).unwrap();
        assert_eq!(restored.bytes(), waiting.bytes());
        assert_eq!(restored.pop().unwrap().context.received_ns, 1);
        assert_eq!(restored.release_domain(key(0)).len(), 1);
        assert_eq!(restored.bytes(), 0);
    }
}
