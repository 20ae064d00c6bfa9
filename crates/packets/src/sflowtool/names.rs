//! Records whose names follow the order of their fields on the wire, as data.
//!
//! A row has the record's tag, what comes before its names, the word under `extendedType` or `flowSampleType` that
//! comes first, and a name for each field; none for a field that is not printed. What cannot be said in a row is
//! in [`super::flows`] and [`super::counters`].

mod counters;
mod flows;

use finderscope_wire::sflow::Tag;

pub(super) use counters::COUNTERS;
pub(super) use flows::FLOWS;

/// The names of one record.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) tag: Tag,
    /// Before each name.
    pub(super) prefix: &'static str,
    /// A name and a word that come first.
    pub(super) first: Option<(&'static str, &'static str)>,
    /// A name for each field, in order; empty where sflowtool prints none.
    pub(super) names: &'static [&'static str],
}

/// The row of a tag in a table, which stands in the order of its tags.
pub(super) fn find(table: &'static [Row], tag: Tag) -> Option<&'static Row> {
    table.get(table.binary_search_by_key(&tag, |row| row.tag).ok()?)
}

/// Writes a table: `0:1020 (extendedType "NAT PORT") ["nat_src_port", "nat_dst_port"]`, with a prefix before the list where there is one.
macro_rules! rows {
    ($($enterprise:literal:$format:literal $(($kind:ident $word:literal))? $($prefix:ident)? [$($name:literal),* $(,)?])*) => {
        &[$(Row {
            tag: Tag::new($enterprise, $format),
            prefix: concat!($(stringify!($prefix))?),
            first: rows!(@ $($kind $word)?),
            names: &[$($name),*],
        }),*]
    };
    (@) => { None };
    (@ $kind:ident $word:literal) => { Some((stringify!($kind), $word)) };
}
use rows;
