//! The sFlow data sources of a domain: a switch has some dozens, and each sample names one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{Source, SourceKey};

/// Sources that are found without a search: two that share a slot take it from each other.
const SLOTS: usize = 64;

/// Sources by their keys.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "BTreeMap<SourceKey, Source>")]
pub(crate) struct Sources {
    /// In the order of their keys.
    list: Vec<(SourceKey, Source)>,
    /// Where in the list a key was found last, by the lower bits of its index. Nothing while no source is known.
    slots: Vec<u32>,
}

impl Sources {
    #[inline]
    pub(crate) fn get_mut(&mut self, key: &SourceKey) -> Option<&mut Source> {
        let slot = self.slots.get_mut(key.2 as usize % SLOTS)?;
        let at = match self.list.get(*slot as usize) {
            Some((known, _)) if known == key => *slot as usize,
            _ => {
                let at = self.list.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
                *slot = at as u32;
                at
            }
        };
        self.list.get_mut(at).map(|(_, source)| source)
    }

    /// The source of `key`, which is made where there is none.
    pub(crate) fn open(&mut self, key: SourceKey) -> &mut Source {
        self.slots.resize(SLOTS, 0);
        let at = self.list.binary_search_by(|(known, _)| known.cmp(&key)).unwrap_or_else(|at| {
            self.list.insert(at, (key, Source::default()));
            at
        });
        &mut self.list[at].1
    }

    pub(crate) const fn len(&self) -> usize {
        self.list.len()
    }

    /// In the order of their keys.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Source> {
        self.list.iter().map(|(_, source)| source)
    }
}

impl From<BTreeMap<SourceKey, Source>> for Sources {
    fn from(sources: BTreeMap<SourceKey, Source>) -> Self {
        let slots = if sources.is_empty() { Vec::new() } else { vec![0; SLOTS] };
        Self { list: sources.into_iter().collect(), slots }
    }
}

impl Serialize for Sources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.list.iter().map(|(key, source)| (key, source)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sources_are_what_a_plain_map_would_keep(
            keys in prop::collection::vec((1_u8..3, 0_u32..2, 0_u32..150), 0..300),
            saved_at in 0_usize..300,
        ) {
            let (mut sources, mut plain) = (Sources::default(), BTreeMap::<SourceKey, Source>::new());
            for (at, key) in keys.into_iter().enumerate() {
                if at == saved_at {
                    let saved = postcard::to_allocvec(&sources).unwrap();
                    prop_assert_eq!(&saved, &postcard::to_allocvec(&plain).unwrap());
                    sources = postcard::from_bytes(&saved).unwrap();
                }
                prop_assert_eq!(sources.get_mut(&key).map(|source| *source), plain.get(&key).copied());
                sources.open(key).dropped += 1;
                sources.get_mut(&key).unwrap().dropped += 2;
                plain.entry(key).or_default().dropped += 3;
            }
            prop_assert_eq!(sources.len(), plain.len());
            prop_assert!(sources.values().eq(plain.values()));
        }
    }
}
