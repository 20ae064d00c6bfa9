//! Samples that hold counters.

use zerocopy::big_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::layouts::Layout;
use super::plain_counters::{CountersVersion, PlainCounters};
use super::raw::RawRecords;
use super::{Block, DataSource, Fields, Tag, v5};
use crate::{Reader, WireError};

/// Counters of one source: `counters_sample` (0:2, or of version 2 or 4) or `counters_sample_expanded` (0:4).
#[derive(Clone, Copy, Debug)]
pub struct CountersSample<'a> {
    /// Whether it came in the expanded form, which has room for wider indexes.
    pub expanded: bool,
    /// Counts the counter samples of this source.
    pub sequence_number: u32,
    /// Whose counters they are.
    pub source: DataSource,
    /// Seconds between samples of this source, which only versions 2 and 4 say.
    pub sampling_interval_s: Option<u32>,
    /// Which structures follow, which only versions 2 and 4 say.
    pub counters_version: Option<CountersVersion>,
    records: Records<'a>,
    record_count: u32,
}

/// Records as the datagram's version has them.
#[derive(Clone, Copy, Debug)]
enum Records<'a> {
    /// With a tag and a length each.
    Tagged(RawRecords<'a>),
    /// One or two whose kind the sample says.
    Plain(PlainCounters<'a>),
}

impl<'a> CountersSample<'a> {
    pub(super) fn compact(mut body: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let sequence_number = body.u32("counters_sample.sequence_number")?;
        let source = DataSource::from_word(body.u32("counters_sample.source_id")?);
        let records = v5::records(body, "counters_sample.counters", cut)?;
        Ok(Self::tagged(false, sequence_number, source, records))
    }

    pub(super) fn expanded(mut body: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let sequence_number = body.u32("counters_sample_expanded.sequence_number")?;
        let source = DataSource {
            class: body.u32("counters_sample_expanded.source_id.type")?,
            index: body.u32("counters_sample_expanded.source_id.index")?,
        };
        let records = v5::records(body, "counters_sample_expanded.counters", cut)?;
        Ok(Self::tagged(true, sequence_number, source, records))
    }

    const fn tagged(expanded: bool, sequence_number: u32, source: DataSource, records: RawRecords<'a>) -> Self {
        let record_count = records.said();
        let records = Records::Tagged(records);
        let (sampling_interval_s, counters_version) = (None, None);
        Self { expanded, sequence_number, source, sampling_interval_s, counters_version, records, record_count }
    }

    /// The form of versions 2 and 4. Also says whether all records are sound.
    pub(super) fn plain(reader: &mut Reader<'a>) -> Result<(Self, bool), WireError> {
        let sequence_number = reader.u32("counters_sample.sequence_number")?;
        let source = DataSource::from_word(reader.u32("counters_sample.source_id")?);
        let sampling_interval_s = Some(reader.u32("counters_sample.sampling_interval")?);
        let (version, records, walked) = PlainCounters::take(reader)?;
        let sample = Self {
            expanded: false,
            sequence_number,
            source,
            sampling_interval_s,
            counters_version: Some(version),
            records: Records::Plain(records),
            record_count: walked.records,
        };
        Ok((sample, walked.sound))
    }

    /// The counters, structure by structure.
    pub const fn records(&self) -> CounterRecords<'a> {
        CounterRecords { records: self.records }
    }

    /// How many records the sample says it has.
    pub const fn record_count(&self) -> u32 {
        self.record_count
    }
}

/// The counter records of a sample. An `Err` is one record; the next may be sound again.
#[derive(Clone, Debug)]
pub struct CounterRecords<'a> {
    records: Records<'a>,
}

impl<'a> Iterator for CounterRecords<'a> {
    type Item = Result<CounterRecord<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let records = match &mut self.records {
            Records::Tagged(records) => records,
            Records::Plain(records) => return Some(records.next()?.map(CounterRecord::Known)),
        };
        let record = records.next()?;
        Some(record.and_then(|(tag, body)| CounterRecord::read(tag, body)))
    }
}

