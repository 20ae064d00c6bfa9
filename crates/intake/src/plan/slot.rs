//! The fields of a template that have a length, and what each of them is.

use finderscope_flow::registry::Mapping;
use finderscope_wire::ipfix::{Dialect, FieldSpecifier};

use super::key::{self, Direction, Key};
use crate::cells::Field;

/// A field with length, and what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) specifier: FieldSpecifier,
    pub(super) scope: bool,
    pub(super) field: Field,
    pub(super) key: Key,
    /// Where the operator's rule for it stands.
    pub(super) rule: Option<usize>,
    /// The column that the rule names.
    pub(super) mapped: Option<Mapping>,
}

impl Slot {
    /// IANA's number, of either direction.
    pub(super) fn element(&self) -> Option<(u16, Direction)> {
        (self.key.enterprise == 0).then_some((self.key.element, self.key.direction))
    }

    pub(super) fn is(&self, elements: &[u16], direction: Direction) -> bool {
        self.element().is_some_and(|(element, of)| of == direction && elements.contains(&element))
    }
}

/// The slots of `fields`, of which the first `scope` are of the scope.
pub(super) fn slots(fields: &[FieldSpecifier], scope: usize, dialect: Dialect) -> Vec<Slot> {
    let mut offset = 0;
    let is_nprobe = key::is_nprobe(fields, dialect);
    let with_length = fields.iter().enumerate().filter(|(_, specifier)| specifier.length > 0);
    let slot = |(index, (at, &specifier)): (usize, (usize, &FieldSpecifier))| {
        let field = Field { index: index as u16, offset, length: specifier.length };
        // Offsets are only used where no field varies.
        offset = offset.saturating_add(specifier.length.into());
        Slot {
            specifier,
            scope: at < scope,
            field,
            key: Key::of(specifier, dialect, is_nprobe),
            rule: None,
            mapped: None,
        }
    };
    with_length.enumerate().map(slot).collect()
}
