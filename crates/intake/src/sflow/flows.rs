//! Sampled packets into rows of flows, discarded packets into rows of drops.

use std::fmt::Write;

use finderscope_flow::{Builder, Column as C, SamplingSource, TimeSource};
use finderscope_wire::WireError;
use finderscope_wire::sflow::{DataSource, DiscardedPacket, FlowSample, Interface, discard_reason};

use super::extended;
use super::facts::Facts;
use super::row::bytes_l3;
use crate::context::Context;
use crate::exporter::Exporter;
use crate::pass::Pass;
use crate::plan;
use crate::sampling::Rate;

/// One row for a discarded packet, of which each is reported.
pub(super) fn discarded(
    packet: &DiscardedPacket<'_>,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<WireError> {
    let facts = Facts::read(packet.records(), &mut exporter.ledger.notes);
    if facts.is_void() {
        return facts.error;
    }
    let builder = &mut pass.tables.drops;
    write(builder, context, packet.source, packet.sequence_number, Some((1, SamplingSource::None)), &facts);
    builder.u64(C::Packets).push(1);
    builder.u32(C::SampleDrops).push(packet.drops);
    builder.u32(C::InIf).push_option(packet.input.if_index());
    builder.u32(C::OutIf).push_option(packet.output.if_index());
    builder.u32(C::DropReasonCode).push(packet.reason);
    let text = &mut pass.shared.buffers.text;
    text.clear();
    let _ = match packet.reason_name() {
        Some(name) => write!(text, "{name}"),
        None => write!(text, "reason_{}", packet.reason),
    };
    builder.text(C::DropReason).push(text.as_bytes());
    let mut extras = extended::Extras::new(builder, text);
    interface(&mut extras, "input", packet.input);
    interface(&mut extras, "output", packet.output);
    extras.facts(&facts, context, packet.records());
    extras.close();
    builder.advance(1);
    count(exporter);
    facts.error
}

pub(super) fn count(exporter: &mut Exporter) {
    exporter.ledger.records.received += 1;
    exporter.ledger.records.in_memory += 1;
}

/// One row for a sampled packet.
pub(super) fn flow(
    sample: &FlowSample<'_>,
    rate: Rate,
    facts: &Facts<'_>,
    context: &Context,
    builder: &mut Builder,
    text: &mut String,
) {
    write(builder, context, sample.source, sample.sequence_number, rate, facts);
    // A transaction that a program reports is not one packet.
    builder.u64(C::Packets).push_option(facts.length.map(|_| 1));
    builder.u32(C::SamplePool).push(sample.sample_pool);
    builder.u32(C::SampleDrops).push(sample.drops);
    builder.u32(C::InIf).push_option(sample.input.if_index());
    builder.u32(C::OutIf).push_option(sample.output.if_index());
    let mut extras = extended::Extras::new(builder, text);
    interface(&mut extras, "input", sample.input);
    interface(&mut extras, "output", sample.output);
    extras.facts(facts, context, sample.records());
    extras.close();
    builder.advance(1);
}

/// What flows and drops have in common.
fn write(builder: &mut Builder, context: &Context, source: DataSource, sequence: u32, rate: Rate, facts: &Facts<'_>) {
    context.write(builder, 1);
    plan::write_moment(builder, context.received_ns, TimeSource::Sample, 1);
    plan::write_rate(builder, rate, 1);
    builder.u32(C::SubAgentId).push(context.domain);
    builder.u32(C::SourceIdClass).push(source.class);
    builder.u32(C::SourceIdIndex).push(source.index);
    builder.u32(C::SampleSequence).push(sequence);
    builder.u64(C::Bytes).push_option(facts.length.map(u64::from));
    let length_l3 = facts.header.and_then(|header| bytes_l3(&header, facts.packet.l3_offset?));
    builder.u64(C::BytesL3).push_option(length_l3.map(u64::from));
    let bytes = facts.header.map_or(&[][..], |header| header.header);
    plan::write_packet(&facts.packet, bytes, builder, |_| true);
    extended::write(builder, facts);
}

/// Where the packet came in or went out, where that is not one interface of the device.
fn interface(extras: &mut extended::Extras<'_>, name: &str, interface: Interface) {
    if interface.is_internal() {
        extras.entry(name, "internal");
    } else if let Some(code) = interface.discarded() {
        match discard_reason(code) {
            Some(reason) => extras.entry(name, format_args!("discarded: {reason}")),
            None => extras.entry(name, format_args!("discarded: {code}")),
        }
    } else if let Some(count) = interface.multiple() {
        extras.entry(name, format_args!("multiple: {count}"));
    } else if interface.format != 0 {
        extras.entry(name, format_args!("format {}: {}", interface.format, interface.value));
    }
}
