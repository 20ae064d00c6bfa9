//! Sampled packets into rows, column by column.
//!
//! Nearly all samples say the same few things: a header, a switch's VLANs, a route. Those of a datagram are gathered, and
//! each column is then written for all of them; what has more to say is a row by itself.

use std::net::IpAddr;

use finderscope_flow::{Builder, Column as C, SamplingSource, Tables, TimeSource};
use finderscope_wire::WireError;
use finderscope_wire::packet::{Address, Packet};
use finderscope_wire::sflow::{FlowSample, Interface};

use super::facts::Facts;
use super::flows::{self, bytes_l3, packets};
use crate::context::Context;
use crate::exporter::Exporter;
use crate::pass::Pass;
use crate::plan;
use crate::sampling::{Rate, assumed, overridden};

/// Rows that are gathered: more would not stay in the cache next to the processor.
const ROWS_MAX: usize = 32;

/// Sampled packets of one datagram whose rows are not written yet.
pub(super) struct Rows<'a, 'c> {
    context: &'c Context,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    sample: FlowSample<'a>,
    rate: Rate,
    facts: Facts<'a>,
}

impl<'a, 'c> Rows<'a, 'c> {
    pub(super) const fn new(context: &'c Context) -> Self {
        Self { context, rows: Vec::new() }
    }

    /// Takes one sample in. Says what was wrong with a part of it.
    pub(super) fn add(
        &mut self,
        sample: &FlowSample<'a>,
        exporter: &mut Exporter,
        pass: &mut Pass<'_>,
    ) -> Option<WireError> {
        let facts = Facts::read(sample.records(), &mut exporter.ledger.notes);
        let error = facts.error;
        if facts.is_void() {
            return error;
        }
        let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
        let said = (sample.sampling_rate > 0).then_some((sample.sampling_rate.into(), SamplingSource::Sample));
        let rate: Rate = overridden(config).or(said).or_else(|| assumed(config));
        if is_plain(sample, &facts) {
            if self.rows.len() == ROWS_MAX {
                self.write(pass.tables);
            }
            self.rows.push(Row { sample: *sample, rate, facts });
        } else {
            self.write(pass.tables);
            let text = &mut pass.shared.buffers.text;
            flows::flow(sample, rate, &facts, self.context, &mut pass.tables.flows, text);
        }
        flows::count(exporter);
        error
    }

    /// Writes what was gathered.
    pub(super) fn write(&mut self, tables: &mut Tables) {
        if !self.rows.is_empty() {
            write(&self.rows, self.context, &mut tables.flows);
            self.rows.clear();
        }
    }
}

/// Whether all that a sample says is in the columns that [`write`] writes.
fn is_plain(sample: &FlowSample<'_>, facts: &Facts<'_>) -> bool {
    let packet = &facts.packet;
    let has_index = |interface: Interface| interface.format == 0 && !interface.is_internal();
    has_index(sample.input)
        && has_index(sample.output)
        && packet.tunnel.is_none()
        && packet.mpls_labels == 0
        && packet.vlan_tags < 2
        && packet.igmp_type.is_none()
        && packet.ipsec_spi.is_none()
        && facts.is_plain()
}

/// Writes cells that some rows may not have; a column that none of them has stays behind, and is null.
macro_rules! some {
    ($cells:expr, $rows:expr, $cell:expr) => {
        if $rows.iter().any(|row| $cell(row).is_some()) {
            let cells = $cells;
            for row in $rows {
                cells.push_option($cell(row));
            }
        }
    };
}

