//! Sampled packets into rows, column by column.
//!
//! Nearly all samples say the same few things: a header, a switch's VLANs, a route. Those of a datagram are gathered, and
//! each column is then written for all of them; what has more to say is a row by itself.

use finderscope_flow::{Addresses, Builder, Column as C, SamplingSource, Tables, TimeSource};
use finderscope_wire::WireError;
use finderscope_wire::packet::{Brief, HeaderProtocol, Packet};
use finderscope_wire::sflow::{FlowHeader, FlowSample, UsualSample};

use super::facts::Facts;
use super::flows;
use super::row::{Row, Said, has_index, has_no_priorities};
use crate::context::Context;
use crate::exporter::Exporter;
use crate::pass::Pass;
use crate::plan;
use crate::sampling::{Rate, assumed, overridden};

/// Rows that are gathered: more would not stay in the cache next to the processor, and each has a bit in a mask.
const ROWS_MAX: usize = 32;

/// Sampled packets of one datagram whose rows are not written yet.
pub(super) struct Rows<'c> {
    context: &'c Context,
    rows: Vec<Row>,
}

impl<'c> Rows<'c> {
    /// No rows yet. `buffer` is used again, and [`Rows::end`] gives it back.
    pub(super) fn new(context: &'c Context, buffer: Vec<Row>) -> Self {
        Self { context, rows: buffer }
    }

    /// Takes in what was [`said`] at once.
    #[inline]
    pub(super) fn add_usual(
        &mut self,
        head: &FlowHeader,
        said: &Said<'_>,
        exporter: &mut Exporter,
        pass: &mut Pass<'_>,
    ) {
        self.push(head, rate(head, exporter, pass), said, pass.tables);
        flows::count(exporter);
    }

    /// Takes any sample in. Says what was wrong with a part of it.
    pub(super) fn add(
        &mut self,
        sample: &FlowSample<'_>,
        exporter: &mut Exporter,
        pass: &mut Pass<'_>,
    ) -> Option<WireError> {
        let facts = Facts::read(sample.records(), &mut exporter.ledger.notes);
        let error = facts.error;
        if facts.is_void() {
            return error;
        }
        let head = sample.head();
        let rate = rate(&head, exporter, pass);
        if is_plain(&head, &facts) {
            self.push(&head, rate, &facts_said(&facts), pass.tables);
        } else {
            self.write(pass.tables);
            let text = &mut pass.shared.buffers.text;
            flows::flow(sample, rate, &facts, self.context, &mut pass.tables.flows, text);
        }
        flows::count(exporter);
        error
    }

    #[inline]
    fn push(&mut self, head: &FlowHeader, rate: Rate, said: &Said<'_>, tables: &mut Tables) {
        if self.rows.len() == ROWS_MAX {
            self.write(tables);
        }
        self.rows.push(Row::new(head, rate, said));
    }

    /// Writes what was gathered.
    pub(super) fn write(&mut self, tables: &mut Tables) {
        if !self.rows.is_empty() {
            write(&self.rows, self.context, &mut tables.flows);
            self.rows.clear();
        }
    }

    /// Writes what was gathered, and gives the buffer back.
    pub(super) fn end(mut self, tables: &mut Tables) -> Vec<Row> {
        self.write(tables);
        self.rows
    }
}

#[inline]
fn rate(head: &FlowHeader, exporter: &Exporter, pass: &Pass<'_>) -> Rate {
    let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
    let said = (head.sampling_rate > 0).then_some((head.sampling_rate.into(), SamplingSource::Sample));
    overridden(config).or(said).or_else(|| assumed(config))
}

/// What the sample says, where all of it is in the columns that [`write`] writes.
#[inline]
pub(super) fn said<'a>(usual: &'a UsualSample<'_>) -> Option<Said<'a>> {
    let UsualSample { head, header, switch, router } = usual;
    let plain = header.protocol == HeaderProtocol::ETHERNET
        && has_index(head.input)
        && has_index(head.output)
        && has_no_priorities(switch.as_ref());
    if !plain {
        return None;
    }
    let packet = Brief::read(header.header)?;
    let length = Some(header.frame_length);
    Some(Said { header: Some(header), length, packet, switch: switch.as_ref(), router: router.as_ref() })
}

