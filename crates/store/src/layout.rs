//! Where things lie in the folder, and what a part is called.
//!
//! A part's name says whose rows it holds: `<shard>-<from>-<through>-<n>.parquet`, or `merged-<…>.parquet` for one
//! that took the place of others. Names sort by shard and position, and none is used twice for parts that count.

use std::path::{Path, PathBuf};

use finderscope_flow::Table;

use crate::Origin;

/// Nanoseconds in an hour.
pub(crate) const HOUR_NS: i64 = 3_600_000_000_000;

/// The paths of one store.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.dir.join("manifest")
    }

    pub(crate) fn manifest_new(&self) -> PathBuf {
        self.dir.join("manifest.new")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    pub(crate) fn unnamed(&self) -> PathBuf {
        self.dir.join("unnamed")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.dir.join("index")
    }

    pub(crate) fn totals(&self) -> PathBuf {
        self.dir.join("totals")
    }

    pub(crate) fn table(&self, table: Table) -> PathBuf {
        self.dir.join(table.name())
    }

    /// The place of a path that the manifest names.
    pub(crate) fn named(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    /// How the manifest and problems name a place.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().into_owned()
    }
}

/// Which hour a time belongs to, counted from 1970.
pub(crate) const fn hour_of(time_ns: i64) -> i64 {
    time_ns.div_euclid(HOUR_NS)
}

/// `flows/day=2026-01-31/hour=07`, relative to the store.
pub(crate) fn hour_folder(table: Table, hour: i64) -> String {
    folder_of(table.name(), hour)
}

/// Where the indexes of an hour's parts lie.
pub(crate) fn index_folder(hour: i64) -> String {
    folder_of("index", hour)
}

/// Where the totals of an hour's day lie.
pub(crate) fn totals_folder(hour: i64) -> String {
    let folder = folder_of("totals", hour);
    folder.rsplit_once('/').map_or_else(String::new, |(day, _)| day.to_owned())
}

fn folder_of(name: &str, hour: i64) -> String {
    let start = jiff::Timestamp::from_second(hour * 3600)
        .expect("64 bits of nanoseconds span the years 1677 to 2262, which are all representable")
        .to_zoned(jiff::tz::TimeZone::UTC);
    format!("{name}/day={:04}-{:02}-{:02}/hour={:02}", start.year(), start.month(), start.day(), start.hour())
}

/// The name of a shard's part.
pub(crate) fn part_name(origin: Origin, number: u64) -> String {
    let Origin { shard, from, through } = origin;
    format!("{shard}-{from:016x}-{through:016x}-{number}.parquet")
}

/// What [`part_name`] was told; `None` for every other name.
pub(crate) fn parse_part_name(name: &str) -> Option<Origin> {
    let mut words = name.strip_suffix(".parquet")?.split('-');
    let shard = words.next()?.parse().ok()?;
    let [from, through] = [words.next()?, words.next()?].map(|word| u64::from_str_radix(word, 16).ok());
    let number: u64 = words.next()?.parse().ok()?;
    let origin = Origin { shard, from: from?, through: through? };
    (words.next().is_none() && part_name(origin, number) == name).then_some(origin)
}

/// Whether a name is that of a part that took the place of others.
pub(crate) fn is_merged_name(name: &str) -> bool {
    name.starts_with("merged-") && name.ends_with(".parquet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_folders_in_utc_also_before_1970() {
        assert_eq!(hour_folder(Table::Flows, hour_of(1_767_225_600 * 1_000_000_000)), "flows/day=2026-01-01/hour=00");
        assert_eq!(totals_folder(hour_of(-1)), "totals/day=1969-12-31");
        assert_eq!(hour_folder(Table::Drops, hour_of(-1)), "drops/day=1969-12-31/hour=23");
        assert_eq!(hour_folder(Table::Flows, hour_of(i64::MIN)), "flows/day=1677-09-21/hour=00");
        assert_eq!(hour_folder(Table::Flows, hour_of(i64::MAX)), "flows/day=2262-04-11/hour=23");
    }

    #[test]
    fn a_parts_name_says_whose_rows_it_holds() {
        let origin = Origin { shard: 3, from: 0x1_0000, through: u64::MAX };
        assert_eq!(parse_part_name(&part_name(origin, 12)), Some(origin));
        for stranger in [
            "a.parquet",
            "3-1-2-0.parquet",
            "merged-1.parquet",
            "3-0-0.parquet",
            "",
            "0-0000000000000000-0000000000000001-00.parquet",
        ] {
            assert_eq!(parse_part_name(stranger), None, "{stranger}");
        }
    }
}
