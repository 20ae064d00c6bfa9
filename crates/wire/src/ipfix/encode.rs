//! Writes messages of both protocols: the exporter's side, for the probe and for generated load.
//!
//! [`Encoder`] appends to a buffer of the caller's, which may hold other things before it. Records go in
//! as raw bytes. Sets open and close by themselves where the kind of record changes, and
//! [`Encoder::finish`] puts in the lengths and counts that were not known before.

use zerocopy::IntoBytes;

use super::data::LONG_FORM;
use super::template::{ENTERPRISE_BIT, SPECIFIER_LENGTH};
use super::{Dialect, FieldSpecifier, Header, VERSION};
use crate::netflow::v9;
use crate::{Problem, WireError, Writer};

/// No message is longer: IPFIX has two bytes for its length, and a v9 message is a datagram.
const LENGTH_MAX: usize = u16::MAX as usize;

/// v9 sets end on a multiple of this (RFC 3954 section 5.3).
const V9_ALIGNMENT: usize = 4;

/// A message that is being written.
#[derive(Debug)]
#[must_use = "lengths and counts are only there after `finish`"]
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    dialect: Dialect,
    start: usize,
    set: Option<OpenSet>,
    data_records: u32,
    template_records: u32,
    error: Option<WireError>,
}

#[derive(Clone, Copy, Debug)]
struct OpenSet {
    id: u16,
    start: usize,
}

/// What a finished message holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Finished {
    /// Bytes of the message.
    pub length: usize,
    /// Data records, of options too: by so much the next IPFIX sequence number is higher.
    pub data_records: u32,
    /// Template records, withdrawals included.
    pub template_records: u32,
}

impl<'a> Encoder<'a> {
    /// Begins an IPFIX message. Version and length are filled in, the rest of `header` is taken as it is.
    pub fn ipfix(out: &'a mut Vec<u8>, header: &Header) -> Self {
        let start = out.len();
        out.extend_from_slice(Header { version: VERSION.into(), ..*header }.as_bytes());
        Self::begun(out, Dialect::Ipfix, start)
    }

    /// Begins a NetFlow v9 message. Version and count are filled in, the rest of `header` is taken as it is.
    pub fn v9(out: &'a mut Vec<u8>, header: &v9::Header) -> Self {
        let start = out.len();
        out.extend_from_slice(v9::Header { version: v9::VERSION.into(), ..*header }.as_bytes());
        Self::begun(out, Dialect::V9, start)
    }

    const fn begun(out: &'a mut Vec<u8>, dialect: Dialect, start: usize) -> Self {
        Self { out, dialect, start, set: None, data_records: 0, template_records: 0, error: None }
    }

    /// Lets a v9 message carry enterprise numbers, as some exporters do. Nothing changes in IPFIX.
    pub fn with_enterprises(mut self) -> Self {
        if self.dialect == Dialect::V9 {
            self.dialect = Dialect::V9Enterprise;
        }
        self
    }

    /// How many bytes the message has so far.
    pub const fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether no record was added yet.
    pub const fn is_empty(&self) -> bool {
        self.data_records == 0 && self.template_records == 0
    }

    /// Adds a data template.
    pub fn template(&mut self, id: u16, fields: &[FieldSpecifier]) -> &mut Self {
        self.open(if self.dialect.is_v9() { 0 } else { 2 });
        let count = self.count(fields.len());
        Writer::new(self.out).u16(id).u16(count);
        self.specifiers(fields, false);
        self.template_records += 1;
        self
    }

    /// Adds an options template. In v9 the elements of `scope` are scope types.
    pub fn options_template(&mut self, id: u16, scope: &[FieldSpecifier], options: &[FieldSpecifier]) -> &mut Self {
        self.open(if self.dialect.is_v9() { 1 } else { 3 });
        let counts = if self.dialect.is_v9() {
            [self.count(specifiers_length(scope, false)), self.count(self.specifiers_length(options))]
        } else {
            [self.count(scope.len() + options.len()), self.count(scope.len())]
        };
        Writer::new(self.out).u16(id).u16(counts[0]).u16(counts[1]);
        self.specifiers(scope, true);
        self.specifiers(options, false);
        self.template_records += 1;
        self
    }

    /// Takes a data template back; the id 2 takes them all (RFC 7011 section 8.1). Not for v9.
    pub fn withdraw_template(&mut self, id: u16) -> &mut Self {
        self.withdraw(2, id)
    }

    /// Takes an options template back; the id 3 takes them all (RFC 7011 section 8.1). Not for v9.
    pub fn withdraw_options_template(&mut self, id: u16) -> &mut Self {
        self.withdraw(3, id)
    }

