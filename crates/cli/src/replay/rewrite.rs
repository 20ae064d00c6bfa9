//! Finds the sequence numbers and times in datagrams that have to go on from loop to loop.
//!
//! A sequence number grows in a loop by what its stream counted in the whole capture, so that the next
//! loop begins where this one ended. IPFIX counts data records and has wall-clock times inside
//! them, so templates are learned on the way, as a collector does.

use std::collections::HashMap;
use std::net::IpAddr;

use finderscope_wire::ipfix::{self, Dialect, FieldSpecifier, RecordWalker, Set, SetKind, TemplateRecords};
use finderscope_wire::netflow::{self, fixed, v1, v5, v6, v7, v8, v9};
use finderscope_wire::sflow;

use super::patch::{Number, Patch};

/// A sequence of its own: what counts, whose, and which.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Stream {
    V5(IpAddr, u8, u8),
    /// Version and aggregation, engine's type and number.
    Fixed(IpAddr, (u16, u8), u8, u8),
    V9(IpAddr, u32),
    Ipfix(IpAddr, u32),
    Sflow(IpAddr, u32),
    /// Samples of one data source, by kind: flows and counters count apart.
    Samples(IpAddr, u32, sflow::Tag, u32, u32),
}

/// First and next sequence number of a stream.
#[derive(Clone, Copy, Debug)]
struct Extent {
    first: u32,
    next: u32,
}

/// Reads a capture once, and knows then what to rewrite.
#[derive(Default)]
pub struct Rewriter {
    streams: HashMap<Stream, Extent>,
    sequences: Vec<(usize, Stream)>,
    seconds: Vec<usize>,
    milliseconds: Vec<usize>,
    uptimes: Vec<usize>,
    templates: HashMap<(IpAddr, u32, u16), Vec<FieldSpecifier>>,
}

impl Rewriter {
    /// Takes note of a datagram that begins at byte `start` of the recording.
    pub fn learn(&mut self, source: IpAddr, bytes: &[u8], start: usize) {
        match netflow::version(bytes) {
            Some(v5::VERSION) => self.learn_v5(source, bytes, start),
            Some(v1::VERSION | v6::VERSION | v7::VERSION | v8::VERSION) => self.learn_fixed(source, bytes, start),
            Some(v9::VERSION) => self.learn_v9(source, bytes, start),
            Some(ipfix::VERSION) => self.learn_ipfix(source, bytes, start),
            _ => self.learn_sflow(source, bytes, start),
        }
    }

    /// What to rewrite, when a loop takes `span_ns`.
    pub fn patches(self, span_ns: i64) -> Vec<Patch> {
        let seconds = (span_ns / 1_000_000_000) as u32;
        let step =
            |stream: &Stream| self.streams.get(stream).map_or(0, |extent| extent.next.wrapping_sub(extent.first));
        let sequences = self.sequences.iter().map(|(at, stream)| (*at, Number::Sequence(step(stream))));
        let times = self.seconds.iter().map(|at| (*at, Number::Seconds(seconds)));
        let milliseconds = self.milliseconds.iter().map(|at| (*at, Number::Milliseconds(seconds)));
        let uptimes = self.uptimes.iter().map(|at| (*at, Number::Uptime(seconds)));
        let all = sequences.chain(times).chain(milliseconds).chain(uptimes);
        all.map(|(at, number)| Patch { at, number }).collect()
    }

    fn sequence(&mut self, at: usize, stream: Stream, number: u32, units: u32) {
        let extent = self.streams.entry(stream).or_insert(Extent { first: number, next: number });
        let next = number.wrapping_add(units);
        // Captures have reordered datagrams: the farthest counts.
        if next.wrapping_sub(extent.first) > extent.next.wrapping_sub(extent.first) {
            extent.next = next;
        }
        self.sequences.push((at, stream));
    }

    fn learn_v5(&mut self, source: IpAddr, bytes: &[u8], start: usize) {
        let Ok(message) = v5::Message::read(bytes) else { return };
        let header = message.header();
        let stream = Stream::V5(source, header.engine_type, header.engine_id);
        self.seconds.push(start + 8);
        self.sequence(start + 16, stream, header.flow_sequence.get(), header.count.get().into());
    }

    fn learn_fixed(&mut self, source: IpAddr, bytes: &[u8], start: usize) {
        let Ok(message) = fixed::Message::read(bytes) else { return };
        let (header, kind) = (message.header(), (message.version(), message.aggregation()));
        self.seconds.push(start + 8);
        if message.version() != v1::VERSION {
            let stream = Stream::Fixed(source, kind, header.engine_type, header.engine_id);
            self.sequence(start + 16, stream, header.flow_sequence, message.count().into());
        }
    }

    fn learn_v9(&mut self, source: IpAddr, bytes: &[u8], start: usize) {
        let mut at = start;
        for message in v9::messages(bytes).flatten() {
            let (domain, number) = (message.header().source_id.get(), message.header().sequence_number.get());
            self.seconds.push(at + 8);
            self.sequence(at + 12, Stream::V9(source, domain), number, 1);
            for set in message.sets().flatten() {
                self.learn_set(Dialect::V9, source, domain, &set, start);
            }
            at += message.length();
        }
    }

    fn learn_ipfix(&mut self, source: IpAddr, bytes: &[u8], start: usize) {
        for message in ipfix::messages(bytes).flatten() {
            let (header, at) = (message.header(), start + message.offset());
            let domain = header.observation_domain_id.get();
            let sets = message.sets().flatten();
            let units = sets.map(|set| self.learn_set(Dialect::Ipfix, source, domain, &set, start)).sum();
            self.seconds.push(at + 4);
            self.sequence(at + 8, Stream::Ipfix(source, domain), header.sequence_number.get(), units);
        }
    }

