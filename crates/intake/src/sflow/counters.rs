//! Counter samples into rows of counters: one structure a row.

use finderscope_flow::{Builder, Column as C};
use finderscope_wire::WireError;
use finderscope_wire::sflow::{CounterRecord, CountersSample, GenericInterface};

use super::extended::Extras;
use crate::context::Context;
use crate::exporter::Exporter;
use crate::pass::Pass;

/// Writes a row for each structure. Says what was wrong with one of them.
pub(super) fn write(
    sample: &CountersSample<'_>,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<WireError> {
    let mut damage = None;
    for record in sample.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                damage.get_or_insert(error);
                continue;
            }
        };
        let Some(name) = record.name() else {
            exporter.ledger.notes.add(format!("unknown counter record {}", record.tag()), 1);
            continue;
        };
        let builder = &mut pass.tables.counters;
        context.write(builder, 1);
        builder.u32(C::SubAgentId).push(context.domain);
        builder.u32(C::SourceIdClass).push(sample.source.class);
        builder.u32(C::SourceIdIndex).push(sample.source.index);
        builder.u32(C::SampleSequence).push(sample.sequence_number);
        builder.text(C::Structure).push(name.as_bytes());
        structure(&record, sample, builder, &mut pass.shared.buffers.text);
        builder.advance(1);
        exporter.ledger.records.received += 1;
        exporter.ledger.records.in_memory += 1;
    }
    damage
}

/// The generic interface's counters have columns; all others go by name.
fn structure(record: &CounterRecord<'_>, sample: &CountersSample<'_>, builder: &mut Builder, buffer: &mut String) {
    let generic = record.generic_interface();
    match &generic {
        Some(counters) => generic_interface(counters, builder),
        None => builder.u32(C::IfIndex).push_option(sample.source.if_index().filter(|&index| index != 0)),
    }
    let mut extras = Extras::new(builder, buffer);
    if let Some(seconds) = sample.sampling_interval_s {
        extras.entry("sampling_interval_s", seconds);
    }
    if generic.is_some() {
        return extras.close();
    }
    for (name, value) in record.fields() {
        extras.value(None, name, &value);
    }
    extras.close();
}

/// All ones are a counter that the agent does not have.
fn generic_interface(it: &GenericInterface, builder: &mut Builder) {
    builder.u32(C::IfIndex).push(it.if_index);
    for (column, value) in
        [(C::IfSpeed, it.if_speed), (C::IfInOctets, it.if_in_octets), (C::IfOutOctets, it.if_out_octets)]
    {
        builder.u64(column).push_option((value != u64::MAX).then_some(value));
    }
    for (column, value) in [
        (C::IfType, it.if_type),
        (C::IfDirection, it.if_direction),
        (C::IfStatus, it.if_status),
        (C::IfInUcastPkts, it.if_in_ucast_pkts),
        (C::IfInMulticastPkts, it.if_in_multicast_pkts),
        (C::IfInBroadcastPkts, it.if_in_broadcast_pkts),
        (C::IfInDiscards, it.if_in_discards),
        (C::IfInErrors, it.if_in_errors),
        (C::IfInUnknownProtos, it.if_in_unknown_protos),
        (C::IfOutUcastPkts, it.if_out_ucast_pkts),
        (C::IfOutMulticastPkts, it.if_out_multicast_pkts),
        (C::IfOutBroadcastPkts, it.if_out_broadcast_pkts),
        (C::IfOutDiscards, it.if_out_discards),
        (C::IfOutErrors, it.if_out_errors),
        (C::IfPromiscuousMode, it.if_promiscuous_mode),
    ] {
        builder.u32(column).push_option((value != u32::MAX).then_some(value));
    }
}
