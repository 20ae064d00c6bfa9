//! sFlow, versions 2, 4 and 5: samples into rows of flows, counters and drops.

mod counters;
mod extended;
mod facts;
mod flows;
mod gathered;
mod named;
mod places;
mod row;
mod rows;
mod values;

pub use places::{Place, counter_place, flow_place};

use finderscope_wire::WireError;
use finderscope_wire::sflow::{DataSource, Datagram, FlowHeader, Sample};

pub(crate) use self::gathered::Gathered;
use self::rows::{Rows, said};
use crate::Protocol;
use crate::config::Limits;
use crate::context::Context;
use crate::exporter::{Exporter, Source, SourceKey};
use crate::pass::Pass;
use crate::watch::SampleKind;

/// Kinds of samples whose sequences are counted apart.
const FLOWS: u8 = 1;
const COUNTERS: u8 = 2;
const DISCARDS: u8 = 5;

/// Decodes a datagram. It has no clock: all times are the receive time.
pub(crate) fn decode(datagram: &Datagram<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let protocol = Protocol::sflow(datagram.version);
    let key = pass.domain(protocol, datagram.sub_agent_id, datagram.agent);
    pass.open_domain(exporter, key);
    let seat = exporter.domains.seat(key);
    let domain = exporter.domains.open(key);
    domain.sequence.observe(datagram.sequence_number, Some(1), Some(datagram.uptime_ms));
    domain.last_ns = pass.delivery.received_ns;
    domain.datagrams += 1;
    let context = Context {
        protocol,
        received_ns: pass.delivery.received_ns,
        export_ns: None,
        uptime_ms: Some(datagram.uptime_ms),
        exporter: pass.address(),
        sampler: datagram.agent.map_or(pass.address(), |agent| agent.to_canonical()),
        domain: datagram.sub_agent_id,
        sequence: Some(datagram.sequence_number),
    };
    let mut rows = Rows::new(&context, pass.shared.buffers.samples.take().unwrap_or_default());
    let mut samples = datagram.samples();
    loop {
        if let Some((usual, behind)) = samples.usual()
            && let Some(said) = said(&usual)
        {
            exporter.ledger.sets.received += 1;
            begin(&usual.head, seat, exporter, pass);
            rows.add_usual(&usual.head, &said, exporter, pass);
            exporter.ledger.sets.decoded += 1;
            samples = behind;
            continue;
        }
        let Some(sample) = samples.next() else { break };
        exporter.ledger.sets.received += 1;
        match sample {
            Ok(Sample::Unknown { tag, .. }) => exporter.ledger.sets.unknown.add(format!("sample {tag}"), 1),
            Ok(Sample::Flow(sample)) => {
                begin(&sample.head(), seat, exporter, pass);
                let error = rows.add(&sample, exporter, pass);
                settle(error, exporter, pass);
            }
            Ok(sample) => {
                rows.write(pass.tables);
                let error = read(&sample, &context, seat, exporter, pass);
                settle(error, exporter, pass);
            }
            Err(error) => settle(Some(error), exporter, pass),
        }
    }
    pass.shared.buffers.samples = Some(rows.end());
}

/// Takes note of a flow sample, whatever its records are.
#[inline]
fn begin(head: &FlowHeader, seat: usize, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    pass.watch.sample(SampleKind::Flow);
    observe(FLOWS, head.source, head.sequence_number, Some(head.drops), seat, exporter, pass);
}

/// Writes the rows of a sample that is not of a flow, and says what was wrong with a part of it.
fn read(
    sample: &Sample<'_>,
    context: &Context,
    seat: usize,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<WireError> {
    match sample {
        Sample::Discarded(packet) => {
            pass.watch.sample(SampleKind::Discarded);
            observe(DISCARDS, packet.source, packet.sequence_number, Some(packet.drops), seat, exporter, pass);
            flows::discarded(packet, context, exporter, pass)
        }
        Sample::Counters(sample) => {
            pass.watch.sample(SampleKind::Counters);
            observe(COUNTERS, sample.source, sample.sequence_number, None, seat, exporter, pass);
            counters::write(sample, context, exporter, pass)
        }
        Sample::RtMetric(sample) => named::metrics(sample, context, exporter, pass),
        Sample::RtFlow(sample) => named::flow(sample, context, exporter, pass),
        // The caller's.
        Sample::Flow(_) | Sample::Unknown { .. } => None,
    }
}

fn settle(error: Option<WireError>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    match error {
        None => exporter.ledger.sets.decoded += 1,
        Some(error) => {
            exporter.ledger.sets.malformed.add(error.reason(), 1);
            pass.error(error);
        }
    }
}

/// Takes note of a source's sequence, where there is room for the source.
#[inline]
fn observe(
    kind: u8,
    source: DataSource,
    sequence: u32,
    drops: Option<u32>,
    seat: usize,
    exporter: &mut Exporter,
    pass: &Pass<'_>,
) {
    let Some(domain) = exporter.domains.at(seat) else { return };
    let place = (kind, source.class, source.index);
    let state = match domain.sources.get_mut(&place) {
        Some(state) => state,
        None => match new_source(place, seat, exporter, &pass.shared.config.limits) {
            Some(state) => state,
            None => return,
        },
    };
    state.sequence.observe(sequence, Some(1), None);
    if let Some(drops) = drops {
        state.observe_drops(drops);
    }
}

#[cold]
fn new_source<'e>(
    place: SourceKey,
    seat: usize,
    exporter: &'e mut Exporter,
    limits: &Limits,
) -> Option<&'e mut Source> {
    let known: usize = exporter.domains.values().map(|domain| domain.sources.len()).sum();
    if known >= limits.sources_per_exporter {
        exporter.ledger.notes.add("sources_per_exporter", 1);
        return None;
    }
    Some(exporter.domains.at(seat)?.sources.open(place))
}
