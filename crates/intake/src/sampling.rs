//! Sampling rates: what an exporter says of itself in options data, and which saying counts for a record.
//!
//! A rate is told for a selector (RFC 5477; a sampler, in NetFlow's words), for an interface, for a template, or for all
//! of a domain; what is told for the whole system also counts for domains that say nothing themselves. The operator's word
//! comes first, then what the record or sample itself says, then the selector that it names, then its interface, its
//! template, its domain and its exporter. While nothing is known the rate is null; never 0, and 1 only when it was said.

mod told;

use std::collections::BTreeMap;

use finderscope_flow::SamplingSource;
use finderscope_wire::netflow::v5::Sampling;
use serde::{Deserialize, Serialize};

use crate::config::ExporterConfig;
pub(crate) use told::{Told, parameter};

/// Selectors of one selection sequence that are remembered: more than a packet is ever put through.
const SELECTORS_MAX: usize = 8;

/// What a rate was told for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum About {
    /// All of the domain, or of the exporter.
    All,
    /// Flows of a template.
    Template(u16),
    /// Flows of an interface.
    Interface(u64),
    /// Flows that name the selector.
    Selector(u64),
}

/// What one domain of an exporter, or an exporter for all its domains, said about its sampling.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Samplers {
    /// What the last header said (NetFlow v5, v6 and v8): its interval, 0 for none.
    header: Option<u16>,
    rates: BTreeMap<About, u64>,
    /// The selectors that packets of a selection sequence went through (RFC 5476 section 6.5.1).
    sequences: BTreeMap<u64, Vec<u64>>,
}

/// A rate and how it is known.
pub(crate) type Rate = Option<(u64, SamplingSource)>;

impl Samplers {
    /// Keeps what was told. Says whether there was room.
    pub(crate) fn learn(&mut self, told: &Told, room: bool) -> bool {
        let mut kept = true;
        if let Some((sequence, selectors)) = told.sequence() {
            if room || self.sequences.contains_key(&sequence) {
                self.sequences.insert(sequence, selectors.iter().copied().take(SELECTORS_MAX).collect());
            } else {
                kept = false;
            }
        }
        let Some(rate) = told.rate() else { return kept };
        let about = told.about();
        if !room && about != About::All && !self.rates.contains_key(&about) {
            return false;
        }
        self.rates.insert(about, rate);
        kept
    }

    /// Keeps what a header says of its own datagram.
    pub(crate) const fn tell_header(&mut self, sampling: Sampling) {
        self.header = Some(sampling.interval);
    }

    /// The rate of records that can say nothing of it themselves, such as version 5's.
    pub(crate) fn of_header(&self, config: Option<&ExporterConfig>) -> Rate {
        overridden(config).or_else(|| self.header()).or_else(|| assumed(config))
    }

    /// What the last header said. A header always says whether its exporter samples: 0 means that it does not.
    pub(crate) fn header(&self) -> Rate {
        let interval = self.header?;
        let source = if interval == 0 { SamplingSource::None } else { SamplingSource::Header };
        Some((interval.max(1).into(), source))
    }

    /// How many sayings are remembered, beside the one for all.
    pub(crate) fn len(&self) -> usize {
        self.rates.len() + self.sequences.len() - usize::from(self.rates.contains_key(&About::All))
    }

    /// Rates, by what they were told for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (About, u64)> {
        self.rates.iter().map(|(&about, &rate)| (about, rate))
    }

    fn get(&self, about: About) -> Option<u64> {
        self.rates.get(&about).copied()
    }

    fn has_interfaces(&self) -> bool {
        self.rates.range(About::Interface(0)..=About::Interface(u64::MAX)).next().is_some()
    }
}

/// What a record says that can be looked up among the rates that were told.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Clues {
    pub(crate) selector: Option<u64>,
    pub(crate) sequence: Option<u64>,
    /// The interface that the flow was seen at, then the other one.
    pub(crate) interfaces: [Option<u64>; 2],
}

/// Where the rates of a set's records are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup<'a> {
    /// What the domain said.
    pub(crate) own: &'a Samplers,
    /// What was said for the whole exporter.
    pub(crate) wide: &'a Samplers,
    pub(crate) template: u16,
    pub(crate) config: Option<&'a ExporterConfig>,
}

impl Lookup<'_> {
    /// Whether it depends on a record's interface which rate it has.
    pub(crate) fn by_interface(&self) -> bool {
        self.own.has_interfaces() || self.wide.has_interfaces()
    }

    /// The rate of a record that says none itself.
    pub(crate) fn rate(&self, clues: &Clues) -> Rate {
        if let Some(rate) = overridden(self.config) {
            return Some(rate);
        }
        let told = self.told(clues).or_else(|| self.own.get(About::All)).map(said);
        let told = told.or_else(|| self.own.header());
        told.or_else(|| self.wide.get(About::All).map(said)).or_else(|| assumed(self.config))
    }

    /// What was told for something narrower than a domain.
    fn told(&self, clues: &Clues) -> Option<u64> {
        let selector = clues.selector.and_then(|selector| self.any(About::Selector(selector)));
        selector
            .or_else(|| clues.sequence.and_then(|sequence| self.composed(sequence)))
            .or_else(|| clues.interfaces.into_iter().flatten().find_map(|index| self.any(About::Interface(index))))
            .or_else(|| self.own.get(About::Template(self.template)))
    }

    fn any(&self, about: About) -> Option<u64> {
        self.own.get(about).or_else(|| self.wide.get(about))
    }

    /// A packet that went through several selectors was chosen by each of them. One that is not known, or that does not
    /// thin out (a filter), says nothing.
    fn composed(&self, sequence: u64) -> Option<u64> {
        let selectors = self.own.sequences.get(&sequence).or_else(|| self.wide.sequences.get(&sequence))?;
        let known = selectors.iter().filter_map(|&selector| self.any(About::Selector(selector)));
        known.reduce(u64::saturating_mul)
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

pub(crate) const fn said(rate: u64) -> (u64, SamplingSource) {
    (rate, if rate == 1 { SamplingSource::None } else { SamplingSource::Options })
}

#[cfg(test)]
mod tests;
