//! The walk over an sFlow datagram: its packets, straight from the wire.
//!
//! No row is made and nothing is allocated. Nearly all samples are read at once ([`Samples::usual`]); the others go
//! through the walk that knows of damage and of all structures.

use std::net::IpAddr;

use finderscope_wire::delivery::Delivery;
use finderscope_wire::sflow::{
    CountersSample, Datagram, DiscardedPacket, FlowHeader, FlowRecord, FlowRecords, FlowSample, Sample, SampledHeader,
    Samples, Tag, Value,
};
use finderscope_wire::{Problem, WireError};

use crate::port::NAME_BYTES_MAX;
use crate::{Counts, Item, Packet, Port};

/// Whether a datagram says that it is sFlow.
pub fn is_sflow(datagram: &[u8]) -> bool {
    datagram.first_chunk().is_some_and(|version| matches!(u32::from_be_bytes(*version), 2 | 4 | 5))
}

/// Hands out what an sFlow datagram has: each packet once, in order, and what is said about ports.
pub fn sflow(delivery: &Delivery<'_>, counts: &mut Counts, mut take: impl FnMut(Item<'_>)) {
    counts.datagrams += 1;
    let Ok(datagram) = Datagram::read(delivery.bytes) else {
        counts.datagrams_malformed += 1;
        return;
    };
    let exporter = delivery.source.ip().to_canonical();
    let agent = datagram.agent.map_or(exporter, |agent| agent.to_canonical());
    let mut walk = Walk { received_ns: delivery.received_ns, exporter, agent, counts, take: &mut take };
    let mut samples = datagram.samples();
    loop {
        if let Some((usual, behind)) = samples.usual() {
            walk.sampled(&usual.head, &usual.header);
            samples = behind;
        } else if !walk.next(&mut samples) {
            break;
        }
    }
}

struct Walk<'a, F> {
    received_ns: i64,
    exporter: IpAddr,
    agent: IpAddr,
    counts: &'a mut Counts,
    take: &'a mut F,
}

impl<F: FnMut(Item<'_>)> Walk<'_, F> {
    /// Takes a sample of any kind; false where there is none.
    fn next(&mut self, samples: &mut Samples<'_>) -> bool {
        match samples.next() {
            None => return false,
            Some(Ok(Sample::Flow(sample))) => self.flow(&sample),
            Some(Ok(Sample::Discarded(packet))) => self.discarded(&packet),
            Some(Ok(Sample::Counters(sample))) => self.counters(&sample),
            Some(Ok(Sample::RtMetric(_) | Sample::RtFlow(_) | Sample::Unknown { .. })) => {}
            Some(Err(_)) => self.counts.samples_malformed += 1,
        }
        true
    }

    fn flow(&mut self, sample: &FlowSample<'_>) {
        let head = sample.head();
        self.records(sample.records(), |walk, header| walk.sampled(&head, header));
    }

    #[inline]
    fn sampled(&mut self, head: &FlowHeader, header: &SampledHeader<'_>) {
        self.counts.packets += 1;
        let packet = Packet {
            source: Some(head.source),
            input: Some(head.input),
            output: Some(head.output),
            sampling_rate: Some(head.sampling_rate),
            sample_pool: head.sample_pool,
            drops: head.drops,
            discard: None,
            ..self.bare(header)
        };
        (self.take)(Item::Packet(packet));
    }

    fn discarded(&mut self, packet: &DiscardedPacket<'_>) {
        self.records(packet.records(), |walk, header| {
            walk.counts.discarded += 1;
            let packet = Packet {
                source: Some(packet.source),
                input: Some(packet.input),
                output: Some(packet.output),
                drops: packet.drops,
                discard: Some(packet.reason),
                ..walk.bare(header)
            };
            (walk.take)(Item::Packet(packet));
        });
    }

    #[inline]
    fn bare<'b>(&self, header: &SampledHeader<'b>) -> Packet<'b> {
        Packet {
            received_ns: self.received_ns,
            exporter: self.exporter,
            agent: self.agent,
            source: None,
            input: None,
            output: None,
            sampling_rate: None,
            sample_pool: 0,
            drops: 0,
            discard: None,
            protocol: header.protocol,
            frame_length: header.frame_length,
            stripped: header.stripped,
            bytes: header.header,
        }
    }

    /// The headers among a sample's records, those of frames that were sent as one (IEEE 802.11) too.
    fn records(&mut self, records: FlowRecords<'_>, mut found: impl FnMut(&mut Self, &SampledHeader<'_>)) {
        let mut seen = Seen::default();
        for record in records {
            match record {
                Ok(FlowRecord::SampledHeader(header)) => {
                    seen.header = true;
                    found(self, &header);
                }
                Ok(FlowRecord::Aggregation(aggregation)) => {
                    for record in aggregation.pdus().flatten() {
                        match record {
                            Ok(FlowRecord::SampledHeader(header)) => {
                                seen.header = true;
                                found(self, &header);
                            }
                            Ok(_) => {}
                            Err(error) => seen.trouble(error),
                        }
                    }
                }
                Ok(_) => {}
                Err(error) => seen.trouble(error),
            }
        }
        self.counts.samples_malformed += u64::from(seen.cut);
        self.counts.records_malformed += seen.malformed;
        self.counts.without_header += u64::from(!seen.header && !seen.cut && seen.malformed == 0);
    }

    /// What counters say of a port: its name (0:1005) and its speed (0:1).
    #[cold]
    fn counters(&mut self, sample: &CountersSample<'_>) {
        let own = sample.source.if_index();
        for record in sample.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let mut seen = Seen::default();
                    seen.trouble(error);
                    self.counts.samples_malformed += u64::from(seen.cut);
                    self.counts.records_malformed += seen.malformed;
                    continue;
                }
            };
            if record.tag() == PORT_NAME {
                let name = record.fields().find_map(|(_, value)| match value {
                    Value::Text(name) => Some(&name[..name.len().min(NAME_BYTES_MAX)]),
                    _ => None,
                });
                self.port(own, name, None);
            } else if let Some(generic) = record.generic_interface() {
                let speed = Some(generic.if_speed).filter(|&speed| speed != 0 && speed != u64::MAX);
                self.port(Some(generic.if_index), None, speed);
            }
        }
    }

    fn port(&mut self, if_index: Option<u32>, name: Option<&[u8]>, speed: Option<u64>) {
        if let Some(if_index) = if_index
            && (name.is_some_and(|name| !name.is_empty()) || speed.is_some())
        {
            (self.take)(Item::Port(Port { agent: self.agent, if_index, name, speed }));
        }
    }
}

const PORT_NAME: Tag = Tag::new(0, 1005);

/// What was met among a sample's records.
#[derive(Default)]
struct Seen {
    header: bool,
    /// The sample ends before its records do.
    cut: bool,
    malformed: u64,
}

impl Seen {
    #[cold]
    fn trouble(&mut self, error: WireError) {
        // What a tag, a length or a sample lacks is at the sample's end; all else is inside a record.
        let at_end = matches!(error.field, "record.tag" | "record.length" | "sample.length");
        match error.problem {
            Problem::Truncated { .. } if at_end => self.cut = true,
            _ => self.malformed += 1,
        }
    }
}
