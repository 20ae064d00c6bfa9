//! The store as a reader sees it: which parts count, at one moment.
//!
//! Needs no lock and works while another process writes. [`Snapshot::refresh`] reads only what the manifest gained. Parts
//! that a snapshot names may be replaced while they are read: who finds one missing refreshes and asks again.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use finderscope_flow::Table;

use crate::catalog::Catalog;
use crate::layout::Layout;
use crate::recover::check;
use crate::{DiskError, Part, Problem, Stats, StoreError, Totals};

/// The parts that count, as of the last refresh.
#[derive(Clone, Debug)]
pub struct Snapshot {
    layout: Layout,
    catalog: Catalog,
    read: Progress,
}

/// How far the manifest was read.
#[derive(Clone, Debug, Default, PartialEq)]
struct Progress {
    inode: u64,
    /// Bytes of whole lines.
    whole: u64,
    /// The last of these lines, to notice when it was taken back.
    last_line: Vec<u8>,
}

impl Snapshot {
    /// Reads the manifest of the store in `dir`.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let layout = Layout::new(dir);
        let mut snapshot = Self { layout, catalog: Catalog::default(), read: Progress::default() };
        snapshot.refresh()?;
        Ok(snapshot)
    }

    /// Reads what the manifest gained since. Whether anything changed.
    pub fn refresh(&mut self) -> Result<bool, StoreError> {
        let path = self.layout.manifest();
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::NoStore { dir: self.layout.dir.clone() });
            }
            file => file.map_err(DiskError::of("read", &path))?,
        };
        let inode = file.metadata().map_err(DiskError::of("read", &path))?.ino();
        let known = if inode == self.read.inode { self.read.last_line.len() as u64 } else { 0 };
        // The last line that was read is read again: a failed record is taken back, and another follows in its place.
        let text = read_from(&mut file, if known == 0 { 0 } else { self.read.whole - known })
            .map_err(DiskError::of("read", &path))?;
        let before = self.read.clone();
        match text.strip_prefix(self.read.last_line.as_slice()) {
            Some(gained) if known > 0 => {
                let damage = self.catalog.damage.len();
                self.add(gained)?;
                if self.catalog.damage.len() > damage {
                    self.read_all(&mut file, inode)?;
                }
            }
            _ => self.read_all(&mut file, inode)?,
        }
        Ok(self.read != before)
    }

    fn read_all(&mut self, file: &mut File, inode: u64) -> Result<(), StoreError> {
        let text = read_from(file, 0).map_err(DiskError::of("read", &self.layout.manifest()))?;
        self.catalog = Catalog::default();
        self.read = Progress { inode, ..Progress::default() };
        self.add(&text)
    }

    fn add(&mut self, text: &[u8]) -> Result<(), StoreError> {
        let scan = self.catalog.apply_text(text)?;
        if scan.whole > 0 {
            self.read.whole += scan.whole as u64;
            self.read.last_line = text[scan.last_line..scan.whole].to_vec();
        }
        Ok(())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.layout.dir
    }

    /// The parts of a table, by hour.
    pub fn parts(&self, table: Table) -> impl Iterator<Item = &Arc<Part>> {
        let (first, end) = (format!("{}/", table.name()), format!("{}0", table.name()));
        // '0' is what follows '/'.
        self.catalog.parts.range(first..end).map(|(_, part)| part)
    }

    /// Those of them that may hold rows received in [since, until); no bound means no limit.
    pub fn parts_within(&self, table: Table, since_ns: Option<i64>, until_ns: Option<i64>) -> Vec<Arc<Part>> {
        let within = |part: &&Arc<Part>| {
            since_ns.is_none_or(|since| part.max_received_ns >= since)
                && until_ns.is_none_or(|until| part.min_received_ns < until)
        };
        self.parts(table).filter(within).cloned().collect()
    }

    /// The files of totals, by day.
    pub fn totals(&self) -> impl Iterator<Item = &Arc<Totals>> {
        self.catalog.totals.values()
    }

    /// Where a part's index, or a file of totals, is.
    pub fn named(&self, path: &str) -> PathBuf {
        self.layout.named(path)
    }

    /// Where a part's file is.
    pub fn path(&self, part: &Part) -> PathBuf {
        let place = self.layout.named(&part.path);
        // A merged part waits in `incoming` until its sources are gone.
        let waiting = place.file_name().map(|name| self.layout.incoming().join(name));
        match waiting {
            Some(waiting) if part.origin.is_none() && !place.exists() && waiting.exists() => waiting,
            _ => place,
        }
    }

    /// Lines of the manifest that cannot be read.
    pub fn problems(&self) -> &[Problem] {
        &self.catalog.damage
    }

    /// What is wrong with a part's file, if it is missing or not as large as it was.
    pub fn check(&self, part: &Part) -> Option<Problem> {
        check(&self.layout, part)
    }

    /// Figures for `status`.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.catalog)
    }
}

fn read_from(file: &mut File, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.read_to_end(&mut text)?;
    Ok(text)
}
