//! Sampling rates out of the parameters that exporters tell (RFC 5477 section 8.2, RFC 3954 section 8).
//!
//! NetFlow has an interval (elements 34 and 50); PSAMP's selectors have packets or microseconds taken and skipped, so
//! many out of so many, a probability, or the share of a hash's range. Property filters thin out nothing that could be
//! scaled back.

/// How packets are chosen, as far as it says how many of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SamplingParameters {
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

impl SamplingParameters {
    /// The elements that it is made of, the more telling first.
    pub const ELEMENTS: [u16; 13] = [305, 306, 307, 308, 309, 310, 311, 329, 330, 331, 332, 50, 34];
    /// samplingProbability, the one that is no whole number.
    pub const PROBABILITY: u16 = 311;

    /// Takes one element, as the number that its bytes or its text are; says whether it is one of these.
    pub fn element(
        &mut self,
        element: u16,
        number: impl FnOnce() -> Option<u64>,
        float: impl FnOnce() -> Option<f64>,
    ) -> bool {
        match element {
            34 | 50 => self.interval = number(),
            305 => self.taken = number(),
            306 => self.skipped = number(),
            307 => self.time_taken = number(),
            308 => self.time_skipped = number(),
            309 => self.size = number(),
            310 => self.population = number(),
            Self::PROBABILITY => self.probability = float(),
            329..=332 => self.hash[usize::from(element - 329)] = number(),
            _ => return false,
        }
        true
    }

    /// One in how many packets, to the nearest; 1 where an interval of 0 says that nothing is sampled.
    pub fn rate(&self) -> Option<u64> {
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
