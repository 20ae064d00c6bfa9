//! Rows that satisfy a condition, out of merged parts, without decoding the others.
//!
//! The general reader makes an array of every column, batch by batch, joins selections, and makes the next. Here a page of
//! [`PAGE_ROWS`](finderscope_store::PAGE_ROWS) rows, which are the same in every column, is the unit. The condition's
//! columns are decompressed first ([`condition`]); those of the answer only where rows are left, and of these only the rows that are left become
//! cells ([`column`]). A page that was decompressed for the condition serves for the answer too. For a few rows only those frames
//! of a page ([`raw`]) and parts of a dictionary ([`dictionary`]) are decompressed that have something of them.
//!
//! What the store's own encoder writes is read so ([`setup`] looks at it); any other file takes the general way. Lists, maps and
//! text, which are rare, always do ([`stock`]), for the rows that are left.

mod cells;
mod column;
mod condition;
mod dictionary;
mod group;
mod morsel;
mod packed;
mod page;
mod raw;
mod setup;
mod stock;

pub(crate) use setup::Sieve;
