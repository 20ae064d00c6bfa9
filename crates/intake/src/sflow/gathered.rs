//! Rows of some datagrams that are not written yet, as columns already: so each column is copied in one go, by code that is
//! the same for all columns of a type and stays small. What is done once a column, and not once a row, is then shared by
//! more rows than a datagram has.

use finderscope_flow::{Addresses, Builder, Column as C, TimeSource};
use finderscope_wire::packet::Brief;

use super::row::Row;
use crate::context::Context;
use crate::plan;
use crate::sampling::Rate;

/// Rows that are gathered: more would not stay in the cache next to the processor, and each has a bit in a mask.
pub(super) const ROWS_MAX: usize = 32;

macro_rules! gathered {
    ($($field:ident $type:ident $column:ident $has:expr, |$row:ident| $value:expr;)*) => {
        /// Rows, column by column. A cell of a field that its row does not have is zero.
        #[derive(Debug)]
        pub(crate) struct Gathered {
            rows: usize,
            /// What the rows of each datagram have in common, and how many they are.
            datagrams: Vec<(Context, usize)>,
            /// [`Row::has`] of each row, and what all of them and any of them have.
            has: [u64; ROWS_MAX],
            all: u64,
            any: u64,
            rates: [Rate; ROWS_MAX],
            src_addr: [[u8; 16]; ROWS_MAX],
            dst_addr: [[u8; 16]; ROWS_MAX],
            next_hop: [[u8; 16]; ROWS_MAX],
            $($field: [$type; ROWS_MAX],)*
        }

        impl Default for Gathered {
            fn default() -> Self {
                Self {
                    rows: 0,
                    datagrams: Vec::with_capacity(ROWS_MAX),
                    has: [0; ROWS_MAX],
                    all: u64::MAX,
                    any: 0,
                    rates: [None; ROWS_MAX],
                    src_addr: [[0; 16]; ROWS_MAX],
                    dst_addr: [[0; 16]; ROWS_MAX],
                    next_hop: [[0; 16]; ROWS_MAX],
                    $($field: [0; ROWS_MAX],)*
                }
            }
        }

        impl Gathered {
            /// Adds a row, for which there must be room. [`Gathered::end`] has to be told whose it is.
            #[inline(always)]
            pub(super) fn push(&mut self, row: &Row) {
                // A remainder says that it is in bounds, which need not be asked for each column then.
                let at = self.rows % ROWS_MAX;
                self.rows += 1;
                self.has[at] = row.has;
                self.all &= row.has;
                self.any |= row.has;
                self.rates[at] = row.rate;
                self.src_addr[at] = row.packet.src_addr;
                self.dst_addr[at] = row.packet.dst_addr;
                self.next_hop[at] = row.next_hop;
                $(
                    let $row = row;
                    self.$field[at] = $value;
                )*
            }

            /// A column that no row has stays behind, which makes nulls of it.
            fn write_fields(&self, builder: &mut Builder) {
                $(
                    let field = u64::from($has);
                    if self.any & field != 0 {
                        builder.$type(C::$column).extend_valid(&self.$field, self.rows, self.valid(field));
                    }
                )*
            }
        }
    };
}

gathered! {
    class u32 SourceIdClass Row::ALWAYS, |row| row.class;
    index u32 SourceIdIndex Row::ALWAYS, |row| row.index;
    sequence u32 SampleSequence Row::ALWAYS, |row| row.sequence;
    pool u32 SamplePool Row::ALWAYS, |row| row.pool;
    drops u32 SampleDrops Row::ALWAYS, |row| row.drops;
    in_if u32 InIf Row::IN_IF, |row| row.in_if;
    out_if u32 OutIf Row::OUT_IF, |row| row.out_if;
    packets u64 Packets Row::LENGTH, |row| (row.has & Row::LENGTH != 0).into();
    length u64 Bytes Row::LENGTH, |row| row.length.into();
    length_l3 u64 BytesL3 Row::LENGTH_L3, |row| row.length_l3.into();
    src_mac u64 SrcMac Brief::SRC_MAC, |row| row.packet.src_mac;
    dst_mac u64 DstMac Brief::DST_MAC, |row| row.packet.dst_mac;
    vlan_id u16 VlanId Brief::VLAN_ID, |row| row.packet.vlan_id;
    etype u16 Etype Brief::ETYPE, |row| row.packet.etype;
    proto u8 Proto Brief::PROTO, |row| row.packet.proto;
    ip_tos u8 IpTos Brief::IP_TOS, |row| row.packet.ip_tos;
    ip_ttl u8 IpTtl Brief::IP_TTL, |row| row.packet.ip_ttl;
    ip_flags u8 IpFlags Brief::IP_FLAGS, |row| row.packet.ip_flags;
    fragment_id u32 FragmentId Brief::FRAGMENT_ID, |row| row.packet.fragment_id;
    fragment_offset u16 FragmentOffset Brief::FRAGMENT_OFFSET, |row| row.packet.fragment_offset;
    ipv6_flow_label u32 Ipv6FlowLabel Brief::IPV6_FLOW_LABEL, |row| row.packet.ipv6_flow_label;
    src_port u16 SrcPort Brief::SRC_PORT, |row| row.packet.src_port;
    dst_port u16 DstPort Brief::DST_PORT, |row| row.packet.dst_port;
    tcp_flags u16 TcpFlags Brief::TCP_FLAGS, |row| row.packet.tcp_flags;
    tcp_sequence u32 TcpSequenceNumber Brief::TCP_SEQUENCE, |row| row.packet.tcp_sequence;
    icmp_type u8 IcmpType Brief::ICMP_TYPE, |row| row.packet.icmp_type;
    icmp_code u8 IcmpCode Brief::ICMP_CODE, |row| row.packet.icmp_code;
    src_vlan u16 SrcVlan Row::SRC_VLAN, |row| row.src_vlan;
    dst_vlan u16 DstVlan Row::DST_VLAN, |row| row.dst_vlan;
    src_net u8 SrcNet Row::SRC_NET, |row| row.src_net;
    dst_net u8 DstNet Row::DST_NET, |row| row.dst_net;
}

