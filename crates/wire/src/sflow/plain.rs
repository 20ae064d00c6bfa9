//! Versions 2 and 4 (RFC 3176 section 4): samples and records that have no lengths.
//!
//! A sample ends where its last field ends, so each is walked to its end when it is reached. Where something
//! cannot be read, nobody knows where the next sample begins: what lies before has been returned, the damage is told,
//! and the datagram ends there. An unknown kind of record is such damage, which is why version 5 has lengths.
//!
//! The structures are those of version 5, where some have grown: a header had no `stripped`, a user no character set,
//! a URL no host, a gateway no next hop, and version 2's gateway ends after its path. Structures 8 to 12 came to
//! version 4 after the RFC, with the numbers that version 5 has 1000 higher.

use super::counters::CountersSample;
use super::extended::{ExtendedUrl, ExtendedUser};
use super::flow::FlowSample;
use super::gateway::ExtendedGateway;
use super::layouts::Layout;
use super::records::{FlowRecord, SampledHeader, SampledIpv4, SampledIpv6};
use super::{Block, Datagram, Sample, Tag, xdr};
use crate::{Problem, Reader, WireError};

/// Which of the versions before 5.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PlainVersion {
    /// Version 2.
    V2,
    /// Version 4.
    V4,
}

impl PlainVersion {
    /// As the datagram says it.
    pub const fn number(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V4 => 4,
        }
    }
}

/// Reads the rest of a datagram's header, after its version. There are no sub-agents.
pub(super) fn datagram(version: PlainVersion, mut reader: Reader<'_>) -> Result<Datagram<'_>, WireError> {
    Ok(Datagram {
        version: version.number(),
        agent: xdr::address(&mut reader, "agent_address")?,
        sub_agent_id: 0,
        sequence_number: reader.u32("sequence_number")?,
        uptime_ms: reader.u32("uptime")?,
        sample_count: reader.u32("samples")?,
        samples: reader,
        plain: Some(version),
    })
}

/// Reads a sample. Where it is damaged, no samples are `left`, since the next cannot be found.
pub(super) fn sample<'a>(
    reader: &mut Reader<'a>,
    version: PlainVersion,
    left: &mut u32,
) -> Result<Sample<'a>, WireError> {
    let (sample, sound) = match any(reader, version) {
        Ok((sample, sound)) => (Ok(sample), sound),
        Err(error) => (Err(error), false),
    };
    if !sound {
        *left = 0;
    }
    sample
}

/// A sample, and whether all its records are sound.
fn any<'a>(reader: &mut Reader<'a>, version: PlainVersion) -> Result<(Sample<'a>, bool), WireError> {
    let start = *reader;
    match reader.u32("sample.type")? {
        1 => FlowSample::plain(reader, version).map(|(sample, sound)| (Sample::Flow(sample), sound)),
        2 => CountersSample::plain(reader).map(|(sample, sound)| (Sample::Counters(sample), sound)),
        other => Err(start.error("sample.type", Problem::Value(other.into()))),
    }
}

/// What a walk over the records of a sample has found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    /// How many records there are, up to the first that is damaged.
    pub(super) records: u32,
    /// Whether none is damaged.
    pub(super) sound: bool,
}

impl Walked {
    pub(super) const fn add<T>(&mut self, record: &Result<T, WireError>) {
        self.records = self.records.saturating_add(1);
        self.sound &= record.is_ok();
    }
}

/// The packet and the extended records of a sample, in their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlainRecords<'a> {
    version: PlainVersion,
    reader: Reader<'a>,
    next: Next,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Packet,
    /// The number of extended records.
    Count,
    /// So many extended records.
    Extended(u32),
    Damage,
}

impl<'a> PlainRecords<'a> {
    /// Walks over the records once, and leaves the reader where the next sample begins.
    pub(super) fn take(reader: &mut Reader<'a>, version: PlainVersion) -> (Self, Walked) {
        let records = Self { version, reader: *reader, next: Next::Packet };
        let mut walk = records;
        let mut walked = Walked { records: 0, sound: true };
        for record in walk.by_ref() {
            walked.add(&record);
        }
        *reader = walk.reader;
        (records, walked)
    }

    fn step(&mut self) -> Result<Option<FlowRecord<'a>>, WireError> {
        if self.next == Next::Packet {
            self.next = Next::Count;
            return self.packet().map(Some);
        }
        if self.next == Next::Count {
            self.next = Next::Extended(self.reader.u32("flow_sample.extended_data")?);
        }
        match self.next {
            Next::Extended(left @ 1..) => {
                self.next = Next::Extended(left - 1);
                self.extended().map(Some)
            }
            _ => Ok(None),
        }
    }

    fn packet(&mut self) -> Result<FlowRecord<'a>, WireError> {
        let r = &mut self.reader;
        let start = *r;
        Ok(match r.u32("flow_sample.packet_data")? {
            1 => FlowRecord::SampledHeader(SampledHeader::read_plain(r)?),
            2 => FlowRecord::SampledIpv4(SampledIpv4::read(r)?),
            3 => FlowRecord::SampledIpv6(SampledIpv6::read(r)?),
            other => return Err(start.error("flow_sample.packet_data", Problem::Value(other.into()))),
        })
    }

    fn extended(&mut self) -> Result<FlowRecord<'a>, WireError> {
        let r = &mut self.reader;
        let start = *r;
        let kind = r.u32("flow_sample.extended_data")?;
        Ok(match (kind, self.version) {
            (3, PlainVersion::V2) => FlowRecord::ExtendedGateway(ExtendedGateway::read_v2(r)?),
            (3, PlainVersion::V4) => FlowRecord::ExtendedGateway(ExtendedGateway::read_v4(r)?),
            (4, _) => FlowRecord::ExtendedUser(ExtendedUser::read_plain(r)?),
            (5, _) => FlowRecord::ExtendedUrl(ExtendedUrl::read_plain(r)?),
            (1 | 2 | 6 | 7, _) => FlowRecord::read_typed(kind + 1000, r)?
                .ok_or_else(|| start.error("flow_sample.extended_data", Problem::Value(kind.into())))?,
            (8..=12, _) => match Layout::flow(Tag::new(0, kind + 1000)) {
                Some(layout) => FlowRecord::Other(Block::take(layout, r)?),
                None => return Err(start.error("flow_sample.extended_data", Problem::Value(kind.into()))),
            },
            _ => return Err(start.error("flow_sample.extended_data", Problem::Value(kind.into()))),
        })
    }
}

impl<'a> Iterator for PlainRecords<'a> {
    type Item = Result<FlowRecord<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.step().transpose()?;
        if record.is_err() {
            self.next = Next::Damage;
        }
        Some(record)
    }
}
