//! Link types, and packets that are given another link's header.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use finderscope_packets::{LinkType, Packet, Shape};
use finderscope_wire::packet::HeaderProtocol as P;

fn packet(protocol: P, bytes: &[u8]) -> Packet<'_> {
    Packet {
        received_ns: 0,
        exporter: [10, 0, 0, 1].into(),
        agent: [10, 0, 0, 1].into(),
        source: None,
        input: None,
        output: None,
        sampling_rate: None,
        sample_pool: 0,
        drops: 0,
        discard: None,
        protocol,
        frame_length: 100,
        stripped: 4,
        bytes,
    }
}

const IPV4: [u8; 20] = [0x45, 0, 0, 92, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];

/// The numbers are those of tcpdump.org's list.
#[test]
fn every_link_type_has_its_number_and_takes_what_begins_so() {
    for (name, number, takes) in [
        ("ethernet", 1, vec![P::ETHERNET]),
        ("raw", 101, vec![P::IPV4, P::IPV6, P::AAL5_IP]),
        ("ipv4", 228, vec![P::IPV4]),
        ("ipv6", 229, vec![P::IPV6]),
        ("ieee802_11", 105, vec![P::WIFI_MAC]),
        ("ppp", 9, vec![P::PPP]),
        ("ppp_hdlc", 50, vec![P::POS]),
        ("frelay", 107, vec![P::FRAME_RELAY]),
        ("token_ring", 6, vec![P::TOKEN_RING]),
        ("fddi", 10, vec![P::FDDI]),
        ("atm_rfc1483", 100, vec![P::AAL5]),
        ("mpls", 219, vec![P::MPLS]),
        ("infiniband", 247, vec![P(18)]),
    ] {
        let link: LinkType = name.parse().unwrap();
        assert_eq!((link, link.to_string().as_str()), (LinkType(number), name));
        assert_eq!(number.to_string().parse(), Ok(link));
        let taken: Vec<P> = (0..32).map(P).filter(|&protocol| link.takes(protocol)).collect();
        let mut takes = takes;
        takes.sort_by_key(|protocol| protocol.0);
        let mut sorted = taken.clone();
        sorted.sort_by_key(|protocol| protocol.0);
        assert_eq!(sorted, takes, "{name}");
    }
    assert_eq!(LinkType::names().count(), 13, "a link type that nobody asserts");
    assert_eq!("EN10MB".parse(), Ok(LinkType::ETHERNET));
    assert!("nonsense".parse::<LinkType>().unwrap_err().to_string().contains("ethernet, raw, ipv4"));
    assert_eq!(LinkType::of(P::IPV6), Some(LinkType(101)));
    assert_eq!(LinkType::of(P::WIFI_AMPDU), None);
}

#[test]
fn a_stream_holds_what_begins_as_it_says_and_nothing_else() {
    let (ethernet, ip) = (packet(P::ETHERNET, &[1; 60]), packet(P::IPV4, &IPV4));
    let mut shape = Shape::new(LinkType::ETHERNET, false);
    assert_eq!(shape.fit(&ethernet).map(|it| (it.bytes.len(), it.frame_length, it.true_length)), Some((60, 100, 96)));
    assert_eq!(shape.fit(&ip), None);
    let mut shape = Shape::new(LinkType(101), true);
    assert_eq!(shape.fit(&ip).map(|it| it.bytes), Some(&IPV4[..]));
    assert_eq!(shape.fit(&ethernet), None);
}

fn made(protocol: P, bytes: &[u8]) -> Option<(Vec<u8>, u32, u32)> {
    let mut shape = Shape::new(LinkType::ETHERNET, true);
    shape.fit(&packet(protocol, bytes)).map(|it| (it.bytes.to_vec(), it.frame_length, it.true_length))
}

#[test]
fn a_made_header_announces_what_is_inside_and_lengths_follow() {
    let nobody = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let (bytes, frame, whole) = made(P::IPV4, &IPV4).unwrap();
    assert_eq!(bytes, [&nobody[..], &[8, 0], &IPV4].concat());
    assert_eq!((frame, whole), (114, 110));
    // PPP with an address and a control byte: the link's own four bytes go.
    let ppp = [&[0xFF, 3, 0, 0x21][..], &IPV4].concat();
    assert_eq!(made(P::PPP, &ppp), Some((bytes, 110, 106)));
    let label = [&[0, 1, 0x01, 64][..], &IPV4].concat();
    let (bytes, _, _) = made(P::MPLS, &label).unwrap();
    assert_eq!(bytes, [&nobody[..], &[0x88, 0x47], &label].concat());
    // IEEE 802.11 data from an access point: who it is from and to is known.
    let wifi = [&[8, 2, 0, 0][..], &[1; 6], &[2; 6], &[3; 6], &[0, 0], &[0xAA, 0xAA, 3, 0, 0, 0, 8, 0], &IPV4].concat();
    let (bytes, _, _) = made(P::WIFI_MAC, &wifi).unwrap();
    assert_eq!(bytes, [&[1; 6][..], &[3; 6], &[8, 0], &IPV4].concat());
    // A header that is cut before it says more.
    assert_eq!(made(P::IPV6, &[0x60, 0]).unwrap().0, [&nobody[..], &[0x86, 0xDD, 0x60, 0]].concat());
    for nothing in [made(P::IPV4, &[]), made(P::X25, &[1, 2, 3]), made(P(0), &IPV4), made(P::PPP, &[0xC0, 0x21])] {
        assert_eq!(nothing, None);
    }
}
