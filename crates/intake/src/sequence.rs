//! What went missing on the way, told by sequence numbers; each protocol has its own unit.
//!
//! v5 to v8 count records, v9 datagrams, IPFIX data records (RFC 7011 section 3.1), sFlow datagrams and samples; v1
//! counts nothing. Gaps are shown beside the balances and never added to them: a gap says what did not come, and the
//! kernel's own drops are among it.
//!
//! The first number only sets the expectation. A small step back is reordering, and what had been counted as missing
//! is there after all. A large one, or one with the exporter's uptime going back, is a restart: nothing is known of
//! what was lost then.

use serde::{Deserialize, Serialize};

/// Steps back of up to so many units are reordering.
const REORDERED_MAX: u32 = 4_096;
/// Steps ahead of more units than this are a restart with some number; nobody loses so many and goes on.
const GAP_MAX: u32 = 1 << 28;
/// Uptime that goes back by more than this is a restart, not reordering.
const UPTIME_BACK_MAX_MS: u32 = 60_000;

/// One sequence.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sequence {
    /// The last number, and how many units stood behind it; none while nothing can be expected.
    last: Option<(u32, u32)>,
    uptime_ms: Option<u32>,
    /// The exporter's number counts the units of its own message in (softflowd's IPFIX).
    counts_itself: bool,
    /// What was counted.
    pub(crate) counts: SequenceCounts,
}

/// What a sequence told.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SequenceCounts {
    /// Units that did not come.
    pub lost: u64,
    /// Datagrams that came out of order.
    pub reordered: u64,
    /// Times that the exporter began anew; what was lost then is not known.
    pub restarts: u64,
}

impl SequenceCounts {
    pub(crate) const fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.reordered += other.reordered;
        self.restarts += other.restarts;
    }
}

impl Sequence {
    /// Takes note of `number`, behind which `units` stand; they are none where they cannot be known.
    pub(crate) fn observe(&mut self, number: u32, units: Option<u32>, uptime_ms: Option<u32>) {
        let restarted = self.has_restarted(uptime_ms);
        self.uptime_ms = uptime_ms;
        let Some(units) = units else {
            self.last = None;
            return;
        };
        let Some((last, before)) = self.last.replace((number, units)) else { return };
        let ahead = self.ahead(number, units, last, before);
        if ahead == 0 {
            return;
        }
        if restarted || (ahead > GAP_MAX && ahead < REORDERED_MAX.wrapping_neg()) {
            self.counts.restarts += 1;
        } else if ahead <= GAP_MAX {
            self.counts.lost += u64::from(ahead);
        } else {
            self.counts.reordered += 1;
            self.counts.lost = self.counts.lost.saturating_sub(units.into());
            self.last = Some((last, before));
        }
    }

    /// How far `number` is ahead of what was expected, in either habit of counting.
    fn ahead(&mut self, number: u32, units: u32, last: u32, before: u32) -> u32 {
        let counted_after = number.wrapping_sub(last.wrapping_add(before));
        let counted_in = number.wrapping_sub(last.wrapping_add(units));
        match (counted_after, counted_in) {
            (0, 0) => 0,
            (0, _) => {
                self.counts_itself = false;
                0
            }
            (_, 0) if units > 0 => {
                self.counts_itself = true;
                0
            }
            _ if self.counts_itself => counted_in,
            _ => counted_after,
        }
    }

    fn has_restarted(&self, uptime_ms: Option<u32>) -> bool {
        let (Some(before), Some(now)) = (self.uptime_ms, uptime_ms) else { return false };
        now < before && before - now > UPTIME_BACK_MAX_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(numbers: &[(u32, u32)], lost: u64, reordered: u64, restarts: u64) {
        let mut sequence = Sequence::default();
        for &(number, units) in numbers {
            sequence.observe(number, Some(units), None);
        }
        assert_eq!(sequence.counts, SequenceCounts { lost, reordered, restarts }, "{numbers:?}");
    }

    #[test]
    fn the_first_number_only_sets_the_expectation() {
        check(&[(4_000_000, 30)], 0, 0, 0);
        check(&[(4_000_000, 30), (4_000_030, 30)], 0, 0, 0);
    }

    #[test]
    fn gaps_are_counted_in_the_units_of_the_protocol() {
        check(&[(100, 30), (190, 30)], 60, 0, 0);
        check(&[(7, 1), (8, 1), (11, 1)], 2, 0, 0);
    }

    #[test]
    fn numbers_wrap() {
        check(&[(u32::MAX, 1), (0, 1), (1, 1)], 0, 0, 0);
        check(&[(u32::MAX - 9, 30), (20, 30), (80, 1)], 30, 0, 0);
    }

    #[test]
    fn what_comes_late_is_not_lost() {
        check(&[(1, 1), (3, 1), (2, 1), (4, 1)], 0, 1, 0);
        check(&[(1, 1), (2, 1), (2, 1), (3, 1)], 0, 1, 0);
    }

    #[test]
    fn a_large_step_back_is_a_restart() {
        check(&[(4_000_000, 30), (0, 30), (30, 30)], 0, 0, 1);
        check(&[(3_000_000_000, 30), (0, 30), (30, 30)], 0, 0, 1);
    }

    #[test]
    fn an_uptime_that_goes_back_is_a_restart_however_small_the_step() {
        let mut sequence = Sequence::default();
        sequence.observe(100, Some(1), Some(900_000));
        sequence.observe(1, Some(1), Some(1_000));
        sequence.observe(2, Some(1), Some(2_000));
        assert_eq!(sequence.counts, SequenceCounts { lost: 0, reordered: 0, restarts: 1 });
    }

    #[test]
    fn units_that_are_not_known_make_the_expectation_unknown() {
        let mut sequence = Sequence::default();
        sequence.observe(100, Some(5), None);
        sequence.observe(105, None, None);
        sequence.observe(300, Some(5), None);
        sequence.observe(306, Some(5), None);
        assert_eq!(sequence.counts.lost, 1);
    }

    #[test]
    fn an_exporter_whose_number_counts_its_own_message_has_no_gaps() {
        let mut sequence = Sequence::default();
        let mut sum = 0;
        for units in [5, 3, 8, 2, 2, 9, 0, 4] {
            sum += units;
            sequence.observe(sum, Some(units), None);
        }
        assert_eq!(sequence.counts, SequenceCounts::default());
        sequence.observe(sum + 10 + 6, Some(6), None);
        assert_eq!(sequence.counts.lost, 10);
    }
}
