//! Samples that hold flow records: sampled packets and discarded ones.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned, big_endian::U32};

use super::plain::{PlainRecords, PlainVersion};
use super::raw::RawRecords;
use super::records::FlowRecord;
use super::{Block, DataSource, FlowHeader, Interface, Layout, Tag, discard_reason, v5};
use crate::{Problem, Reader, WireError};

/// A packet that was sampled: `flow_sample` (0:1, or of version 2 or 4) or `flow_sample_expanded` (0:3).
#[derive(Clone, Copy, Debug)]
pub struct FlowSample<'a> {
    /// Whether it came in the expanded form, which has room for wider indexes.
    pub expanded: bool,
    /// Counts the samples of this source.
    pub sequence_number: u32,
    /// Where it was taken.
    pub source: DataSource,
    /// One in so many packets is sampled.
    pub sampling_rate: u32,
    /// How many packets could have been sampled so far.
    pub sample_pool: u32,
    /// How many times the agent had to leave out a sample.
    pub drops: u32,
    /// Where the packet came in.
    pub input: Interface,
    /// Where it went out.
    pub output: Interface,
    records: Records<'a>,
    record_count: u32,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Compact {
    sequence_number: U32,
    source_id: U32,
    sampling_rate: U32,
    sample_pool: U32,
    drops: U32,
    input: U32,
    output: U32,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Expanded {
    sequence_number: U32,
    source: [U32; 2],
    sampling_rate: U32,
    sample_pool: U32,
    drops: U32,
    input: [U32; 2],
    output: [U32; 2],
}

impl<'a> FlowSample<'a> {
    pub(super) fn compact(mut body: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let header: &Compact = body.header("flow_sample")?;
        let records = v5::records(body, "flow_sample.flow_records", cut)?;
        let interface = |word: U32| Interface::from_word(word.get());
        Ok(Self::new(header, interface, Records::Tagged(records), records.said()))
    }

    /// The form of versions 2 and 4, which ends where its last record ends. Also says whether all records are sound.
    pub(super) fn plain(reader: &mut Reader<'a>, version: PlainVersion) -> Result<(Self, bool), WireError> {
        let header: &Compact = reader.header("flow_sample")?;
        let (records, walked) = PlainRecords::take(reader, version);
        let interface = |word: U32| Interface::from_plain_word(word.get());
        Ok((Self::new(header, interface, Records::Plain(records), walked.records), walked.sound))
    }

    #[inline]
    fn new(header: &Compact, interface: fn(U32) -> Interface, records: Records<'a>, record_count: u32) -> Self {
        Self {
            expanded: false,
            sequence_number: header.sequence_number.get(),
            source: DataSource::from_word(header.source_id.get()),
            sampling_rate: header.sampling_rate.get(),
            sample_pool: header.sample_pool.get(),
            drops: header.drops.get(),
            input: interface(header.input),
            output: interface(header.output),
            records,
            record_count,
        }
    }

    pub(super) fn expanded(mut body: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let header: &Expanded = body.header("flow_sample_expanded")?;
        let interface = |[format, value]: [U32; 2]| Interface { format: format.get(), value: value.get() };
        let [class, index] = header.source;
        let records = v5::records(body, "flow_sample_expanded.flow_records", cut)?;
        Ok(Self {
            expanded: true,
            sequence_number: header.sequence_number.get(),
            source: DataSource { class: class.get(), index: index.get() },
            sampling_rate: header.sampling_rate.get(),
            sample_pool: header.sample_pool.get(),
            drops: header.drops.get(),
            input: interface(header.input),
            output: interface(header.output),
            records: Records::Tagged(records),
            record_count: records.said(),
        })
    }

    /// What was found out about the packet.
    pub const fn records(&self) -> FlowRecords<'a> {
        FlowRecords::new(self.records)
    }

    /// What stands before the records.
    #[inline]
    pub const fn head(&self) -> FlowHeader {
        FlowHeader {
            sequence_number: self.sequence_number,
            source: self.source,
            sampling_rate: self.sampling_rate,
            sample_pool: self.sample_pool,
            drops: self.drops,
            input: self.input,
            output: self.output,
        }
    }

    /// How many records the sample says it has.
    pub const fn record_count(&self) -> u32 {
        self.record_count
    }
}

