//! The manifest's records, and the lines they are written as.
//!
//! A line is one JSON object, so that people and `jq` can read it. Its last member is the CRC-32 of the
//! line's bytes before that member: `{"record":"commit",…,"crc":"0a1b2c3d"}`. A record counts when its line
//! ends in a newline and the sum is right.

use finderscope_flow::Table;
use serde::{Deserialize, Serialize};

/// The format of the records here. Members may be added without a new one; readers skip what they do not know.
pub(crate) const FORMAT: u32 = 1;

/// One line of the manifest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Record {
    /// First line: what this file is, and how many shards the folder has.
    Store { format: u32, shards: u32 },
    /// A cut: `shard` is stored up to `through` (half open), in these parts and all earlier ones.
    Commit {
        shard: u32,
        from: u64,
        through: u64,
        time_ns: i64,
        /// Every shard's position after this record, by number: what one damaged line said, the next repeats.
        positions: Vec<u64>,
        parts: Vec<Part>,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<StateFile>,
    },
    /// Parts that no longer count, and those that took their place; all at once.
    /// `removed` names parts and totals; what stands beside a part goes with it.
    Replace {
        cause: Cause,
        time_ns: i64,
        removed: Vec<String>,
        parts: Vec<Part>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        totals: Vec<Totals>,
    },
    /// From here on the folder has `states.len()` shards, which begin with these decoder states.
    Reshard { time_ns: i64, states: Vec<Option<StateFile>> },
    /// In a manifest written anew: where a shard stands.
    Shard { shard: u32, stored: u64, time_ns: i64, state: Option<StateFile> },
    /// In a manifest written anew: a part.
    Kept { part: Part },
    /// In a manifest written anew: a file of totals.
    KeptTotals { totals: Totals },
}

/// Why parts were replaced.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Several small parts became one.
    Merge,
    /// They were older than what is kept.
    Age,
    /// The store was larger than allowed.
    Size,
}

/// A file of rows, as the manifest describes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Part {
    /// Relative to the store's folder.
    pub path: String,
    /// Whose rows they are.
    #[serde(with = "table_name")]
    pub table: Table,
    /// How many.
    pub rows: u64,
    /// The file's size.
    pub file_bytes: u64,
    /// The earliest `time_received_ns`.
    pub min_received_ns: i64,
    /// The latest.
    pub max_received_ns: i64,
    /// Which deliveries the rows are of; not known of a merged part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Totals over all rows, for tables that describe traffic. Absent where a sum is beyond 64 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<Sums>,
    /// Which pages hold which addresses. Where it is absent, lost or damaged the part is read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Companion>,
}

/// A file that helps to read another and can be done without.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Companion {
    /// Relative to the store's folder.
    pub path: String,
    /// The file's size.
    pub file_bytes: u64,
}

/// A file of totals: what the rows of some flows parts add up to. It may outlive them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Relative to the store's folder.
    pub path: String,
    /// The file's size.
    pub file_bytes: u64,
    /// The paths of the parts that it stands for: all of them, whole.
    pub of: Vec<String>,
    /// How many flows these hold.
    pub rows: u64,
    /// The earliest `time_received_ns` among them.
    pub min_received_ns: i64,
    /// The latest.
    pub max_received_ns: i64,
    /// What it lacks, as `minute/in_if`; see [`crate::totals::TotalsFile::lacks`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// The deliveries of one cut.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Origin {
    /// The shard.
    pub shard: u32,
    /// The first position.
    pub from: u64,
    /// The position after the last.
    pub through: u64,
}

/// Totals over a part's rows; nulls add nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sums {
    /// `bytes` as the exporters said.
    pub bytes: u64,
    /// `packets` as the exporters said.
    pub packets: u64,
    /// `bytes` times the sampling rate, times 1 where it is unknown.
    pub bytes_scaled: u64,
    /// `packets` likewise.
    pub packets_scaled: u64,
    /// Of `bytes_scaled`, what is of rows without a known rate.
    pub bytes_assumed: u64,
    /// Of `packets_scaled`, likewise.
    pub packets_assumed: u64,
}

