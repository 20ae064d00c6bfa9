//! Which bins may lack flows.
//!
//! An exporter tells of a long flow at the latest after its active timeout. So a bin is whole once that much time has
//! passed since its end; the longest timeout seen is the longest flow among those that were received last, in twice the time
//! that a timeout can take: by then each exporter has told of what goes on. A window cuts bins at its own ends, too: what
//! is received later than it ends is not in it, though it may have ended before.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use finderscope_query::{Bin, TimeBy, Window};

use crate::ask::Asker;
use crate::time;

/// No exporter waits longer than this, so that one impossible record does not put all bins in doubt.
const TIMEOUT_NS_MAX: i64 = 30 * 60 * 1_000_000_000;

const LONGEST: &str = "select max(cast(time_flow_end_ns as bigint) - cast(time_flow_start_ns as bigint)) from flows";

/// Tells whole bins from others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Completeness {
    /// Bins that begin before may lack flows.
    since_ns: i64,
    /// Bins that end after may lack flows.
    until_ns: i64,
    bin_ns: i64,
}

impl Completeness {
    /// Of bins of the window.
    pub(super) fn of(asker: &Asker, window: &Window, bin: Bin) -> anyhow::Result<Self> {
        let now_ns = time::parse("now")?;
        // Only what is young has to be looked at more closely.
        let ends_ns = window.until_ns.unwrap_or(i64::MAX).min(asker.span().map_or(i64::MAX, |span| span.1));
        let is_old =
            window.until_ns.is_none() && ends_ns < now_ns.saturating_sub(TIMEOUT_NS_MAX).saturating_sub(bin.ns());
        let recent_ns = ends_ns.saturating_sub(2 * TIMEOUT_NS_MAX);
        let since_ns = window.since_ns.map_or(recent_ns, |since_ns| since_ns.max(recent_ns));
        let recent = Window { since_ns: Some(since_ns), until_ns: window.until_ns, by: TimeBy::Received };
        let timeout_ns = if is_old { TIMEOUT_NS_MAX } else { longest(asker, &recent)? };
        Ok(Self::new(window, bin, now_ns, timeout_ns))
    }

    fn new(window: &Window, bin: Bin, now_ns: i64, timeout_ns: i64) -> Self {
        let until_ns = window.until_ns.unwrap_or(i64::MAX);
        let whole_ns = match window.by {
            TimeBy::Received => until_ns.min(now_ns).saturating_sub(timeout_ns),
            TimeBy::Flow => until_ns.min(now_ns.saturating_sub(timeout_ns)),
        };
        Self { since_ns: window.since_ns.unwrap_or(i64::MIN), until_ns: whole_ns, bin_ns: bin.ns() }
    }

    /// Whether the bin that begins then may lack flows.
    pub(super) const fn is_incomplete(&self, begins_ns: i64) -> bool {
        begins_ns < self.since_ns || begins_ns.saturating_add(self.bin_ns) > self.until_ns
    }
}

/// The longest flow of a window.
fn longest(asker: &Asker, window: &Window) -> anyhow::Result<i64> {
    let mut answer = asker.wait(asker.database().sql(LONGEST, window))?;
    let batches = asker.wait(answer.collect())?;
    let longest = batches.iter().filter(|batch| batch.num_rows() > 0).find_map(|batch| {
        let longest = batch.column(0).as_primitive_opt::<Int64Type>()?;
        longest.is_valid(0).then(|| longest.value(0))
    });
    Ok(longest.unwrap_or(0).clamp(0, TIMEOUT_NS_MAX))
}

#[cfg(test)]
mod tests {
    use finderscope_query::{Bin, TimeBy, Window};

    use super::Completeness;

    const MINUTE: i64 = 60_000_000_000;

    fn whole(window: Window, now: i64, timeout: i64, bins: std::ops::Range<i64>) -> Vec<i64> {
        let completeness = Completeness::new(&window, Bin::MINUTE, now * MINUTE, timeout * MINUTE);
        bins.filter(|bin| !completeness.is_incomplete(bin * MINUTE)).collect()
    }

    #[test]
    fn bins_younger_than_the_longest_timeout_may_lack_flows() {
        assert_eq!(whole(Window::ALL, 10, 3, 0..10), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(whole(Window::ALL, 10, 0, 8..12), [8, 9]);
    }

    #[test]
    fn a_window_of_receive_times_lacks_what_came_after_it() {
        let window = Window { since_ns: Some(2 * MINUTE), until_ns: Some(8 * MINUTE), by: TimeBy::Received };
        assert_eq!(whole(window, 1000, 3, 0..10), [2, 3, 4]);
    }

    #[test]
    fn a_window_of_flow_times_is_whole_to_its_ends() {
        let window = Window { since_ns: Some(2 * MINUTE), until_ns: Some(8 * MINUTE), by: TimeBy::Flow };
        assert_eq!(whole(window, 1000, 3, 0..10), [2, 3, 4, 5, 6, 7]);
        assert_eq!(whole(window, 9, 3, 0..10), [2, 3, 4, 5]);
    }
}