/// A packet that the device threw away: `discarded_packet` (0:5). Every such packet is meant, not one in so many.
#[derive(Clone, Copy, Debug)]
pub struct DiscardedPacket<'a> {
    /// Counts the discarded packets reported by this source.
    pub sequence_number: u32,
    /// Where it was noticed.
    pub source: DataSource,
    /// How many were not reported, because there were too many.
    pub drops: u32,
    /// Where the packet came in.
    pub input: Interface,
    /// Where it would have gone out.
    pub output: Interface,
    /// Why; [`Self::reason_name`] has the word.
    pub reason: u32,
    records: RawRecords<'a>,
}

#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Discarded {
    sequence_number: U32,
    source: [U32; 2],
    drops: U32,
    input: U32,
    output: U32,
    reason: U32,
}

impl<'a> DiscardedPacket<'a> {
    pub(super) fn read(mut body: Reader<'a>, cut: Option<WireError>) -> Result<Self, WireError> {
        let header: &Discarded = body.header("discarded_packet")?;
        let [class, index] = header.source;
        Ok(Self {
            sequence_number: header.sequence_number.get(),
            source: DataSource { class: class.get(), index: index.get() },
            drops: header.drops.get(),
            input: Interface::from_word(header.input.get()),
            output: Interface::from_word(header.output.get()),
            reason: header.reason.get(),
            records: v5::records(body, "discarded_packet.flow_records", cut)?,
        })
    }

    /// The reason's name, where it has one.
    pub const fn reason_name(&self) -> Option<&'static str> {
        discard_reason(self.reason)
    }

    /// What was found out about the packet.
    pub const fn records(&self) -> FlowRecords<'a> {
        FlowRecords::new(Records::Tagged(self.records))
    }

    /// How many records the sample says it has.
    pub const fn record_count(&self) -> u32 {
        self.records.said()
    }
}

/// The flow records of a sample. An `Err` is one record; the next may be sound again.
#[derive(Clone, Debug)]
pub struct FlowRecords<'a> {
    records: Records<'a>,
    /// Whether they are inside a record already.
    nested: bool,
}

impl<'a> FlowRecords<'a> {
    const fn new(records: Records<'a>) -> Self {
        Self { records, nested: false }
    }

    /// The records of the public list, each through its [`Layout`](super::Layout), also those that have a type of their
    /// own. None for versions 2 and 4, where records have other forms.
    pub fn blocks(self) -> impl Iterator<Item = Result<Block<'a>, WireError>> + use<'a> {
        let (tagged, nested) = match self.records {
            Records::Tagged(records) => (Some(records), self.nested),
            Records::Plain(_) => (None, false),
        };
        tagged.into_iter().flatten().filter_map(move |record| match record {
            Ok((Tag::AGGREGATION, body)) if nested => Some(Err(too_deep(body))),
            Ok((tag, body)) => Layout::flow(tag).map(|layout| Block::read(layout, body)),
            Err(error) => Some(Err(error)),
        })
    }

    /// Records inside a record.
    pub(super) const fn nested(records: RawRecords<'a>) -> Self {
        Self { records: Records::Tagged(records), nested: true }
    }
}

/// Records as the datagram's version has them.
#[derive(Clone, Copy, Debug)]
enum Records<'a> {
    /// With a tag and a length each.
    Tagged(RawRecords<'a>),
    /// Without.
    Plain(PlainRecords<'a>),
}

impl<'a> Iterator for FlowRecords<'a> {
    type Item = Result<FlowRecord<'a>, WireError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let records = match &mut self.records {
            Records::Tagged(records) => records,
            Records::Plain(records) => return records.next(),
        };
        match records.next()? {
            Ok((Tag::AGGREGATION, body)) if self.nested => Some(Err(too_deep(body))),
            Ok((tag, body)) => Some(FlowRecord::read(tag, body)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// An aggregate inside an aggregate: nobody sends it, and it could go on for ever.
#[cold]
fn too_deep(body: Reader<'_>) -> WireError {
    body.error("extended_80211_aggregation", Problem::TooDeep(1))
}
