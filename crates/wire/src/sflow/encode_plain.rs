//! Writes datagrams of versions 2 and 4 (RFC 3176 section 4), into a buffer that the caller keeps.
//!
//! As with [`super::Encoder`] counts are brought up to date with each record, so that the buffer always holds a sound
//! datagram. What the versions have no room for is said by a `false`, and not written.

use super::encode::{CountersHeader, DatagramHeader, FlowHeader, GatewayValue};
use super::encode_records;
use super::{CountersVersion, FlowRecord, GenericInterface, PlainVersion, Value, xdr};
use crate::Writer;

/// A datagram of version 2 or 4 being written.
#[derive(Debug)]
pub struct PlainEncoder<'b> {
    writer: Writer<'b>,
    version: PlainVersion,
    count_at: usize,
    samples: u32,
}

impl<'b> PlainEncoder<'b> {
    /// Begins a datagram at the end of `buffer`. The sub-agent has no place in it.
    pub fn new(buffer: &'b mut Vec<u8>, version: PlainVersion, header: &DatagramHeader) -> Self {
        let mut writer = Writer::new(buffer);
        writer.u32(version.number());
        xdr::put_address(&mut writer, header.agent);
        writer.u32(header.sequence_number).u32(header.uptime_ms);
        let count_at = writer.len();
        writer.u32(0);
        Self { writer, version, count_at, samples: 0 }
    }

    /// Bytes written so far.
    pub const fn len(&self) -> usize {
        self.writer.len()
    }

    /// Never: a header is always there.
    pub const fn is_empty(&self) -> bool {
        self.writer.is_empty()
    }

    /// Begins a sampled packet. None where `packet` is not one of the kinds that can be sampled: a header, IPv4 or IPv6.
    pub fn flow_sample(&mut self, header: &FlowHeader, packet: &FlowRecord<'_>) -> Option<PlainFlowWriter<'_, 'b>> {
        let kind = match packet {
            FlowRecord::SampledHeader(_) => 1,
            FlowRecord::SampledIpv4(_) => 2,
            FlowRecord::SampledIpv6(_) => 3,
            _ => return None,
        };
        self.begin(1);
        let w = &mut self.writer;
        w.u32(header.sequence_number).u32(header.source.word());
        w.u32(header.sampling_rate).u32(header.sample_pool).u32(header.drops);
        w.u32(header.input.plain_word()).u32(header.output.plain_word());
        w.u32(kind);
        match packet {
            FlowRecord::SampledHeader(it) => {
                w.u32(it.protocol.0).u32(it.frame_length);
                xdr::put_opaque(w, it.header);
            }
            other => encode_records::put(w, other),
        }
        let count_at = w.len();
        w.u32(0);
        Some(PlainFlowWriter { writer: &mut self.writer, version: self.version, count_at, count: 0 })
    }

    /// Adds a counters sample: the generic interface counters where `kind` has them, and the values of the structure
    /// that is special to it, in the order of its [`super::Layout`].
    pub fn counters_sample(
        &mut self,
        header: &CountersHeader,
        interval_s: u32,
        kind: CountersVersion,
        generic: &GenericInterface,
        specific: &[Value<'_>],
    ) {
        self.begin(2);
        let w = &mut self.writer;
        w.u32(header.sequence_number).u32(header.source.word()).u32(interval_s).u32(kind.number());
        if kind.has_generic() {
            encode_records::put_generic_interface(w, generic);
        }
        if kind.specific().is_some() {
            specific.iter().for_each(|value| value.write(w));
        }
    }

    fn begin(&mut self, kind: u32) {
        self.samples += 1;
        self.writer.set_u32(self.count_at, self.samples);
        self.writer.u32(kind);
    }
}

/// A sampled packet of version 2 or 4 being written.
#[derive(Debug)]
pub struct PlainFlowWriter<'e, 'b> {
    writer: &'e mut Writer<'b>,
    version: PlainVersion,
    count_at: usize,
    count: u32,
}

impl PlainFlowWriter<'_, '_> {
    /// Adds an extended record. False, and nothing written, where the version does not have its kind.
    pub fn extended(&mut self, record: &FlowRecord<'_>) -> bool {
        let tag = record.tag();
        if tag.enterprise != 0 || !(1001..=1012).contains(&tag.format) {
            return false;
        }
        self.begin(tag.format - 1000);
        let w = &mut *self.writer;
        match record {
            FlowRecord::ExtendedGateway(it) => {
                w.u32(it.router_as).u32(it.src_as).u32(it.src_peer_as);
                match self.version {
                    PlainVersion::V2 => {
                        let numbers: Vec<u32> = it.dst_as_path.numbers().collect();
                        xdr::put_numbers(w, numbers.into_iter());
                    }
                    PlainVersion::V4 => encode_records::put_route(w, it),
                }
            }
            FlowRecord::ExtendedUser(it) => {
                xdr::put_opaque(w, it.src_user);
                xdr::put_opaque(w, it.dst_user);
            }
            FlowRecord::ExtendedUrl(it) => {
                w.u32(it.direction);
                xdr::put_opaque(w, it.url);
            }
            other => encode_records::put(w, other),
        }
        true
    }

    /// Adds a gateway of one's own making. Version 2 has no segments, communities or local preference.
    pub fn gateway(&mut self, it: &GatewayValue<'_>) -> &mut Self {
        self.begin(3);
        let w = &mut *self.writer;
        w.u32(it.router_as).u32(it.src_as).u32(it.src_peer_as);
        match self.version {
            PlainVersion::V2 => {
                let numbers = it.dst_as_path.iter().flat_map(|(_, numbers)| *numbers);
                let numbers: Vec<u32> = numbers.copied().collect();
                xdr::put_numbers(w, numbers.into_iter());
            }
            PlainVersion::V4 => encode_records::put_route_value(w, it),
        }
        self
    }

    /// Adds an extended record of one of the numbers 1 to 12 as the values of its fields, in the order that the
    /// version has. False, and nothing written, for other numbers.
    pub fn values(&mut self, kind: u32, values: &[Value<'_>]) -> bool {
        if !(1..=12).contains(&kind) {
            return false;
        }
        self.begin(kind);
        values.iter().for_each(|value| value.write(self.writer));
        true
    }

    fn begin(&mut self, kind: u32) {
        self.count += 1;
        self.writer.set_u32(self.count_at, self.count);
        self.writer.u32(kind);
    }
}
