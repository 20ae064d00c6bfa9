//! Which files of totals stand for which parts.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use finderscope_flow::{Column, Table};
use finderscope_store::totals::{Dimension, Level, SAMPLERS};

use super::conditions::Conditions;
use crate::part::Totals;
use crate::shelf::Shelf;

/// Files of totals, and the parts that need not be read because of them.
#[derive(Debug)]
pub(super) struct Cover {
    pub(super) level: Level,
    pub(super) dimension: Dimension,
    pub(super) files: Vec<Totals>,
    pub(super) parts: Arc<HashSet<PathBuf>>,
    /// Whether rows of other parts are left to be read, or would be if they were still kept.
    pub(super) leaves_parts: bool,
}

impl Cover {
    /// What of the shelf can be had at a level, by a dimension, of rows that satisfy the conditions.
    pub(super) fn choose(shelf: &Shelf, level: Level, dimension: Dimension, of: &Conditions) -> Option<Self> {
        let (what, range) = (dimension.at(level), of.received);
        let is_wanted = |lack: &String| *lack == what || of.by_sampler && lack == SAMPLERS;
        let tells = |totals: &Totals| !totals.lacks.iter().any(is_wanted);
        let (mut files, mut parts) = (Vec::new(), HashSet::new());
        for totals in shelf.totals().iter() {
            let fits = range.holds(totals.first_ns, totals.last_ns) && tells(totals);
            // Each part counts once, whatever a manifest says.
            let is_new = !totals.of.iter().any(|part| parts.contains(part));
            if fits && is_new && shelf.is_sound(totals) {
                parts.extend(totals.of.iter().cloned());
                files.push(totals.clone());
            }
        }
        if files.is_empty() {
            return None;
        }
        let leaves_parts = shelf
            .parts()
            .iter()
            .any(|part| part.table == Table::Flows && range.may_hold(part) && !parts.contains(&part.path));
        // Who reads rows says which are gone.
        let lacks_rows = shelf.totals().iter().any(|totals| {
            totals.outlives && range.overlaps(totals) && !files.iter().any(|used: &Totals| used.path == totals.path)
        });
        Some(Self { level, dimension, files, parts: Arc::new(parts), leaves_parts: leaves_parts || lacks_rows })
    }

    /// What it spares, in plain words.
    pub(super) fn describe(&self) -> String {
        let rows: u64 = self.files.iter().map(|totals| totals.rows).sum();
        let parts = self.parts.len();
        let over = match self.level {
            Level::Part => "over all of their time".to_owned(),
            level => format!("by {}", level.name()),
        };
        let columns: Vec<&str> = self.dimension.columns().iter().map(|column| column.name()).collect();
        let files = self.files.len();
        format!(
            "{files} file{} of totals by {}, {over}, stand{} for {parts} part{}: {rows} rows need not be read",
            if files == 1 { "" } else { "s" },
            columns.join(" and "),
            if files == 1 { "s" } else { "" },
            if parts == 1 { "" } else { "s" },
        )
    }
}

/// The dimension that has these columns and the fewest groups.
pub(super) fn dimension<'a>(columns: impl Iterator<Item = &'a Column> + Clone) -> Option<Dimension> {
    let has_all = |dimension: &Dimension| columns.clone().all(|column| dimension.columns().contains(column));
    Dimension::ALL.into_iter().find(has_all)
}

/// The coarsest level whose bins fill those of a width.
pub(super) fn level(bin_ns: i64) -> Option<Level> {
    let levels = Level::ALL.into_iter().rev();
    levels.filter_map(|level| Some((level, level.ns()?))).find(|(_, ns)| bin_ns % ns == 0).map(|(level, _)| level)
}
