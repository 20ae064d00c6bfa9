//! Where a question's parts are found: the store's manifest as it is now, or a given list.
//!
//! Merging and retention may take a part away while a question is under way. A question that has not yet said anything
//! then looks again ([`Shelf::refresh`]) and begins anew.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use finderscope_flow::Table;
use finderscope_store::Snapshot;

use crate::part::{Part, TimeRange, Totals};
use crate::{Error, Warning};

/// What parts are listed from.
#[derive(Debug)]
pub(crate) enum Catalog {
    /// A store's folder, whose manifest is read on from where it was read to.
    Store(Box<Mutex<Snapshot>>),
    /// Exactly these.
    List(Vec<Part>, Vec<Totals>),
}

/// What there is at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    /// Parts that may hold rows of the time asked for.
    pub(crate) parts: Arc<[Part]>,
    /// Files of totals that may stand for such rows.
    pub(crate) totals: Arc<[Totals]>,
    /// What is wrong with the list itself.
    pub(crate) warnings: Vec<Warning>,
}

impl Catalog {
    /// The store in `dir`.
    pub(crate) fn of_store(dir: &Path) -> Result<Self, Error> {
        Snapshot::read(dir).map(|snapshot| Self::Store(Box::new(Mutex::new(snapshot)))).map_err(Error::Store)
    }

    /// What may hold rows received in `range`.
    fn list(&self, range: TimeRange) -> Result<Stock, Error> {
        match self {
            Self::Store(snapshot) => {
                // A snapshot that failed half-way reads the manifest anew.
                let mut snapshot = snapshot.lock().unwrap_or_else(PoisonError::into_inner);
                snapshot.refresh().map_err(Error::Store)?;
                let problems =
                    snapshot.problems().iter().map(|problem| Warning::Store { problem: problem.to_string() });
                let (parts, totals) = of_snapshot(&snapshot, range);
                Ok(Stock { parts: parts.into(), totals: totals.into(), warnings: problems.collect() })
            }
            Self::List(parts, totals) => Ok(Stock {
                parts: parts.iter().filter(|part| range.may_hold(part)).cloned().collect(),
                totals: totals.iter().filter(|totals| range.overlaps(totals)).cloned().collect(),
                warnings: Vec::new(),
            }),
        }
    }
}

fn of_snapshot(snapshot: &Snapshot, range: TimeRange) -> (Vec<Part>, Vec<Totals>) {
    let since = Some(range.first_ns);
    let until = range.last_ns.checked_add(1);
    let within = Table::ALL.into_iter().flat_map(|table| snapshot.parts_within(table, since, until));
    let (names, parts): (Vec<String>, Vec<Part>) = within
        .map(|part| {
            let of = Part {
                table: part.table,
                path: absolute(snapshot.path(&part)),
                bytes: part.file_bytes,
                rows: part.rows,
                first_ns: part.min_received_ns,
                last_ns: part.max_received_ns,
                index: part.index.as_ref().map(|index| snapshot.named(&index.path)),
            };
            (part.path.clone(), of)
        })
        .unzip();
    // A part may lie elsewhere than its name says for a while.
    let places: HashMap<&str, &PathBuf> =
        names.iter().map(String::as_str).zip(parts.iter().map(|part| &part.path)).collect();
    let kept: HashSet<&str> = snapshot.parts(Table::Flows).map(|part| part.path.as_str()).collect();
    let totals = snapshot.totals().map(|totals| Totals {
        path: absolute(snapshot.named(&totals.path)),
        bytes: totals.file_bytes,
        of: totals
            .of
            .iter()
            .map(|name| places.get(name.as_str()).map_or_else(|| snapshot.named(name), |&path| path.clone()))
            .collect(),
        outlives: totals.of.iter().any(|name| !kept.contains(name.as_str())),
        rows: totals.rows,
        first_ns: totals.min_received_ns,
        last_ns: totals.max_received_ns,
        lacks: totals.lacks.clone(),
    });
    let totals = totals.filter(|totals| range.overlaps(totals)).collect();
    (parts, totals)
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The parts of one question.
#[derive(Debug)]
pub(crate) struct Shelf {
    catalog: Arc<Catalog>,
    range: TimeRange,
    stock: RwLock<Stock>,
    /// Files of totals that turned out to be damaged.
    damaged: RwLock<HashSet<PathBuf>>,
}

impl Shelf {
    /// What `catalog` has now of rows received in `range`.
    pub(crate) fn new(catalog: Arc<Catalog>, range: TimeRange) -> Result<Self, Error> {
        let stock = RwLock::new(catalog.list(range)?);
        Ok(Self { catalog, range, stock, damaged: RwLock::default() })
    }

    /// Looks again. Totals that are `damaged` are not used any more.
    pub(crate) fn refresh(&self, damaged: impl IntoIterator<Item = PathBuf>) -> Result<(), Error> {
        self.damaged.write().unwrap_or_else(PoisonError::into_inner).extend(damaged);
        let stock = self.catalog.list(self.range)?;
        *self.stock.write().unwrap_or_else(PoisonError::into_inner) = stock;
        Ok(())
    }

    /// The parts.
    pub(crate) fn parts(&self) -> Arc<[Part]> {
        Arc::clone(&self.stock.read().unwrap_or_else(PoisonError::into_inner).parts)
    }

    /// The files of totals.
    pub(crate) fn totals(&self) -> Arc<[Totals]> {
        Arc::clone(&self.stock.read().unwrap_or_else(PoisonError::into_inner).totals)
    }

    /// Whether a file of totals can be read, as far as is known.
    pub(crate) fn is_sound(&self, totals: &Totals) -> bool {
        !self.damaged.read().unwrap_or_else(PoisonError::into_inner).contains(&totals.path)
    }

    /// What is wrong with their list.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.stock.read().unwrap_or_else(PoisonError::into_inner).warnings.clone()
    }
}
