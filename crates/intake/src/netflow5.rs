//! NetFlow version 5: records of one layout, into columns.

use finderscope_flow::{Builder, Column, SamplingSource, TimeSource};
use finderscope_wire::netflow::v5::{Header, Message, Record};

use crate::Protocol;
use crate::config::ExporterConfig;
use crate::context::Context;
use crate::exporter::Exporter;
use crate::pass::Pass;
use crate::plan::{self, Frame, TimeBuffers};
use crate::sampling::{Rate, overridden};

/// Decodes a datagram, which counts as one set.
pub(crate) fn decode(message: &Message<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let header = message.header();
    let domain = u32::from(header.engine_type) * 256 + u32::from(header.engine_id);
    let key = pass.domain(Protocol::NetflowV5, domain, None);
    pass.open_domain(exporter, key);
    let state = exporter.domains.entry(key).or_default();
    let context = context(header, domain, pass);
    let (received_ns, export_ns, uptime_ms) = (context.received_ns, header.export_ns(), header.uptime_ms.get());
    state.clock.observe(received_ns, export_ns);
    state.sequence.observe(header.flow_sequence.get(), Some(header.count.get().into()), Some(uptime_ms));
    state.last_ns = received_ns;
    state.datagrams += 1;
    state.header_rate = Some(header.sampling().rate().into());

    let records = without_padding(message.records());
    state.records += records.len() as u64;
    let shift_ns = state.clock.shift_ns();
    let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
    let rate = rate(header, config);
    let frame = Frame::new(&context, None, shift_ns);
    let builder = &mut pass.tables.flows;
    let assumed = write(records, &context, &frame, rate, builder, &mut pass.shared.buffers.times);

    let ledger = &mut exporter.ledger;
    let padding = (message.records().len() - records.len()) as u64;
    ledger.records.received += message.records().len() as u64;
    ledger.records.in_memory += records.len() as u64;
    ledger.records.skipped.add("padding", padding);
    ledger.notes.add("times_assumed", assumed);
    ledger.sets.received += 1;
    match message.problem() {
        None => ledger.sets.decoded += 1,
        Some(error) => {
            ledger.sets.malformed.add(error.reason(), 1);
            pass.error(error);
        }
    }
}

fn context(header: &Header, domain: u32, pass: &Pass<'_>) -> Context {
    Context {
        protocol: Protocol::NetflowV5,
        received_ns: pass.delivery.received_ns,
        export_ns: Some(header.export_ns()),
        uptime_ms: Some(header.uptime_ms.get()),
        exporter: pass.address(),
        sampler: pass.address(),
        domain,
        sequence: header.flow_sequence.get(),
    }
}

fn without_padding(records: &[Record]) -> &[Record] {
    let length = records.iter().rposition(|record| *record != Record::default()).map_or(0, |last| last + 1);
    &records[..length]
}

/// The header always says whether it samples: an interval of 0 means that it does not.
fn rate(header: &Header, config: Option<&ExporterConfig>) -> Rate {
    let sampling = header.sampling();
    let source = if sampling.interval == 0 { SamplingSource::None } else { SamplingSource::Header };
    overridden(config).or(Some((sampling.rate().into(), source)))
}

fn write(
    records: &[Record],
    context: &Context,
    frame: &Frame,
    rate: Rate,
    builder: &mut Builder,
    times: &mut TimeBuffers,
) -> u64 {
    if records.is_empty() {
        return 0;
    }
    use Column as C;
    context.write(builder, records.len());
    let uptime_ms = frame.uptime_ms.unwrap_or(0);
    let at = |at_ms: u32| plan::uptime(frame.export_ns, uptime_ms, at_ms);
    times.starts.clear();
    times.ends.clear();
    times.starts.extend(records.iter().map(|record| at(record.first_ms.get())));
    times.ends.extend(records.iter().map(|record| at(record.last_ms.get())));
    plan::settle(frame, times);
    let source = if frame.shift_ns == 0 { TimeSource::Uptime } else { TimeSource::Corrected };
    let assumed = plan::write_times(builder, source, times);
    plan::write_rate(builder, rate, records.len());

    builder.address(C::SrcAddr).extend_fixed(records.iter().map(|record| record.source));
    builder.address(C::DstAddr).extend_fixed(records.iter().map(|record| record.destination));
    builder.address(C::NextHop).extend_fixed(records.iter().map(|record| record.next_hop));
    builder.u64(C::Bytes).extend(records.iter().map(|record| record.octets.get().into()));
    builder.u64(C::Packets).extend(records.iter().map(|record| record.packets.get().into()));
    builder.u32(C::InIf).extend(records.iter().map(|record| record.input.get().into()));
    builder.u32(C::OutIf).extend(records.iter().map(|record| record.output.get().into()));
    builder.u16(C::SrcPort).extend(records.iter().map(|record| record.source_port.get()));
    builder.u16(C::DstPort).extend(records.iter().map(|record| record.destination_port.get()));
    builder.u16(C::TcpFlags).extend(records.iter().map(|record| record.tcp_flags.into()));
    builder.u8(C::Proto).extend(records.iter().map(|record| record.protocol));
    builder.u8(C::IpTos).extend(records.iter().map(|record| record.tos));
    builder.u32(C::SrcAs).extend(records.iter().map(|record| record.source_as.get().into()));
    builder.u32(C::DstAs).extend(records.iter().map(|record| record.destination_as.get().into()));
    builder.u8(C::SrcNet).extend(records.iter().map(|record| record.source_mask));
    builder.u8(C::DstNet).extend(records.iter().map(|record| record.destination_mask));
    builder.advance(records.len());
    assumed
}
