//! NetFlow version 5: records of one layout, into columns.

use finderscope_flow::{Builder, Column, TimeSource};
use finderscope_wire::netflow::v5::{Header, Message, Record};

use crate::context::Context;
use crate::exporter::Exporter;
use crate::fixed::{self, Head};
use crate::pass::Pass;
use crate::plan::{self, Frame, TimeBuffers};
use crate::sampling::Rate;
use crate::{Protocol, sets};

/// Decodes a datagram, which counts as one set.
pub(crate) fn decode(message: &Message<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let (key, context) = fixed::begin(&head(message.header()), exporter, pass);
    let state = exporter.domains.open(key);
    let records = without_padding(message.records());
    state.records += records.len() as u64;
    let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
    let rate = state.samplers.of_header(config);
    let frame = Frame::new(&context, None, state.clock.shift_ns());
    let builder = &mut pass.tables.flows;
    let assumed = write(records, &context, &frame, rate, builder, &mut pass.shared.buffers.times);

    let ledger = &mut exporter.ledger;
    let padding = (message.records().len() - records.len()) as u64;
    ledger.records.received += message.records().len() as u64;
    ledger.records.in_memory += records.len() as u64;
    ledger.records.skipped.add("padding", padding);
    ledger.notes.add("times_assumed", assumed);
    ledger.sets.received += 1;
    sets::settle_set(message.problem(), exporter, pass);
}

fn head(header: &Header) -> Head {
    Head {
        protocol: Protocol::NetflowV5,
        domain: u32::from(header.engine_type) * 256 + u32::from(header.engine_id),
        count: header.count.get(),
        uptime_ms: header.uptime_ms.get(),
        export_ns: header.export_ns(),
        sequence: Some(header.flow_sequence.get()),
        sampling: Some(header.sampling()),
    }
}

fn without_padding(records: &[Record]) -> &[Record] {
    let length = records.iter().rposition(|record| *record != Record::default()).map_or(0, |last| last + 1);
    &records[..length]
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
    let (firsts, lasts) = times.uptimes();
    firsts.extend(records.iter().map(|record| record.first_ms.get()));
    lasts.extend(records.iter().map(|record| record.last_ms.get()));
    let source = if frame.shift_ns == 0 { TimeSource::Uptime } else { TimeSource::Corrected };
    let assumed = plan::write_uptimes(frame, source, builder, times);
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
