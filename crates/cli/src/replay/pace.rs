//! When the next datagrams are due.

use std::time::{Duration, Instant};

/// Datagrams that are late by less are sent together; sleeping is no finer.
const SLEEP: Duration = Duration::from_micros(50);

/// How fast to go.
pub struct Pace {
    started: Instant,
    sent: u64,
    speed: Speed,
}

enum Speed {
    Unbounded,
    PerSecond(u64),
    OfCapture(f64),
}

impl Pace {
    /// At `rate` datagrams a second, at `speed` times the capture's own, or unbounded.
    pub fn new(rate: Option<u64>, speed: Option<f64>) -> Self {
        let speed = match (rate, speed) {
            (Some(rate), _) => Speed::PerSecond(rate),
            (None, Some(speed)) => Speed::OfCapture(speed),
            (None, None) => Speed::Unbounded,
        };
        Self { started: Instant::now(), sent: 0, speed }
    }

    /// How many of the next `most` datagrams are to be sent now; waits until at least one is.
    ///
    /// `elapsed_ns` says when a datagram, counted from the next one, came in the capture.
    pub fn due(&mut self, most: usize, elapsed_ns: impl Fn(usize) -> i64) -> usize {
        loop {
            let now = self.started.elapsed();
            let due = match self.speed {
                Speed::Unbounded => most,
                Speed::PerSecond(rate) => {
                    let total = (now.as_nanos() * u128::from(rate) / 1_000_000_000) as u64 + 1;
                    usize::try_from(total.saturating_sub(self.sent)).unwrap_or(most).min(most)
                }
                Speed::OfCapture(speed) => {
                    let reached = (now.as_nanos() as f64 * speed) as i64;
                    (0..most).take_while(|&ahead| elapsed_ns(ahead) <= reached).count()
                }
            };
            if due > 0 {
                self.sent += due as u64;
                return due;
            }
            std::thread::sleep(SLEEP);
        }
    }
}
