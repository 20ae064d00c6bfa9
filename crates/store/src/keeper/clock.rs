//! What "now" is for removing by age, when clocks jump.
//!
//! A clock that jumps ahead by years must not remove everything. So the clock's word is taken only as far as what was
//! received bears it out: where rows lie in 24 hours up to it, or in as many as are kept when these are fewer. After a
//! jump ahead age is counted from the last such time, until rows of 24 hours have come under the new one.
//!
//! Where nothing is received, age goes on as well: a process that has seen the clock go evenly for 24 hours beside the machine's
//! own count of time believes it. A clock that jumps back removes nothing. Rows from a time when it was ahead
//! stay until that time has come and gone, or until the store's size lets go of them.

use std::collections::BTreeSet;

use super::Now;
use crate::layout::{HOUR_NS, hour_of};

/// Hours with rows that bear a clock out.
const HOURS: usize = 24;
/// How far clock and count may come apart between two looks: a leap, a slewed clock, a busy machine.
const LEEWAY_NS: i64 = 300_000_000_000;
/// How long they must have gone together.
const STEADY_NS: i64 = 24 * HOUR_NS;

/// From when ages are counted; `None` while nobody knows.
pub(crate) fn reference(hours: impl Iterator<Item = i64>, now: Now, keep_ns: i64) -> Option<i64> {
    if now.is_steady {
        return Some(now.wall_ns);
    }
    let past: BTreeSet<i64> = hours.filter(|&hour| hour <= hour_of(now.wall_ns)).collect();
    let wanted = usize::try_from(keep_ns / HOUR_NS).unwrap_or(1).clamp(1, HOURS);
    let first = past.iter().rev().nth(wanted - 1)?;
    let through = (first + wanted as i64).saturating_mul(HOUR_NS);
    Some(now.wall_ns.min(through))
}

/// Compares the clock with the machine's count of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steadiness {
    /// Where both stood first, and last.
    since: Option<(i64, i64)>,
    last: Option<(i64, i64)>,
}

impl Steadiness {
    /// Takes both; says what time it is and whether it may be believed.
    pub fn observe(&mut self, wall_ns: i64, counted_ns: i64) -> Now {
        let goes_on = |&(wall, counted): &(i64, i64)| {
            let (by_clock, by_count) = (wall_ns.saturating_sub(wall), counted_ns.saturating_sub(counted));
            by_clock.saturating_sub(by_count).saturating_abs() <= LEEWAY_NS
        };
        if !self.last.as_ref().is_some_and(goes_on) {
            self.since = Some((wall_ns, counted_ns));
        }
        self.last = Some((wall_ns, counted_ns));
        let is_steady = self.since.is_some_and(|(_, counted)| counted_ns.saturating_sub(counted) >= STEADY_NS);
        Now { wall_ns, is_steady }
    }
}
