//! How a record's volume is spread over the time that its flow took (semantics, section 3).
//!
//! The share of a bin `[b, e)` is `floor(B·(e−s)/D) − floor(B·(b−s)/D)` over the flow's time `[s, s+D]`, clipped to the bin:
//! the difference of two whole numbers that both grow from nothing to all. So shares add up to the volume exactly, the
//! last bin takes what remains, and as the same floors stand at an hour's ends and at those of its minutes, sums of
//! minutes are the hour's. The record itself counts in the bin of its end.

/// The time that a flow took, its ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    start_ns: i64,
    end_ns: i64,
}

/// A part of a span that lies in one bin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slice {
    /// The bin's number, counted from 1970 in its own width.
    pub bin: i64,
    /// Whether the record itself counts in it.
    pub is_last: bool,
    /// How much of the span has passed at the bin's end.
    passed_ns: u64,
    span_ns: u64,
}

impl Span {
    /// From what a record says. Without an end, its time is when it was received; without a start, or with one after the
    /// end, it took no time.
    pub const fn new(start_ns: Option<i64>, end_ns: Option<i64>, received_ns: i64) -> Self {
        let end_ns = match end_ns {
            Some(end_ns) => end_ns,
            None => received_ns,
        };
        match start_ns {
            Some(start_ns) if start_ns < end_ns => Self { start_ns, end_ns },
            _ => Self { start_ns: end_ns, end_ns },
        }
    }

    /// How long it took.
    pub const fn ns(self) -> u64 {
        self.end_ns.wrapping_sub(self.start_ns) as u64
    }

    /// The numbers of the bins in which it begins and ends.
    pub const fn bins(self, bin_ns: i64) -> (i64, i64) {
        (self.start_ns.div_euclid(bin_ns), self.end_ns.div_euclid(bin_ns))
    }

    /// The piece of it in the bin of that number, which must be one of [`Span::bins`] or between.
    pub const fn slice(self, bin: i64, bin_ns: i64) -> Slice {
        let ends_ns = bin.saturating_add(1).saturating_mul(bin_ns);
        let is_last = bin == self.end_ns.div_euclid(bin_ns);
        let passed_ns = if is_last { self.ns() } else { ends_ns.wrapping_sub(self.start_ns) as u64 };
        Slice { bin, is_last, passed_ns, span_ns: self.ns() }
    }
}

impl Slice {
    /// How much of `volume` has come by the bin's end. A bin's share is that, less the same of the bin before.
    pub const fn cumulative(self, volume: u64) -> u64 {
        if self.is_last {
            return volume;
        }
        match volume.checked_mul(self.passed_ns) {
            Some(product) => product / self.span_ns,
            // At most `volume`, since no more has passed than the span has.
            None => (volume as u128 * self.passed_ns as u128 / self.span_ns as u128) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    fn shares(start: i64, end: i64, volume: u64, bin_ns: i64) -> Vec<(i64, u64, bool)> {
        let span = Span::new(Some(start), Some(end), 0);
        let (first, last) = span.bins(bin_ns);
        let mut before = 0;
        (first..=last)
            .map(|bin| {
                let slice = span.slice(bin, bin_ns);
                let share = slice.cumulative(volume) - before;
                before += share;
                (bin, share, slice.is_last)
            })
            .collect()
    }

    #[test]
    fn a_volume_is_spread_in_proportion_and_the_last_bin_takes_the_remainder() {
        assert_eq!(shares(30, 150, 100, 60), [(0, 25, false), (1, 50, false), (2, 25, true)]);
        assert_eq!(shares(0, 180, 100, 60), [(0, 33, false), (1, 33, false), (2, 34, false), (3, 0, true)]);
        assert_eq!(shares(59, 61, 3, 60), [(0, 1, false), (1, 2, true)]);
        assert_eq!(shares(-90, -30, 4, 60), [(-2, 2, false), (-1, 2, true)]);
    }

    #[test]
    fn a_flow_without_length_lies_in_the_bin_of_its_end() {
        assert_eq!(shares(60, 60, 7, 60), [(1, 7, true)]);
        assert_eq!(shares(90, 60, 7, 60), [(1, 7, true)]);
        assert_eq!(Span::new(None, Some(61), 9), Span::new(Some(61), Some(61), 0));
        assert_eq!(Span::new(Some(1), None, 61), Span::new(Some(1), Some(61), 0));
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        let shares = shares(i64::MIN, i64::MAX, u64::MAX, i64::MAX);
        assert_eq!(shares.iter().map(|share| u128::from(share.1)).sum::<u128>(), u128::from(u64::MAX));
    }
}
