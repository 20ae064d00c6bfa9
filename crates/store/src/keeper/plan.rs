//! Which parts are merged next. A function of the manifest, the time and the rules.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use finderscope_flow::Table;

use super::{Job, Rules};
use crate::Part;
use crate::catalog::Catalog;
use crate::layout::{HOUR_NS, hour_of};

/// Rows whose rewriting costs nothing worth a rule.
const FEW_ROWS: u64 = 1 << 16;
/// A merged part is merged again with others that have this share of its rows at least.
const SHARE: u64 = 8;
/// After its end an hour runs on for so long: rows of its last seconds are still on their way.
const LATE_NS: i64 = 60_000_000_000;

/// What can be seen of the store.
pub(crate) struct View<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Parts and totals that cannot be read.
    pub(crate) unfit: &'a BTreeSet<String>,
    /// Parts that are not in their place yet.
    pub(crate) pending: &'a BTreeSet<String>,
}

/// The parts of one table and hour.
pub(crate) struct Group<'a> {
    pub(crate) table: Table,
    pub(crate) hour: i64,
    pub(crate) parts: Vec<&'a Arc<Part>>,
}

/// The next merge.
pub(crate) fn plan(view: &View<'_>, now_ns: i64, rules: &Rules) -> Option<Job> {
    let settled = view.settled();
    let mut groups = view.groups();
    groups.sort_by_key(|group| (group.hour, group.table));
    groups.iter().find_map(|group| {
        let sources = view.sources(group, &settled, now_ns, rules);
        (!sources.is_empty()).then_some(Job::Merge { table: group.table, sources })
    })
}

impl<'a> View<'a> {
    pub(crate) fn groups(&self) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for part in self.catalog.parts.values() {
            let (table, hour) = (part.table, hour_of(part.min_received_ns));
            match groups.last_mut() {
                Some(group) if (group.table, group.hour) == (table, hour) => group.parts.push(part),
                _ => groups.push(Group { table, hour, parts: vec![part] }),
            }
        }
        groups
    }

    /// Parts that share a file of totals with others: it would have to be made anew from all of them.
    pub(crate) fn settled(&self) -> HashSet<&'a str> {
        let shared = self.catalog.totals.values().filter(|totals| totals.of.len() > 1);
        shared.flat_map(|totals| totals.of.iter().map(String::as_str)).collect()
    }

    /// Whether rows may still be added to an hour in the ordinary course of things.
    pub(crate) fn is_open(&self, hour: i64, now_ns: i64, rules: &Rules) -> bool {
        rules.is_live && (hour_of(now_ns) == hour || hour_of(now_ns.saturating_sub(LATE_NS)) == hour)
    }

    /// Whether nothing was added for a while. What was added in the future was added under another clock.
    pub(crate) fn is_quiet(&self, table: Table, hour: i64, now_ns: i64, rules: &Rules) -> bool {
        let grown = self.catalog.grown.get(&(table, hour));
        grown.is_none_or(|&grown| now_ns < grown || now_ns.saturating_sub(grown) >= rules.quiet_ns)
    }

    /// The parts to merge now, in the order of their rows; none where there is nothing to gain.
    pub(crate) fn sources(
        &self,
        group: &Group<'a>,
        settled: &HashSet<&str>,
        now_ns: i64,
        rules: &Rules,
    ) -> Vec<Arc<Part>> {
        let fit = |part: &&&Arc<Part>| {
            let path = part.path.as_str();
            !self.unfit.contains(path) && !self.pending.contains(path) && !settled.contains(path)
        };
        let (cut, merged): (Vec<_>, Vec<_>) =
            group.parts.iter().filter(fit).copied().partition(|part| part.origin.is_some());
        if self.is_open(group.hour, now_ns, rules) {
            return if is_much(&cut, rules) { fill(cut, rules) } else { Vec::new() };
        }
        if !self.is_quiet(group.table, group.hour, now_ns, rules) {
            return Vec::new();
        }
        let small = merged.into_iter().filter(|part| is_small(part, rules)).collect();
        let sources = fill(with_merged(cut, small), rules);
        // One merged part by itself is as it should be.
        if matches!(&sources[..], [only] if only.origin.is_none()) { Vec::new() } else { sources }
    }
}

/// Whether a running hour has gathered enough.
fn is_much(cut: &[&Arc<Part>], rules: &Rules) -> bool {
    let rows: u64 = cut.iter().map(|part| part.rows).sum();
    let bytes: u64 = cut.iter().map(|part| part.file_bytes).sum();
    cut.len() >= rules.gather_parts || rows >= rules.part_rows || bytes >= rules.part_bytes
}

fn is_small(part: &Part, rules: &Rules) -> bool {
    part.rows < rules.part_rows / 2 && part.file_bytes < rules.part_bytes / 2
}

/// Adds small merged parts, the smallest first, as long as what they are merged with is not little beside them.
fn with_merged<'a>(cut: Vec<&'a Arc<Part>>, mut small: Vec<&'a Arc<Part>>) -> Vec<&'a Arc<Part>> {
    small.sort_by_key(|part| part.rows);
    let mut sources = cut;
    let mut rows: u64 = sources.iter().map(|part| part.rows).sum();
    if sources.is_empty() {
        rows = small.first().map_or(0, |part| part.rows);
    }
    for part in small {
        if part.rows > SHARE * rows.max(FEW_ROWS) {
            break;
        }
        rows += part.rows;
        sources.push(part);
    }
    sources
}

/// As many as make one part, in the order of their first rows.
fn fill(mut parts: Vec<&Arc<Part>>, rules: &Rules) -> Vec<Arc<Part>> {
    parts.sort_by(|a, b| (a.min_received_ns, &a.path).cmp(&(b.min_received_ns, &b.path)));
    let (mut rows, mut bytes) = (0u64, 0u64);
    let mut sources: Vec<Arc<Part>> = Vec::new();
    for part in parts {
        let fits = rows + part.rows <= rules.part_rows && bytes + part.file_bytes <= rules.part_bytes;
        if fits || sources.is_empty() {
            rows += part.rows;
            bytes += part.file_bytes;
            sources.push(Arc::clone(part));
        }
    }
    sources
}

/// The first nanosecond of the day that an hour belongs to.
pub(crate) const fn day_of(hour: i64) -> i64 {
    hour.div_euclid(24).saturating_mul(24 * HOUR_NS)
}
