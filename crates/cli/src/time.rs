//! Times as people type and read them: local unless they say otherwise.

use anyhow::{Context, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A point in time, in nanoseconds since 1970: RFC 3339, a local date or time, `now`, seconds
/// since 1970, or a span before now such as `-15m`.
pub fn parse(text: &str) -> anyhow::Result<i64> {
    let text = text.trim();
    if text == "now" {
        return nanoseconds(Timestamp::now());
    }
    if let Some(span) = text.strip_prefix('-') {
        return nanoseconds(Timestamp::now().checked_sub(parse_span(span)?)?);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return nanoseconds(Timestamp::from_second(seconds)?);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return nanoseconds(instant);
    }
    let local: DateTime = text.parse().with_context(|| {
        format!("'{text}' is no time; write 2026-01-31T13:00, 2026-01-31T12:00:00Z, seconds since 1970, or -15m")
    })?;
    nanoseconds(local.to_zoned(TimeZone::system())?.timestamp())
}

/// A length of time such as `90s`, `15m`, `1h`, `7d` or `1h30m`.
pub fn parse_span(text: &str) -> anyhow::Result<jiff::SignedDuration> {
    let bad = || format!("'{text}' is no length of time; write 90s, 15m, 1h, 7d or 2w");
    let span: Span = text.trim().parse().with_context(bad)?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(days).with_context(bad)?;
    if duration.is_negative() || duration.is_zero() {
        bail!(bad());
    }
    Ok(duration)
}

fn nanoseconds(instant: Timestamp) -> anyhow::Result<i64> {
    i64::try_from(instant.as_nanosecond()).context("the time is outside the years 1678 to 2262")
}

/// A window of time, half open.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Window {
    /// From this on.
    pub since_ns: Option<i64>,
    /// Before this.
    pub until_ns: Option<i64>,
}

/// The options of every question that has a window.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct WindowArgs {
    /// Only the last so-and-so much: 15m, 1h, 7d
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["since"])]
    last: Option<String>,
    /// From this time on: local time, RFC 3339, seconds since 1970 or -15m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
}

impl WindowArgs {
    /// The window that was asked for; everything where nothing was.
    pub fn window(&self) -> anyhow::Result<Window> {
        let until_ns = self.until.as_deref().map(parse).transpose().context("--until")?;
        let since_ns = match (&self.last, &self.since) {
            (Some(last), _) => {
                let end = until_ns.map_or_else(|| parse("now"), Ok)?;
                let span =
                    i64::try_from(parse_span(last).context("--last")?.as_nanos()).context("--last is too long")?;
                Some(end.saturating_sub(span))
            }
            (None, since) => since.as_deref().map(parse).transpose().context("--since")?,
        };
        if let (Some(since), Some(until)) = (since_ns, until_ns)
            && since >= until
        {
            bail!("the window is empty: it begins at or after its end");
        }
        Ok(Window { since_ns, until_ns })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn times_with_a_zone_are_absolute() {
        assert_eq!(parse("2026-01-01T00:00:00Z").unwrap(), 1_767_225_600_000_000_000);
        assert_eq!(parse("2026-01-01T01:00:00+01:00").unwrap(), 1_767_225_600_000_000_000);
        assert_eq!(parse("1767225600").unwrap(), 1_767_225_600_000_000_000);
        assert!(parse("yesterday-ish").unwrap_err().to_string().contains("yesterday-ish"));
    }

    #[test]
    fn spans_are_what_people_type() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800), ("1h30m", 5400), ("2w", 1_209_600)]
        {
            assert_eq!(parse_span(text).unwrap().as_secs(), seconds, "{text}");
        }
        for bad in ["", "0s", "-5m", "5 parsecs"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_window_that_ends_before_it_begins_is_refused() {
        let args = WindowArgs { last: None, since: Some("20".into()), until: Some("10".into()) };
        assert!(args.window().unwrap_err().to_string().contains("empty"));
    }
}