    fn withdraw(&mut self, set: u16, id: u16) -> &mut Self {
        if self.dialect.is_v9() {
            return self.fail("template.field_count", Problem::Value(0));
        }
        self.open(set);
        Writer::new(self.out).u16(id).u16(0);
        self.template_records += 1;
        self
    }

    /// Adds a data record that is already laid out as template `id` says.
    pub fn record(&mut self, id: u16, record: &[u8]) -> &mut Self {
        self.record_with(id, |writer| {
            writer.bytes(record);
        })
    }

    /// Adds a data record that `write` lays out in place.
    pub fn record_with(&mut self, id: u16, write: impl FnOnce(&mut Writer<'_>)) -> &mut Self {
        self.open(id);
        write(&mut Writer::new(self.out));
        self.data_records += 1;
        self
    }

    /// Closes the last set and fills in what the header lacks.
    ///
    /// Fails, and takes the message out of the buffer, when it grew over 65535 bytes or was given
    /// something that its protocol cannot say.
    pub fn finish(mut self) -> Result<Finished, WireError> {
        self.close();
        let length = self.len();
        if length > LENGTH_MAX {
            self.fail("message.length", Problem::TooLong { length, maximum: LENGTH_MAX });
        }
        if let Some(error) = self.error {
            self.out.truncate(self.start);
            return Err(error);
        }
        let records = self.data_records + self.template_records;
        self.patch(self.start + 2, if self.dialect.is_v9() { records as u16 } else { length as u16 });
        let Self { data_records, template_records, .. } = self;
        Ok(Finished { length, data_records, template_records })
    }

    fn open(&mut self, id: u16) {
        if self.set.is_some_and(|set| set.id == id) {
            return;
        }
        self.close();
        self.set = Some(OpenSet { id, start: self.out.len() });
        Writer::new(self.out).u16(id).u16(0);
    }

    fn close(&mut self) {
        let Some(set) = self.set.take() else { return };
        if self.dialect.is_v9() {
            let length = (self.out.len() - set.start).next_multiple_of(V9_ALIGNMENT);
            self.out.resize(set.start + length, 0);
        }
        // Of a set too long for its length, the message is too long as well, and refused.
        self.patch(set.start + 2, (self.out.len() - set.start) as u16);
    }

    fn patch(&mut self, at: usize, value: u16) {
        if let Some(place) = self.out.get_mut(at..at + 2) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    }

    fn specifiers(&mut self, fields: &[FieldSpecifier], scope: bool) {
        let enterprises = self.has_enterprises(scope);
        for field in fields {
            let problem = Problem::Value(field.element.into());
            match field.enterprise {
                Some(_) if !enterprises => drop(self.fail("field.enterprise", problem)),
                _ if enterprises && field.element & ENTERPRISE_BIT != 0 => drop(self.fail("field.element", problem)),
                Some(enterprise) => {
                    let element = field.element | ENTERPRISE_BIT;
                    Writer::new(self.out).u16(element).u16(field.length).u32(enterprise);
                }
                None => drop(Writer::new(self.out).u16(field.element).u16(field.length)),
            }
        }
    }

    const fn has_enterprises(&self, scope: bool) -> bool {
        match self.dialect {
            Dialect::Ipfix => true,
            Dialect::V9 => false,
            Dialect::V9Enterprise => !scope,
        }
    }

    fn specifiers_length(&self, fields: &[FieldSpecifier]) -> usize {
        specifiers_length(fields, self.has_enterprises(false))
    }

    fn count(&mut self, count: usize) -> u16 {
        u16::try_from(count).unwrap_or_else(|_| {
            self.fail("template.field_count", Problem::TooLong { length: count, maximum: LENGTH_MAX });
            0
        })
    }

    /// The first error is the one that `finish` reports.
    fn fail(&mut self, field: &'static str, problem: Problem) -> &mut Self {
        self.error.get_or_insert(WireError::new(field, self.out.len() - self.start, problem));
        self
    }
}

fn specifiers_length(fields: &[FieldSpecifier], enterprises: bool) -> usize {
    let numbered = if enterprises { fields.iter().filter(|field| field.enterprise.is_some()).count() } else { 0 };
    SPECIFIER_LENGTH * (fields.len() + numbered)
}

/// Appends a field that states its own length (RFC 7011 section 7): the short form where it fits.
pub fn put_variable_length(writer: &mut Writer<'_>, content: &[u8]) -> Result<(), WireError> {
    let length = u16::try_from(content.len()).map_err(|_| {
        let problem = Problem::TooLong { length: content.len(), maximum: LENGTH_MAX };
        WireError::new("field.length", writer.len(), problem)
    })?;
    match u8::try_from(length) {
        Ok(short) if short < LONG_FORM => writer.u8(short),
        _ => writer.u8(LONG_FORM).u16(length),
    };
    writer.bytes(content);
    Ok(())
}
