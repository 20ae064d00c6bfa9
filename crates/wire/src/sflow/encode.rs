//! Writes version 5 datagrams into a buffer that the caller keeps.
//!
//! ```
//! use finderscope_wire::packet::HeaderProtocol;
//! use finderscope_wire::sflow::{DatagramHeader, Encoder, FlowHeader, FlowRecord, SampledHeader};
//!
//! let mut buffer = Vec::new();
//! let mut datagram = Encoder::new(&mut buffer, &DatagramHeader { sequence_number: 1, ..Default::default() });
//! let mut sample = datagram.flow_sample(&FlowHeader { sampling_rate: 1000, ..Default::default() });
//! sample.record(&FlowRecord::SampledHeader(SampledHeader {
//!     protocol: HeaderProtocol::ETHERNET,
//!     frame_length: 1518,
//!     stripped: 4,
//!     header: &[0; 64],
//! }));
//! ```
//!
//! Counts and lengths are brought up to date with each record, so the buffer holds a sound datagram
//! after every call, and there is nothing to finish. Nothing is allocated but the buffer's own growth.

use std::net::IpAddr;

use super::named::{FlowField, Metric};
use super::{DataSource, FlowRecord, GenericInterface, Interface, Tag, Value, encode_named, encode_records, xdr};
use crate::Writer;

/// What stands before the samples.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DatagramHeader {
    /// The agent's address.
    pub agent: Option<IpAddr>,
    /// Which of the agent's processes this is.
    pub sub_agent_id: u32,
    /// Counts datagrams.
    pub sequence_number: u32,
    /// Milliseconds since the agent started.
    pub uptime_ms: u32,
}

/// What stands before the records of a sampled packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FlowHeader {
    /// Counts samples of this source.
    pub sequence_number: u32,
    /// Where the packet was sampled.
    pub source: DataSource,
    /// One in so many.
    pub sampling_rate: u32,
    /// How many packets could have been sampled so far.
    pub sample_pool: u32,
    /// How many samples had to be left out.
    pub drops: u32,
    /// Where it came in.
    pub input: Interface,
    /// Where it went out.
    pub output: Interface,
}

impl Default for FlowHeader {
    fn default() -> Self {
        Self {
            sequence_number: 0,
            source: DataSource { class: 0, index: 0 },
            sampling_rate: 1,
            sample_pool: 0,
            drops: 0,
            input: Interface::UNKNOWN,
            output: Interface::UNKNOWN,
        }
    }
}

/// What stands before the records of a counters sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CountersHeader {
    /// Counts samples of this source.
    pub sequence_number: u32,
    /// Whose counters follow.
    pub source: DataSource,
}

/// What stands before the records of a discarded packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DiscardedHeader {
    /// Counts discarded packets of this source.
    pub sequence_number: u32,
    /// Where it was noticed.
    pub source: DataSource,
    /// How many were not reported.
    pub drops: u32,
    /// Where the packet came in.
    pub input: Interface,
    /// Where it would have gone out.
    pub output: Interface,
    /// Why it was discarded.
    pub reason: u32,
}

/// A datagram being written.
#[derive(Debug)]
pub struct Encoder<'b> {
    writer: Writer<'b>,
    count_at: usize,
    samples: u32,
}

impl<'b> Encoder<'b> {
    /// Begins a datagram at the end of `buffer`.
    pub fn new(buffer: &'b mut Vec<u8>, header: &DatagramHeader) -> Self {
        let mut writer = Writer::new(buffer);
        writer.u32(5);
        xdr::put_address(&mut writer, header.agent);
        writer.u32(header.sub_agent_id).u32(header.sequence_number).u32(header.uptime_ms);
        let count_at = writer.len();
        writer.u32(0);
        Self { writer, count_at, samples: 0 }
    }

    /// Bytes written so far.
    pub const fn len(&self) -> usize {
        self.writer.len()
    }

    /// Never: a header is always there.
    pub const fn is_empty(&self) -> bool {
        self.writer.is_empty()
    }

