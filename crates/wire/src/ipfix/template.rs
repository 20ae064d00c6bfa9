//! Template records: what an exporter says its data records look like (RFC 7011 section 3.4, RFC 3954
//! sections 5.2 and 6.1).
//!
//! [`TemplateRecords`] reads the body of a template set. Every record that it yields is sound: its
//! fields are all there, and a data record of it has at least one byte, so that nothing that walks data
//! by it can stand still. The first unsound one costs the rest of its set, since there is no telling
//! where the next would begin.

use super::set::TEMPLATE_ID_MIN;
use super::{Dialect, data};
use crate::{Problem, Reader, WireError};

/// A field length that says: each record states it anew (RFC 7011 section 7). Huawei sends it in v9, too.
pub const VARIABLE: u16 = u16::MAX;

/// In an IPFIX element id: an enterprise number follows.
pub(super) const ENTERPRISE_BIT: u16 = 0x8000;

/// Bytes of a field specifier without an enterprise number.
pub(super) const SPECIFIER_LENGTH: usize = 4;

/// What one field of a data record is, and how long.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FieldSpecifier {
    /// The information element, without the enterprise bit. In a v9 scope, a [`ScopeKind`] instead.
    pub element: u16,
    /// Whose element it is; IANA's, or in v9 Cisco's, where none.
    pub enterprise: Option<u32>,
    /// Bytes in each record, or [`VARIABLE`]. Zero occurs.
    pub length: u16,
}

impl FieldSpecifier {
    /// A field of the common registry.
    pub const fn new(element: u16, length: u16) -> Self {
        Self { element, enterprise: None, length }
    }

    /// A field of an enterprise's own registry.
    pub const fn of_enterprise(enterprise: u32, element: u16, length: u16) -> Self {
        Self { element, enterprise: Some(enterprise), length }
    }

    pub(super) fn read(reader: &mut Reader<'_>, enterprise_bit: bool) -> Result<Self, WireError> {
        let element = reader.u16("field.element")?;
        let length = reader.u16("field.length")?;
        if enterprise_bit && element & ENTERPRISE_BIT != 0 {
            let enterprise = reader.u32("field.enterprise")?;
            return Ok(Self::of_enterprise(enterprise, element & !ENTERPRISE_BIT, length));
        }
        Ok(Self::new(element, length))
    }
}

/// What the first fields of an options record speak of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ScopeKind {
    /// An ordinary information element: all of IPFIX.
    Element(u16),
    /// v9: the whole exporter.
    System,
    /// v9: an interface.
    Interface,
    /// v9: a line card.
    LineCard,
    /// v9: a flow cache.
    Cache,
    /// v9: a template.
    Template,
    /// v9: a scope type that RFC 3954 does not know.
    Other(u16),
}

impl ScopeKind {
    /// The meaning of a scope field's number: in v9 it is not an element's (RFC 3954 section 6.1).
    pub const fn of(dialect: Dialect, element: u16) -> Self {
        match (dialect, element) {
            (Dialect::Ipfix, _) => Self::Element(element),
            (_, 1) => Self::System,
            (_, 2) => Self::Interface,
            (_, 3) => Self::LineCard,
            (_, 4) => Self::Cache,
            (_, 5) => Self::Template,
            _ => Self::Other(element),
        }
    }
}

/// What a template's data records are about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TemplateKind {
    /// Flows.
    Data,
    /// The exporter itself: sampling, names, counters. Its first fields are the scope.
    Options,
}

/// One template, or the withdrawal of one.
#[derive(Clone, Copy, Debug)]
pub struct TemplateRecord<'a> {
    /// The template's id: 256 and up. A withdrawal's may be 2 or 3: all data or all options templates.
    pub id: u16,
    /// Whether it describes data or options.
    pub kind: TemplateKind,
    /// Which protocol's fields these are.
    pub dialect: Dialect,
    /// How many of the first fields are the scope: none in data templates, and in some options templates.
    pub scope: usize,
    /// How many fields there are, the scope included.
    pub field_count: usize,
    /// Whether this takes the template back instead of stating it (RFC 7011 section 8.1).
    pub withdrawal: bool,
    /// The record's first byte, counted from the start of the datagram.
    pub offset: usize,
    specifiers: Reader<'a>,
}

impl<'a> TemplateRecord<'a> {
    /// The fields in order, scope first.
    pub const fn fields(&self) -> FieldSpecifiers<'a> {
        FieldSpecifiers { rest: self.specifiers, scope_left: self.scope, dialect: self.dialect }
    }

    /// The field specifiers as they came.
    ///
    /// Two templates of one dialect, kind and scope say the same when these are equal.
    pub const fn bytes(&self) -> &'a [u8] {
        self.specifiers.rest()
    }

    /// Bytes of the shortest data record there can be. What is left of a set and shorter is padding.
    pub fn shortest(&self) -> usize {
        data::shortest(self.fields().map(|field| field.length))
    }

    /// Bytes of every data record, where no field's length varies.
    pub fn fixed_length(&self) -> Option<usize> {
        let fixed = self.fields().all(|field| field.length != VARIABLE);
        fixed.then(|| self.shortest())
    }
}

/// The fields of a template. See [`TemplateRecord::fields`].
#[derive(Clone, Debug)]
pub struct FieldSpecifiers<'a> {
    rest: Reader<'a>,
    scope_left: usize,
    dialect: Dialect,
}

