//! Version 5: the datagram's header, and the walk over its samples.

use super::counters::CountersSample;
use super::flow::{DiscardedPacket, FlowSample};
use super::named::{RtFlow, RtMetric};
use super::raw::RawRecords;
use super::{Datagram, Sample, Tag, xdr};
use crate::{Problem, Reader, WireError};

/// Reads the rest of a datagram's header, after its version.
pub(super) fn datagram(mut reader: Reader<'_>) -> Result<Datagram<'_>, WireError> {
    Ok(Datagram {
        version: 5,
        agent: xdr::address(&mut reader, "agent_address")?,
        sub_agent_id: reader.u32("sub_agent_id")?,
        sequence_number: reader.u32("sequence_number")?,
        uptime_ms: reader.u32("uptime")?,
        sample_count: reader.u32("samples")?,
        samples: reader,
        plain: None,
    })
}

/// Reads a sample with its tag and length. Where the datagram ends before it does, no samples are `left`.
pub(super) fn sample<'a>(reader: &mut Reader<'a>, left: &mut u32) -> Result<Sample<'a>, WireError> {
    let tag = Tag::from_word(reader.u32("sample.tag")?);
    let start = *reader;
    let length = xdr::length(reader, "sample.length")?;
    match xdr::padded_sub(reader, "sample.length", length) {
        Ok(body) => by_tag(tag, body, None),
        Err(_) => {
            // The datagram was cut, or the length lies. The records before the end are still good.
            *left = 0;
            let cut = start.error("sample.length", Problem::Truncated { needed: length, left: reader.len() });
            by_tag(tag, *reader, Some(cut)).map_err(|_| cut)
        }
    }
}

fn by_tag<'a>(tag: Tag, body: Reader<'a>, cut: Option<WireError>) -> Result<Sample<'a>, WireError> {
    match tag {
        Tag::FLOW_SAMPLE => FlowSample::compact(body, cut).map(Sample::Flow),
        Tag::FLOW_SAMPLE_EXPANDED => FlowSample::expanded(body, cut).map(Sample::Flow),
        Tag::COUNTERS_SAMPLE => CountersSample::compact(body, cut).map(Sample::Counters),
        Tag::COUNTERS_SAMPLE_EXPANDED => CountersSample::expanded(body, cut).map(Sample::Counters),
        Tag::DISCARDED_PACKET => DiscardedPacket::read(body, cut).map(Sample::Discarded),
        Tag::RTMETRIC => RtMetric::read(body, cut).map(Sample::RtMetric),
        Tag::RTFLOW => RtFlow::read(body, cut).map(Sample::RtFlow),
        _ => match cut {
            None => Ok(Sample::Unknown { tag, body: body.rest() }),
            Some(cut) => Err(cut),
        },
    }
}

/// Reads the count of records that ends a sample's fixed part; the rest are the records.
pub(super) fn records<'a>(
    mut body: Reader<'a>,
    field: &'static str,
    cut: Option<WireError>,
) -> Result<RawRecords<'a>, WireError> {
    let count = body.u32(field)?;
    Ok(RawRecords::new(body, count, cut))
}
