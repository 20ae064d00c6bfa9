//! Totals: what a part's rows add up to, by one column at a time and by time, so that questions need not read the rows.
//!
//! A file of totals is a Parquet file beside the parts. Each row stands for all flows of one group: its `level` says
//! whether over everything (`part`) or over a `minute`, an `hour` or a `day` that begins at `time`; its `dimension` by
//! which columns. Volumes are spread over the time that flows took by [`Span`]'s rule, so what minutes add up to is what
//! their hour says. Rows of one level and dimension are a row group (or several that follow each other), sorted by the
//! dimension's columns and then by time, with small pages and statistics, so that one interface's year reads little.
//!
//! * [`TotalsBuilder`] takes batches of flows in any order, in bounded memory: what would need more is left out, and
//!   [`TotalsFile::lacks`] names it.
//! * [`merge`] makes one file of several: a day's of its hours'.
//! * [`schema`], [`Level`] and [`Dimension`] tell a reader what it finds.
//!
//! Sums are exact or not there: where one is beyond 64 bits its dimension is left out, or the file is not made.

mod bins;
mod builder;
mod cells;
mod dimension;
mod key;
mod measures;
mod merge;
mod read;
mod spread;
mod write;

pub use builder::TotalsBuilder;
pub use dimension::{Dimension, Level, SAMPLERS, columns, schema};
pub use merge::merge;
pub use spread::{Slice, Span};
pub use write::TotalsFile;