    /// Returns how many data records the set has, as far as its template is known.
    fn learn_set(&mut self, dialect: Dialect, source: IpAddr, domain: u32, set: &Set<'_>, start: usize) -> u32 {
        let kind = match set.kind(dialect) {
            SetKind::Templates(kind) => kind,
            SetKind::Data(_) => return self.learn_data((source, domain, set.id), set, start),
            _ => return 0,
        };
        for template in TemplateRecords::new(set.body, dialect, kind).flatten() {
            self.templates.insert((source, domain, template.id), template.fields().collect());
        }
        0
    }

    fn learn_data(&mut self, template: (IpAddr, u32, u16), set: &Set<'_>, start: usize) -> u32 {
        let Some(fields) = self.templates.get(&template) else { return 0 };
        let lengths: Vec<u16> = fields.iter().map(|field| field.length).collect();
        let timed = fields.iter().any(|field| time_of(field).is_some());
        let mut records = 0;
        for record in RecordWalker::new(set.body, &lengths).flatten() {
            records += 1;
            if !timed {
                continue;
            }
            let mut at = start + record.offset();
            for (field, bytes) in fields.iter().zip(record.fields()) {
                match time_of(field) {
                    Some(Time::Seconds) => self.seconds.push(at),
                    Some(Time::Milliseconds) => self.milliseconds.push(at),
                    None => {}
                }
                at += bytes.len() + length_bytes(field, record.bytes(), at - start - record.offset());
            }
        }
        records
    }

    fn learn_sflow(&mut self, source: IpAddr, bytes: &[u8], start: usize) {
        let Ok(datagram) = sflow::Datagram::read(bytes) else { return };
        let sub_agent = datagram.sub_agent_id;
        let plain = datagram.version < 5;
        // Before version 5 there was no sub-agent in front of the sequence number.
        let header = start
            + if plain { 8 } else { 12 }
            + if datagram.agent.is_some_and(|agent| agent.is_ipv6()) { 16 } else { 4 };
        if datagram.agent.is_none() {
            return; // an agent without an address is too odd to be sure of the offsets
        }
        self.sequence(header, Stream::Sflow(source, sub_agent), datagram.sequence_number, 1);
        self.uptimes.push(header + 4);
        if plain {
            return self.learn_plain_samples(source, &datagram, start);
        }
        let mut at = header + 12;
        while let Some((tag, length)) = sample_header(bytes, at - start) {
            if let Some((class, index, number)) = sample_source(bytes, at + 8 - start, tag) {
                self.sequence(at + 8, Stream::Samples(source, sub_agent, tag, class, index), number, 1);
            }
            at += 8 + length.next_multiple_of(4);
        }
    }

    /// Samples of versions 2 and 4, which have a type, and then the sequence number.
    fn learn_plain_samples(&mut self, source: IpAddr, datagram: &sflow::Datagram<'_>, start: usize) {
        let mut samples = datagram.samples();
        let mut at = start + samples.offset();
        while let Some(Ok(sample)) = samples.next() {
            let (origin, number) = match &sample {
                sflow::Sample::Flow(flow) => (flow.source, flow.sequence_number),
                sflow::Sample::Counters(counters) => (counters.source, counters.sequence_number),
                _ => return,
            };
            self.sequence(at + 4, Stream::Samples(source, 0, sample.tag(), origin.class, origin.index), number, 1);
            at = start + samples.offset();
        }
    }
}

/// Bytes that say how long the field is, which begins at `at` of the record (RFC 7011 section 7).
fn length_bytes(field: &FieldSpecifier, record: &[u8], at: usize) -> usize {
    match (field.length, record.get(at)) {
        (ipfix::VARIABLE, Some(255)) => 3,
        (ipfix::VARIABLE, _) => 1,
        _ => 0,
    }
}

enum Time {
    Seconds,
    Milliseconds,
}

/// Elements with wall-clock times in a form that can be moved: whole seconds, NTP's seconds, or milliseconds.
fn time_of(field: &FieldSpecifier) -> Option<Time> {
    match (field.enterprise, field.element, field.length) {
        (None, 150 | 151 | 322, 4) | (None, 154..=157 | 324 | 325, 8) => Some(Time::Seconds),
        (None, 152 | 153 | 160 | 323, 8) => Some(Time::Milliseconds),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn sample_header(bytes: &[u8], at: usize) -> Option<(sflow::Tag, usize)> {
    Some((sflow::Tag::from_word(word(bytes, at)?), word(bytes, at + 4)? as usize))
}

/// Class and index of the sample's data source, and its sequence number.
fn sample_source(bytes: &[u8], at: usize, tag: sflow::Tag) -> Option<(u32, u32, u32)> {
    let number = word(bytes, at)?;
    match tag {
        sflow::Tag::FLOW_SAMPLE | sflow::Tag::COUNTERS_SAMPLE => {
            let source = sflow::DataSource::from_word(word(bytes, at + 4)?);
            Some((source.class, source.index, number))
        }
        sflow::Tag::FLOW_SAMPLE_EXPANDED | sflow::Tag::COUNTERS_SAMPLE_EXPANDED | sflow::Tag::DISCARDED_PACKET => {
            Some((word(bytes, at + 4)?, word(bytes, at + 8)?, number))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
