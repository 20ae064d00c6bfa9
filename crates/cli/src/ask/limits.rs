//! How much a question may take: memory, room on disk, time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use finderscope_query::{Options, Spill};

use crate::time::parse_span;

/// Where large temporary files belong; `/tmp` may be memory.
const TEMPORARY: &str = "/var/tmp";

/// What a question may take.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Memory for a question, of which a third (at most 268 MB) is kept for reading; groups, sorts and joins that do not
    /// fit into the rest go to temporary files
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    memory_limit: usize,
    /// Room for temporary files; they are gone when the question is
    #[arg(long, value_name = "SIZE", default_value = "20G", value_parser = size)]
    spill_limit: usize,
    /// Where temporary files go [default: $TMPDIR, else /var/tmp]
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
    /// Give up after so long: 30s, 5m
    #[arg(long, value_name = "SPAN", value_parser = span)]
    time_limit: Option<Duration>,
}

impl LimitArgs {
    /// As the database has them.
    pub fn options(&self) -> Options {
        let folder = self.spill.clone().unwrap_or_else(temporary);
        let spill = Some(Spill { folder, limit: self.spill_limit as u64 });
        Options { memory_limit: self.memory_limit, spill, time_limit: self.time_limit, ..Options::default() }
    }
}

fn temporary() -> PathBuf {
    let large = Path::new(TEMPORARY);
    if std::env::var_os("TMPDIR").is_none() && large.is_dir() { large.to_owned() } else { std::env::temp_dir() }
}

fn span(text: &str) -> anyhow::Result<Duration> {
    Ok(Duration::try_from(parse_span(text)?)?)
}

/// A number of bytes with a decimal unit: `500M`, `4G`.
fn size(text: &str) -> anyhow::Result<usize> {
    let bad = || format!("'{text}' is no size; write 500M or 4G");
    let text = text.trim();
    let (digits, unit) = match text.to_ascii_lowercase().trim_end_matches('b').chars().last() {
        Some('k') => (1, 1_000),
        Some('m') => (1, 1_000_000),
        Some('g') => (1, 1_000_000_000),
        _ => (0, 1),
    };
    let number = text.trim_end_matches(['b', 'B']);
    let number = number.get(..number.len() - digits).with_context(bad)?;
    let number: usize = number.trim().parse().with_context(bad)?;
    number.checked_mul(unit).filter(|size| *size > 0).with_context(bad)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::{size, span};

    #[test]
    fn sizes_have_decimal_units() {
        for (text, bytes) in [("1G", 1_000_000_000), ("500 MB", 500_000_000), ("12k", 12_000), ("4096", 4_096)] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for bad in ["", "G", "0", "1.5G", "-1", "99999999999G"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_limit_is_a_span() {
        assert_eq!(span("1500ms").unwrap().as_millis(), 1_500);
        assert_eq!(span("2m").unwrap().as_secs(), 120);
        assert!(span("0s").is_err());
        assert!(span("-1s").is_err());
    }
}
