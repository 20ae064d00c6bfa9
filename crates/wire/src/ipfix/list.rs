//! Structured data: lists inside a field (RFC 6313).
//!
//! A [`BasicList`] repeats one element, a [`SubTemplateList`] records of one template, a [`SubTemplateMultiList`] such
//! lists of several templates. Each begins with how its members relate. They nest; how deep is for the caller to
//! bound. Nothing here knows a template: records come out as the bytes that they are. The `put` functions write what
//! the views read, without the length of the field around it ([`super::put_variable_length`]).

use super::data::variable_length;
use super::template::{ENTERPRISE_BIT, FieldSpecifier, VARIABLE};
use super::{put_variable_length, shortest};
use crate::{Problem, Reader, WireError, Writer};

/// Template id and length before the records of a list in a list of lists.
const ENTRY_HEADER: usize = 4;

/// How the members of a list relate (RFC 6313 section 4.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ListSemantic {
    /// None of them is a property.
    NoneOf,
    /// Exactly one is, without saying which.
    ExactlyOneOf,
    /// One or more are.
    OneOrMoreOf,
    /// All are.
    AllOf,
    /// All are, in this order.
    Ordered,
    /// Not said.
    Undefined,
    /// A number that the RFC does not know.
    Other(u8),
}

impl ListSemantic {
    /// The one of that number.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::NoneOf,
            1 => Self::ExactlyOneOf,
            2 => Self::OneOrMoreOf,
            3 => Self::AllOf,
            4 => Self::Ordered,
            255 => Self::Undefined,
            other => Self::Other(other),
        }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::NoneOf => 0,
            Self::ExactlyOneOf => 1,
            Self::OneOrMoreOf => 2,
            Self::AllOf => 3,
            Self::Ordered => 4,
            Self::Undefined => 255,
            Self::Other(number) => number,
        }
    }

    /// IANA's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoneOf => "noneOf",
            Self::ExactlyOneOf => "exactlyOneOf",
            Self::OneOrMoreOf => "oneOrMoreOf",
            Self::AllOf => "allOf",
            Self::Ordered => "ordered",
            Self::Undefined => "undefined",
            Self::Other(_) => "unassigned",
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self::from_number(reader.u8("list.semantic")?))
    }
}

/// A list of values of one element (RFC 6313 section 4.5.1).
#[derive(Clone, Copy, Debug)]
pub struct BasicList<'a> {
    /// How the values relate.
    pub semantic: ListSemantic,
    /// What they are, and how long.
    pub field: FieldSpecifier,
    content: Reader<'a>,
}

impl<'a> BasicList<'a> {
    /// The list in a field's bytes.
    pub fn read(mut bytes: Reader<'a>) -> Result<Self, WireError> {
        let semantic = ListSemantic::read(&mut bytes)?;
        let field = FieldSpecifier::read(&mut bytes, true)?;
        if field.length == 0 && !bytes.is_empty() {
            return Err(bytes.error("list.element_length", Problem::ZeroLength));
        }
        Ok(Self { semantic, field, content: bytes })
    }

    /// The values in order; one that reaches beyond the list is an error and the last.
    pub const fn values(&self) -> ListValues<'a> {
        ListValues { rest: self.content, length: self.field.length }
    }
}

/// The values of a [`BasicList`].
#[derive(Clone, Debug)]
pub struct ListValues<'a> {
    rest: Reader<'a>,
    length: u16,
}

impl<'a> Iterator for ListValues<'a> {
    type Item = Result<&'a [u8], WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let value = match self.length {
            VARIABLE => variable_length(&mut self.rest),
            fixed => self.rest.bytes("list.element", fixed.into()),
        };
        if value.is_err() {
            self.rest = Reader::at(&[], self.rest.offset());
        }
        Some(value)
    }
}

/// Records of one template (RFC 6313 section 4.5.2).
#[derive(Clone, Copy, Debug)]
pub struct SubTemplateList<'a> {
    /// How the records relate.
    pub semantic: ListSemantic,
    /// The template of all of them.
    pub template: u16,
    /// The records, back to back.
    pub records: Reader<'a>,
}

impl<'a> SubTemplateList<'a> {
    /// The list in a field's bytes.
    pub fn read(mut bytes: Reader<'a>) -> Result<Self, WireError> {
        let semantic = ListSemantic::read(&mut bytes)?;
        let template = bytes.u16("list.template")?;
        Ok(Self { semantic, template, records: bytes })
    }
}

/// Records of several templates (RFC 6313 section 4.5.3).
#[derive(Clone, Copy, Debug)]
pub struct SubTemplateMultiList<'a> {
    /// How the records relate.
    pub semantic: ListSemantic,
    content: Reader<'a>,
}

