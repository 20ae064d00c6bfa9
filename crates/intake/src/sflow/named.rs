//! InMon's samples of names and values: `rtmetric` into rows of counters, `rtflow` into rows of flows.

use finderscope_flow::{Builder, Column as C, SamplingSource, TimeSource};
use finderscope_wire::WireError;
use finderscope_wire::sflow::{FlowField, RtFlow, RtMetric};

use super::extended::Extras;
use super::{flows, values};
use crate::context::{Context, push_address};
use crate::exporter::Exporter;
use crate::pass::Pass;
use crate::plan;
use crate::sampling::{assumed, overridden};
use crate::text;

/// One row of counters, each metric under its name.
pub(super) fn metrics(
    sample: &RtMetric<'_>,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<WireError> {
    let builder = &mut pass.tables.counters;
    context.write(builder, 1);
    builder.u32(C::SubAgentId).push(context.domain);
    builder.text(C::Structure).push(b"rtmetric");
    let mut extras = Extras::new(builder, &mut pass.shared.buffers.text);
    extras.entry("data_source", String::from_utf8_lossy(text::trimmed(sample.data_source)));
    let mut damage = None;
    let mut value = String::new();
    for metric in sample.metrics() {
        match metric {
            Ok((name, metric)) => {
                value.clear();
                values::put_metric(&mut value, &metric);
                extras.entry(&String::from_utf8_lossy(text::trimmed(name)), &value);
            }
            Err(error) => damage = Some(error),
        }
    }
    extras.close();
    builder.advance(1);
    flows::count(exporter);
    damage
}

/// One row of flows. Fields with the names of sFlow-RT's keys go to columns, all others by their name to `extra`.
pub(super) fn flow(
    sample: &RtFlow<'_>,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<WireError> {
    let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
    let said = (sample.sampling_rate > 0).then_some((sample.sampling_rate.into(), SamplingSource::Sample));
    let rate = overridden(config).or(said).or_else(|| assumed(config));
    let builder = &mut pass.tables.flows;
    context.write(builder, 1);
    plan::write_moment(builder, context.received_ns, TimeSource::Sample, 1);
    plan::write_rate(builder, rate, 1);
    builder.u32(C::SubAgentId).push(context.domain);
    builder.u32(C::SamplePool).push(sample.sample_pool);
    let mut written = Vec::new();
    for (at, (name, field)) in sample.fields().map_while(Result::ok).enumerate() {
        if let Some(column) = column(name)
            && !written.iter().any(|&(_, known)| known == column)
            && cell(builder, column, &field)
        {
            written.push((at, column));
        }
    }
    let mut extras = Extras::new(builder, &mut pass.shared.buffers.text);
    extras.entry("rtflow.data_source", String::from_utf8_lossy(text::trimmed(sample.data_source)));
    let mut damage = None;
    let mut value = String::new();
    for (at, field) in sample.fields().enumerate() {
        match field {
            Ok(_) if written.iter().any(|&(known, _)| known == at) => {}
            Ok((name, field)) => {
                value.clear();
                values::put_field(&mut value, &field);
                extras.entry(&format!("rtflow.{}", String::from_utf8_lossy(text::trimmed(name))), &value);
            }
            Err(error) => damage = Some(error),
        }
    }
    extras.close();
    builder.advance(1);
    flows::count(exporter);
    damage
}

/// The column for one of sFlow-RT's keys.
fn column(name: &[u8]) -> Option<C> {
    Some(match name {
        b"ipsource" | b"ip6source" => C::SrcAddr,
        b"ipdestination" | b"ip6destination" => C::DstAddr,
        b"macsource" => C::SrcMac,
        b"macdestination" => C::DstMac,
        b"ipprotocol" => C::Proto,
        b"tcpsourceport" | b"udpsourceport" => C::SrcPort,
        b"tcpdestinationport" | b"udpdestinationport" => C::DstPort,
        b"inputifindex" => C::InIf,
        b"outputifindex" => C::OutIf,
        b"bytes" => C::Bytes,
        b"frames" => C::Packets,
        _ => return None,
    })
}

/// Writes a field into its column. False where its type, or its value, does not fit.
fn cell(builder: &mut Builder, column: C, field: &FlowField<'_>) -> bool {
    let number = match *field {
        FlowField::Int32(value) => u64::from(value.cast_unsigned()),
        FlowField::Int64(value) => value.cast_unsigned(),
        FlowField::Ipv4(address) if matches!(column, C::SrcAddr | C::DstAddr) => {
            push_address(builder, column, address.into(), 1);
            return true;
        }
        FlowField::Ipv6(address) if matches!(column, C::SrcAddr | C::DstAddr) => {
            push_address(builder, column, address.into(), 1);
            return true;
        }
        FlowField::Mac(mac) if matches!(column, C::SrcMac | C::DstMac) => {
            builder.u64(column).push(plan::mac(mac));
            return true;
        }
        _ => return false,
    };
    match column {
        C::Bytes | C::Packets => builder.u64(column).push(number),
        C::InIf | C::OutIf => match u32::try_from(number) {
            Ok(number) => builder.u32(column).push(number),
            Err(_) => return false,
        },
        C::SrcPort | C::DstPort => match u16::try_from(number) {
            Ok(number) => builder.u16(column).push(number),
            Err(_) => return false,
        },
        C::Proto => match u8::try_from(number) {
            Ok(number) => builder.u8(column).push(number),
            Err(_) => return false,
        },
        _ => return false,
    }
    true
}
