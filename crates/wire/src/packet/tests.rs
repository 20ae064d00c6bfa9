//! Headers whole, cut and wrong.
#![allow(clippy::unwrap_used, reason = "a test whose own packet cannot be read has failed")]
#![allow(clippy::indexing_slicing, reason = "a test that reaches too far has failed")]

use proptest::prelude::*;

use super::tunnel::may_be_tunnel;
use super::*;
use crate::Problem;

const SRC4: Address = Address::V4([192, 0, 2, 1]);
const DST4: Address = Address::V4([198, 51, 100, 2]);
const SRC6: Address = Address::V6([0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const DST6: Address = Address::V6([0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
const TCP: Transport = Transport::Tcp { src_port: 40000, dst_port: 443, sequence: 7, flags: 0x112 };

fn frame(src_addr: Address, dst_addr: Address, transport: Transport) -> Frame<'static> {
    Frame {
        src_mac: [2, 0, 0, 0, 0, 1],
        dst_mac: [2, 0, 0, 0, 0, 2],
        vlans: &[],
        src_addr,
        dst_addr,
        tos: 0xB8,
        ttl: 63,
        label: 0x1234,
        transport,
        payload_length: 100,
    }
}

fn bytes(frame: &Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(frame.encode(&mut out), out.len());
    assert_eq!(frame.length() as usize, out.len() + usize::from(frame.payload_length));
    out
}

fn ethernet(bytes: &[u8]) -> Packet {
    Packet::parse(HeaderProtocol::ETHERNET, bytes)
}

/// An Ethernet header and what follows it.
fn link(etype: &[u8], rest: &[&[u8]]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], etype, &rest.concat()].concat()
}

/// An IPv4 header of this second word (identification, flags and offset), protocol and total length.
fn v4(total_length: u16, fragment: u16, proto: u8) -> Vec<u8> {
    let (length, fragment) = (total_length.to_be_bytes(), fragment.to_be_bytes());
    let ids = [0x45, 0, length[0], length[1], 0, 9, fragment[0], fragment[1], 64, proto, 0, 0];
    [&ids[..], SRC4.bytes(), DST4.bytes()].concat()
}

/// An IPv6 header with a payload of this length that begins with `next`.
fn v6(payload_length: u16, next: u8) -> Vec<u8> {
    let [high, low] = payload_length.to_be_bytes();
    [&[0x60, 0, 0, 0, high, low, next, 64], SRC6.bytes(), DST6.bytes()].concat()
}

#[test]
fn reads_tcp_over_ipv4() {
    let packet = ethernet(&bytes(&frame(SRC4, DST4, TCP)));
    let expected = Packet {
        src_mac: Some([2, 0, 0, 0, 0, 1]),
        dst_mac: Some([2, 0, 0, 0, 0, 2]),
        etype: Some(0x0800),
        ip_version: Some(4),
        src_addr: Some(SRC4),
        dst_addr: Some(DST4),
        proto: Some(6),
        ip_tos: Some(0xB8),
        ip_ttl: Some(63),
        ip_flags: Some(2),
        fragment_id: Some(0x1234),
        fragment_offset: Some(0),
        ip_total_length: Some(140),
        src_port: Some(40000),
        dst_port: Some(443),
        tcp_flags: Some(0x112),
        tcp_sequence: Some(7),
        l3_offset: Some(14),
        l4_offset: Some(34),
        payload_offset: Some(54),
        frames: 1,
        ..Packet::default()
    };
    assert_eq!(packet, expected);
}

#[test]
fn reads_udp_over_ipv6_behind_two_vlan_tags() {
    let vlans = [Vlan { tpid: 0x88A8, id: 100, priority: 5 }, Vlan { tpid: 0x8100, id: 4094, priority: 7 }];
    let udp = Transport::Udp { src_port: 53, dst_port: 40000 };
    let packet = ethernet(&bytes(&Frame { vlans: &vlans, ..frame(SRC6, DST6, udp) }));
    assert_eq!((packet.vlan_id, packet.vlan_priority, packet.vlan_tags), (Some(100), Some(5), 2));
    assert_eq!((packet.inner_vlan_id, packet.inner_vlan_priority), (Some(4094), Some(7)));
    assert_eq!((packet.etype, packet.ip_version, packet.ipv6_flow_label), (Some(0x86DD), Some(6), Some(0x1234)));
    assert_eq!((packet.src_addr, packet.dst_addr), (Some(SRC6), Some(DST6)));
    assert_eq!((packet.ip_tos, packet.ip_ttl, packet.proto), (Some(0xB8), Some(63), Some(17)));
    assert_eq!((packet.ip_total_length, packet.udp_length), (Some(148), Some(108)));
    assert_eq!((packet.ports(), packet.problem), (Some((53, 40000)), None));
}

#[test]
fn frames_bridged_in_frames_keep_the_outer_addresses_and_are_followed_four_deep() {
    let header = |number: u8| [2, 0, 0, 0, 0, number, 4, 0, 0, 0, 0, number, 0x65, 0x58];
    let ip = &bytes(&frame(SRC4, DST4, TCP));
    for depth in 0..=3_u8 {
        let nested = [(0..depth).flat_map(header).collect::<Vec<_>>(), ip.clone()].concat();
        let packet = ethernet(&nested);
        let outer = if depth == 0 { [2, 0, 0, 0, 0, 1] } else { [4, 0, 0, 0, 0, 0] };
        assert_eq!((packet.src_mac, packet.src_addr, packet.problem), (Some(outer), Some(SRC4), None));
        for cut in 12..nested.len() {
            assert_eq!(ethernet(&nested[..cut]).src_mac, Some(outer), "{depth} {cut}");
        }
    }
    // A datagram full of them must not take a stack as deep.
    let endless: Vec<u8> = (0..4_600).flat_map(|_| header(0)).collect();
    assert_eq!(ethernet(&endless).problem, Some(WireError::new("ethernet", 56, Problem::TooDeep(4))));
}

#[test]
fn a_second_metadata_header_is_payload() {
    let macs = [2; 12];
    let frame = [&macs[..], &[0x89, 0x09, 1, 1, 0, 1, 0, 7, 0x89, 0x09], &[1, 1, 0, 1, 0, 7, 8, 0]].concat();
    let packet = ethernet(&frame);
    assert_eq!((packet.etype, packet.payload_offset, packet.problem), (Some(0x8909), Some(22), None));
}

#[test]
fn a_cut_frame_between_access_points_has_no_addresses_of_radios() {
    let addresses = [[1; 6], [2; 6], [3; 6]].concat();
    let frame = [&[0x08, 0x03, 0, 0], &addresses[..], &[0, 0], &[4; 6], &[0xAA, 0xAA, 3, 0, 0, 0, 8, 0]].concat();
    let macs = |bytes: &[u8]| {
        let packet = Packet::parse(HeaderProtocol::WIFI_MAC, bytes);
        (packet.dst_mac, packet.src_mac)
    };
    assert_eq!(macs(&frame), (Some([3; 6]), Some([4; 6])));
    for cut in 0..30 {
        assert_eq!(macs(&frame[..cut]), (None, None), "{cut}");
    }
}

#[test]
fn an_aggregate_of_payloads_has_the_addresses_of_its_first_payload() {
    let addresses = [[1; 6], [2; 6], [3; 6]].concat();
    let payload = [&[5; 6][..], &[6; 6], &[0, 8], &[0xAA, 0xAA, 3, 0, 0, 0, 8, 0]].concat();
    let frame = [&[0x88, 0x01, 0, 0], &addresses[..], &[0, 0], &[0x80, 0], &payload].concat();
    let src_mac = |bytes: &[u8]| Packet::parse(HeaderProtocol::WIFI_MAC, bytes).src_mac;
    assert_eq!(src_mac(&frame), Some([6; 6]));
    for cut in 0..frame.len() {
        assert_eq!(src_mac(&frame[..cut]), (cut >= 38).then_some([6; 6]), "{cut}");
    }
}

#[test]
fn tells_icmp_types_and_codes() {
    let icmp = Transport::Icmp { kind: 3, code: 4 };
    for (src, dst, proto) in [(SRC4, DST4, 1), (SRC6, DST6, 58)] {
        let packet = ethernet(&bytes(&frame(src, dst, icmp)));
        assert_eq!((packet.proto, packet.icmp_type, packet.icmp_code), (Some(proto), Some(3), Some(4)));
        assert_eq!((packet.ports(), packet.problem), (None, None));
    }
}

#[test]
fn ipv4_check_sums_come_to_zero() {
    let bytes = bytes(&frame(SRC4, DST4, TCP));
    let sum: u32 = bytes[14..34].as_chunks::<2>().0.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    assert_eq!((sum & 0xFFFF) + (sum >> 16), 0xFFFF);
}

#[test]
fn takes_all_numbers_of_vlan_tags() {
    for tpid in [0x8100_u16, 0x88A8, 0x9100, 0x9200, 0x9300] {
        let packet = ethernet(&link(&tpid.to_be_bytes(), &[&[0x60, 7, 8, 6]]));
        assert_eq!((packet.vlan_id, packet.vlan_priority, packet.etype), (Some(7), Some(3), Some(0x0806)));
        assert_eq!((packet.payload_offset, packet.problem), (Some(18), None));
    }
}

#[test]
fn reads_ip_behind_llc_and_snap_and_leaves_other_llc_alone() {
    let snap = link(&[0, 60], &[&[0xAA, 0xAA, 3, 0, 0, 0, 8, 0], &v4(24, 0, 17), &[0, 53, 0, 54]]);
    let packet = ethernet(&snap);
    assert_eq!((packet.etype, packet.src_addr, packet.ports()), (Some(0x0800), Some(SRC4), Some((53, 54))));

    let spanning_tree = ethernet(&link(&[0, 38], &[&[0x42, 0x42, 3, 0, 0]]));
    assert_eq!((spanning_tree.etype, spanning_tree.payload_offset, spanning_tree.problem), (None, Some(14), None));

    let cisco = ethernet(&link(&[0, 38], &[&[0xAA, 0xAA, 3, 0, 0, 0xC, 0x20, 0]]));
    assert_eq!((cisco.etype, cisco.payload_offset, cisco.problem), (None, Some(22), None));
}

#[test]
fn steps_over_mpls_labels_to_what_they_carry() {
    let labels = [0, 6, 0x40, 64, 0, 7, 0x41, 64];
    let packet = ethernet(&link(&[0x88, 0x47], &[&labels, &v4(28, 0, 17), &[0, 53, 0, 54, 0, 8, 0, 0]]));
    assert_eq!((packet.etype, packet.mpls_labels, packet.mpls_label), (Some(0x8847), 2, Some(100)));
    assert_eq!((packet.ports(), packet.problem), (Some((53, 54)), None));

    let bare = Packet::parse(HeaderProtocol::MPLS, &[&labels[..], &v6(0, 59)].concat());
    assert_eq!((bare.ip_version, bare.proto, bare.problem), (Some(6), Some(59), None));

    let pseudowire = Packet::parse(HeaderProtocol::MPLS, &[&labels[..], &[0, 0, 0, 0]].concat());
    assert_eq!((pseudowire.ip_version, pseudowire.payload_offset, pseudowire.problem), (None, Some(8), None));
}

#[test]
fn reads_headers_that_begin_with_ip() {
    let four = [v4(28, 0, 17), vec![0, 53, 0, 54, 0, 8, 0, 0]].concat();
    let packet = Packet::parse(HeaderProtocol::IPV4, &four);
    assert_eq!((packet.l3_offset, packet.ports(), packet.etype), (Some(0), Some((53, 54)), None));
    let six = [v6(8, 17), vec![0, 53, 0, 54, 0, 8, 0, 0]].concat();
    assert_eq!(Packet::parse(HeaderProtocol::IPV6, &six).ports(), Some((53, 54)));

    let wrong = Packet::parse(HeaderProtocol::IPV6, &four);
    assert_eq!(wrong.problem, Some(WireError::new("ipv6.version", 0, Problem::Value(4))));
    let unknown = Packet::parse(HeaderProtocol(18), &four);
    assert_eq!(unknown.problem, Some(WireError::new("header_protocol", 0, Problem::Value(18))));
}

#[test]
fn later_fragments_have_no_ports() {
    let ports = [0, 53, 0, 54, 0, 8, 0, 0];
    let first = ethernet(&link(&[8, 0], &[&v4(28, 0x2000, 17), &ports]));
    assert_eq!((first.ports(), first.ip_flags, first.is_later_fragment()), (Some((53, 54)), Some(1), false));
    let later = ethernet(&link(&[8, 0], &[&v4(28, 0x00B9, 17), &ports]));
    assert_eq!((later.ports(), later.fragment_offset, later.fragment_id), (None, Some(185), Some(9)));
    assert_eq!((later.l4_offset, later.payload_offset, later.problem), (None, Some(34), None));

    let fragment = |offset: u8| [17, 0, 5, offset, 0, 1, 2, 3];
    let first = ethernet(&link(&[0x86, 0xDD], &[&v6(16, 44), &fragment(1)[..2], &[0, 1], &fragment(1)[4..], &ports]));
    assert_eq!((first.ports(), first.ip_flags, first.fragment_id), (Some((53, 54)), Some(1), Some(0x10203)));
    let later = ethernet(&link(&[0x86, 0xDD], &[&v6(16, 44), &fragment(0xC8), &ports]));
    assert_eq!((later.ports(), later.proto, later.fragment_offset), (None, Some(17), Some(185)));
}

#[test]
fn steps_over_every_ipv6_extension_header() {
    let chain = [
        &[43, 0, 0, 0, 0, 0, 0, 0][..],                                              // hop by hop
        &[60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],                          // routing, 16 bytes
        &[51, 0, 0, 0, 0, 0, 0, 0],                                                  // destination
        &[132, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // authentication, 24 bytes
        &[0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0],                                       // SCTP
    ]
    .concat();
    let packet = ethernet(&link(&[0x86, 0xDD], &[&v6(chain.len() as u16, 0), &chain]));
    assert_eq!((packet.proto, packet.ports(), packet.problem), (Some(132), Some((1, 2)), None));
    assert_eq!((packet.l4_offset, packet.payload_offset), (Some(54 + 56), Some(54 + 68)));
}

#[test]
fn loops_of_headers_have_an_end() {
    let options = [60, 0, 0, 0, 0, 0, 0, 0].repeat(100);
    let packet = ethernet(&link(&[0x86, 0xDD], &[&v6(800, 60), &options]));
    assert_eq!(packet.problem.unwrap().problem, Problem::TooDeep(10));
    assert_eq!((packet.src_addr, packet.ports()), (Some(SRC6), None));

    let tags = ethernet(&link(&[0x81, 0], &[&[0, 1, 0x81, 0].repeat(100)]));
    assert_eq!((tags.problem.unwrap().problem, tags.vlan_id), (Problem::TooDeep(8), Some(1)));
    let labels = ethernet(&link(&[0x88, 0x47], &[&[0, 0, 0x10, 64].repeat(100)]));
    assert_eq!((labels.problem.unwrap().problem, labels.mpls_label), (Problem::TooDeep(16), Some(1)));
}

#[test]
fn lengths_inside_the_header_are_not_believed() {
    let tcp = [0x9C, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0];
    // A header that says it is shorter than it can be.
    let mut short = v4(40, 0, 6);
    short[0] = 0x44;
    let packet = ethernet(&link(&[8, 0], &[&short, &tcp]));
    let minimum = Problem::TooShort { length: 16, minimum: 20 };
    assert_eq!(packet.problem, Some(WireError::new("ipv4.ihl", 14, minimum)));
    // Options that reach behind the end.
    let mut long = v4(40, 0, 6);
    long[0] = 0x4F;
    let packet = ethernet(&link(&[8, 0], &[&long, &tcp]));
    assert_eq!((packet.problem.unwrap().field, packet.dst_addr), ("ipv4.options", Some(DST4)));
    // A total length without room for the header itself.
    let packet = ethernet(&link(&[8, 0], &[&v4(19, 0, 6), &tcp]));
    assert_eq!((packet.problem.unwrap().field, packet.dst_addr), ("ipv4.total_length", Some(DST4)));
    // A total length that ends before the transport header: what lies behind is padding, and has no ports.
    let packet = ethernet(&link(&[8, 0], &[&v4(22, 0, 6), &tcp]));
    assert_eq!((packet.src_port, packet.dst_port), (Some(40000), None));
    // One beyond the sample is how samples are.
    let packet = ethernet(&link(&[8, 0], &[&v4(1500, 0, 6), &tcp]));
    assert_eq!((packet.ports(), packet.problem, packet.ip_total_length), (Some((40000, 80)), None, Some(1500)));
    // None at all is segmentation offload's.
    let packet = ethernet(&link(&[8, 0], &[&v4(0, 0, 6), &tcp]));
    assert_eq!((packet.ports(), packet.problem, packet.ip_total_length), (Some((40000, 80)), None, None));
    // TCP's own length, too small and too large.
    for (offset, problem) in
        [(0x40, Problem::TooShort { length: 16, minimum: 20 }), (0xF0, Problem::Truncated { needed: 40, left: 0 })]
    {
        let mut wrong = tcp;
        wrong[12] = offset;
        let packet = ethernet(&link(&[8, 0], &[&v4(40, 0, 6), &wrong]));
        assert_eq!(
            (packet.problem.unwrap().problem, packet.tcp_flags, packet.payload_offset),
            (problem, Some(2), None)
        );
    }
}

#[test]
fn a_header_cut_anywhere_keeps_what_was_whole() {
    let vlans = [Vlan { tpid: 0x8100, id: 7, priority: 1 }];
    for (src, dst) in [(SRC4, DST4), (SRC6, DST6)] {
        let whole = bytes(&Frame { vlans: &vlans, ..frame(src, dst, TCP) });
        let ip = 18 + if src == SRC4 { 20 } else { 40 };
        for cut in 0..whole.len() {
            let packet = ethernet(&whole[..cut]);
            assert_eq!(packet.dst_mac.is_some(), cut >= 6);
            assert_eq!(packet.src_mac.is_some(), cut >= 12);
            assert_eq!(packet.vlan_id.is_some(), cut >= 16);
            assert_eq!(packet.etype.is_some(), cut >= 18);
            assert_eq!(packet.dst_addr.is_some(), cut >= ip);
            assert_eq!(packet.ports().is_some(), cut >= ip + 4);
            assert_eq!(packet.tcp_flags.is_some(), cut >= ip + 14);
            let problem = packet.problem.unwrap();
            assert_eq!(problem.reason(), "truncated");
            assert!(problem.offset <= cut && packet.payload_offset.is_none());
        }
        assert_eq!(ethernet(&whole).problem, None);
    }
}

fn any_address() -> impl Strategy<Value = (Address, Address)> {
    prop_oneof![
        any::<([u8; 4], [u8; 4])>().prop_map(|(src, dst)| (Address::V4(src), Address::V4(dst))),
        any::<([u8; 16], [u8; 16])>().prop_map(|(src, dst)| (Address::V6(src), Address::V6(dst))),
    ]
}

fn any_transport() -> impl Strategy<Value = Transport> {
    prop_oneof![
        any::<(u16, u16, u32, u16)>().prop_map(|(src_port, dst_port, sequence, flags)| {
            Transport::Tcp { src_port, dst_port, sequence, flags: flags & 0x1FF }
        }),
        any::<(u16, u16)>()
            .prop_filter("no tunnel lies behind these ports", |&(src, dst)| !may_be_tunnel(src, dst))
            .prop_map(|(src_port, dst_port)| Transport::Udp { src_port, dst_port }),
        any::<(u8, u8)>().prop_map(|(kind, code)| Transport::Icmp { kind, code }),
    ]
}

proptest! {
    #[test]
    fn reads_back_what_it_wrote(
        (src, dst) in any_address(), transport in any_transport(), payload in 0..1400_u16, id in 0..4096_u16, tos: u8, ttl: u8,
    ) {
        let vlans = [Vlan { tpid: 0x8100, id, priority: 3 }];
        let frame = Frame { vlans: &vlans, tos, ttl, payload_length: payload, ..frame(src, dst, transport) };
        let packet = ethernet(&bytes(&frame));
        prop_assert_eq!(packet.problem, None);
        prop_assert_eq!((packet.src_addr, packet.dst_addr), (Some(src), Some(dst)));
        prop_assert_eq!((packet.vlan_id, packet.ip_tos, packet.ip_ttl), (Some(id), Some(tos), Some(ttl)));
        prop_assert_eq!(packet.ip_total_length, Some(frame.length() - 18));
        match transport {
            Transport::Tcp { src_port, dst_port, sequence, flags } => {
                prop_assert_eq!(packet.ports(), Some((src_port, dst_port)));
                prop_assert_eq!((packet.tcp_sequence, packet.tcp_flags), (Some(sequence), Some(flags)));
            }
            Transport::Udp { src_port, dst_port } => {
                prop_assert_eq!(packet.ports(), Some((src_port, dst_port)));
                prop_assert_eq!(packet.udp_length, Some(payload + 8));
            }
            Transport::Icmp { kind, code } => {
                prop_assert_eq!((packet.icmp_type, packet.icmp_code), (Some(kind), Some(code)));
            }
            Transport::Other { .. } => {}
        }
    }

    #[test]
    fn any_bytes_are_survived(protocol in 0..20_u32, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let packet = Packet::parse(HeaderProtocol(protocol), &bytes);
        for offset in [packet.l3_offset, packet.l4_offset, packet.payload_offset].into_iter().flatten() {
            prop_assert!(offset as usize <= bytes.len());
        }
        prop_assert!(packet.problem.is_none_or(|problem| problem.offset <= bytes.len()));
    }

    #[test]
    fn a_changed_byte_is_survived((src, dst) in any_address(), transport in any_transport(), place: usize, byte: u8) {
        let mut bytes = bytes(&frame(src, dst, transport));
        let place = place % bytes.len();
        bytes[place] = byte;
        let packet = ethernet(&bytes);
        prop_assert!(packet.payload_offset.is_none_or(|offset| offset as usize <= bytes.len()));
    }
}
