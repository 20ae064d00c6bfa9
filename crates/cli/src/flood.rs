//! Lines that a stranger could have us repeat without end: the first ones are said, and of the rest how many there were.

use std::fmt;
use std::time::{Duration, Instant};

/// After so long, lines of the same kind are said again.
const SPAN: Duration = Duration::from_secs(10);

/// Lines of one kind. What was not said is told at the end.
#[derive(Debug)]
pub struct Flood {
    lines: u32,
    began: Option<Instant>,
    said: u32,
    more: u64,
}

impl Flood {
    /// Of which so many are said in ten seconds.
    pub const fn of_lines(lines: u32) -> Self {
        Self { lines, began: None, said: 0, more: 0 }
    }

    /// Says a line, or counts it.
    pub fn say(&mut self, line: fmt::Arguments<'_>) {
        let (more, is_said) = self.next(Instant::now());
        tell(more);
        if is_said {
            crate::say(line);
        }
    }

    /// Says how many lines were not said, once they are old.
    pub fn tell_old(&mut self) {
        tell(self.rest(Instant::now()));
    }

    /// How many lines must be made up for before the next one, and whether that is said.
    fn next(&mut self, now: Instant) -> (u64, bool) {
        let more = self.rest(now);
        self.began.get_or_insert(now);
        let is_said = self.said < self.lines;
        if is_said {
            self.said += 1
        } else {
            self.more += 1
        }
        (more, is_said)
    }

    fn rest(&mut self, now: Instant) -> u64 {
        if self.began.is_none_or(|began| now.saturating_duration_since(began) < SPAN) {
            return 0;
        }
        (self.began, self.said) = (None, 0);
        std::mem::take(&mut self.more)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        tell(self.more);
    }
}

fn tell(more: u64) {
    if more > 0 {
        crate::say(format_args!("and {more} more like it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_by_its_first_lines_and_by_how_many_more_there_were() {
        let (mut flood, start) = (Flood::of_lines(2), Instant::now());
        let said: Vec<_> = (0..3_000_u32).map(|n| flood.next(start + Duration::from_millis(10) * n)).collect();
        let lines: Vec<_> = said.iter().enumerate().filter(|(_, (_, is_said))| *is_said).map(|(n, _)| n).collect();
        assert_eq!(lines, [0, 1, 1_000, 1_001, 2_000, 2_001]);
        let told: Vec<_> =
            said.iter().enumerate().filter(|(_, (more, _))| *more > 0).map(|(n, it)| (n, it.0)).collect();
        assert_eq!(told, [(1_000, 998), (2_000, 998)]);
        assert_eq!(std::mem::take(&mut flood.more), 998, "what is told at the end");
    }

    #[test]
    fn what_is_seldom_is_always_said() {
        let (mut flood, start) = (Flood::of_lines(1), Instant::now());
        assert!((0..50).all(|n| flood.next(start + SPAN * n) == (0, true)));
    }

    #[test]
    fn what_was_not_said_is_told_once_it_is_old() {
        let (mut flood, start) = (Flood::of_lines(1), Instant::now());
        assert_eq!([flood.next(start), flood.next(start)], [(0, true), (0, false)]);
        assert_eq!([flood.rest(start), flood.rest(start + SPAN), flood.rest(start + 2 * SPAN)], [0, 1, 0]);
    }
}
