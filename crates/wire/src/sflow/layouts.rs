//! The public list of structures, as data: which fields each tag has, and of which types.
//!
//! This is the one place to widen when a structure is added: a row in [`flows`] or [`counters`] and
//! [`super::Block`] reads it. Field names are the list's in snake_case; nested structures are laid
//! out flat. Rows stand in the order of their tags.

mod counters;
mod flows;

use super::Tag;

/// One structure of the public list.
#[derive(Debug, Eq, PartialEq)]
pub struct Layout {
    /// Its tag, among flow records or among counter records.
    pub tag: Tag,
    /// Its name in the list.
    pub name: &'static str,
    /// Its fields, in order.
    pub fields: &'static [Field],
    /// How many of the fields are in every record; the others came later and may be missing.
    pub(super) required: usize,
    /// The bytes that the required fields take, where this is the same for every record.
    pub(super) fixed_length: Option<usize>,
}

/// A field of a structure.
#[derive(Debug, Eq, PartialEq)]
pub struct Field {
    /// Its name in the list, in snake_case.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldType,
}

/// How a field lies on the wire (RFC 4506).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldType {
    /// An unsigned integer.
    U32,
    /// A signed integer.
    I32,
    /// An unsigned hyper integer.
    U64,
    /// An IEEE single.
    F32,
    /// Hundredths of a percent; all ones where not known.
    Percent,
    /// A string.
    Text,
    /// Bytes with a length.
    Opaque,
    /// So many bytes.
    Fixed(usize),
    /// A MAC address.
    Mac,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A type and an address.
    Address,
    /// A count, and so many times these fields.
    Array(&'static [Field]),
}

impl Layout {
    /// The flow structure of a tag.
    pub fn flow(tag: Tag) -> Option<&'static Self> {
        find(flows::FLOWS, tag)
    }

    /// The counter structure of a tag.
    pub fn counter(tag: Tag) -> Option<&'static Self> {
        find(counters::COUNTERS, tag)
    }

    /// All flow structures, by tag.
    pub const fn flows() -> &'static [Self] {
        flows::FLOWS
    }

    /// All counter structures, by tag.
    pub const fn counters() -> &'static [Self] {
        counters::COUNTERS
    }

    const fn new(tag: Tag, name: &'static str, required: &'static [Field], fields: &'static [Field]) -> Self {
        Self { tag, name, fields, required: required.len(), fixed_length: fixed_length(required) }
    }
}

impl FieldType {
    /// The bytes that it takes, where this does not depend on them.
    pub(super) const fn fixed_length(self) -> Option<usize> {
        match self {
            Self::U32 | Self::I32 | Self::F32 | Self::Percent | Self::Ipv4 => Some(4),
            Self::U64 | Self::Mac => Some(8),
            Self::Ipv6 => Some(16),
            Self::Fixed(length) => Some(length.next_multiple_of(4)),
            Self::Text | Self::Opaque | Self::Address | Self::Array(_) => None,
        }
    }
}

fn find(layouts: &'static [Layout], tag: Tag) -> Option<&'static Layout> {
    let place = layouts.binary_search_by_key(&tag, |layout| layout.tag).ok()?;
    layouts.get(place)
}

const fn fixed_length(mut fields: &[Field]) -> Option<usize> {
    let mut length = 0;
    while let [first, rest @ ..] = fields {
        match first.kind.fixed_length() {
            Some(own) => length += own,
            None => return None,
        }
        fields = rest;
    }
    Some(length)
}

/// Writes a list of structures as the specifications do: `0:5 vlan_counters { vlan_id: u32, octets: u64 }`.
/// Lower-case types are [`FieldType`]s, `(n)` is `Fixed(n)`, `[field: type]` is an array of these fields;
/// fields after `optional` may be missing at the end.
macro_rules! layouts {
    (
        $(#[$doc:meta])*
        $list:ident
        $($enterprise:literal : $format:literal $name:ident { $($field:ident : $kind:tt),* }
            $(optional { $($more:ident : $more_kind:tt),* })?)*
    ) => {
        $(#[$doc])*
        pub(super) static $list: &[Layout] = &[$(
            Layout::new(
                Tag::new($enterprise, $format),
                stringify!($name),
                &[$(Field { name: stringify!($field), kind: layouts!(@ $kind) }),*],
                &[
                    $(Field { name: stringify!($field), kind: layouts!(@ $kind) },)*
                    $($(Field { name: stringify!($more), kind: layouts!(@ $more_kind) },)*)?
                ],
            )
        ),*];
    };
    (@ u32) => { FieldType::U32 };
    (@ i32) => { FieldType::I32 };
    (@ u64) => { FieldType::U64 };
    (@ f32) => { FieldType::F32 };
    (@ percent) => { FieldType::Percent };
    (@ text) => { FieldType::Text };
    (@ opaque) => { FieldType::Opaque };
    (@ mac) => { FieldType::Mac };
    (@ ipv4) => { FieldType::Ipv4 };
    (@ ipv6) => { FieldType::Ipv6 };
    (@ address) => { FieldType::Address };
    (@ ($length:literal)) => { FieldType::Fixed($length) };
    (@ [$($field:ident : $kind:tt),*]) => {
        FieldType::Array(&[$(Field { name: stringify!($field), kind: layouts!(@ $kind) }),*])
    };
}
use layouts;

#[cfg(test)]
mod tests {
    use super::*;

    fn in_order(layouts: &[Layout]) -> bool {
        layouts.is_sorted_by(|one, next| one.tag < next.tag)
    }

    #[test]
    fn structures_stand_in_the_order_of_their_tags() {
        assert!(in_order(Layout::flows()) && in_order(Layout::counters()));
    }

    #[test]
    fn every_structure_can_be_found() {
        for layout in Layout::flows() {
            assert_eq!(Layout::flow(layout.tag), Some(layout));
        }
        for layout in Layout::counters() {
            assert_eq!(Layout::counter(layout.tag), Some(layout));
        }
        assert_eq!(Layout::counter(Tag::new(0, 4095)), None);
    }

    /// A walk over a record ends because each step takes bytes: an array of nothing would not.
    fn takes_bytes(fields: &[Field]) -> bool {
        !fields.is_empty()
            && fields.iter().all(|field| match field.kind {
                FieldType::Array(inner) => takes_bytes(inner),
                FieldType::Fixed(length) => length > 0,
                _ => true,
            })
    }

    #[test]
    fn every_member_of_an_array_takes_bytes() {
        let mut arrays = 0;
        for field in Layout::flows().iter().chain(Layout::counters()).flat_map(|layout| layout.fields) {
            if let FieldType::Array(inner) = field.kind {
                assert!(takes_bytes(inner), "{}", field.name);
                arrays += 1;
            }
        }
        assert!(arrays > 5);
    }

    #[test]
    fn lengths_are_those_of_the_specification() {
        let length = |tag| Layout::counter(tag).and_then(|layout| layout.fixed_length);
        assert_eq!(length(Tag::new(0, 1)), Some(88));
        assert_eq!(length(Tag::new(0, 2)), Some(52));
        assert_eq!(length(Tag::new(0, 7)), Some(56));
        assert_eq!(length(Tag::new(0, 2003)), Some(68));
        assert_eq!(length(Tag::new(0, 2000)), None);
    }
}
