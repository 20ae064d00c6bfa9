//! The embedded store: Parquet parts, one manifest, recovery.
//!
//! A folder holds rows as Parquet files ("parts") that anybody's reader can read, and one append-only
//! manifest that says which of them count. Positions are those of a shard's journal, half open:
//! "stored at `P`" means that the rows of every delivery *before* position `P` are in parts, so replay begins at `P`.
//!
//! ```text
//! <data>/lock                                        who writes here
//! <data>/manifest                                    one JSON record a line
//! <data>/flows/day=2026-01-31/hour=07/<part>.parquet likewise counters, drops, events, options
//! <data>/index/day=2026-01-31/hour=07/<part>.index   which pages of a merged part hold which addresses
//! <data>/totals/day=2026-01-31/<…>.parquet           what flows parts add up to
//! <data>/incoming/                                   parts that are being written
//! <data>/state/<shard>-<position>.state              decoders' states
//! <data>/journal/<shard>/                            the journal's, untouched here
//! <data>/unnamed/                                    parts set aside because the manifest was damaged
//! ```
//!
//! * [`Store::open`] takes the lock, puts the folder in order, and says per shard from where to go on.
//! * [`ShardWriter`] belongs to one thread: batches in, and a [cut](ShardWriter::cut) makes them count.
//! * [`keeper::Keeper`] merges parts and removes what is not to be kept.
//! * [`Snapshot`] is for readers, in this process or another; it needs no lock.
//!
//! What holds after any crash: the manifest's parts, and the journal from its position, are all that was
//! received, once. This crate does not read journals.

mod catalog;
mod companions;
mod disk;
mod encode;
mod error;
pub mod index;
pub mod keeper;
mod layout;
mod lock;
mod manifest;
mod nulls;
mod part;
mod record;
mod recover;
mod settings;
mod shard;
mod snapshot;
mod split;
mod state;
mod stats;
mod store;
mod sums;
pub mod totals;

pub use disk::{Probe, Step};
pub use encode::PartWriter;
pub use error::{DiskError, Problem, StoreError};
pub use nulls::is_null;
pub use record::{Cause, Companion, Origin, Part, StateFile, Sums, Totals};
pub use recover::{Recovery, ShardRecovery};
pub use settings::{DICTIONARY_PART_KEY, Encoding, PAGE_ROWS, ROW_GROUP_ROWS, writer_properties};
pub use shard::{Committed, Cut, ShardWriter};
pub use snapshot::Snapshot;
pub use stats::{ShardStats, Stats, TableStats, TotalsStats};
pub use store::{Options, Store};
