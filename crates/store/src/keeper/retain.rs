//! What is too old, or too much.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::plan::View;
use super::{Job, Now, Rules, clock};
use crate::layout::{Layout, hour_of};
use crate::{Cause, Part, Totals};

/// The next removal.
pub(crate) fn plan(view: &View<'_>, now: Now, rules: &Rules) -> Option<Job> {
    by_age(view, now, rules).or_else(|| by_size(view, rules))
}

fn by_age(view: &View<'_>, now: Now, rules: &Rules) -> Option<Job> {
    let keep = rules.keep_ns;
    let keep_totals = rules.keep_totals_ns.or(keep);
    let shortest = keep.into_iter().chain(keep_totals).min()?;
    let hours = view.catalog.parts.values().map(|part| hour_of(part.min_received_ns));
    let reference = clock::reference(hours, now, shortest)?;
    let is_old =
        |newest_ns: i64, keep: Option<i64>| keep.is_some_and(|keep| newest_ns < reference.saturating_sub(keep));
    let parts: Vec<_> = view.parts().filter(|part| is_old(part.max_received_ns, keep)).cloned().collect();
    let totals: Vec<_> = view.totals().filter(|file| is_old(file.max_received_ns, keep_totals)).cloned().collect();
    let any = !parts.is_empty() || !totals.is_empty();
    any.then_some(Job::Remove { cause: Cause::Age, parts, totals })
}

fn by_size(view: &View<'_>, rules: &Rules) -> Option<Job> {
    let all: u64 = view.parts().map(|part| part.bytes_on_disk()).sum::<u64>()
        + view.totals().map(|file| file.file_bytes).sum::<u64>();
    let mut excess = all.checked_sub(rules.max_bytes?).filter(|&excess| excess > 0)?;
    let mut parts: Vec<_> = view.parts().cloned().collect();
    parts.sort_by_key(|part| (hour_of(part.max_received_ns), part.max_received_ns));
    let mut totals: Vec<_> = view.totals().cloned().collect();
    totals.sort_by_key(|file| file.max_received_ns);
    let mut gone = |bytes: u64| {
        let wanted = excess > 0;
        excess = excess.saturating_sub(bytes);
        wanted
    };
    parts.truncate(parts.iter().take_while(|part| gone(part.bytes_on_disk())).count());
    totals.truncate(totals.iter().take_while(|file| gone(file.file_bytes)).count());
    Some(Job::Remove { cause: Cause::Size, parts, totals })
}

impl<'a> View<'a> {
    /// Parts that are where they belong.
    fn parts(&self) -> impl Iterator<Item = &'a Arc<Part>> {
        self.catalog.parts.values().filter(|part| !self.pending.contains(&part.path))
    }

    fn totals(&self) -> impl Iterator<Item = &'a Arc<Totals>> {
        self.catalog.totals.values()
    }
}

/// Removes hours' and days' folders that nothing lies in any more. One that is not empty refuses, and stays.
pub(crate) fn remove_empty_folders(layout: &Layout, parts: &[Arc<Part>], totals: &[Arc<Totals>]) {
    let files = parts.iter().flat_map(|part| part.files()).chain(totals.iter().map(|file| file.path.as_str()));
    for file in files {
        // The hour's, then the day's; never the table's.
        for folder in Path::new(file).ancestors().skip(1).filter(|folder| folder.components().count() > 1) {
            if fs::remove_dir(layout.dir.join(folder)).is_err() {
                break;
            }
        }
    }
}
