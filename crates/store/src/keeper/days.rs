//! Which totals of a day are joined into one file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use finderscope_flow::Table;

use super::plan::{View, day_of};
use super::{Job, Rules};
use crate::Totals;
use crate::layout::hour_of;

/// A file is joined again with others that stand for this share of its rows at least.
const SHARE: u64 = 8;

/// The next day whose totals can be joined: it is over, and all its hours are merged.
pub(crate) fn plan(view: &View<'_>, now_ns: i64, rules: &Rules) -> Option<Job> {
    let unmerged = unmerged_days(view, now_ns, rules);
    let mut days: BTreeMap<i64, Vec<&Arc<Totals>>> = BTreeMap::new();
    for totals in view.catalog.totals.values().filter(|totals| !view.unfit.contains(&totals.path)) {
        days.entry(day_of(hour_of(totals.min_received_ns))).or_default().push(totals);
    }
    let is_over = |day: i64| !rules.is_live || day_of(hour_of(now_ns)) != day;
    let mut ready = days.into_iter().filter(|&(day, _)| is_over(day) && !unmerged.contains(&day));
    ready.find_map(|(_, files)| {
        let totals = worth_joining(files);
        (totals.len() > 1).then_some(Job::Join { totals })
    })
}

/// Days with flows that will still be merged.
fn unmerged_days(view: &View<'_>, now_ns: i64, rules: &Rules) -> BTreeSet<i64> {
    let settled = view.settled();
    let is_unmerged = |group: &super::plan::Group<'_>| {
        view.is_open(group.hour, now_ns, rules)
            || !view.is_quiet(group.table, group.hour, now_ns, rules)
            || !view.sources(group, &settled, now_ns, rules).is_empty()
    };
    let flows = view.groups().into_iter().filter(|group| group.table == Table::Flows);
    flows.filter(is_unmerged).map(|group| day_of(group.hour)).collect()
}

/// A day's large file is left alone when only little came late.
fn worth_joining(mut files: Vec<&Arc<Totals>>) -> Vec<Arc<Totals>> {
    files.sort_by(|a, b| (a.rows, &a.path).cmp(&(b.rows, &b.path)));
    let others: u64 = files.iter().rev().skip(1).map(|file| file.rows).sum();
    if files.last().is_some_and(|largest| largest.rows > SHARE * others) {
        files.pop();
    }
    files.sort_by(|a, b| (a.min_received_ns, &a.path).cmp(&(b.min_received_ns, &b.path)));
    files.into_iter().cloned().collect()
}
