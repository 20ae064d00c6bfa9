//! Flow samples as nearly all agents send them, read at once: every length is whole words and holds what it is said
//! to, and the records are a header, and perhaps what a switch and a router know, each once.
//!
//! Whatever is different is left to the walk over records, which knows of damage and of all structures. There is no second
//! opinion: what is read here is what the walk would make of the same bytes.

use std::net::IpAddr;

use super::{DataSource, ExtendedRouter, ExtendedSwitch, FlowHeader, Interface, SampledHeader, Tag};
use crate::Reader;
use crate::packet::HeaderProtocol;

/// A flow sample, and all that its records say.
#[derive(Clone, Copy, Debug)]
pub struct UsualSample<'a> {
    /// What stands before the records.
    pub head: FlowHeader,
    /// The first bytes of the packet.
    pub header: SampledHeader<'a>,
    /// What a switch knows.
    pub switch: Option<ExtendedSwitch>,
    /// What a router knows.
    pub router: Option<ExtendedRouter>,
}

const FLOW_SAMPLE: u32 = Tag::FLOW_SAMPLE.word();
const FLOW_SAMPLE_EXPANDED: u32 = Tag::FLOW_SAMPLE_EXPANDED.word();
const SAMPLED_HEADER: u32 = Tag::new(0, 1).word();
const EXTENDED_SWITCH: u32 = Tag::new(0, 1001).word();
const EXTENDED_ROUTER: u32 = Tag::new(0, 1002).word();

impl<'a> UsualSample<'a> {
    /// Reads the sample that begins here, and says where the next one does.
    #[inline]
    pub(super) fn read(reader: Reader<'a>) -> Option<(Self, Reader<'a>)> {
        let (tag, body, behind) = item(reader.rest())?;
        let (head, count, mut records) = match tag {
            FLOW_SAMPLE => compact(body)?,
            FLOW_SAMPLE_EXPANDED => expanded(body)?,
            _ => return None,
        };
        let (mut header, mut switch, mut router) = (None, None, None);
        for _ in 0..count {
            let (tag, body, behind) = item(records)?;
            records = behind;
            match tag {
                SAMPLED_HEADER if header.is_none() => header = Some(sampled_header(body)?),
                EXTENDED_SWITCH if switch.is_none() => switch = Some(extended_switch(body)?),
                EXTENDED_ROUTER if router.is_none() => router = Some(extended_router(body)?),
                _ => return None,
            }
        }
        let behind = Reader::at(behind, reader.offset() + (reader.len() - behind.len()));
        Some((Self { head, header: header?, switch, router }, behind))
    }
}

/// What stands before the records, how many they are, and they.
#[inline]
fn compact(body: &[u8]) -> Option<(FlowHeader, u32, &[u8])> {
    let ([sequence_number, source, sampling_rate, sample_pool, drops, input, output, count], records) = words(body)?;
    let head = FlowHeader {
        sequence_number,
        source: DataSource::from_word(source),
        sampling_rate,
        sample_pool,
        drops,
        input: Interface::from_word(input),
        output: Interface::from_word(output),
    };
    Some((head, count, records))
}

/// The same of the expanded form.
#[inline]
fn expanded(body: &[u8]) -> Option<(FlowHeader, u32, &[u8])> {
    let ([sequence_number, class, index, sampling_rate, sample_pool, drops], rest) = words(body)?;
    let ([input_format, input, output_format, output, count], records) = words(rest)?;
    let head = FlowHeader {
        sequence_number,
        source: DataSource { class, index },
        sampling_rate,
        sample_pool,
        drops,
        input: Interface { format: input_format, value: input },
        output: Interface { format: output_format, value: output },
    };
    Some((head, count, records))
}

/// A tag, what its length holds, and what lies behind, where the length is whole words and true.
#[inline]
fn item(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let ([tag, length], rest) = words(bytes)?;
    let length = usize::try_from(length).ok().filter(|length| length.is_multiple_of(4))?;
    let (body, behind) = rest.split_at_checked(length)?;
    Some((tag, body, behind))
}

#[inline]
fn words<const N: usize>(bytes: &[u8]) -> Option<([u32; N], &[u8])> {
    let (words, _) = bytes.as_chunks::<4>();
    let words = words.first_chunk::<N>()?;
    Some((words.map(u32::from_be_bytes), bytes.get(4 * N..)?))
}

#[inline]
fn sampled_header(body: &[u8]) -> Option<SampledHeader<'_>> {
    let ([protocol, frame_length, stripped, length], rest) = words(body)?;
    let header = rest.get(..usize::try_from(length).ok()?)?;
    Some(SampledHeader { protocol: HeaderProtocol(protocol), frame_length, stripped, header })
}

#[inline]
fn extended_switch(body: &[u8]) -> Option<ExtendedSwitch> {
    let ([src_vlan, src_priority, dst_vlan, dst_priority], _) = words(body)?;
    Some(ExtendedSwitch { src_vlan, src_priority, dst_vlan, dst_priority })
}

#[inline]
fn extended_router(body: &[u8]) -> Option<ExtendedRouter> {
    let ([kind], rest) = words(body)?;
    let (nexthop, rest) = match kind {
        0 => (None, rest),
        1 => rest.split_first_chunk::<4>().map(|(address, rest)| (Some(IpAddr::from(*address)), rest))?,
        2 => rest.split_first_chunk::<16>().map(|(address, rest)| (Some(IpAddr::from(*address)), rest))?,
        _ => return None,
    };
    let ([src_mask_len, dst_mask_len], _) = words(rest)?;
    Some(ExtendedRouter { nexthop, src_mask_len, dst_mask_len })
}
