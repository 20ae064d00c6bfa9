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
