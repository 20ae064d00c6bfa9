//! What the manifest's records add up to: parts, shards' positions, and what could not be read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use finderscope_flow::Table;

use crate::layout::hour_of;
use crate::record::{FORMAT, Record};
use crate::{Part, Problem, StateFile, StoreError, Totals};

/// The sum of all records so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    /// How many shards the folder has.
    pub(crate) shards: u32,
    /// Where each shard stands, also those that the folder no longer has: positions are never used twice.
    pub(crate) marks: BTreeMap<u32, Mark>,
    /// By path, which sorts by table and hour.
    pub(crate) parts: BTreeMap<String, Arc<Part>>,
    /// By path, which sorts by day.
    pub(crate) totals: BTreeMap<String, Arc<Totals>>,
    /// Parts and totals that were replaced since the manifest was last written anew.
    pub(crate) replaced: HashSet<String>,
    /// When parts were last added to an hour of a table, as far as the manifest still says.
    pub(crate) grown: HashMap<(Table, i64), i64>,
    /// Lines that could not be read.
    pub(crate) damage: Vec<Problem>,
    /// Lines so far.
    pub(crate) lines: u64,
}

/// Where a shard stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mark {
    /// Rows of all deliveries before this position are in parts.
    pub(crate) stored: u64,
    /// When that was recorded.
    pub(crate) time_ns: i64,
    /// The decoder's state.
    pub(crate) state: Option<StateFile>,
}

/// What reading a stretch of the manifest came to.
pub(crate) struct Scan {
    /// Bytes up to and with the last newline.
    pub(crate) whole: usize,
    /// Where the last whole line began.
    pub(crate) last_line: usize,
}

impl Catalog {
    /// Applies every whole line of `text`. An unfinished last line is left: it is being written, or never was.
    pub(crate) fn apply_text(&mut self, text: &[u8]) -> Result<Scan, StoreError> {
        let mut scan = Scan { whole: 0, last_line: 0 };
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            let Some(body) = line.strip_suffix(b"\n") else { break };
            self.lines += 1;
            match Record::from_line(body) {
                Ok(record) => self.apply(record)?,
                Err(why) => self.damage.push(Problem::Manifest { line: self.lines, why }),
            }
            scan.last_line = scan.whole;
            scan.whole += line.len();
        }
        Ok(scan)
    }

    /// Applies one record.
    pub(crate) fn apply(&mut self, record: Record) -> Result<(), StoreError> {
        match record {
            Record::Store { format, .. } if format != FORMAT => {
                return Err(StoreError::Format { found: format, known: FORMAT });
            }
            Record::Store { shards, .. } => self.shards = shards,
            Record::Commit { shard, through, time_ns, positions, parts, state, .. } => {
                self.grown.extend(parts.iter().map(|part| ((part.table, hour_of(part.min_received_ns)), time_ns)));
                self.add(parts);
                for (other, &stored) in (0..).zip(&positions) {
                    self.stored(other, stored);
                }
                self.stored(shard, through);
                let mark = self.marks.entry(shard).or_default();
                mark.time_ns = time_ns;
                mark.state = state.or(mark.state.take());
            }
            Record::Replace { removed, parts, totals, .. } => {
                for path in removed {
                    self.parts.remove(&path);
                    self.totals.remove(&path);
                    self.replaced.insert(path);
                }
                self.add(parts);
                self.add_totals(totals);
            }
            Record::Reshard { states, .. } => {
                self.shards = u32::try_from(states.len()).unwrap_or(u32::MAX);
                self.marks.values_mut().for_each(|mark| mark.state = None);
                for (shard, state) in (0..).zip(states) {
                    self.marks.entry(shard).or_default().state = state;
                }
            }
            Record::Shard { shard, stored, time_ns, state } => {
                self.marks.insert(shard, Mark { stored, time_ns, state });
            }
            Record::Kept { part } => self.add(vec![part]),
            Record::KeptTotals { totals } => self.add_totals(vec![totals]),
        }
        Ok(())
    }

    fn add(&mut self, parts: Vec<Part>) {
        self.parts.extend(parts.into_iter().map(|part| (part.path.clone(), Arc::new(part))));
    }

    fn add_totals(&mut self, totals: Vec<Totals>) {
        self.totals.extend(totals.into_iter().map(|totals| (totals.path.clone(), Arc::new(totals))));
    }

    /// Every file that the parts and totals consist of, relative to the folder.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let parts = self.parts.values().flat_map(|part| part.files());
        parts.chain(self.totals.keys().map(String::as_str))
    }

    /// The files of these parts and totals; all of them have to be there.
    pub(crate) fn files_of(&self, paths: &[String]) -> Result<Vec<String>, StoreError> {
        let mut files = Vec::new();
        for path in paths {
            match self.parts.get(path) {
                Some(part) => files.extend(part.files().map(str::to_owned)),
                None if self.totals.contains_key(path) => files.push(path.clone()),
                None => return Err(StoreError::NoPart { path: path.clone() }),
            }
        }
        Ok(files)
    }

    /// Positions never go back, whatever a line says.
    fn stored(&mut self, shard: u32, position: u64) {
        let mark = self.marks.entry(shard).or_default();
        mark.stored = mark.stored.max(position);
    }

    /// Every shard's position, by number.
    pub(crate) fn positions(&self) -> Vec<u64> {
        let known = self.marks.keys().next_back().map_or(0, |&last| last + 1);
        (0..known.max(self.shards)).map(|shard| self.position(shard)).collect()
    }

    /// One shard's position.
    pub(crate) fn position(&self, shard: u32) -> u64 {
        self.marks.get(&shard).map_or(0, |mark| mark.stored)
    }

    /// The fewest records that add up to the same.
    pub(crate) fn to_records(&self) -> impl Iterator<Item = Record> {
        let first = Record::Store { format: FORMAT, shards: self.shards };
        let shards = self.marks.iter().map(|(&shard, mark)| {
            let Mark { stored, time_ns, state } = mark.clone();
            Record::Shard { shard, stored, time_ns, state }
        });
        let parts = self.parts.values().map(|part| Record::Kept { part: Part::clone(part) });
        let totals = self.totals.values().map(|totals| Record::KeptTotals { totals: Totals::clone(totals) });
        std::iter::once(first).chain(shards).chain(parts).chain(totals)
    }

    /// Whether much of it is of things that no longer matter. Whoever asks a question reads it all.
    pub(crate) fn is_wordy(&self) -> bool {
        let needed = 1 + self.marks.len() + self.parts.len() + self.totals.len();
        2 * self.lines > 3 * needed as u64 + 2_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_wordy_where_a_third_of_many_lines_matters_no_longer() {
        let mark = |shard| (shard, Mark::default());
        let marks: BTreeMap<u32, Mark> = (0..9_999).map(mark).collect();
        let wordy = |lines| Catalog { marks: marks.clone(), lines, ..Catalog::default() }.is_wordy();
        assert_eq!((wordy(10_000), wordy(16_000), wordy(16_001)), (false, false, true));
        let small = |lines| Catalog { lines, ..Catalog::default() }.is_wordy();
        assert_eq!((small(1_000), small(1_002)), (false, true));
    }
}
