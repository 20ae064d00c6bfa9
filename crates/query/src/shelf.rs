//! Where a question's parts are found: the store's manifest as it is now, or a given list.
//!
//! Merging and retention may take a part away while a question is under way. A question that has not yet said anything
//! then looks again ([`Shelf::refresh`]) and begins anew.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use finderscope_flow::Table;
use finderscope_store::Snapshot;

use crate::part::{Part, TimeRange};
use crate::{Error, Warning};

/// What parts are listed from.
#[derive(Debug)]
pub(crate) enum Catalog {
    /// A store's folder, whose manifest is read on from where it was read to.
    Store(Box<Mutex<Snapshot>>),
    /// Exactly these.
    List(Vec<Part>),
}

impl Catalog {
    /// The store in `dir`.
    pub(crate) fn of_store(dir: &Path) -> Result<Self, Error> {
        Snapshot::read(dir).map(|snapshot| Self::Store(Box::new(Mutex::new(snapshot)))).map_err(Error::Store)
    }

    /// The parts that may hold rows received in `range`, and what is wrong with the list itself.
    fn list(&self, range: TimeRange) -> Result<(Vec<Part>, Vec<Warning>), Error> {
        match self {
            Self::Store(snapshot) => {
                // A snapshot that failed half-way reads the manifest anew.
                let mut snapshot = snapshot.lock().unwrap_or_else(PoisonError::into_inner);
                snapshot.refresh().map_err(Error::Store)?;
                let problems =
                    snapshot.problems().iter().map(|problem| Warning::Store { problem: problem.to_string() });
                Ok((parts_of(&snapshot, range), problems.collect()))
            }
            Self::List(parts) => Ok((parts.iter().filter(|part| range.may_hold(part)).cloned().collect(), Vec::new())),
        }
    }
}

fn parts_of(snapshot: &Snapshot, range: TimeRange) -> Vec<Part> {
    let part = |part: Arc<finderscope_store::Part>| Part {
        table: part.table,
        path: std::path::absolute(snapshot.path(&part)).unwrap_or_else(|_| snapshot.path(&part)),
        bytes: part.file_bytes,
        rows: part.rows,
        first_ns: part.min_received_ns,
        last_ns: part.max_received_ns,
        index: part.index.as_ref().map(|index| snapshot.named(&index.path)),
    };
    let since = Some(range.first_ns);
    let until = range.last_ns.checked_add(1);
    Table::ALL.into_iter().flat_map(|table| snapshot.parts_within(table, since, until)).map(part).collect()
}

/// The parts of one question.
#[derive(Debug)]
pub(crate) struct Shelf {
    catalog: Arc<Catalog>,
    range: TimeRange,
    parts: RwLock<(Arc<[Part]>, Vec<Warning>)>,
}

impl Shelf {
    /// What `catalog` has now of rows received in `range`.
    pub(crate) fn new(catalog: Arc<Catalog>, range: TimeRange) -> Result<Self, Error> {
        let (parts, warnings) = catalog.list(range)?;
        Ok(Self { catalog, range, parts: RwLock::new((parts.into(), warnings)) })
    }

    /// Looks again.
    pub(crate) fn refresh(&self) -> Result<(), Error> {
        let (parts, warnings) = self.catalog.list(self.range)?;
        *self.parts.write().unwrap_or_else(PoisonError::into_inner) = (parts.into(), warnings);
        Ok(())
    }

    /// The parts.
    pub(crate) fn parts(&self) -> Arc<[Part]> {
        Arc::clone(&self.parts.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// What is wrong with their list.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}
