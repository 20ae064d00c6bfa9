//! Information elements of IPFIX and NetFlow v9 by number and name (RFC 7012), and the columns that they fill.
//!
//! The tables are generated from IANA's registry by `cargo run -p finderscope-xtask -- registry` and kept in the
//! repository. [`element`] is an index into a table; [`mappings`] is what the reader of records asks once per
//! template. Nothing here is learned at run time: names that exporters tell (RFC 5610) are their state, not ours.

mod element;
mod generated;
mod mapping;
mod reverse;
#[cfg(test)]
mod tests;
mod types;
mod values;

pub use element::{Element, by_name, element, elements};
pub use mapping::{Conversion, MAPPINGS, Mapping, column_of, mappings};
pub use reverse::REVERSE_ENTERPRISE;
pub use types::{DataType, Semantics, Units};
pub use values::{protocol_name, protocol_number, value_name, value_names};

/// When IANA last changed the registry that this is, as year-month-day.
pub const UPDATED: &str = generated::UPDATED;
