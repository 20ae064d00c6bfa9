//! What NetFlow's versions 1, 6, 7 and 8 have in common: a header, then records of one layout that never changes.
//!
//! A [`Layout`] is a row of [`Field`]s; each version's module lists its own, version 8 one for each of its aggregation
//! schemes. Reading, writing and the meaning of fields are here once for all of them. ([`super::v5`], which nearly
//! everybody sends, has structs of its own.)
//!
//! [`Message::read`] borrows the records in place. A count that the datagram does not hold, or bytes beyond it, cost
//! nothing that is there: [`Message::problem`] and [`Message::excess`] say so.
//!
//! Layouts are those of Cisco's documents (NetFlow Collection Engine User Guide, "NetFlow Export Datagram Formats";
//! "NetFlow ToS-Based Router Aggregation", IOS 12.0(15)S) and of flow-tools' `ftlib.h`.

use super::v5::Sampling;
use super::{countable, v1, v6, v7, v8};
use crate::{Problem, Reader, WireError, Writer};

pub use super::field::Field;

/// A kind of datagram: which version, which aggregation, and what a record consists of.
#[derive(Debug, Eq, PartialEq)]
pub struct Layout {
    /// The version number in the header.
    pub version: u16,
    /// The aggregation scheme of version 8; 0 elsewhere.
    pub aggregation: u8,
    /// What a record tells, in a few words.
    pub name: &'static str,
    /// The fields of a record, in order, padding included.
    pub fields: &'static [Field],
    /// Most records that exporters put in one datagram; nobody is refused for more.
    pub records_max: usize,
}

impl Layout {
    /// The layout of a version and aggregation scheme, where it is one of these.
    pub fn of(version: u16, aggregation: u8) -> Option<&'static Self> {
        match version {
            v1::VERSION => Some(&v1::LAYOUT),
            v6::VERSION => Some(&v6::LAYOUT),
            v7::VERSION => Some(&v7::LAYOUT),
            v8::VERSION => v8::LAYOUTS.iter().find(|layout| layout.aggregation == aggregation),
            _ => None,
        }
    }

    /// Every layout.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [&v1::LAYOUT, &v6::LAYOUT, &v7::LAYOUT].into_iter().chain(&v8::LAYOUTS)
    }

    /// Bytes of a record.
    pub fn record_length(&self) -> usize {
        self.fields.iter().map(|field| field.length()).sum()
    }

    /// Bytes before the first record.
    pub const fn header_length(&self) -> usize {
        header_length(self.version)
    }
}

const fn header_length(version: u16) -> usize {
    match version {
        v1::VERSION => 16,
        v8::VERSION => 28,
        _ => 24,
    }
}

/// What headers say; a version keeps what it has a place for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// Milliseconds since the exporter booted.
    pub uptime_ms: u32,
    /// Seconds since 1970 at the exporter.
    pub unix_seconds: u32,
    /// The rest of that second.
    pub unix_nanoseconds: u32,
    /// Number of the first record in this datagram, of all that were sent (not in version 1).
    pub flow_sequence: u32,
    /// Kind of the switching engine (versions 6 and 8).
    pub engine_type: u8,
    /// Slot of the switching engine (versions 6 and 8).
    pub engine_id: u8,
    /// Two bits of mode, 14 of interval, as in version 5 (versions 6 and 8).
    pub sampling: u16,
    /// The layout of the aggregation scheme's records (version 8); 2 in all that is known.
    pub aggregation_version: u8,
}

impl Header {
    /// The header's time in nanoseconds since 1970; a fraction of a second or more counts as none.
    pub const fn export_ns(&self) -> i64 {
        let fraction = self.unix_nanoseconds as i64;
        self.unix_seconds as i64 * 1_000_000_000 + if fraction < 1_000_000_000 { fraction } else { 0 }
    }

    /// The sampling word in its two parts.
    pub const fn sampling(&self) -> Sampling {
        Sampling::of_word(self.sampling)
    }
}

/// One record as a value: a number for each field, 0 for those that the layout lacks. Addresses are numbers too.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Record([u32; Field::COUNT]);

impl Record {
    /// The value of a field.
    pub fn get(&self, field: Field) -> u32 {
        self.0.get(field as usize).copied().unwrap_or(0)
    }

    /// The same record with another value in one field. Padding has no value.
    #[must_use]
    pub fn with(mut self, field: Field, value: u32) -> Self {
        if let Some(place) = self.0.get_mut(field as usize).filter(|_| !field.is_padding()) {
            *place = value;
        }
        self
    }

    /// Reads a record of `layout`. Bytes that are not there count as zeros.
    pub fn read(layout: &Layout, bytes: &[u8]) -> Self {
        let (mut record, mut rest) = (Self::default(), bytes);
        for &field in layout.fields {
            let (own, others) = rest.split_at_checked(field.length()).unwrap_or((rest, &[]));
            record = record.with(field, own.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)));
            rest = others;
        }
        record
    }

    fn write(&self, layout: &Layout, writer: &mut Writer<'_>) {
        for &field in layout.fields {
            let bytes = self.get(field).to_be_bytes();
            writer.bytes(bytes.get(bytes.len() - field.length()..).unwrap_or_default());
        }
    }
}