/// The same of any sample, which [`is_plain`] has to be asked about.
fn facts_said<'a>(facts: &'a Facts<'_>) -> Said<'a> {
    Said {
        header: facts.header.as_ref(),
        length: facts.length,
        packet: Brief::of(&facts.packet),
        switch: facts.switch.as_ref(),
        router: facts.router.as_ref(),
    }
}

/// Whether all that a sample says is in the columns that [`write`] writes.
fn is_plain(head: &FlowHeader, facts: &Facts<'_>) -> bool {
    has_index(head.input) && has_index(head.output) && fits(&facts.packet) && facts.is_plain()
}

/// Whether all that a packet says is in a [`Brief`].
const fn fits(packet: &Packet) -> bool {
    packet.tunnel.is_none()
        && packet.mpls_labels == 0
        && packet.vlan_tags < 2
        && packet.igmp_type.is_none()
        && packet.ipsec_spi.is_none()
}

/// Rows, and what all of them and any of them have.
struct Columns<'r> {
    rows: &'r [Row],
    all: u64,
    any: u64,
}

impl Columns<'_> {
    /// The rows that have the field, a bit each.
    #[inline]
    fn valid(&self, field: u64) -> u64 {
        self.rows.iter().rev().fold(0, |bits, row| bits << 1 | u64::from(row.has & field != 0))
    }

    /// Writes a cell for each row, a null for those that do not have the address. Rows that have `long` have sixteen bytes of it.
    #[inline]
    fn put_addresses(&self, cells: &mut Addresses, field: u64, long: u64, value: impl Fn(&Row) -> &[u8; 16]) {
        let values = self.rows.iter();
        if self.all & field == 0 {
            for row in values {
                let length = if row.has & long == 0 { 4 } else { 16 };
                cells.push_option(value(row).get(..length).filter(|_| row.has & field != 0));
            }
        } else if self.any & long == 0 {
            cells.extend_fixed(values.map(|row| {
                let [a, b, c, d, ..] = *value(row);
                [a, b, c, d]
            }));
        } else if self.all & long != 0 {
            cells.extend_fixed(values.map(|row| *value(row)));
        } else {
            for row in values {
                let [a, b, c, d, ..] = value(row);
                match row.has & long {
                    0 => cells.push(&[*a, *b, *c, *d]),
                    _ => cells.push(value(row)),
                }
            }
        }
    }
}

/// Writes a cell for each row, a null for those that do not have the field. A column that no row has stays behind, which
/// makes nulls of it, too.
macro_rules! put {
    ($columns:ident, $builder:ident: $($kind:ident $column:ident $has:expr, $value:expr;)*) => {$(
        let field = u64::from($has);
        if $columns.any & field != 0 {
            let cells = $builder.$kind(C::$column);
            let values = $columns.rows.iter().map($value);
            if $columns.all & field != 0 {
                cells.extend(values);
            } else {
                cells.extend_valid(values, $columns.valid(field));
            }
        }
    )*};
}

fn write(rows: &[Row], context: &Context, builder: &mut Builder) {
    let count = rows.len();
    let (all, any) = rows.iter().fold((u64::MAX, 0), |(all, any), row| (all & row.has, any | row.has));
    let columns = Columns { rows, all, any };
    context.write(builder, count);
    plan::write_moment(builder, context.received_ns, TimeSource::Sample, count);
    builder.u32(C::SubAgentId).push_run(context.domain, count);
    builder.u32(C::SourceIdClass).extend(rows.iter().map(|row| row.class));
    builder.u32(C::SourceIdIndex).extend(rows.iter().map(|row| row.index));
    builder.u32(C::SampleSequence).extend(rows.iter().map(|row| row.sequence));
    builder.u32(C::SamplePool).extend(rows.iter().map(|row| row.pool));
    builder.u32(C::SampleDrops).extend(rows.iter().map(|row| row.drops));
    write_rates(&columns, builder);
    write_fields(&columns, builder);
    write_addresses(&columns, builder);
    builder.advance(count);
}