    /// Begins a sampled packet in the compact form.
    pub fn flow_sample(&mut self, header: &FlowHeader) -> FlowWriter<'_, 'b> {
        let length_at = self.begin(Tag::FLOW_SAMPLE);
        self.writer.u32(header.sequence_number).u32(header.source.word());
        self.writer.u32(header.sampling_rate).u32(header.sample_pool).u32(header.drops);
        self.writer.u32(header.input.word()).u32(header.output.word());
        FlowWriter(self.records(length_at))
    }

    /// Begins a sampled packet in the expanded form.
    pub fn flow_sample_expanded(&mut self, header: &FlowHeader) -> FlowWriter<'_, 'b> {
        let length_at = self.begin(Tag::FLOW_SAMPLE_EXPANDED);
        self.writer.u32(header.sequence_number).u32(header.source.class).u32(header.source.index);
        self.writer.u32(header.sampling_rate).u32(header.sample_pool).u32(header.drops);
        self.writer.u32(header.input.format).u32(header.input.value);
        self.writer.u32(header.output.format).u32(header.output.value);
        FlowWriter(self.records(length_at))
    }

    /// Begins a discarded packet.
    pub fn discarded_packet(&mut self, header: &DiscardedHeader) -> FlowWriter<'_, 'b> {
        let length_at = self.begin(Tag::DISCARDED_PACKET);
        self.writer.u32(header.sequence_number).u32(header.source.class).u32(header.source.index);
        self.writer.u32(header.drops).u32(header.input.word()).u32(header.output.word()).u32(header.reason);
        FlowWriter(self.records(length_at))
    }

    /// Begins a counters sample in the compact form.
    pub fn counters_sample(&mut self, header: &CountersHeader) -> CountersWriter<'_, 'b> {
        let length_at = self.begin(Tag::COUNTERS_SAMPLE);
        self.writer.u32(header.sequence_number).u32(header.source.word());
        CountersWriter(self.records(length_at))
    }

    /// Begins a counters sample in the expanded form.
    pub fn counters_sample_expanded(&mut self, header: &CountersHeader) -> CountersWriter<'_, 'b> {
        let length_at = self.begin(Tag::COUNTERS_SAMPLE_EXPANDED);
        self.writer.u32(header.sequence_number).u32(header.source.class).u32(header.source.index);
        CountersWriter(self.records(length_at))
    }