impl FieldSpecifiers<'_> {
    fn read(&mut self) -> Result<FieldSpecifier, WireError> {
        let enterprise_bit = match self.dialect {
            Dialect::Ipfix => true,
            Dialect::V9 => false,
            // Scope types are a name space of their own, in which nobody has enterprises.
            Dialect::V9Enterprise => self.scope_left == 0,
        };
        self.scope_left = self.scope_left.saturating_sub(1);
        FieldSpecifier::read(&mut self.rest, enterprise_bit)
    }
}

impl Iterator for FieldSpecifiers<'_> {
    type Item = FieldSpecifier;

    fn next(&mut self) -> Option<FieldSpecifier> {
        // The bytes were walked to their end when the record was read, so only the end can fail.
        self.read().ok()
    }
}

/// Iterates over the records of a template set; an unsound record is the last item.
#[derive(Clone, Debug)]
pub struct TemplateRecords<'a> {
    rest: Reader<'a>,
    dialect: Dialect,
    kind: TemplateKind,
    failed: bool,
}

impl<'a> TemplateRecords<'a> {
    /// The records in `body`, of a set whose kind is [`SetKind::Templates`](super::SetKind::Templates).
    pub const fn new(body: Reader<'a>, dialect: Dialect, kind: TemplateKind) -> Self {
        Self { rest: body, dialect, kind, failed: false }
    }

    /// Too short for a record, or nothing but zeros: the exporter filled the set up.
    fn at_padding(&self) -> bool {
        let header_length = match (self.dialect.is_v9(), self.kind) {
            (true, TemplateKind::Options) => 6,
            _ => 4,
        };
        let rest = self.rest.rest();
        rest.len() < header_length || (rest.starts_with(&[0, 0]) && data::is_zero(rest))
    }

    fn take(&mut self) -> Result<TemplateRecord<'a>, WireError> {
        let offset = self.rest.offset();
        let id = self.rest.u16("template.id")?;
        let counts = self.counts()?;
        let withdrawal = matches!(counts, Counts::Withdrawal);
        if id < TEMPLATE_ID_MIN && !(withdrawal && matches!(id, 2 | 3)) {
            return Err(WireError::new("template.id", offset, Problem::Value(id.into())));
        }
        let mut record = TemplateRecord {
            id,
            kind: self.kind,
            dialect: self.dialect,
            scope: 0,
            field_count: 0,
            withdrawal,
            offset,
            specifiers: self.rest,
        };
        match counts {
            Counts::Withdrawal => record.specifiers = self.rest.sub("template", 0)?,
            Counts::Fields { scope, all } => self.take_counted(&mut record, scope, all)?,
            Counts::Bytes { scope, options } => self.take_measured(&mut record, scope, options)?,
        }
        if !withdrawal && record.shortest() == 0 {
            return Err(WireError::new("template", offset, Problem::ZeroLength));
        }
        Ok(record)
    }

    /// What follows the id, which is different in each of the four kinds of template.
    fn counts(&mut self) -> Result<Counts, WireError> {
        let offset = self.rest.offset();
        let first = self.rest.u16("template.field_count")?.into();
        if self.dialect == Dialect::Ipfix && first == 0 {
            return Ok(Counts::Withdrawal);
        }
        if self.kind == TemplateKind::Data {
            return Ok(Counts::Fields { scope: 0, all: first });
        }
        let second = self.rest.u16("template.scope_field_count")?.into();
        if self.dialect.is_v9() {
            for (field, at, length) in
                [("template.scope_length", offset, first), ("template.option_length", offset + 2, second)]
            {
                if !usize::is_multiple_of(length, SPECIFIER_LENGTH) {
                    return Err(WireError::new(field, at, Problem::Value(length as u64)));
                }
            }
            return Ok(Counts::Bytes { scope: first, options: second });
        }
        if second > first {
            let problem = Problem::TooLong { length: second, maximum: first };
            return Err(WireError::new("template.scope_field_count", offset + 2, problem));
        }
        Ok(Counts::Fields { scope: second, all: first })
    }

    fn take_counted(&mut self, record: &mut TemplateRecord<'a>, scope: usize, all: usize) -> Result<(), WireError> {
        let mut specifiers = FieldSpecifiers { rest: self.rest, scope_left: scope, dialect: self.dialect };
        for _ in 0..all {
            specifiers.read()?;
        }
        let length = self.rest.len() - specifiers.rest.len();
        (record.scope, record.field_count) = (scope, all);
        record.specifiers = self.rest.sub("template", length)?;
        Ok(())
    }

    fn take_measured(
        &mut self,
        record: &mut TemplateRecord<'a>,
        scope: usize,
        options: usize,
    ) -> Result<(), WireError> {
        record.scope = scope / SPECIFIER_LENGTH;
        record.specifiers = self.rest.sub("template", scope + options)?;
        let mut specifiers = record.fields();
        while !specifiers.rest.is_empty() {
            specifiers.read()?;
            record.field_count += 1;
        }
        Ok(())
    }
}

/// How a template record says where it ends.
enum Counts {
    Withdrawal,
    Fields { scope: usize, all: usize },
    Bytes { scope: usize, options: usize },
}

impl<'a> Iterator for TemplateRecords<'a> {
    type Item = Result<TemplateRecord<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.at_padding() {
            return None;
        }
        let record = self.take();
        self.failed = record.is_err();
        Some(record)
    }
}
