//! How a cell looks: in JSON, in CSV and tables, and to people.
//!
//! * [`RecordWriter`]: whole rows, many of them. [`Cells`]: one column. [`write_json_value`] and [`write_plain`]:
//!   a cell now and then.
//! * [`human`]: numbers that people read at a glance. [`time_utc`]: a time by itself. [`plain_text`]: text from the
//!   wire in a sentence of ours.
//!
//! | cell | JSON | plain |
//! |---|---|---|
//! | numbers, also of 64 bits | a number; `null` for what is not finite | the same digits |
//! | times | RFC 3339 in UTC with `Z`, in quotes | the same without |
//! | bytes: 4, 16, other | an IPv4 address, an IPv6 address, hexadecimal, in quotes | the same without |
//! | MAC addresses | `"aa:bb:cc:dd:ee:ff"` | the same without quotes |
//! | text and words | a string | as it is |
//! | lists | an array | items with blanks between |
//! | maps, structures | an object | the same |
//! | nulls | left out of records, or `null` | nothing |
//!
//! Control and bidirectional characters are escaped in all of them. Local time is not made here: it needs a
//! zone, which only the command line has.

mod address;
mod cells;
mod changes;
mod digits;
mod escape;
pub mod human;
mod line;
mod lines;
mod record;
mod strip;
#[cfg(test)]
mod tests;
mod time;
mod value;

use arrow::array::Array;
use arrow::datatypes::Field;
use arrow::error::ArrowError;

pub use address::{write_address, write_hex, write_mac};
pub use cells::Cells;
pub use escape::{is_unsafe, plain_text, write_json_string, write_plain_text};
pub use record::{Nulls, RecordWriter, Rows};
pub use time::{TimeUtc, time_utc};

/// Writes one cell as a JSON value, `null` for a null. Fails for types that Arrow cannot print.
///
/// # Panics
/// Where there is no such row.
pub fn write_json_value(out: &mut Vec<u8>, array: &dyn Array, field: &Field, row: usize) -> Result<(), ArrowError> {
    Cells::new(&array.slice(row, 1), field)?.write_json(out, 0);
    Ok(())
}

/// Writes one cell for tables and CSV, nothing for a null. Fails for types that Arrow cannot print.
///
/// # Panics
/// Where there is no such row.
pub fn write_plain(out: &mut Vec<u8>, array: &dyn Array, field: &Field, row: usize) -> Result<(), ArrowError> {
    Cells::new(&array.slice(row, 1), field)?.write_plain(out, 0);
    Ok(())
}