fn write(rows: &[Row<'_>], context: &Context, builder: &mut Builder) {
    let count = rows.len();
    context.write(builder, count);
    plan::write_moment(builder, context.received_ns, TimeSource::Sample, count);
    if let [first, others @ ..] = rows
        && others.iter().all(|row| row.rate == first.rate)
    {
        plan::write_rate(builder, first.rate, count);
    } else {
        some!(builder.u64(C::SamplingRate), rows, |row: &Row<'_>| row.rate.map(|(rate, _)| rate));
        some!(builder.word(C::SamplingSource), rows, |row: &Row<'_>| row.rate.map(|(_, source)| source as i32));
    }
    builder.u32(C::SubAgentId).push_run(context.domain, count);
    builder.u32(C::SourceIdClass).extend(rows.iter().map(|row| row.sample.source.class));
    builder.u32(C::SourceIdIndex).extend(rows.iter().map(|row| row.sample.source.index));
    builder.u32(C::SampleSequence).extend(rows.iter().map(|row| row.sample.sequence_number));
    builder.u32(C::SamplePool).extend(rows.iter().map(|row| row.sample.sample_pool));
    builder.u32(C::SampleDrops).extend(rows.iter().map(|row| row.sample.drops));
    some!(builder.u32(C::InIf), rows, |row: &Row<'_>| row.sample.input.if_index());
    some!(builder.u32(C::OutIf), rows, |row: &Row<'_>| row.sample.output.if_index());
    some!(builder.u64(C::Packets), rows, |row: &Row<'_>| packets(&row.facts));
    some!(builder.u64(C::Bytes), rows, |row: &Row<'_>| row.facts.length.map(u64::from));
    some!(builder.u64(C::BytesL3), rows, |row: &Row<'_>| bytes_l3(&row.facts).map(u64::from));
    write_packets(rows, builder);
    write_extended(rows, builder);
    builder.advance(count);
}

fn write_packets(rows: &[Row<'_>], builder: &mut Builder) {
    macro_rules! of_packet {
        ($($kind:ident $column:ident $cell:expr;)*) => {$(
            some!(builder.$kind(C::$column), rows, |row: &Row<'_>| {
                let cell: fn(&Packet) -> _ = $cell;
                cell(&row.facts.packet)
            });
        )*};
    }
    of_packet! {
        u64 SrcMac |packet| packet.src_mac.map(plan::mac);
        u64 DstMac |packet| packet.dst_mac.map(plan::mac);
        u16 VlanId |packet| packet.vlan_id;
        u16 Etype |packet| packet.etype;
        u8 Proto |packet| packet.proto;
        u8 IpTos |packet| packet.ip_tos;
        u8 IpTtl |packet| packet.ip_ttl;
        u8 IpFlags |packet| packet.ip_flags;
        u32 FragmentId |packet| packet.fragment_id;
        u16 FragmentOffset |packet| packet.fragment_offset;
        u32 Ipv6FlowLabel |packet| packet.ipv6_flow_label;
        u16 SrcPort |packet| packet.src_port;
        u16 DstPort |packet| packet.dst_port;
        u16 TcpFlags |packet| packet.tcp_flags;
        u32 TcpSequenceNumber |packet| packet.tcp_sequence;
        u8 IcmpType |packet| packet.icmp_type;
        u8 IcmpCode |packet| packet.icmp_code;
    }
    for (column, address) in ADDRESSES {
        if rows.iter().any(|row| address(&row.facts.packet).is_some()) {
            let cells = builder.address(column);
            for row in rows {
                cells.push_option(address(&row.facts.packet).map(Address::bytes));
            }
        }
    }
}

/// One of a packet's addresses.
type OfPacket = fn(&Packet) -> Option<&Address>;

const ADDRESSES: [(C, OfPacket); 2] =
    [(C::SrcAddr, |packet| packet.src_addr.as_ref()), (C::DstAddr, |packet| packet.dst_addr.as_ref())];

/// What a switch and a router know.
fn write_extended(rows: &[Row<'_>], builder: &mut Builder) {
    let narrow = |vlan: u32| u16::try_from(vlan).ok();
    some!(builder.u16(C::SrcVlan), rows, |row: &Row<'_>| row.facts.switch.and_then(|it| narrow(it.src_vlan)));
    some!(builder.u16(C::DstVlan), rows, |row: &Row<'_>| row.facts.switch.and_then(|it| narrow(it.dst_vlan)));
    let narrow = |bits: u32| u8::try_from(bits).ok();
    some!(builder.u8(C::SrcNet), rows, |row: &Row<'_>| row.facts.router.and_then(|it| narrow(it.src_mask_len)));
    some!(builder.u8(C::DstNet), rows, |row: &Row<'_>| row.facts.router.and_then(|it| narrow(it.dst_mask_len)));
    let next_hop = |row: &Row<'_>| row.facts.router.and_then(|router| router.nexthop);
    if rows.iter().any(|row| next_hop(row).is_some()) {
        let cells = builder.address(C::NextHop);
        for row in rows {
            match next_hop(row) {
                Some(IpAddr::V4(address)) => cells.push(&address.octets()),
                Some(IpAddr::V6(address)) => cells.push(&address.octets()),
                None => cells.push_nulls(1),
            }
        }
    }
}
