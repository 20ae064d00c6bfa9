//! Sampling rates: what an exporter says of itself in options data, and which saying counts for a record.
//!
//! The operator's word comes first, then what the record or sample itself says, then the sampler that it names, then
//! what the exporter said for all. While nothing is known the rate is null; never 0, and 1 only when it was said.

use std::collections::BTreeMap;

use finderscope_flow::SamplingSource;
use finderscope_wire::netflow::v5::Sampling;
use serde::{Deserialize, Serialize};

use crate::config::ExporterConfig;

/// What one domain of an exporter said about its sampling.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Samplers {
    /// What the last header said (NetFlow v5 and v6): its interval, 0 for none.
    header: Option<u16>,
    general: Option<u64>,
    by_id: BTreeMap<u64, u64>,
}

/// A rate and how it is known.
pub(crate) type Rate = Option<(u64, SamplingSource)>;

/// What one options record says about sampling, element by element.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    selector: Option<u64>,
    interval: Option<u64>,
    taken: Option<u64>,
    skipped: Option<u64>,
    size: Option<u64>,
    population: Option<u64>,
}

impl Told {
    /// Takes one element; others than those of sampling say nothing.
    pub(crate) const fn element(&mut self, element: u16, value: u64) {
        match element {
            48 | 302 => self.selector = Some(value),
            34 | 50 => self.interval = Some(value),
            305 => self.taken = Some(value),
            306 => self.skipped = Some(value),
            309 => self.size = Some(value),
            310 => self.population = Some(value),
            _ => {}
        }
    }

    /// One in how many packets; 1 where an interval of 0 says that nothing is sampled.
    fn rate(&self) -> Option<u64> {
        if let (Some(taken @ 1..), Some(skipped)) = (self.taken, self.skipped) {
            return Some((taken.saturating_add(skipped) / taken).max(1));
        }
        if let (Some(size @ 1..), Some(population)) = (self.size, self.population) {
            return Some((population / size).max(1));
        }
        // Where only the interval of RFC 5477 is there, an exporter takes one and skips none.
        let interval = self.interval.or(self.taken)?;
        Some(interval.max(1))
    }
}

impl Samplers {
    /// Keeps what was told. Says whether there was room.
    pub(crate) fn learn(&mut self, told: &Told, room: bool) -> bool {
        let Some(rate) = told.rate() else { return true };
        let Some(selector) = told.selector else {
            self.general = Some(rate);
            return true;
        };
        if !room && !self.by_id.contains_key(&selector) {
            return false;
        }
        self.by_id.insert(selector, rate);
        true
    }

    /// Keeps what a header says of its own datagram.
    pub(crate) const fn tell_header(&mut self, sampling: Sampling) {
        self.header = Some(sampling.interval);
    }

    /// What the last header said. A header always says whether its exporter samples: 0 means that it does not.
    pub(crate) fn header(&self) -> Rate {
        let interval = self.header?;
        let source = if interval == 0 { SamplingSource::None } else { SamplingSource::Header };
        Some((interval.max(1).into(), source))
    }

    /// How many samplers are known by their number.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Rates by sampler; none for what holds for all.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let general = self.general.map(|rate| (None, rate));
        general.into_iter().chain(self.by_id.iter().map(|(&id, &rate)| (Some(id), rate)))
    }

    /// The rate of a record that neither says a rate nor names a sampler.
    pub(crate) fn general(&self, config: Option<&ExporterConfig>) -> Rate {
        if let Some(rate) = overridden(config) {
            return Some(rate);
        }
        self.general.map(said).or_else(|| self.header()).or_else(|| assumed(config))
    }

    /// The rate of a record that names a sampler.
    pub(crate) fn of(&self, selector: u64, config: Option<&ExporterConfig>) -> Rate {
        if let Some(rate) = overridden(config) {
            return Some(rate);
        }
        match self.by_id.get(&selector) {
            Some(&rate) => Some(said(rate)),
            None => self.general(config),
        }
    }
}

/// What the operator says against all others.
pub(crate) fn overridden(config: Option<&ExporterConfig>) -> Rate {
    let rate = config?.sampling_rate?;
    Some((rate.max(1), SamplingSource::Override))
}

/// What the operator says where the exporter says nothing.
pub(crate) fn assumed(config: Option<&ExporterConfig>) -> Rate {
    let rate = config?.assumed_sampling_rate?;
    Some((rate.max(1), SamplingSource::Assumed))
}

const fn said(rate: u64) -> (u64, SamplingSource) {
    (rate, if rate == 1 { SamplingSource::None } else { SamplingSource::Options })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::Network;

    fn told(elements: &[(u16, u64)]) -> Told {
        let mut told = Told::default();
        for &(element, value) in elements {
            told.element(element, value);
        }
        told
    }

    #[test]
    fn rates_come_from_every_way_of_saying_them() {
        for (elements, rate) in [
            (&[(34, 100), (35, 2)][..], Some(100)),
            (&[(48, 1), (49, 2), (50, 1000)], Some(1000)),
            (&[(302, 1), (304, 1), (305, 1), (306, 99)], Some(100)),
            (&[(305, 2), (306, 98)], Some(50)),
            (&[(309, 10), (310, 5120)], Some(512)),
            (&[(34, 0)], Some(1)),
            (&[(305, 0), (306, 9)], Some(1)),
            (&[(304, 1)], None),
        ] {
            assert_eq!(told(elements).rate(), rate, "{elements:?}");
        }
    }

    #[test]
    fn an_override_wins_then_the_sampler_then_the_exporter_then_what_is_assumed() {
        let mut config = ExporterConfig::new(Network::host(IpAddr::from([10, 0, 0, 1])));
        let mut samplers = Samplers::default();
        assert_eq!(samplers.of(3, Some(&config)), None);
        config.assumed_sampling_rate = Some(7);
        assert_eq!(samplers.of(3, Some(&config)), Some((7, SamplingSource::Assumed)));
        samplers.learn(&told(&[(34, 100)]), true);
        assert_eq!(samplers.of(3, Some(&config)), Some((100, SamplingSource::Options)));
        samplers.learn(&told(&[(302, 3), (305, 1), (306, 9)]), true);
        assert_eq!(samplers.of(3, Some(&config)), Some((10, SamplingSource::Options)));
        assert_eq!(samplers.of(4, Some(&config)), Some((100, SamplingSource::Options)));
        config.sampling_rate = Some(2);
        assert_eq!(samplers.of(3, Some(&config)), Some((2, SamplingSource::Override)));
        assert_eq!(samplers.general(Some(&config)), Some((2, SamplingSource::Override)));
    }

    #[test]
    fn a_rate_of_one_is_known_to_be_unsampled() {
        let mut samplers = Samplers::default();
        samplers.learn(&told(&[(34, 1)]), true);
        assert_eq!(samplers.general(None), Some((1, SamplingSource::None)));
    }

    #[test]
    fn without_room_only_samplers_that_are_known_are_learned() {
        let mut samplers = Samplers::default();
        assert!(samplers.learn(&told(&[(48, 1), (50, 10)]), true));
        assert!(!samplers.learn(&told(&[(48, 2), (50, 10)]), false));
        assert!(samplers.learn(&told(&[(48, 1), (50, 20)]), false));
        assert_eq!(samplers.iter().collect::<Vec<_>>(), [(Some(1), 20)]);
    }
}
