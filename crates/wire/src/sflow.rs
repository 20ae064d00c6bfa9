//! sFlow: sampled packets, interface counters and discarded packets, read in place and written.
//!
//! In version 5 (sflow.org, `sflow_version_5.txt`) a datagram holds samples, a sample holds
//! records, and each carries a [`Tag`] and a length, in XDR (RFC 4506). So damage stays where it is:
//!
//! * [`Datagram::read`] fails only when the datagram's own header is unsound;
//! * an `Err` among [`Datagram::samples`] is one sample that could not be read;
//! * an `Err` among a sample's `records()` is one record that could not, or, as the last item, the
//!   place where the rest of the sample is missing. What lies wholly before it has been returned.
//!
//! Counts off the wire are never trusted: they stop an iteration, they size nothing. Nothing here
//! allocates, and strings stay bytes, since agents are not bound to UTF-8.
//!
//! Structures with an obvious use are typed ([`FlowRecord`]); all others of the public list are
//! described by one table ([`Layout`]) and read field by field through [`Block`].
//! [`Encoder`] writes datagrams.
//!
//! Versions 2 and 4 (RFC 3176) are read into the same samples and records. Their samples have no lengths, so there
//! damage ends the datagram. [`PlainEncoder`] writes them.

mod aggregation;
mod block;
mod counters;
mod encode;
mod encode_named;
mod encode_plain;
mod encode_records;
mod extended;
mod flow;
mod gateway;
mod interface;
mod layouts;
mod named;
mod plain;
mod plain_counters;
mod raw;
mod reason;
mod records;
mod samples;
mod tag;
mod usual;
mod v5;
mod value;
mod xdr;

use std::net::IpAddr;

pub use aggregation::Aggregation;
pub use block::{Block, Fields};
pub use counters::{CounterRecord, CounterRecords, CountersSample, GenericInterface};
pub use encode::{
    CountersHeader, CountersWriter, DatagramHeader, DiscardedHeader, Encoder, FlowHeader, FlowWriter, GatewayValue,
};
pub use encode_plain::{PlainEncoder, PlainFlowWriter};
pub use extended::{ExtendedMpls, ExtendedNat, ExtendedRouter, ExtendedSwitch, ExtendedUrl, ExtendedUser};
pub use flow::{DiscardedPacket, FlowRecords, FlowSample};
pub use gateway::{AsPath, AsPathSegment, ExtendedGateway};
pub use interface::{DataSource, Interface};
pub use layouts::{Field, FieldType, Layout};
pub use named::{FlowField, Metric, Named, RtFlow, RtMetric};
pub use plain::PlainVersion;
pub use plain_counters::CountersVersion;
pub use reason::discard_reason;
pub use records::{FlowRecord, SampledEthernet, SampledHeader, SampledIpv4, SampledIpv6};
pub use samples::Samples;
pub use tag::Tag;
pub use usual::UsualSample;
pub use value::Value;
pub use xdr::Numbers;

use crate::{Problem, Reader, WireError};

/// What a [`Block`]'s field holds, under the name that counters' users look for.
pub type CounterValue<'a> = Value<'a>;

/// One sFlow datagram: its header, and its samples still to be read.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The version it was written in: 2, 4 or 5.
    pub version: u32,
    /// The agent's own address; none where it says that it does not know (type 0).
    pub agent: Option<IpAddr>,
    /// Which of the agent's processes sent this; each has its own sequence. 0 before version 5.
    pub sub_agent_id: u32,
    /// Counts datagrams per agent and sub-agent.
    pub sequence_number: u32,
    /// Milliseconds since the agent started.
    pub uptime_ms: u32,
    /// How many samples the datagram says it has.
    pub sample_count: u32,
    samples: Reader<'a>,
    plain: Option<PlainVersion>,
}

impl<'a> Datagram<'a> {
    /// Reads the header of a datagram.
    ///
    /// # Errors
    /// When the version is none of 2, 4 and 5, or the header is cut or has an address of no known type.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u32("version")?;
        match version {
            2 => plain::datagram(PlainVersion::V2, reader),
            4 => plain::datagram(PlainVersion::V4, reader),
            5 => v5::datagram(reader),
            _ => Err(WireError::new("version", 0, Problem::Version(version))),
        }
    }

    /// The samples, in the order sent. Ends after the first sample that is cut off.
    pub fn samples(&self) -> Samples<'a> {
        Samples::new(self.samples, self.sample_count, self.plain)
    }
}

/// One sample of a datagram.
#[derive(Clone, Copy, Debug)]
pub enum Sample<'a> {
    /// A sampled packet: `flow_sample` or `flow_sample_expanded`.
    Flow(FlowSample<'a>),
    /// Counters of one source: `counters_sample` or `counters_sample_expanded`.
    Counters(CountersSample<'a>),
    /// A packet that the device threw away: `discarded_packet`.
    Discarded(DiscardedPacket<'a>),
    /// Metrics by name: `rtmetric`.
    RtMetric(RtMetric<'a>),
    /// A flow by name: `rtflow`.
    RtFlow(RtFlow<'a>),
    /// A kind that is not read here.
    Unknown {
        /// Which kind.
        tag: Tag,
        /// Its bytes.
        body: &'a [u8],
    },
}

impl Sample<'_> {
    /// The sample's tag, as it stood in the datagram.
    pub const fn tag(&self) -> Tag {
        match self {
            Self::Flow(sample) if sample.expanded => Tag::FLOW_SAMPLE_EXPANDED,
            Self::Flow(_) => Tag::FLOW_SAMPLE,
            Self::Counters(sample) if sample.expanded => Tag::COUNTERS_SAMPLE_EXPANDED,
            Self::Counters(_) => Tag::COUNTERS_SAMPLE,
            Self::Discarded(_) => Tag::DISCARDED_PACKET,
            Self::RtMetric(_) => Tag::RTMETRIC,
            Self::RtFlow(_) => Tag::RTFLOW,
            Self::Unknown { tag, .. } => *tag,
        }
    }
}
