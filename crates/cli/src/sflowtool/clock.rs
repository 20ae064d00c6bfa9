//! Times as people and logs have them, formatted once a second.

use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt};

/// Formats times in the local zone.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
    second: Option<i64>,
    /// `2025-03-01T12:00:00+0000`.
    pub local: String,
    /// `01/Mar/2025:12:00:00 +0000`.
    pub log: String,
}

impl Clock {
    /// Of this machine's zone.
    pub fn local() -> Self {
        Self { zone: TimeZone::system(), second: None, local: String::new(), log: String::new() }
    }

    /// Sets both texts to a time.
    pub fn set(&mut self, time_ns: i64) {
        let second = time_ns.div_euclid(1_000_000_000);
        if self.second.replace(second) == Some(second) {
            return;
        }
        let time = Timestamp::from_second(second).unwrap_or_default().to_zoned(self.zone.clone());
        self.local = fmt::strtime::format("%Y-%m-%dT%H:%M:%S%z", &time).unwrap_or_default();
        self.log = fmt::strtime::format("%d/%b/%Y:%H:%M:%S %z", &time).unwrap_or_default();
    }
}