impl Gathered {
    pub(super) const fn is_full(&self) -> bool {
        self.rows == ROWS_MAX
    }

    /// How many rows there are.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Says whose the last `rows` rows are.
    #[inline]
    pub(super) fn end(&mut self, context: &Context, rows: usize) {
        if rows > 0 {
            self.datagrams.push((*context, rows));
        }
    }

    /// Writes all rows, and is empty then.
    pub(crate) fn write(&mut self, builder: &mut Builder) {
        let rows = self.rows;
        if rows == 0 {
            return;
        }
        for (context, rows) in self.datagrams.drain(..) {
            context.write(builder, rows);
            plan::write_moment(builder, context.received_ns, TimeSource::Sample, rows);
            builder.u32(C::SubAgentId).push_run(context.domain, rows);
        }
        self.write_rates(builder);
        self.write_fields(builder);
        for (column, field, long, values) in [
            (C::SrcAddr, Brief::SRC_ADDR.into(), Brief::LONG.into(), &self.src_addr),
            (C::DstAddr, Brief::DST_ADDR.into(), Brief::LONG.into(), &self.dst_addr),
            (C::NextHop, Row::NEXT_HOP, Row::NEXT_HOP_LONG, &self.next_hop),
        ] {
            if self.any & field != 0 {
                self.write_addresses(builder.address(column), field, long, values);
            }
        }
        builder.advance(rows);
        (self.rows, self.all, self.any) = (0, u64::MAX, 0);
    }

    /// The rows that have the field, a bit each.
    #[inline]
    fn valid(&self, field: u64) -> u64 {
        if self.all & field != 0 { u64::MAX } else { self.mask(field) }
    }

    #[inline(never)]
    fn mask(&self, field: u64) -> u64 {
        let rows = self.has.iter().take(self.rows);
        rows.rev().fold(0, |bits, has| bits << 1 | u64::from(has & field != 0))
    }

    fn write_rates(&self, builder: &mut Builder) {
        for run in self.rates.get(..self.rows).unwrap_or_default().chunk_by(|one, next| one == next) {
            match run.first() {
                Some(rate @ Some(_)) => plan::write_rate(builder, *rate, run.len()),
                _ => {
                    builder.u64(C::SamplingRate).push_nulls(run.len());
                    builder.word(C::SamplingSource).push_nulls(run.len());
                }
            }
        }
    }

    /// A cell for each row, of sixteen bytes where it has `long`, else of four.
    fn write_addresses(&self, cells: &mut Addresses, field: u64, long: u64, values: &[[u8; 16]; ROWS_MAX]) {
        let rows = || values.iter().zip(&self.has).take(self.rows);
        if let [first, others @ ..] = values.get(..self.rows).unwrap_or_default()
            && (self.all & field != 0 && (self.any & long == 0 || self.all & long != 0))
            && others.iter().all(|other| other == first)
            && cells.go_on_with(first.get(..if self.any & long == 0 { 4 } else { 16 }).unwrap_or_default(), self.rows)
        {
            return;
        }
        if self.all & field == 0 {
            for (value, has) in rows() {
                let length = if has & long == 0 { 4 } else { 16 };
                cells.push_option(value.get(..length).filter(|_| has & field != 0));
            }
        } else if self.any & long == 0 {
            cells.extend_fixed(values.iter().take(self.rows).map(|&[a, b, c, d, ..]| [a, b, c, d]));
        } else if self.all & long != 0 {
            cells.extend_fixed(values.iter().take(self.rows).copied());
        } else {
            cells.extend_mixed(rows().map(|(value, has)| (value, has & long != 0)));
        }
    }
}
