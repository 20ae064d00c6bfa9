//! Samples and headers that are read at once are what the walks make of the same bytes: of made ones, damaged ones, cut ones.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own datagram has failed")]

mod usual;

use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport, Vlan};
use finderscope_wire::sflow::{
    DataSource, DatagramHeader, Encoder, ExtendedRouter, ExtendedSwitch, FlowHeader, FlowRecord, Interface,
    SampledHeader,
};
use proptest::prelude::*;
use proptest::sample::select;

/// A packet, and how much of its header is sent.
#[derive(Clone, Debug)]
struct Made {
    transport: Transport,
    vlans: Vec<Vlan>,
    addresses: [Address; 2],
    numbers: [u8; 4],
    payload_length: u16,
    sent: usize,
}

impl Made {
    fn bytes(&self) -> Vec<u8> {
        let [tos, ttl, label, mac] = self.numbers;
        let frame = Frame {
            src_mac: [2, 0, 0, 0, 0, mac],
            dst_mac: [2, 0, 0, 0, mac, 0],
            vlans: &self.vlans,
            src_addr: self.addresses[0],
            dst_addr: self.addresses[1],
            tos,
            ttl,
            label: u32::from(label) << 6,
            transport: self.transport,
            payload_length: self.payload_length,
        };
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes.resize(128, 0);
        bytes.truncate(self.sent);
        bytes
    }
}

fn any_transport() -> impl Strategy<Value = Transport> {
    let port = || prop_oneof![any::<u16>(), select(vec![53, 443, 4789, 2152, 6081, 1701])];
    prop_oneof![
        4 => (port(), port(), any::<u32>(), 0_u16..512)
            .prop_map(|(src_port, dst_port, sequence, flags)| Transport::Tcp { src_port, dst_port, sequence, flags }),
        4 => (port(), port()).prop_map(|(src_port, dst_port)| Transport::Udp { src_port, dst_port }),
        2 => any::<[u8; 2]>().prop_map(|[kind, code]| Transport::Icmp { kind, code }),
        1 => any::<u8>().prop_map(|proto| Transport::Other { proto }),
    ]
}

fn any_packet() -> impl Strategy<Value = Made> {
    let addresses = prop_oneof![
        any::<[[u8; 4]; 2]>().prop_map(|both| both.map(Address::V4)),
        any::<[[u8; 16]; 2]>().prop_map(|both| both.map(Address::V6)),
    ];
    let vlan = (select(vec![0x8100_u16, 0x8100, 0x88A8]), 0_u16..4096, 0_u8..8).prop_map(|(tpid, id, priority)| Vlan {
        tpid,
        id,
        priority,
    });
    let sent = prop_oneof![Just(128_usize), 0..=128_usize];
    let payload_length = prop_oneof![0..20_u16, any::<u16>().prop_map(|length| length / 2)];
    (any_transport(), prop::collection::vec(vlan, 0..3), addresses, any::<[u8; 4]>(), payload_length, sent).prop_map(
        |(transport, vlans, addresses, numbers, payload_length, sent)| Made {
            transport,
            vlans,
            addresses,
            numbers,
            payload_length,
            sent,
        },
    )
}

/// Places and what is done to the bytes there.
fn any_damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop_oneof![Just(Vec::new()), prop::collection::vec((any::<usize>(), any::<u8>()), 0..4)]
}

fn damage(bytes: &mut [u8], places: &[(usize, u8)]) {
    for &(place, flip) in places {
        let length = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(place % length) {
            *byte ^= flip;
        }
    }
}

