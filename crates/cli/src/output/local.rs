//! Times for people: in the zone where they are, which the column's header names.

use std::fmt::Write;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A zone, and what it is called.
#[derive(Clone, Debug)]
pub struct Zone {
    zone: TimeZone,
    name: String,
}

impl Zone {
    /// Universal time.
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// The system's zone (`TZ`, else what the system is set to).
    pub fn local() -> Self {
        Self::new(TimeZone::system())
    }

    fn new(zone: TimeZone) -> Self {
        let name = match zone.iana_name() {
            Some("Etc/UTC" | "Etc/Unknown" | "Etc/UCT" | "UCT" | "Zulu" | "Etc/Zulu") => "UTC".to_owned(),
            Some(name) => name.to_owned(),
            None if zone.is_unknown() => "UTC".to_owned(),
            // A rule without a name: where it is now must do.
            None => format!("UTC{}", zone.to_offset(Timestamp::now())),
        };
        Self { zone, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A time with so many digits of its second: `2026-07-22 11:45:00.123`.
    pub fn time(&self, ns: i64, digits: u8) -> String {
        let Some(time) = self.at(ns) else { return ns.to_string() };
        let mut text = time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        fraction(&mut text, ns, digits);
        text
    }

    /// The end of a span that began `before_ns`: the time of day alone where that is on the same day.
    pub fn time_after(&self, ns: i64, before_ns: i64, digits: u8) -> String {
        match (self.at(ns), self.at(before_ns)) {
            (Some(time), Some(before)) if time.date() == before.date() => {
                let mut text = time.strftime("%H:%M:%S").to_string();
                fraction(&mut text, ns, digits);
                text
            }
            _ => self.time(ns, digits),
        }
    }

    fn at(&self, ns: i64) -> Option<Zoned> {
        Some(Timestamp::from_nanosecond(ns.into()).ok()?.to_zoned(self.zone.clone()))
    }
}

fn fraction(text: &mut String, ns: i64, digits: u8) {
    let nanos = ns.rem_euclid(1_000_000_000);
    let written = match digits {
        0 => Ok(()),
        1..=3 => write!(text, ".{:03}", nanos / 1_000_000),
        4..=6 => write!(text, ".{:06}", nanos / 1_000),
        _ => write!(text, ".{nanos:09}"),
    };
    written.expect("a string takes everything");
}

/// The digits of a second that it takes to write these times exactly: none, 3, 6 or 9.
pub fn digits(times: impl Iterator<Item = i64>) -> u8 {
    let of = |ns: i64| match ns.rem_euclid(1_000_000_000) {
        0 => 0,
        nanos if nanos % 1_000_000 == 0 => 3,
        nanos if nanos % 1_000 == 0 => 6,
        _ => 9,
    };
    times.map(of).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use jiff::tz::TimeZone;

    use super::{Zone, digits};

    const NOON_NS: i64 = 1_769_860_800_000_000_000; // 2026-01-31T12:00:00Z

    #[test]
    fn times_have_the_zone_and_the_digits_that_were_asked_for() {
        let berlin = Zone::new(TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(berlin.name(), "Europe/Berlin");
        assert_eq!(berlin.time(NOON_NS + 1_234_567, 3), "2026-01-31 13:00:00.001");
        assert_eq!(berlin.time(NOON_NS + 1_234_567, 9), "2026-01-31 13:00:00.001234567");
        assert_eq!(Zone::utc().time(NOON_NS, 0), "2026-01-31 12:00:00");
        assert_eq!(Zone::utc().time(-1, 6), "1969-12-31 23:59:59.999999");
    }

    #[test]
    fn zones_without_a_name_are_called_by_their_offset() {
        assert_eq!(Zone::new(TimeZone::posix("<+0530>-5:30").unwrap()).name(), "UTC+05:30");
        assert_eq!(Zone::new(TimeZone::get("Etc/UTC").unwrap()).name(), "UTC");
    }

    #[test]
    fn the_end_of_a_span_repeats_no_date() {
        let utc = Zone::utc();
        assert_eq!(utc.time_after(NOON_NS + 1_000_000_000, NOON_NS, 0), "12:00:01");
        assert_eq!(utc.time_after(NOON_NS + 5_000_000, NOON_NS, 3), "12:00:00.005");
        assert_eq!(utc.time_after(NOON_NS + 86_400_000_000_000, NOON_NS, 0), "2026-02-01 12:00:00");
    }

    #[test]
    fn as_many_digits_as_the_finest_time_needs() {
        assert_eq!(digits([0, 1_000_000_000].into_iter()), 0);
        assert_eq!(digits([0, 5_000_000].into_iter()), 3);
        assert_eq!(digits([7_000, 5_000_000].into_iter()), 6);
        assert_eq!(digits([1].into_iter()), 9);
        assert_eq!(digits([].into_iter()), 0);
    }
}
