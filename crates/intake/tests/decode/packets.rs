//! IPFIX records that hold the first bytes of a packet.

use finderscope_wire::ipfix::VARIABLE;
use finderscope_wire::packet::{Address, Frame, Transport, Vlan};
use serde_json::json;

use crate::harness::{Collector, check, field, ipfix};

pub(crate) fn frame(dst_port: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let frame = Frame {
        src_mac: [2, 0, 0, 0, 0, 1],
        dst_mac: [2, 0, 0, 0, 0, 2],
        vlans: &[Vlan { tpid: 0x8100, id: 100, priority: 0 }],
        src_addr: Address::V4([10, 1, 0, 1]),
        dst_addr: Address::V4([10, 2, 0, 2]),
        tos: 8,
        ttl: 63,
        label: 0x1234,
        transport: Transport::Tcp { src_port: 40_000, dst_port, sequence: 99, flags: 0x18 },
        payload_length: 1000,
    };
    frame.encode(&mut bytes);
    bytes
}

#[test]
fn a_section_of_a_frame_fills_the_columns_that_no_field_fills() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(58, 2), field(315, VARIABLE), field(10, 4)]);
        for bytes in [frame(443), frame(53)[..20].to_vec()] {
            encoder.record_with(256, |writer| {
                writer.u32(1500).u16(7).u8(bytes.len() as u8).bytes(&bytes).u32(3);
            });
        }
    }));
    let flows = collector.flows();
    check(
        &flows[0],
        &[
            ("bytes", json!(1500)),
            ("vlan_id", json!(7)),
            ("in_if", json!(3)),
            ("src_addr", json!("10.1.0.1")),
            ("dst_port", json!(443)),
            ("src_mac", json!("02:00:00:00:00:01")),
            ("tcp_sequence_number", json!(99)),
            ("ip_ttl", json!(63)),
            ("extra", json!(null)),
        ],
    );
    check(&flows[1], &[("bytes", json!(1500)), ("src_addr", json!(null)), ("dst_mac", json!("02:00:00:00:00:02"))]);
}

/// A frame in VXLAN: the addresses of the tunnel's ends stay in `src_addr`, what is inside gets columns of its own.
#[test]
fn what_a_tunnel_carries_has_columns_of_its_own() {
    let inner = frame(443);
    let outer = Frame {
        src_mac: [2, 0, 0, 0, 0, 3],
        dst_mac: [2, 0, 0, 0, 0, 4],
        vlans: &[],
        src_addr: Address::V6([0x20; 16]),
        dst_addr: Address::V6([0x21; 16]),
        tos: 0,
        ttl: 64,
        label: 0,
        transport: Transport::Udp { src_port: 50_000, dst_port: 4789 },
        payload_length: 8 + inner.len() as u16,
    };
    let mut bytes = Vec::new();
    outer.encode(&mut bytes);
    bytes.extend([8, 0, 0, 0, 0, 0x30, 0x39, 0]);
    bytes.extend(&inner);
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(315, VARIABLE)]);
        encoder.record_with(256, |writer| {
            writer.u32(1500).u8(bytes.len() as u8).bytes(&bytes);
        });
    }));
    check(
        &collector.flows()[0],
        &[
            ("src_addr", json!("2020:2020:2020:2020:2020:2020:2020:2020")),
            ("dst_port", json!(4789)),
            ("tunnel", json!("vxlan")),
            ("tunnel_id", json!(12345)),
            ("inner_src_mac", json!("02:00:00:00:00:01")),
            ("inner_dst_mac", json!("02:00:00:00:00:02")),
            ("inner_vlan_id", json!(100)),
            ("inner_etype", json!(2048)),
            ("inner_src_addr", json!("10.1.0.1")),
            ("inner_dst_addr", json!("10.2.0.2")),
            ("inner_proto", json!(6)),
            ("inner_src_port", json!(40_000)),
            ("inner_dst_port", json!(443)),
            ("vlan_id", json!(null)),
        ],
    );
}

/// Sections of a payload begin with what other fields of the record say.
#[test]
fn sections_begin_where_their_elements_say() {
    let whole = frame(443);
    let (ip, tcp) = (&whole[18..], &whole[38..]);
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(313, VARIABLE)]);
        encoder.template(257, &[field(1, 4), field(4, 1), field(314, VARIABLE)]);
        encoder.template(258, &[field(1, 4), field(316, VARIABLE)]);
        encoder.template(259, &[field(1, 4), field(317, VARIABLE)]);
        let labels = [&[0, 6, 0x40, 64, 0, 7, 0x41, 64], ip].concat();
        for (template, bytes) in [(256, ip), (257, tcp), (258, &labels), (259, ip)] {
            encoder.record_with(template, |writer| {
                writer.u32(1500);
                if template == 257 {
                    writer.u8(6);
                }
                writer.u8(bytes.len() as u8).bytes(bytes);
            });
        }
    }));
    let flows = collector.flows();
    for flow in &flows {
        check(flow, &[("src_port", json!(40_000)), ("dst_port", json!(443)), ("tcp_sequence_number", json!(99))]);
    }
    check(&flows[0], &[("src_addr", json!("10.1.0.1")), ("proto", json!(6))]);
    check(&flows[1], &[("src_addr", json!(null)), ("proto", json!(6))]);
    check(&flows[2], &[("src_addr", json!("10.1.0.1")), ("mpls_label", json!([100, 116]))]);
    check(&flows[3], &[("src_addr", json!("10.1.0.1")), ("mpls_label", json!(null))]);
}

/// A record that has a packet and no counters is a sample of one: its bytes are the frame's, where that is told.
#[test]
fn a_section_without_counters_is_one_packet() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(312, 2), field(315, VARIABLE)]);
        encoder.template(257, &[field(315, VARIABLE)]);
        let bytes = frame(443);
        encoder.record_with(256, |writer| _ = writer.u16(1058).u8(bytes.len() as u8).bytes(&bytes));
        encoder.record_with(257, |writer| _ = writer.u8(bytes.len() as u8).bytes(&bytes));
    }));
    let flows = collector.flows();
    check(&flows[0], &[("packets", json!(1)), ("bytes", json!(1058)), ("bytes_l3", json!(1040))]);
    check(&flows[1], &[("packets", json!(1)), ("bytes", json!(1040)), ("bytes_l3", json!(1040))]);
}
