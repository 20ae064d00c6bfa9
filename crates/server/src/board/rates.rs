//! How much an exporter sends, lately.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use finderscope_intake::ExporterStatus;

/// Rates are over the last one to two of these.
const WINDOW: Duration = Duration::from_secs(10);

/// What an exporter sends in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Datagrams.
    pub datagrams: f64,
    /// Records.
    pub records: f64,
}

type Counts = HashMap<IpAddr, (u64, u64)>;

/// Two earlier readings of all counters; the older one is what now is compared with.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    older: Option<(Instant, Counts)>,
    newer: Option<(Instant, Counts)>,
}

impl Rates {
    /// Takes note of the counters, and returns each exporter's rate.
    pub(super) fn update(&mut self, now: Instant, exporters: &[ExporterStatus]) -> Vec<Rate> {
        if self.newer.as_ref().is_none_or(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            let counts = exporters.iter().map(|exporter| (exporter.address, counts(exporter))).collect();
            self.older = self.newer.replace((now, counts));
        }
        exporters.iter().map(|exporter| self.rate(now, exporter)).collect()
    }

    fn rate(&self, now: Instant, exporter: &ExporterStatus) -> Rate {
        let Some((at, before)) = self.older.as_ref().or(self.newer.as_ref()) else { return Rate::default() };
        let seconds = now.saturating_duration_since(*at).as_secs_f64();
        if seconds < 0.5 {
            return Rate::default();
        }
        let (datagrams, records) = counts(exporter);
        let (old_datagrams, old_records) = before.get(&exporter.address).copied().unwrap_or_default();
        Rate {
            datagrams: datagrams.saturating_sub(old_datagrams) as f64 / seconds,
            records: records.saturating_sub(old_records) as f64 / seconds,
        }
    }
}

fn counts(exporter: &ExporterStatus) -> (u64, u64) {
    (exporter.ledger.datagrams.received, exporter.ledger.records.received)
}
