//! When the next datagrams are due.

use std::time::{Duration, Instant};

/// Datagrams that are late by less are sent together; sleeping is no finer.
const SLEEP: Duration = Duration::from_micros(50);
/// What one was kept from sending, by a busy machine, is caught up on at this many times the rate …
const CATCHING_UP: f64 = 1.25;
/// … and never with more than these many milliseconds' worth at once: a collector's socket holds that easily.
const BURST_SECONDS: f64 = 0.005;

/// How fast to go.
pub struct Pace {
    started: Instant,
    sent: u64,
    speed: Speed,
}

enum Speed {
    Unbounded,
    PerSecond { rate: f64, credit: f64, until: Duration },
    OfCapture(f64),
}

impl Pace {
    /// At `rate` datagrams a second, at `speed` times the capture's own, or unbounded.
    pub fn new(rate: Option<u64>, speed: Option<f64>) -> Self {
        let speed = match (rate, speed) {
            (Some(rate), _) => Speed::PerSecond { rate: rate as f64, credit: 1.0, until: Duration::ZERO },
            (None, Some(speed)) => Speed::OfCapture(speed),
            (None, None) => Speed::Unbounded,
        };
        Self { started: Instant::now(), sent: 0, speed }
    }

    /// How long it has been going.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How many of the next `most` datagrams are to be sent now; waits until at least one is.
    ///
    /// `elapsed_ns` says when a datagram, counted from the next one, came in the capture.
    pub fn due(&mut self, most: usize, elapsed_ns: impl Fn(usize) -> i64) -> usize {
        loop {
            let due = self.due_at(self.started.elapsed(), most, &elapsed_ns);
            if due > 0 {
                return due;
            }
            std::thread::sleep(SLEEP);
        }
    }

    fn due_at(&mut self, now: Duration, most: usize, elapsed_ns: impl Fn(usize) -> i64) -> usize {
        let due = match &mut self.speed {
            Speed::Unbounded => most,
            Speed::PerSecond { rate, credit, until } => {
                let grown = (now.saturating_sub(*until)).as_secs_f64() * *rate * CATCHING_UP;
                *credit = (*credit + grown).min(*rate * BURST_SECONDS + 1.0);
                *until = now;
                let total = (now.as_secs_f64() * *rate) as u64 + 1;
                let due = total.saturating_sub(self.sent).min(*credit as u64).min(most as u64);
                *credit -= due as f64;
                due as usize
            }
            Speed::OfCapture(speed) => {
                let reached = (now.as_nanos() as f64 * *speed) as i64;
                (0..most).take_while(|&ahead| elapsed_ns(ahead) <= reached).count()
            }
        };
        self.sent += due as u64;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_in(pace: &mut Pace, from_us: u64, to_us: u64) -> (usize, usize) {
        let dues = (from_us..to_us).step_by(50).map(|us| pace.due_at(Duration::from_micros(us), 256, |_| 0));
        dues.fold((0, 0), |(sum, most), due| (sum + due, most.max(due)))
    }

    #[test]
    fn a_rate_is_kept_evenly() {
        let mut pace = Pace::new(Some(20_000), None);
        let (sent, most) = sent_in(&mut pace, 0, 1_000_000);
        assert!((19_998..=20_001).contains(&sent), "{sent}");
        assert!(most <= 2, "{most} at once");
    }

    #[test]
    fn after_a_pause_the_rest_is_caught_up_on_without_a_burst() {
        let mut pace = Pace::new(Some(100_000), None);
        assert_eq!(sent_in(&mut pace, 0, 100).0, 6);
        let (sent, _) = sent_in(&mut pace, 200_000, 210_000);
        assert!((1_400..=1_800).contains(&sent), "{sent}: five milliseconds at once, and ten more a quarter faster");
        let (sent, _) = sent_in(&mut pace, 210_000, 2_000_000);
        assert!((198_000..=198_700).contains(&sent), "{sent}: in the end nothing is missing");
    }
}
