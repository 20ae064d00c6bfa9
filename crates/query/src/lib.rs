//! SQL and the short filter language over the store.
//!
//! * [`Database`]: a store's folder, or batches in memory, to be asked. Each question sees the parts that were
//!   committed when it was asked; no lock is taken, so `serve` may run beside it.
//! * [`Answer`]: a stream of batches, with its schema, its progress and its warnings.
//! * [`Filter`]: the short filter language, with nfdump's words.
//! * [`Database::top`], [`Database::series`], [`Database::flows`]: the questions that have a command of their own.
//!
//! Volumes in filters, tops and series are the scaled ones: what the exporter said times its sampling rate.
//! This crate is the only one that knows the planner (DataFusion); its types do not show in the interface.

mod address;
mod answer;
mod blocking;
mod columns;
mod compact;
mod database;
mod error;
mod files;
pub mod filter;
mod flows;
mod functions;
mod largest;
mod lineage;
mod literals;
mod names;
mod nearest;
mod offsets;
mod output;
mod pages;
mod part;
mod part_file;
mod pool;
mod question;
mod same;
mod scan;
mod schema;
mod series;
mod shelf;
mod sieve;
mod source;
mod spread;
mod sql;
mod summary;
mod tally;
mod top;
mod totals;
mod uses;
mod views;
mod wanted;
mod watch;
mod window;
mod yielding;

pub use answer::Answer;
pub use blocking::{BlockingAnswer, BlockingDatabase};
pub use columns::{Key, Measure, columns_by_alias, ranking};
pub use database::{Database, Options, Spill};
pub use error::Error;
pub use filter::Filter;
pub use flows::{FlowsQuestion, Order};
pub use names::{Name, UserColumn, UserKind};
pub use output::write_parquet;
pub use part::{Part, Totals};
pub use series::{Bin, SeriesQuestion};
pub use summary::Summary;
pub use top::{Top, TopQuestion};
pub use views::COMPUTED;
pub use watch::{Meter, Progress, Warning};
pub use window::{TimeBy, Window};
