//! How much is kept: figures for `status`, all from the manifest.

use std::collections::BTreeMap;

use finderscope_flow::Table;

use crate::StateFile;
use crate::catalog::Catalog;

/// Figures of a whole store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// By table's name; every table is there.
    pub tables: BTreeMap<&'static str, TableStats>,
    /// By shard, also those that the folder no longer has.
    pub shards: BTreeMap<u32, ShardStats>,
    /// Files of totals.
    pub totals: TotalsStats,
}

/// Figures of the files of totals.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TotalsStats {
    /// Files.
    pub files: u64,
    /// Flows that they stand for.
    pub rows: u64,
    /// Their size on disk.
    pub file_bytes: u64,
    /// The earliest and latest receive time.
    pub span_ns: Option<(i64, i64)>,
}

/// Figures of one table.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TableStats {
    /// Files.
    pub parts: u64,
    /// How many of them took the place of others.
    pub merged_parts: u64,
    /// Rows in them.
    pub rows: u64,
    /// Their size on disk.
    pub file_bytes: u64,
    /// The size of the indexes beside them.
    pub index_bytes: u64,
    /// The earliest and latest receive time.
    pub span_ns: Option<(i64, i64)>,
}

/// Where a shard stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ShardStats {
    /// Rows of all deliveries before this position are stored.
    pub position: u64,
    /// When its last cut was recorded.
    pub last_cut_ns: Option<i64>,
    /// The position of the decoder's state that is kept.
    pub state_position: Option<u64>,
}

impl Stats {
    pub(crate) fn of(catalog: &Catalog) -> Self {
        let mut tables: BTreeMap<_, _> =
            Table::ALL.into_iter().map(|table| (table.name(), TableStats::default())).collect();
        for part in catalog.parts.values() {
            let table = tables.entry(part.table.name()).or_default();
            table.parts += 1;
            table.rows += part.rows;
            table.file_bytes += part.file_bytes;
            table.merged_parts += u64::from(part.origin.is_none());
            table.index_bytes += part.index.as_ref().map_or(0, |index| index.file_bytes);
            widen(&mut table.span_ns, part.min_received_ns, part.max_received_ns);
        }
        let mut totals = TotalsStats::default();
        for file in catalog.totals.values() {
            totals.files += 1;
            totals.rows += file.rows;
            totals.file_bytes += file.file_bytes;
            widen(&mut totals.span_ns, file.min_received_ns, file.max_received_ns);
        }
        let shards = catalog.marks.iter().map(|(&shard, mark)| {
            let last_cut_ns = (mark.time_ns != 0).then_some(mark.time_ns);
            let state_position = mark.state.as_ref().map(|state: &StateFile| state.position);
            (shard, ShardStats { position: mark.stored, last_cut_ns, state_position })
        });
        Self { tables, shards: shards.collect(), totals }
    }
}

fn widen(span: &mut Option<(i64, i64)>, first: i64, last: i64) {
    let (earliest, latest) = span.unwrap_or((first, last));
    *span = Some((earliest.min(first), latest.max(last)));
}
