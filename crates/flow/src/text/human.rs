//! Numbers for people: decimal prefixes and one digit (`12.3 M`), rates (`1.2 Gbit/s`), durations (`2 min 3 s`).
//!
//! JSON and CSV have plain integers; nothing here is meant to be read back.

use std::fmt;

const PREFIXES: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// A number with a unit, scaled; widths and alignments of format strings apply.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    value: f64,
    unit: &'static str,
}

/// A count without a unit: `999`, `12.3 M`.
pub const fn count(value: u64) -> Quantity {
    quantity(value as f64, "")
}

/// Bytes: `999 B`, `12.3 MB`.
pub const fn bytes(value: u64) -> Quantity {
    quantity(value as f64, "B")
}

/// Anything with a unit, such as `bit/s`, `packet/s` or `flow/s`: `1.2 Gbit/s`.
pub const fn quantity(value: f64, unit: &'static str) -> Quantity {
    Quantity { value, unit }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, prefix) = scale(self.value);
        let number = if prefix.is_empty() && is_whole(value) { format!("{value:.0}") } else { format!("{value:.1}") };
        let space = if prefix.is_empty() && self.unit.is_empty() { "" } else { " " };
        f.pad(&format!("{number}{space}{prefix}{}", self.unit))
    }
}

/// The value under 1000, rounded to a tenth, and the prefix that makes up for it.
fn scale(value: f64) -> (f64, &'static str) {
    let mut value = value;
    for prefix in PREFIXES {
        let rounded = (value * 10.0).round() / 10.0;
        if rounded.abs() < 1000.0 || prefix == PREFIXES[PREFIXES.len() - 1] || !value.is_finite() {
            return (rounded, prefix);
        }
        value /= 1000.0;
    }
    unreachable!("the last prefix takes what is left")
}

fn is_whole(value: f64) -> bool {
    value.fract() == 0.0
}

/// A time span: its two largest units, or one with a digit below a minute. Made by [`duration`].
#[derive(Clone, Copy, Debug)]
pub struct Span(i64);

/// Nanoseconds as a time span: `1.5 ms`, `12.3 s`, `2 min 3 s`, `3 d 4 h`.
pub const fn duration(ns: i64) -> Span {
    Span(ns)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        f.pad(&format!("{sign}{}", span(self.0.unsigned_abs())))
    }
}

fn span(ns: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("ns", 1), ("µs", 1_000), ("ms", 1_000_000)];
    for (unit, size) in UNITS {
        if ns < rounds_up_to(size * 1000, size) {
            return short(ns, size, unit);
        }
    }
    if ns < rounds_up_to(60_000_000_000, 1_000_000_000) {
        return short(ns, 1_000_000_000, "s");
    }
    let seconds = ns.saturating_add(500_000_000) / 1_000_000_000;
    match seconds {
        0..3_600 => pair(seconds, (60, "min"), (1, "s")),
        3_600..86_400 => pair(seconds, (3_600, "h"), (60, "min")),
        _ => pair(seconds, (86_400, "d"), (3_600, "h")),
    }
}

/// The smallest number that, in tenths of `size`, rounds to `limit`.
const fn rounds_up_to(limit: u64, size: u64) -> u64 {
    limit - size / 20
}

fn short(ns: u64, size: u64, unit: &str) -> String {
    let value = (ns as f64 / size as f64 * 10.0).round() / 10.0;
    if is_whole(value) { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

fn pair(seconds: u64, large: (u64, &str), small: (u64, &str)) -> String {
    let (count, rest) = (seconds / large.0, seconds % large.0 / small.0);
    if rest == 0 { format!("{count} {}", large.1) } else { format!("{count} {} {rest} {}", large.1, small.1) }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, duration, quantity};

    #[test]
    fn counts_have_decimal_prefixes_and_one_digit() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0 k"),
            (12_345_678, "12.3 M"),
            (999_949, "999.9 k"),
            (999_950, "1.0 M"),
            (u64::MAX, "18.4 E"),
        ] {
            assert_eq!(count(value).to_string(), text);
        }
        assert_eq!(bytes(999).to_string(), "999 B");
        assert_eq!(format!("{:>9}|", bytes(1_500_000)), "   1.5 MB|");
    }

    #[test]
    fn rates_carry_the_prefix_on_the_unit() {
        assert_eq!(quantity(1.2e9, "bit/s").to_string(), "1.2 Gbit/s");
        assert_eq!(quantity(0.25, "packet/s").to_string(), "0.3 packet/s");
        assert_eq!(quantity(999.96, "flow/s").to_string(), "1.0 kflow/s");
        assert_eq!(quantity(-2_500.0, "bit/s").to_string(), "-2.5 kbit/s");
        assert_eq!(quantity(5e24, "bit/s").to_string(), "5000000.0 Ebit/s");
        assert_eq!(quantity(f64::NAN, "bit/s").to_string(), "NaN bit/s");
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (999_960, "1 ms"),
            (1_500_000, "1.5 ms"),
            (12_345_000_000, "12.3 s"),
            (59_960_000_000, "1 min"),
            (123_000_000_000, "2 min 3 s"),
            (3_600_000_000_000, "1 h"),
            (5_400_000_000_000, "1 h 30 min"),
            (273_600_000_000_000, "3 d 4 h"),
            (-1_500_000, "-1.5 ms"),
        ] {
            assert_eq!(duration(ns).to_string(), text);
        }
        assert!(duration(i64::MIN).to_string().starts_with("-106751 d"));
    }
}
