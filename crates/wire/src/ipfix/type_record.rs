//! Type records: what an exporter says of elements that are its own (RFC 5610 section 3).
//!
//! Options data whose scope is an element's enterprise and number. [`TypeRecord`] writes them; a collector reads them
//! as any options record, by its template, since exporters choose which properties they tell.

use super::{FieldSpecifier, VARIABLE, put_variable_length};
use crate::{WireError, Writer};

/// What an element is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TypeRecord<'a> {
    /// Whose element it is.
    pub enterprise: u32,
    /// Its number.
    pub element: u16,
    /// Its abstract data type, by IANA's number.
    pub data_type: u8,
    /// Its semantics, by IANA's number.
    pub semantics: u8,
    /// Its units, by IANA's number.
    pub units: u16,
    /// The least value that it takes; 0 where that is not said.
    pub range_begin: u64,
    /// The greatest value that it takes; 0 where that is not said.
    pub range_end: u64,
    /// Its name.
    pub name: &'a str,
    /// What it means, in words.
    pub description: &'a str,
}

impl TypeRecord<'_> {
    /// The scope: privateEnterpriseNumber, informationElementId.
    pub const SCOPE: [FieldSpecifier; 2] = [FieldSpecifier::new(346, 4), FieldSpecifier::new(303, 2)];
    /// The options, in the order of RFC 5610 section 3.9.
    pub const OPTIONS: [FieldSpecifier; 7] = [
        FieldSpecifier::new(339, 1),
        FieldSpecifier::new(344, 1),
        FieldSpecifier::new(345, 2),
        FieldSpecifier::new(342, 8),
        FieldSpecifier::new(343, 8),
        FieldSpecifier::new(341, VARIABLE),
        FieldSpecifier::new(340, VARIABLE),
    ];

    /// Appends a record of the template that [`Self::SCOPE`] and [`Self::OPTIONS`] are.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), WireError> {
        writer.u32(self.enterprise).u16(self.element);
        writer.u8(self.data_type).u8(self.semantics).u16(self.units);
        writer.u64(self.range_begin).u64(self.range_end);
        put_variable_length(writer, self.name.as_bytes())?;
        put_variable_length(writer, self.description.as_bytes())
    }
}