/// Records by number, twice the same and none at all, too.
fn write(encoder: &mut Encoder<'_>, number: u32, packet: &Made, records: &[u8]) {
    let header = packet.bytes();
    let interface = |format| Interface { format, value: number % 5 };
    let mut sample = encoder.flow_sample(&FlowHeader {
        sequence_number: number,
        // An index that the compact form has no room for is sent in the expanded one.
        source: DataSource { class: number % 3, index: if number.is_multiple_of(2) { 7 } else { 1 << 25 } },
        sampling_rate: number % 7,
        sample_pool: number.wrapping_mul(9),
        drops: number % 2,
        input: interface(0),
        output: interface(number % 3),
    });
    for record in records {
        let word = u32::from(*record);
        sample.record(&match record % 5 {
            0 | 1 => FlowRecord::SampledHeader(SampledHeader {
                protocol: if *record > 250 { HeaderProtocol::IPV4 } else { HeaderProtocol::ETHERNET },
                frame_length: 1_000 + word,
                stripped: word % 9,
                header: &header,
            }),
            2 => FlowRecord::ExtendedSwitch(ExtendedSwitch {
                src_vlan: word << 5,
                src_priority: word % 2,
                dst_vlan: 20,
                dst_priority: 0,
            }),
            3 => FlowRecord::ExtendedRouter(ExtendedRouter {
                nexthop: [None, Some([10, 0, 0, 1].into()), Some([7; 16].into())][usize::from(*record) / 5 % 3],
                src_mask_len: word * 2,
                dst_mask_len: 24,
            }),
            _ => FlowRecord::EgressQueue(word),
        });
    }
}

proptest! {
    #[test]
    fn headers_say_the_same_either_way(packet in any_packet(), places in any_damage()) {
        let mut bytes = packet.bytes();
        damage(&mut bytes, &places);
        usual::compare_header(HeaderProtocol::ETHERNET, &bytes);
    }

    #[test]
    fn samples_say_the_same_either_way(
        samples in prop::collection::vec((any::<u32>(), any_packet(), prop::collection::vec(any::<u8>(), 0..4)), 1..4),
        places in any_damage(),
        cut in prop_oneof![Just(usize::MAX), any::<usize>().prop_map(|cut| cut % 700)],
    ) {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, &DatagramHeader::default());
        for (number, packet, records) in &samples {
            write(&mut encoder, *number, packet, records);
        }
        damage(&mut bytes, &places);
        bytes.truncate(cut);
        usual::compare(&bytes);
    }
}

#[test]
fn what_switches_send_is_read_at_once() {
    let vlan = Vlan { tpid: 0x8100, id: 7, priority: 3 };
    let addresses = [[Address::V4([192, 0, 2, 1]); 2], [Address::V6([0x20; 16]); 2]];
    let transports = [
        Transport::Tcp { src_port: 40_000, dst_port: 443, sequence: 7, flags: 0x12 },
        Transport::Udp { src_port: 40_000, dst_port: 53 },
        Transport::Icmp { kind: 8, code: 0 },
    ];
    for (addresses, transport) in addresses.into_iter().flat_map(|pair| transports.map(|transport| (pair, transport))) {
        for vlans in [vec![], vec![vlan]] {
            let packet = Made { transport, vlans, addresses, numbers: [1, 64, 3, 4], payload_length: 900, sent: 128 };
            assert!(usual::compare_header(HeaderProtocol::ETHERNET, &packet.bytes()), "{packet:?}");
            for (number, records) in [(4, &[0_u8, 2, 3][..]), (5, &[2, 8, 1]), (6, &[13, 0]), (7, &[0])] {
                let mut bytes = Vec::new();
                write(&mut Encoder::new(&mut bytes, &DatagramHeader::default()), number, &packet, records);
                assert_eq!(usual::compare(&bytes), (1, 1), "{packet:?} with {records:?}");
            }
        }
    }
}

#[test]
fn what_is_out_of_the_ordinary_is_left_to_the_walk() {
    let addresses = [Address::V4([192, 0, 2, 1]); 2];
    let made =
        |transport| Made { transport, vlans: vec![], addresses, numbers: [0; 4], payload_length: 900, sent: 128 };
    let tunnel = made(Transport::Udp { src_port: 40_000, dst_port: 4789 });
    assert!(!usual::compare_header(HeaderProtocol::ETHERNET, &tunnel.bytes()), "VXLAN");
    let packet = made(Transport::Udp { src_port: 40_000, dst_port: 53 });
    assert!(!usual::compare_header(HeaderProtocol::IPV4, &packet.bytes()), "not Ethernet");
    for records in [&[][..], &[2], &[0, 1], &[0, 4], &[0, 2, 2]] {
        let mut bytes = Vec::new();
        write(&mut Encoder::new(&mut bytes, &DatagramHeader::default()), 4, &packet, records);
        assert_eq!(usual::compare(&bytes), (0, 0), "{records:?}");
    }
}
