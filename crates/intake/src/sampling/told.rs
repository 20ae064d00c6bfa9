//! What one record says about sampling, element by element: an options record of a selector, or a data record of itself.
//!
//! The ways of saying it are NetFlow's interval (elements 34 and 50) and the parameters of PSAMP's selectors
//! (RFC 5477 section 8.2): packets or microseconds taken and skipped, so many out of so many, a probability, and the
//! share of a hash's range. Property filters thin out nothing that could be scaled back.

use finderscope_wire::ipfix;

use super::About;

/// What a record says about sampling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// How much is taken.
    pub(crate) way: Way,
    selectors: Vec<u64>,
    sequence: Option<u64>,
    interface: Option<u64>,
    template: Option<u16>,
}

/// How packets are chosen, as far as it says how many of them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    interval: Option<u64>,
    taken: Option<u64>,
    skipped: Option<u64>,
    time_taken: Option<u64>,
    time_skipped: Option<u64>,
    size: Option<u64>,
    population: Option<u64>,
    probability: Option<f64>,
    /// Of a hash: the output's range and the selected one, each from and to.
    hash: [Option<u64>; 4],
}

impl Told {
    /// Takes one element; others than those of sampling and its scopes say nothing.
    pub(crate) fn element(&mut self, element: u16, bytes: &[u8]) {
        if self.way.element(element, bytes) {
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

impl Way {
    /// The elements that it is made of, the more telling first.
    pub(crate) const ELEMENTS: [u16; 13] = [305, 306, 307, 308, 309, 310, 311, 329, 330, 331, 332, 50, 34];

    /// Takes one element; says whether it is one of these.
    pub(crate) fn element(&mut self, element: u16, bytes: &[u8]) -> bool {
        let value = ipfix::unsigned(bytes);
        match element {
            34 | 50 => self.interval = value,
            305 => self.taken = value,
            306 => self.skipped = value,
            307 => self.time_taken = value,
            308 => self.time_skipped = value,
            309 => self.size = value,
            310 => self.population = value,
            311 => self.probability = ipfix::float(bytes),
            329..=332 => {
                if let Some(place) = self.hash.get_mut(usize::from(element - 329)) {
                    *place = value;
                }
            }
            _ => return false,
        }
        true
    }

    /// One in how many packets, to the nearest; 1 where an interval of 0 says that nothing is sampled.
    pub(crate) fn rate(&self) -> Option<u64> {
        self.counted()
            .or_else(|| out_of(self.size?, self.population?))
            .or_else(|| self.probable())
            .or_else(|| out_of(self.time_taken?, self.time_taken?.saturating_add(self.time_skipped?)))
            .or_else(|| self.hashed())
            // Where only the interval of RFC 5477 is there, an exporter takes one and skips none.
            .or_else(|| Some(self.interval.or(self.taken)?.max(1)))
    }

    fn counted(&self) -> Option<u64> {
        let taken = self.taken?;
        out_of(taken, taken.saturating_add(self.skipped?))
    }

    fn probable(&self) -> Option<u64> {
        let probability = self.probability.filter(|share| *share > 0.0 && *share <= 1.0)?;
        // The cast stays at the largest number for what is beyond it.
        Some((1.0 / probability).round() as u64)
    }

    fn hashed(&self) -> Option<u64> {
        let [from, to, selected_from, selected_to] = self.hash;
        let width = |from: u64, to: u64| to.checked_sub(from).map(|width| width.saturating_add(1));
        out_of(width(selected_from?, selected_to?)?, width(from?, to?)?)
    }
}

/// So many taken of so many, as one in how many; none where nothing is taken.
fn out_of(taken: u64, all: u64) -> Option<u64> {
    let half = taken / 2;
    (taken > 0).then(|| (all.saturating_add(half) / taken).max(1))
}
