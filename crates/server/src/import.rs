//! Captures into a store, through the same pipeline, on the captures' own clock.
//!
//! An import has a decoder state of its own: templates that a running server knows stay untouched, and what the
//! capture's exporters say ends with the import. It holds the folder's lock, and no journal: the capture is one. A file's
//! rows count when all files are read; a failure before leaves the store as it was. In the end the new parts are merged.

use std::path::Path;

use finderscope_flow::Tables;
use finderscope_flow::builder::BATCH_ROWS;
use finderscope_intake::{Intake, Ledger, Quiet};
use finderscope_store::keeper::{KeepError, Rules};
use finderscope_store::{Committed, Cut, Options, ShardWriter, Store, StoreError};
use finderscope_transport::capture::{Capture, CaptureError, Counts};
use finderscope_transport::endpoint::File;
use finderscope_wire::delivery::{Delivery, Listener};

use crate::config::Config;
use crate::{declared, keeper};

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// What became of the datagrams.
    pub ledger: Ledger,
    /// Frames that held none, by file.
    pub frames: Vec<(String, Counts)>,
    /// Rows that are in the store now.
    pub rows: u64,
    /// Files that could not be read, or not to their end.
    pub problems: Vec<(String, CaptureError)>,
    /// Why the new parts are not merged. They count all the same.
    pub unmerged: Option<KeepError>,
}

/// Why an import failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// What the configuration declares cannot be noted.
    #[error("columns.json: {0}")]
    Columns(std::io::Error),
    /// The folder was left by a server with work to do.
    #[error(
        "shard {shard} has datagrams in its journal that are not stored yet; hint: start and stop `finderscope serve` once"
    )]
    Unsealed {
        /// Which shard.
        shard: u32,
    },
    /// None of the files could be read.
    #[error("nothing could be read: {}", .0.iter().map(|(name, error)| format!("{name}: {error}")).collect::<Vec<_>>().join("; "))]
    Nothing(Vec<(String, CaptureError)>),
}

/// Imports `files`, telling `progress` how many datagrams were read so far.
pub fn import(
    config: &Config,
    data: &Path,
    files: &[(String, File)],
    progress: &mut dyn FnMut(u64),
) -> Result<Imported, ImportError> {
    let command = crate::command::line();
    let (store, recovery) = Store::open(data, Options { shards: 1, command, ..Options::default() })?;
    for shard in &recovery.shards {
        if is_unsealed(data, shard.shard, shard.position) {
            return Err(ImportError::Unsealed { shard: shard.shard });
        }
    }
    let mut import = Import {
        intake: Intake::new(config.intake()),
        tables: Tables::default(),
        writer: store.writer(0)?,
        imported: Imported::default(),
        datagrams: 0,
    };
    declared::add(data, config.declared().unwrap_or_default()).map_err(ImportError::Columns)?;
    for (name, file) in files {
        import.file(name, file, progress)?;
    }
    let mut imported = import.finish()?;
    imported.unmerged = keeper::compact(&store, Rules::default(), &mut |_| {}).err();
    Ok(imported)
}

/// Whether the journal has datagrams at or after `stored`. What a torn end hides was never acknowledged.
fn is_unsealed(data: &Path, shard: u32, stored: u64) -> bool {
    let folder = crate::recover::journal_folder(data, shard);
    if !folder.is_dir() {
        return false;
    }
    let journal = finderscope_journal::Journal::open(&folder, finderscope_journal::Options::default());
    journal.is_ok_and(|journal| matches!(journal.replay(stored.max(1)).next(), Some(Ok(_))))
}

struct Import {
    intake: Intake,
    tables: Tables,
    writer: ShardWriter,
    imported: Imported,
    datagrams: u64,
}

impl Import {
    fn file(&mut self, name: &str, file: &File, progress: &mut dyn FnMut(u64)) -> Result<(), StoreError> {
        let mut capture = match Capture::open(file) {
            Ok(capture) => capture,
            Err(error) => {
                self.imported.problems.push((name.to_owned(), error));
                return Ok(());
            }
        };
        loop {
            let datagram = match capture.read() {
                Ok(Some(datagram)) => datagram,
                Ok(None) => break,
                Err(error) => {
                    self.imported.problems.push((name.to_owned(), error));
                    break;
                }
            };
            self.datagrams += 1;
            let delivery = Delivery {
                sequence: self.datagrams,
                received_ns: datagram.received_ns,
                source: Delivery::unmapped(datagram.source),
                listener: Listener { scheme: datagram.scheme, address: datagram.destination },
                identity: None,
                bytes: datagram.bytes,
            };
            self.intake.handle(&delivery, &mut self.tables, &mut Quiet);
            progress(self.datagrams);
            if self.tables.all().iter().any(|builder| builder.rows() >= BATCH_ROWS) {
                self.hand_over()?;
            }
        }
        self.imported.frames.push((name.to_owned(), capture.counts().clone()));
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), StoreError> {
        for builder in self.tables.all() {
            if !builder.is_empty() {
                self.writer.write(builder.table(), builder.finish())?;
            }
        }
        Ok(())
    }

    /// Makes everything count at once.
    fn finish(mut self) -> Result<Imported, ImportError> {
        self.hand_over()?;
        if self.datagrams == 0 && !self.imported.problems.is_empty() {
            return Err(ImportError::Nothing(self.imported.problems));
        }
        self.intake.cut();
        let position = self.writer.position().max(1) + self.datagrams;
        let Committed { parts, .. } = self.writer.cut(Cut { position, state: None, sync_journal: || Ok(()) })?;
        self.imported.rows = parts.iter().map(|part| part.rows).sum();
        self.imported.ledger = self.intake.totals();
        Ok(self.imported)
    }
}