    /// Writes metrics by name (`rtmetric`).
    pub fn rtmetric(&mut self, data_source: &[u8], metrics: &[(&[u8], Metric<'_>)]) {
        let length_at = self.begin(Tag::RTMETRIC);
        encode_named::put_metrics(&mut self.writer, data_source, metrics);
        set_length(&mut self.writer, length_at);
    }

    /// Writes a flow by name (`rtflow`).
    pub fn rtflow(
        &mut self,
        data_source: &[u8],
        sampling_rate: u32,
        sample_pool: u32,
        fields: &[(&[u8], FlowField<'_>)],
    ) {
        let length_at = self.begin(Tag::RTFLOW);
        xdr::put_opaque(&mut self.writer, data_source);
        self.writer.u32(sampling_rate).u32(sample_pool);
        encode_named::put_fields(&mut self.writer, fields);
        set_length(&mut self.writer, length_at);
    }

    /// Writes a whole sample whose bytes are there already.
    pub fn raw_sample(&mut self, tag: Tag, body: &[u8]) {
        let length_at = self.begin(tag);
        self.writer.bytes(body);
        set_length(&mut self.writer, length_at);
        self.writer.pad(4);
    }

    fn begin(&mut self, tag: Tag) -> usize {
        self.samples += 1;
        self.writer.set_u32(self.count_at, self.samples);
        self.writer.u32(tag.word());
        let length_at = self.writer.len();
        self.writer.u32(0);
        length_at
    }

    fn records(&mut self, length_at: usize) -> Records<'_, 'b> {
        let count_at = self.writer.len();
        self.writer.u32(0);
        set_length(&mut self.writer, length_at);
        Records { writer: &mut self.writer, length_at, count_at, count: 0 }
    }
}

/// A sampled or discarded packet being written.
#[derive(Debug)]
pub struct FlowWriter<'e, 'b>(Records<'e, 'b>);

impl FlowWriter<'_, '_> {
    /// Adds a record.
    pub fn record(&mut self, record: &FlowRecord<'_>) -> &mut Self {
        self.0.add(record.tag(), |writer| encode_records::put(writer, record));
        self
    }

    /// Adds an `extended_gateway` of one's own making. ([`Self::record`] takes one that was read.)
    pub fn gateway(&mut self, gateway: &GatewayValue<'_>) -> &mut Self {
        self.0.add(Tag::new(0, 1003), |writer| encode_records::put_gateway(writer, gateway));
        self
    }

    /// Adds an `extended_mpls` of one's own making. ([`Self::record`] takes one that was read.)
    pub fn mpls(&mut self, nexthop: Option<IpAddr>, in_stack: &[u32], out_stack: &[u32]) -> &mut Self {
        self.0.add(Tag::new(0, 1006), |writer| {
            xdr::put_address(writer, nexthop);
            xdr::put_numbers(writer, in_stack.iter().copied());
            xdr::put_numbers(writer, out_stack.iter().copied());
        });
        self
    }

    /// Adds any record as the values of its fields, in the order of its [`super::Layout`].
    pub fn values(&mut self, tag: Tag, values: &[Value<'_>]) -> &mut Self {
        self.0.values(tag, values);
        self
    }
}

/// `extended_gateway`, for writing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GatewayValue<'a> {
    /// The border router that is next.
    pub nexthop: Option<IpAddr>,
    /// The AS of the agent's own router.
    pub router_as: u32,
    /// The AS of the source.
    pub src_as: u32,
    /// The AS from which the packet came.
    pub src_peer_as: u32,
    /// The path to the destination, as kind and numbers of each segment.
    pub dst_as_path: &'a [(u32, &'a [u32])],
    /// The route's communities.
    pub communities: &'a [u32],
    /// The route's local preference.
    pub local_pref: u32,
}

/// A counters sample being written.
#[derive(Debug)]
pub struct CountersWriter<'e, 'b>(Records<'e, 'b>);

impl CountersWriter<'_, '_> {
    /// Adds the generic interface counters.
    pub fn generic_interface(&mut self, counters: &GenericInterface) -> &mut Self {
        self.0.add(GenericInterface::TAG, |writer| encode_records::put_generic_interface(writer, counters));
        self
    }

    /// Adds any structure as the values of its fields, in the order of its [`super::Layout`].
    pub fn values(&mut self, tag: Tag, values: &[Value<'_>]) -> &mut Self {
        self.0.values(tag, values);
        self
    }
}

/// The records of the last sample.
#[derive(Debug)]
struct Records<'e, 'b> {
    writer: &'e mut Writer<'b>,
    length_at: usize,
    count_at: usize,
    count: u32,
}

impl Records<'_, '_> {
    fn add(&mut self, tag: Tag, put: impl FnOnce(&mut Writer<'_>)) {
        self.writer.u32(tag.word());
        let length_at = self.writer.len();
        self.writer.u32(0);
        put(self.writer);
        set_length(self.writer, length_at);
        self.writer.pad(4);
        self.count += 1;
        self.writer.set_u32(self.count_at, self.count);
        set_length(self.writer, self.length_at);
    }

    fn values(&mut self, tag: Tag, values: &[Value<'_>]) {
        self.add(tag, |writer| values.iter().for_each(|value| value.write(writer)));
    }
}

/// Sets the length at `length_at` to what has been written after it.
fn set_length(writer: &mut Writer<'_>, length_at: usize) {
    let length = writer.len() - length_at - 4;
    writer.set_u32(length_at, xdr::count(length));
}
