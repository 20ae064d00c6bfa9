//! A line of the log that would be repeated as long as a disk is full: said at once, then once a minute, with how often.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(60);

/// When something was last said.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    last: Option<Instant>,
    since: u64,
}

impl Seldom {
    /// Whether it is worth a line now: then how often it happened since the last one, this time included.
    pub(crate) fn say(&mut self, now: Instant) -> Option<u64> {
        self.since += 1;
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < EVERY) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_that_lasts_is_told_once_a_minute_and_how_often_it_was() {
        let (mut seldom, start) = (Seldom::default(), Instant::now());
        let said: Vec<_> = (0..700u64).map(|n| seldom.say(start + Duration::from_millis(200) * n as u32)).collect();
        let lines: Vec<_> = said.iter().enumerate().filter_map(|(n, said)| said.map(|times| (n, times))).collect();
        assert_eq!(lines, [(0, 1), (300, 300), (600, 300)]);
    }
}
