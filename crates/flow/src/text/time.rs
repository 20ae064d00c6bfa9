//! Times as RFC 3339 in UTC: `2026-07-22T09:15:00.25Z` is written `2026-07-22T09:15:00.250Z`.
//!
//! A second's fraction has none, three, six or nine digits, the fewest that lose nothing.

use std::cell::Cell;
use std::fmt;

use super::digits::put_digits;

const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Seconds from 1970 to the years 0 and 10,000, between which RFC 3339 has times.
const FIRST: i64 = -62_167_219_200;
const END: i64 = 253_402_300_800;

/// A time to be printed in UTC; made by [`time_utc`].
#[derive(Clone, Copy, Debug)]
pub struct TimeUtc(i64);

/// Nanoseconds since 1970 as RFC 3339 in UTC.
pub const fn time_utc(ns: i64) -> TimeUtc {
    TimeUtc(ns)
}

impl fmt::Display for TimeUtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(30);
        Clock::default().write(&mut out, self.0, NANOS);
        f.pad(std::str::from_utf8(&out).expect("a time is written in ASCII"))
    }
}

/// Writes times, and keeps the last minute's text, since neighbours are often of the same minute.
#[derive(Clone, Debug)]
pub(super) struct Clock(Cell<(i64, [u8; MINUTE])>);

/// What `1970-01-01T00:00:` takes.
const MINUTE: usize = 17;

impl Default for Clock {
    fn default() -> Self {
        Self(Cell::new((0, *b"1970-01-01T00:00:")))
    }
}

impl Clock {
    /// Writes `time`, in units of which `per_second` are a second. What no year of four digits holds is
    /// written as the number that it is.
    #[inline]
    pub(super) fn write(&self, out: &mut Vec<u8>, time: i64, per_second: i64) {
        // Division by a number that the compiler knows is several times quicker.
        let (seconds, nanos) = match per_second {
            NANOS => (time.div_euclid(NANOS), time.rem_euclid(NANOS)),
            _ => (time.div_euclid(per_second), time.rem_euclid(per_second) * (NANOS / per_second)),
        };
        if !(FIRST..END).contains(&seconds) {
            out.extend_from_slice(itoa::Buffer::new().format(time).as_bytes());
            return;
        }
        out.extend_from_slice(&self.minute(seconds.div_euclid(60)));
        let second = seconds.rem_euclid(60) as u64;
        let text = two_digits(second);
        let nanos = nanos as u64;
        match (nanos / 1_000_000, nanos % 1_000_000) {
            (0, 0) => put_digits(out, text | (u64::from(b'Z') << 16), 3),
            (millis, 0) => put_digits(out, text | (point_and_three_digits(millis) << 16) | (u64::from(b'Z') << 48), 7),
            (millis, rest) => {
                put_digits(out, text | (point_and_three_digits(millis) << 16), 6);
                put_digits(out, point_and_three_digits(rest / 1_000) >> 8, 3);
                if rest % 1_000 > 0 {
                    put_digits(out, point_and_three_digits(rest % 1_000) >> 8, 3);
                }
                out.push(b'Z');
            }
        }
    }

    #[inline]
    fn minute(&self, minutes: i64) -> [u8; MINUTE] {
        let (known, text) = self.0.get();
        if known == minutes {
            return text;
        }
        let [text @ .., _, _] = second(minutes * 60);
        self.0.set((minutes, text));
        text
    }
}

/// Two digits, the first in the lowest byte.
const fn two_digits(value: u64) -> u64 {
    (value / 10) | ((value % 10) << 8) | 0x3030
}

/// A point and three digits, the point in the lowest byte.
const fn point_and_three_digits(value: u64) -> u64 {
    (b'.' as u64) | ((value / 100) << 8) | ((value / 10 % 10) << 16) | ((value % 10) << 24) | 0x3030_3000
}

/// Writes the day that is `days` after 1970-01-01: `2026-07-22`. What no year of four digits holds is written
/// as the number that it is.
pub(super) fn write_date(out: &mut Vec<u8>, days: i64) {
    if (FIRST / DAY..END / DAY).contains(&days) {
        out.extend_from_slice(&second(days * DAY)[..10]);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(days).as_bytes());
    }
}

fn second(seconds: i64) -> [u8; 19] {
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let of_day = seconds.rem_euclid(DAY) as u32;
    let mut text = *b"0000-00-00T00:00:00";
    digits(&mut text[..4], year);
    digits(&mut text[5..7], month);
    digits(&mut text[8..10], day);
    digits(&mut text[11..13], of_day / 3600);
    digits(&mut text[14..16], of_day / 60 % 60);
    digits(&mut text[17..], of_day % 60);
    text
}

/// The Gregorian date that is `days` after 1970-01-01, in the years 0 to 9999.
///
/// Years are counted from March, so that the leap day is a year's last, and in cycles of 400 years, which are
/// all of one length.
fn date(days: i64) -> (u32, u32, u32) {
    const CYCLE: i64 = 146_097;
    const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    let days = days + FROM_MARCH_OF_YEAR_0;
    let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    // Take out the leap days, and every year of the cycle has 365 days.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on, months of 31 and 30 days come in fives that are 153 days long.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year + i64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

fn digits(place: &mut [u8], mut value: u32) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, date, time_utc, write_date};

    #[test]
    fn times_have_as_many_digits_as_they_need() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_500_000_000, "1970-01-01T00:00:01.500Z"),
            (1_784_713_500_000_001_000, "2026-07-22T09:45:00.000001Z"),
            (1_784_713_500_000_000_001, "2026-07-22T09:45:00.000000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ] {
            assert_eq!(time_utc(ns).to_string(), text);
        }
        assert_eq!(format!("{:>22}", time_utc(0)), "  1970-01-01T00:00:00Z");
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = date(-719_528);
        assert_eq!(before, (0, 1, 1));
        for day in -719_527..2_932_897 {
            let (year, month, day_of_month) = date(day);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            let expected = match before {
                (year, 12, 31) => (year + 1, 1, 1),
                (year, month, day) if day == last[month as usize - 1] => (year, month + 1, 1),
                (year, month, day) => (year, month, day + 1),
            };
            assert_eq!((year, month, day_of_month), expected);
            before = expected;
        }
        assert_eq!(before, (9999, 12, 31));
    }

    #[test]
    fn a_time_beyond_four_digits_of_year_is_a_number() {
        let mut out = Vec::new();
        Clock::default().write(&mut out, i64::MAX, 1);
        out.push(b' ');
        write_date(&mut out, 4_000_000);
        out.push(b' ');
        write_date(&mut out, -1);
        assert_eq!(out, b"9223372036854775807 4000000 1969-12-31");
    }
}
