//! What a flow, a counter and an exporter are here.
//!
//! * [`Column`]: the one table of columns. SQL, JSON, filters, the manual and every sink take names,
//!   types and meanings from it; a column is declared once.
//! * [`Builder`]: rows of one [`Table`] as columns, filled by runs; closed into Arrow batches.
//! * [`registry`]: IANA's information elements by number and name.
//! * [`SamplingParameters`]: a rate out of what exporters tell of their sampling.
//! * [`text`]: how a cell looks to a person, in JSON and in CSV.

pub mod builder;
mod column;
mod kind;
pub mod registry;
mod sampling;
mod table;
pub mod text;
mod words;

pub use builder::{Addresses, Builder, Tables};
pub use column::Column;
pub use kind::Kind;
pub use sampling::SamplingParameters;
pub use table::Table;
pub use words::{Biflow, FlowType, SamplingSource, TimeSource};