/// A decoder's state on disk.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StateFile {
    /// Relative to the store's folder.
    pub path: String,
    /// All deliveries before this one are in it.
    pub position: u64,
    /// The file's size.
    pub file_bytes: u64,
}

impl Part {
    /// The size of its files.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        self.file_bytes + self.index.as_ref().map_or(0, |index| index.file_bytes)
    }

    /// Its files, relative to the store's folder.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.index.as_ref().map(|index| index.path.as_str()))
    }
}

impl Record {
    /// The line, with its newline.
    pub(crate) fn to_line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("plain structs and strings always have a JSON form");
        let closing = line.pop();
        debug_assert_eq!(closing, Some(b'}'), "a tagged enum is an object");
        let crc = crc32fast::hash(&line);
        line.extend_from_slice(format!(",\"crc\":\"{crc:08x}\"}}\n").as_bytes());
        line
    }

    /// Reads a line without its newline, or says what is wrong with it.
    pub(crate) fn from_line(line: &[u8]) -> Result<Self, String> {
        const SUFFIX: usize = r#","crc":"00000000"}"#.len();
        let (body, suffix) = line.split_at_checked(line.len().saturating_sub(SUFFIX)).unwrap_or_default();
        let stated = suffix.strip_prefix(b",\"crc\":\"").and_then(|rest| rest.strip_suffix(b"\"}"));
        let Some(stated) = stated else { return Err("it does not end in a checksum".to_owned()) };
        let actual = crc32fast::hash(body);
        if stated != format!("{actual:08x}").as_bytes() {
            return Err("its checksum is wrong".to_owned());
        }
        let object = [body, b"}"].concat();
        serde_json::from_slice(&object).map_err(|error| format!("it is not a known record: {error}"))
    }
}

mod table_name {
    use super::Table;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(table: &Table, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(table.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Table, D::Error> {
        let name = String::deserialize(deserializer)?;
        Table::by_name(&name).ok_or_else(|| de::Error::custom(format!("no table is called {name}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn record() -> Record {
        let part = Part {
            path: "flows/day=2026-01-01/hour=00/0-0-2-0.parquet".into(),
            table: Table::Flows,
            rows: 7,
            file_bytes: 100,
            min_received_ns: -1,
            max_received_ns: i64::MAX,
            origin: Some(Origin { shard: 0, from: 0, through: u64::MAX }),
            sums: Some(Sums { bytes: u64::MAX, ..Sums::default() }),
            index: Some(Companion { path: "index/0.index".into(), file_bytes: 9 }),
        };
        let state = Some(StateFile { path: "state/0-1.state".into(), position: 1, file_bytes: 3 });
        Record::Commit { shard: 0, from: 0, through: 2, time_ns: 5, positions: vec![2], parts: vec![part], state }
    }

    #[test]
    fn a_line_is_json_and_reads_back() {
        let line = record().to_line();
        let line = line.strip_suffix(b"\n").unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(line).unwrap().is_object());
        assert_eq!(Record::from_line(line).unwrap(), record());
    }

    #[test]
    fn lines_of_before_there_were_totals_are_read() {
        let body = r#"{"record":"replace","cause":"age","time_ns":1,"removed":["a"],"parts":[]"#;
        let line = format!("{body},\"crc\":\"{:08x}\"}}", crc32fast::hash(body.as_bytes()));
        let Ok(Record::Replace { removed, totals, .. }) = Record::from_line(line.as_bytes()) else { panic!("{line}") };
        assert_eq!((removed, totals), (vec!["a".to_owned()], vec![]));
    }

    #[test]
    fn every_shorter_or_altered_line_is_refused() {
        let line = record().to_line();
        let line = line.strip_suffix(b"\n").unwrap();
        for end in 0..line.len() {
            Record::from_line(&line[..end]).unwrap_err();
        }
        for at in 0..line.len() {
            let mut altered = line.to_vec();
            altered[at] ^= 0x01;
            Record::from_line(&altered).unwrap_err();
        }
    }
}