fn write_rates(columns: &Columns<'_>, builder: &mut Builder) {
    let [first, others @ ..] = columns.rows else { return };
    if others.iter().all(|row| row.rate == first.rate) {
        plan::write_rate(builder, first.rate, columns.rows.len());
    } else {
        put! { columns, builder:
            u64 SamplingRate Row::RATE, |row| row.rate.map_or(0, |(rate, _)| rate);
            word SamplingSource Row::RATE, |row| row.rate.map_or(0, |(_, source)| source as i32);
        }
    }
}

fn write_fields(columns: &Columns<'_>, builder: &mut Builder) {
    put! { columns, builder:
        u32 InIf Row::IN_IF, |row| row.in_if;
        u32 OutIf Row::OUT_IF, |row| row.out_if;
        u64 Packets Row::LENGTH, |row| u64::from(row.has & Row::LENGTH != 0);
        u64 Bytes Row::LENGTH, |row| row.length.into();
        u64 BytesL3 Row::LENGTH_L3, |row| row.length_l3.into();
        u64 SrcMac Brief::SRC_MAC, |row| row.packet.src_mac;
        u64 DstMac Brief::DST_MAC, |row| row.packet.dst_mac;
        u16 VlanId Brief::VLAN_ID, |row| row.packet.vlan_id;
        u16 Etype Brief::ETYPE, |row| row.packet.etype;
        u8 Proto Brief::PROTO, |row| row.packet.proto;
        u8 IpTos Brief::IP_TOS, |row| row.packet.ip_tos;
        u8 IpTtl Brief::IP_TTL, |row| row.packet.ip_ttl;
        u8 IpFlags Brief::IP_FLAGS, |row| row.packet.ip_flags;
        u32 FragmentId Brief::FRAGMENT_ID, |row| row.packet.fragment_id;
        u16 FragmentOffset Brief::FRAGMENT_OFFSET, |row| row.packet.fragment_offset;
        u32 Ipv6FlowLabel Brief::IPV6_FLOW_LABEL, |row| row.packet.ipv6_flow_label;
        u16 SrcPort Brief::SRC_PORT, |row| row.packet.src_port;
        u16 DstPort Brief::DST_PORT, |row| row.packet.dst_port;
        u16 TcpFlags Brief::TCP_FLAGS, |row| row.packet.tcp_flags;
        u32 TcpSequenceNumber Brief::TCP_SEQUENCE, |row| row.packet.tcp_sequence;
        u8 IcmpType Brief::ICMP_TYPE, |row| row.packet.icmp_type;
        u8 IcmpCode Brief::ICMP_CODE, |row| row.packet.icmp_code;
        u16 SrcVlan Row::SRC_VLAN, |row| row.src_vlan;
        u16 DstVlan Row::DST_VLAN, |row| row.dst_vlan;
        u8 SrcNet Row::SRC_NET, |row| row.src_net;
        u8 DstNet Row::DST_NET, |row| row.dst_net;
    }
}

fn write_addresses(columns: &Columns<'_>, builder: &mut Builder) {
    macro_rules! addresses {
        ($($column:ident $has:expr, $long:expr, $value:expr;)*) => {$(
            let (field, long) = (u64::from($has), u64::from($long));
            if columns.any & field != 0 {
                columns.put_addresses(builder.address(C::$column), field, long, $value);
            }
        )*};
    }
    addresses! {
        SrcAddr Brief::SRC_ADDR, Brief::LONG, |row| &row.packet.src_addr;
        DstAddr Brief::DST_ADDR, Brief::LONG, |row| &row.packet.dst_addr;
        NextHop Row::NEXT_HOP, Row::NEXT_HOP_LONG, |row| &row.next_hop;
    }
}

#[cfg(test)]
mod tests;