impl<'a> SubTemplateMultiList<'a> {
    /// The list in a field's bytes.
    pub fn read(mut bytes: Reader<'a>) -> Result<Self, WireError> {
        let semantic = ListSemantic::read(&mut bytes)?;
        Ok(Self { semantic, content: bytes })
    }

    /// The records by template, in order; a part that reaches beyond the list is an error and the last.
    pub const fn parts(&self) -> ListParts<'a> {
        ListParts { rest: self.content }
    }
}

/// The parts of a [`SubTemplateMultiList`]: a template, and records of it.
#[derive(Clone, Debug)]
pub struct ListParts<'a> {
    rest: Reader<'a>,
}

impl<'a> ListParts<'a> {
    fn take(&mut self) -> Result<(u16, Reader<'a>), WireError> {
        let template = self.rest.u16("list.template")?;
        let at = self.rest.offset();
        let length = usize::from(self.rest.u16("list.length")?);
        let records = length.checked_sub(ENTRY_HEADER);
        let problem = Problem::TooShort { length, minimum: ENTRY_HEADER };
        Ok((template, self.rest.sub("list.records", records.ok_or(WireError::new("list.length", at, problem))?)?))
    }
}

impl<'a> Iterator for ListParts<'a> {
    type Item = Result<(u16, Reader<'a>), WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let part = self.take();
        if part.is_err() {
            self.rest = Reader::at(&[], self.rest.offset());
        }
        Some(part)
    }
}

/// Appends a [`BasicList`]. Values have the field's length, unless that is [`VARIABLE`].
pub fn put_basic_list(
    writer: &mut Writer<'_>,
    semantic: ListSemantic,
    field: FieldSpecifier,
    values: &[&[u8]],
) -> Result<(), WireError> {
    let bit = if field.enterprise.is_some() { ENTERPRISE_BIT } else { 0 };
    if field.element & ENTERPRISE_BIT != 0 {
        return Err(WireError::new("field.element", writer.len(), Problem::Value(field.element.into())));
    }
    writer.u8(semantic.number()).u16(field.element | bit).u16(field.length);
    if let Some(enterprise) = field.enterprise {
        writer.u32(enterprise);
    }
    for value in values {
        match usize::from(field.length) {
            _ if field.length == VARIABLE => put_variable_length(writer, value)?,
            length if length == value.len() && length > 0 => _ = writer.bytes(value),
            length => {
                let problem = Problem::TooLong { length: value.len(), maximum: length };
                return Err(WireError::new("list.element", writer.len(), problem));
            }
        }
    }
    Ok(())
}

/// Appends a [`SubTemplateList`] of `records`, back to back.
pub fn put_sub_template_list(writer: &mut Writer<'_>, semantic: ListSemantic, template: u16, records: &[u8]) {
    writer.u8(semantic.number()).u16(template).bytes(records);
}

/// Appends a [`SubTemplateMultiList`] of templates and records, back to back.
pub fn put_sub_template_multi_list(
    writer: &mut Writer<'_>,
    semantic: ListSemantic,
    parts: &[(u16, &[u8])],
) -> Result<(), WireError> {
    writer.u8(semantic.number());
    for &(template, records) in parts {
        let length = u16::try_from(records.len() + ENTRY_HEADER).map_err(|_| {
            let problem = Problem::TooLong { length: records.len(), maximum: usize::from(u16::MAX) - ENTRY_HEADER };
            WireError::new("list.length", writer.len(), problem)
        })?;
        writer.u16(template).u16(length).bytes(records);
    }
    Ok(())
}

/// Iterates over the records of one template, each as its fields' bytes. Unlike in a set, a record of zeros is one.
///
/// A rest shorter than the shortest record is padding; what reaches beyond the end is an error and the last item.
#[derive(Clone, Debug)]
pub struct ListRecords<'a, 't> {
    rest: Reader<'a>,
    lengths: &'t [u16],
}

impl<'a, 't> ListRecords<'a, 't> {
    /// The records in `bytes`, whose fields have these `lengths`.
    pub const fn new(bytes: Reader<'a>, lengths: &'t [u16]) -> Self {
        Self { rest: bytes, lengths }
    }

    fn take(&mut self) -> Result<Vec<&'a [u8]>, WireError> {
        let mut fields = Vec::with_capacity(self.lengths.len());
        for &length in self.lengths {
            fields.push(match length {
                VARIABLE => variable_length(&mut self.rest)?,
                fixed => self.rest.bytes("field", fixed.into())?,
            });
        }
        Ok(fields)
    }
}

impl<'a> Iterator for ListRecords<'a, '_> {
    type Item = Result<Vec<&'a [u8]>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let shortest = shortest(self.lengths.iter().copied());
        if self.rest.is_empty() || shortest == 0 || self.rest.len() < shortest {
            return None;
        }
        let record = self.take();
        if record.is_err() {
            self.rest = Reader::at(&[], self.rest.offset());
        }
        Some(record)
    }
}