/// One structure of counters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CounterRecord<'a> {
    /// A structure of the public list; its fields can be had by name.
    Known(Block<'a>),
    /// A structure that nobody published.
    Unknown {
        /// Which one.
        tag: Tag,
        /// Its bytes.
        body: &'a [u8],
    },
}

impl<'a> CounterRecord<'a> {
    fn read(tag: Tag, body: Reader<'a>) -> Result<Self, WireError> {
        match Layout::counter(tag) {
            Some(layout) => Block::read(layout, body).map(Self::Known),
            None => Ok(Self::Unknown { tag, body: body.rest() }),
        }
    }

    /// The record's tag.
    pub const fn tag(&self) -> Tag {
        match self {
            Self::Known(block) => block.layout().tag,
            Self::Unknown { tag, .. } => *tag,
        }
    }

    /// The structure's name in the public list, where it has one.
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::Known(block) => Some(block.layout().name),
            Self::Unknown { .. } => None,
        }
    }

    /// Names and values in the order of the structure; nothing for one that is not known.
    pub fn fields(&self) -> Fields<'a> {
        match self {
            Self::Known(block) => block.fields(),
            Self::Unknown { .. } => Fields::none(),
        }
    }

    /// The generic interface counters, where this is what the record holds.
    pub fn generic_interface(&self) -> Option<GenericInterface> {
        match self {
            Self::Known(block) if block.layout().tag == GenericInterface::TAG => GenericInterface::read(block.bytes()),
            _ => None,
        }
    }
}

/// `if_counters` (0:1): what RFC 2863 counts per interface. A counter that the agent does not have is all ones.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(missing_docs, reason = "the names are the MIB's, where they are explained")]
pub struct GenericInterface {
    pub if_index: u32,
    pub if_type: u32,
    pub if_speed: u64,
    /// 0 unknown, 1 full duplex, 2 half duplex, 3 in, 4 out.
    pub if_direction: u32,
    /// Bit 0 is the administrative state, bit 1 the operational one.
    pub if_status: u32,
    pub if_in_octets: u64,
    pub if_in_ucast_pkts: u32,
    pub if_in_multicast_pkts: u32,
    pub if_in_broadcast_pkts: u32,
    pub if_in_discards: u32,
    pub if_in_errors: u32,
    pub if_in_unknown_protos: u32,
    pub if_out_octets: u64,
    pub if_out_ucast_pkts: u32,
    pub if_out_multicast_pkts: u32,
    pub if_out_broadcast_pkts: u32,
    pub if_out_discards: u32,
    pub if_out_errors: u32,
    pub if_promiscuous_mode: u32,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Wire {
    interface: [U32; 2],
    speed: U64,
    state: [U32; 2],
    in_octets: U64,
    in_counts: [U32; 6],
    out_octets: U64,
    out_counts: [U32; 6],
}

impl GenericInterface {
    /// Its tag among counter records.
    pub const TAG: Tag = Tag::new(0, 1);

    fn read(bytes: &[u8]) -> Option<Self> {
        let (wire, _) = Wire::ref_from_prefix(bytes).ok()?;
        let [if_index, if_type] = wire.interface.map(U32::get);
        let [if_direction, if_status] = wire.state.map(U32::get);
        let [in_ucast, in_multicast, in_broadcast, in_discards, in_errors, in_unknown] = wire.in_counts.map(U32::get);
        let [out_ucast, out_multicast, out_broadcast, out_discards, out_errors, promiscuous] =
            wire.out_counts.map(U32::get);
        Some(Self {
            if_index,
            if_type,
            if_speed: wire.speed.get(),
            if_direction,
            if_status,
            if_in_octets: wire.in_octets.get(),
            if_in_ucast_pkts: in_ucast,
            if_in_multicast_pkts: in_multicast,
            if_in_broadcast_pkts: in_broadcast,
            if_in_discards: in_discards,
            if_in_errors: in_errors,
            if_in_unknown_protos: in_unknown,
            if_out_octets: wire.out_octets.get(),
            if_out_ucast_pkts: out_ucast,
            if_out_multicast_pkts: out_multicast,
            if_out_broadcast_pkts: out_broadcast,
            if_out_discards: out_discards,
            if_out_errors: out_errors,
            if_promiscuous_mode: promiscuous,
        })
    }
}
