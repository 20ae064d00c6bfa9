//! Exporters' clocks: how far one is off, told by the median of receive time less export time.
//!
//! A network delays, and never advances; a few late datagrams must not move every flow. So it is the median over the
//! last datagrams that counts, and offsets that whole seconds in headers explain are left alone.

use serde::{Deserialize, Serialize};

/// Datagrams over which the median is taken.
const WINDOW: usize = 31;
/// The median is taken anew after so many datagrams, and at the first ones.
const RENEW_EVERY: u64 = 8;
/// Offsets up to this are delay and rounding.
const TOLERANCE_NS: i64 = 5_000_000_000;

/// What is known about the clock of one exporter's domain.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Clock {
    window: Vec<i64>,
    seen: u64,
    median_ns: i64,
}

impl Clock {
    /// Takes note of one datagram.
    pub(crate) fn observe(&mut self, received_ns: i64, export_ns: i64) {
        let offset = received_ns.saturating_sub(export_ns);
        let at = (self.seen % WINDOW as u64) as usize;
        match self.window.get_mut(at) {
            Some(slot) => *slot = offset,
            None => self.window.push(offset),
        }
        if self.seen < RENEW_EVERY || self.seen.is_multiple_of(RENEW_EVERY) {
            self.renew();
        }
        self.seen += 1;
    }

    fn renew(&mut self) {
        let mut sorted = [0; WINDOW];
        let sorted = &mut sorted[..self.window.len()];
        sorted.copy_from_slice(&self.window);
        sorted.sort_unstable();
        self.median_ns = sorted[(sorted.len() - 1) / 2];
    }

    /// Reads what the next datagram will be compared with.
    pub(crate) fn glance(&self) -> u64 {
        self.window.get((self.seen % WINDOW as u64) as usize).map_or(0, |&offset| offset as u64)
    }

    /// By how much receive times are over export times, once there is one.
    pub(crate) fn offset_ns(&self) -> Option<i64> {
        (self.seen > 0).then_some(self.median_ns)
    }

    /// What has to be added to the exporter's times; nothing while its clock is about right.
    pub(crate) const fn shift_ns(&self) -> i64 {
        if self.median_ns.saturating_abs() > TOLERANCE_NS { self.median_ns } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn small_offsets_are_left_alone_and_large_ones_are_shifted() {
        let mut clock = Clock::default();
        assert_eq!((clock.offset_ns(), clock.shift_ns()), (None, 0));
        clock.observe(104 * SECOND, 100 * SECOND);
        assert_eq!((clock.offset_ns(), clock.shift_ns()), (Some(4 * SECOND), 0));
        let mut clock = Clock::default();
        clock.observe(3700 * SECOND, 100 * SECOND);
        assert_eq!(clock.shift_ns(), 3600 * SECOND);
    }

    #[test]
    fn a_few_late_datagrams_do_not_move_the_median() {
        let mut clock = Clock::default();
        for second in 0..100 {
            let late = if second % 5 == 4 { 60 * SECOND } else { 0 };
            clock.observe(second * SECOND + late, second * SECOND);
        }
        assert_eq!(clock.offset_ns(), Some(0));
    }

    #[test]
    fn a_clock_that_was_set_right_is_believed_again_after_a_window() {
        let mut clock = Clock::default();
        for second in 0..40 {
            clock.observe((second + 1000) * SECOND, second * SECOND);
        }
        assert_eq!(clock.shift_ns(), 1000 * SECOND);
        for second in 0..40 {
            clock.observe((second + 1000) * SECOND, (second + 1000) * SECOND);
        }
        assert_eq!(clock.shift_ns(), 0);
    }
}
