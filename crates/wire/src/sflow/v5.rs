//! Version 5: the datagram's header, and the walk over its samples.

use super::counters::CountersSample;
use super::flow::{DiscardedPacket, FlowSample};
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
    })
}

/// The samples of a datagram. An `Err` is one sample; the next may be sound again.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    reader: Reader<'a>,
    left: u32,
}

impl<'a> Samples<'a> {
    pub(super) const fn new(reader: Reader<'a>, left: u32) -> Self {
        Self { reader, left }
    }

    fn read(&mut self) -> Result<Sample<'a>, WireError> {
        let tag = Tag::from_word(self.reader.u32("sample.tag")?);
        let start = self.reader;
        let length = xdr::length(&mut self.reader, "sample.length")?;
        match xdr::padded_sub(&mut self.reader, "sample.length", length) {
            Ok(body) => sample(tag, body, None),
            Err(_) => {
                // The datagram was cut, or the length lies. The records before the end are still good.
                self.left = 0;
                let left = self.reader.len();
                let cut = start.error("sample.length", Problem::Truncated { needed: length, left });
                sample(tag, self.reader, Some(cut)).map_err(|_| cut)
            }
        }
    }
}

impl<'a> Iterator for Samples<'a> {
    type Item = Result<Sample<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let had = self.reader.len();
        let sample = self.read();
        if had < 8 {
            // Not even a tag and a length: whatever the count says, nothing follows.
            self.left = 0;
        }
        Some(sample)
    }
}

fn sample<'a>(tag: Tag, body: Reader<'a>, cut: Option<WireError>) -> Result<Sample<'a>, WireError> {
    match tag {
        Tag::FLOW_SAMPLE => FlowSample::compact(body, cut).map(Sample::Flow),
        Tag::FLOW_SAMPLE_EXPANDED => FlowSample::expanded(body, cut).map(Sample::Flow),
        Tag::COUNTERS_SAMPLE => CountersSample::compact(body, cut).map(Sample::Counters),
        Tag::COUNTERS_SAMPLE_EXPANDED => CountersSample::expanded(body, cut).map(Sample::Counters),
        Tag::DISCARDED_PACKET => DiscardedPacket::read(body, cut).map(Sample::Discarded),
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
