//! How long bins are.

use anyhow::Context;
use finderscope_query::{Bin, Window};

use crate::time;

/// Bins that a series has at most when nobody says how long they are.
const FITTING_BINS: i64 = 60;
/// Lengths that people count in, in seconds.
const SECONDS: [u32; 15] = [1, 5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];

/// How long a bin was asked to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Every {
    /// As long as it must be for a chart that can be looked over.
    Auto,
    /// So long.
    Bin(Bin),
}

/// Reads `auto` or a length of time in whole seconds.
pub(super) fn every(text: &str) -> anyhow::Result<Every> {
    if text == "auto" {
        return Ok(Every::Auto);
    }
    let length = time::parse_span(text).context("--every")?;
    let seconds = u32::try_from(length.as_secs()).ok().filter(|_| length.subsec_nanos() == 0);
    let bin = seconds.and_then(Bin::seconds);
    bin.map(Every::Bin).with_context(|| format!("--every: '{text}' is not a number of whole seconds"))
}

/// A length that makes few enough bins of the window, whose open sides end where the rows do.
pub(super) fn fitting(window: &Window, rows: Option<(i64, i64)>) -> Bin {
    let since = window.since_ns.or(rows.map(|rows| rows.0));
    let until = window.until_ns.or(rows.map(|rows| rows.1));
    let span = since.zip(until).map_or(0, |(since, until)| until.saturating_sub(since));
    let mut bins = SECONDS.into_iter().filter_map(Bin::seconds);
    bins.find(|bin| span / bin.ns() < FITTING_BINS).unwrap_or(Bin::DAY)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::{Every, every, fitting};
    use finderscope_query::{Bin, Window};

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn lengths_are_whole_seconds() {
        assert_eq!(every("auto").unwrap(), Every::Auto);
        assert_eq!(every("5m").unwrap(), Every::Bin(Bin::seconds(300).unwrap()));
        for bad in ["", "1500ms", "0s", "soon"] {
            assert!(every(bad).unwrap_err().to_string().contains("--every"), "{bad}");
        }
    }

    #[test]
    fn the_fitting_length_makes_at_most_sixty_bins() {
        let of = |seconds: i64| fitting(&Window::ALL, Some((0, seconds * SECOND))).ns() / SECOND;
        assert_eq!(of(59), 1);
        assert_eq!(of(3_599), 60);
        assert_eq!(of(3_600), 300);
        assert_eq!(of(86_399), 1_800);
        assert_eq!(of(400 * 86_400), 86_400);
        assert_eq!(fitting(&Window::ALL, None).ns(), SECOND);
        let window = Window { since_ns: Some(0), ..Window::ALL };
        assert_eq!(fitting(&window, Some((3_000 * SECOND, 3_500 * SECOND))).ns(), 60 * SECOND);
    }
}