/// A datagram, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    version: u16,
    aggregation: u8,
    count: u16,
    header: Header,
    layout: Option<&'static Layout>,
    records: Reader<'a>,
    excess: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram of version 1, 6, 7 or 8. Fails only when the header is not there, is another version's, or counts
    /// more records than any datagram holds.
    pub fn read(datagram: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(datagram);
        let version = reader.u16("version")?;
        if !matches!(version, v1::VERSION | v6::VERSION | v7::VERSION | v8::VERSION) {
            return Err(WireError::new("version", 0, Problem::Version(version.into())));
        }
        let length = header_length(version);
        if datagram.len() < length {
            let problem = Problem::Truncated { needed: length, left: datagram.len() };
            return Err(WireError::new("header", 0, problem));
        }
        let (count, aggregation, header) = read_header(version, &mut reader)?;
        let layout = Layout::of(version, aggregation);
        layout.map_or(Ok(()), |layout| countable(count, length, layout.record_length()))?;
        let bytes = layout.map_or(0, |layout| {
            let record = layout.record_length();
            usize::from(count).min(reader.len() / record) * record
        });
        let records = reader.sub("records", bytes)?;
        Ok(Self { version, aggregation, count, header, layout, records, excess: reader.rest() })
    }

    /// 1, 6, 7 or 8.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// The aggregation scheme of version 8; 0 elsewhere.
    pub const fn aggregation(&self) -> u8 {
        self.aggregation
    }

    /// Records in the datagram, as claimed.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// What the header says.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What records look like; nothing where version 8 has an aggregation scheme that nobody knows.
    pub const fn layout(&self) -> Option<&'static Layout> {
        self.layout
    }

    /// The bytes of the records that are wholly there, at most as many as the header counts.
    pub const fn body(&self) -> Reader<'a> {
        self.records
    }

    /// The records that are wholly there, as values.
    pub fn records(&self) -> impl Iterator<Item = Record> + use<'a> {
        let (layout, body) = (self.layout, self.records.rest());
        layout.into_iter().flat_map(move |layout| {
            body.chunks_exact(layout.record_length()).map(move |bytes| Record::read(layout, bytes))
        })
    }

    /// What is wrong with the datagram: a count of more records than are there.
    pub fn problem(&self) -> Option<WireError> {
        let (count, there) = (usize::from(self.count), self.records.len() / self.layout?.record_length());
        let problem = Problem::TooLong { length: count, maximum: there };
        (count > there).then(|| WireError::new("count", 2, problem))
    }

    /// The bytes after the last record: trailing ones (Catalyst switches pad), the beginning of a record that was cut,
    /// or records of a scheme that nobody knows.
    pub const fn excess(&self) -> &'a [u8] {
        self.excess
    }
}

fn read_header(version: u16, reader: &mut Reader<'_>) -> Result<(u16, u8, Header), WireError> {
    let count = reader.u16("count")?;
    let mut header = Header {
        uptime_ms: reader.u32("sysUpTime")?,
        unix_seconds: reader.u32("unix_secs")?,
        unix_nanoseconds: reader.u32("unix_nsecs")?,
        ..Header::default()
    };
    if version == v1::VERSION {
        return Ok((count, 0, header));
    }
    header.flow_sequence = reader.u32("flow_sequence")?;
    if version == v7::VERSION {
        reader.u32("reserved")?;
        return Ok((count, 0, header));
    }
    header.engine_type = reader.u8("engine_type")?;
    header.engine_id = reader.u8("engine_id")?;
    if version == v6::VERSION {
        header.sampling = reader.u16("sampling_interval")?;
        return Ok((count, 0, header));
    }
    let aggregation = reader.u8("aggregation")?;
    header.aggregation_version = reader.u8("agg_version")?;
    header.sampling = reader.u16("sampling_interval")?;
    reader.u16("reserved")?;
    Ok((count, aggregation, header))
}

/// Appends a datagram of `records`. What the layout has no place for is left out.
pub fn encode(layout: &Layout, header: &Header, records: &[Record], out: &mut Vec<u8>) -> Result<(), WireError> {
    let count = u16::try_from(records.len()).map_err(|_| {
        let problem = Problem::TooLong { length: records.len(), maximum: usize::from(u16::MAX) };
        WireError::new("count", 2, problem)
    })?;
    let mut writer = Writer::new(out);
    writer.u16(layout.version).u16(count);
    writer.u32(header.uptime_ms).u32(header.unix_seconds).u32(header.unix_nanoseconds);
    match layout.version {
        v1::VERSION => {}
        v7::VERSION => {
            writer.u32(header.flow_sequence).u32(0);
        }
        v8::VERSION => {
            writer.u32(header.flow_sequence).u8(header.engine_type).u8(header.engine_id);
            writer.u8(layout.aggregation).u8(header.aggregation_version).u16(header.sampling).u16(0);
        }
        _ => {
            writer.u32(header.flow_sequence).u8(header.engine_type).u8(header.engine_id).u16(header.sampling);
        }
    }
    for record in records {
        record.write(layout, &mut writer);
    }
    Ok(())
}
