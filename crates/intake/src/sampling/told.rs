//! What one options record says about sampling, element by element.

use finderscope_flow::SamplingParameters;
use finderscope_wire::ipfix;

use super::About;

/// What a record says about sampling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How much is taken.
    way: SamplingParameters,
    selectors: Vec<u64>,
    sequence: Option<u64>,
    interface: Option<u64>,
    template: Option<u16>,
}

impl Told {
    /// Takes one element; others than those of sampling and its scopes say nothing.
    pub(crate) fn element(&mut self, element: u16, bytes: &[u8]) {
        if parameter(&mut self.way, element, bytes) {
            return;
        }
        let Some(value) = ipfix::unsigned(bytes) else { return };
        match element {
            48 | 302 => self.selectors.push(value),
            301 => self.sequence = Some(value),
            // The ingress side first, where a record has both.
            10 | 252 => self.interface = Some(value),
            14 | 253 => self.interface = self.interface.or(Some(value)),
            145 => self.template = u16::try_from(value).ok(),
            _ => {}
        }
    }

    /// Says that NetFlow v9's scope is an interface.
    pub(crate) const fn interface(&mut self, index: u64) {
        self.interface = Some(index);
    }

    /// Says that NetFlow v9's scope is a template.
    pub(crate) fn template(&mut self, id: u64) {
        self.template = u16::try_from(id).ok();
    }

    /// What the rate is told for.
    pub(crate) fn about(&self) -> About {
        match (self.selectors.as_slice(), self.interface, self.template) {
            ([selector, ..], _, _) => About::Selector(*selector),
            (_, Some(index), _) => About::Interface(index),
            (_, _, Some(id)) => About::Template(id),
            _ => About::All,
        }
    }

    /// One in how many packets.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.way.rate()
    }

    /// A selection sequence and its selectors, where the record is about one.
    pub(crate) fn sequence(&self) -> Option<(u64, &[u64])> {
        let sequence = self.sequence.filter(|_| !self.selectors.is_empty())?;
        Some((sequence, &self.selectors))
    }
}

/// Gives `way` one element of a record; says whether it takes it.
pub(crate) fn parameter(way: &mut SamplingParameters, element: u16, bytes: &[u8]) -> bool {
    way.element(element, || ipfix::unsigned(bytes), || ipfix::float(bytes))
}
