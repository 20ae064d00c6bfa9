//! Tunnels and links: what is written is read back, by us and by tshark; cut and damaged it is survived.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod tshark;

use finderscope_wire::Problem;
use finderscope_wire::packet::{
    Address, Carried, Frame, HeaderProtocol, Layer, Packet, TUNNELS_MAX, Transport, TunnelKind, Tunnelled, layers,
};

const OUTER: Frame<'_> = Frame {
    src_mac: [2, 0, 0, 0, 0, 1],
    dst_mac: [2, 0, 0, 0, 0, 2],
    vlans: &[],
    src_addr: Address::V4([192, 0, 2, 1]),
    dst_addr: Address::V4([198, 51, 100, 2]),
    tos: 0,
    ttl: 64,
    label: 0,
    transport: Transport::Other { proto: 0 },
    payload_length: 0,
};
const INNER4: Frame<'_> = Frame {
    src_mac: [6, 0, 0, 0, 0, 1],
    dst_mac: [6, 0, 0, 0, 0, 2],
    src_addr: Address::V4([10, 1, 0, 1]),
    dst_addr: Address::V4([10, 2, 0, 2]),
    transport: Transport::Tcp { src_port: 40_000, dst_port: 443, sequence: 9, flags: 0x18 },
    ..OUTER
};
const OUTER6: Frame<'_> = Frame { src_addr: Address::V6([0x20; 16]), dst_addr: Address::V6([0x21; 16]), ..OUTER };
const INNER6: Frame<'_> = Frame { src_addr: Address::V6([0x22; 16]), dst_addr: Address::V6([0x23; 16]), ..INNER4 };

fn frame(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

/// What a kind can carry, of the three, as indices; and whether its number comes back.
const fn ability(kind: TunnelKind) -> (&'static [usize], bool) {
    use TunnelKind as K;
    const ETHERNET: usize = 0;
    const V4: usize = 1;
    const V6: usize = 2;
    match kind {
        K::Gre | K::Geneve | K::VxlanGpe | K::Nsh => (&[ETHERNET, V4, V6], true),
        K::Nvgre | K::Erspan2 | K::Vxlan | K::L2tp3 | K::Pseudowire | K::Backbone => (&[ETHERNET], true),
        K::Erspan3 => (&[ETHERNET, V4, V6], true),
        K::Pptp | K::GtpU | K::L2tp2 => (&[V4, V6], true),
        K::Erspan1 | K::EtherIp | K::Srv6 => (&[ETHERNET], false),
        K::IpInIp | K::MplsInIp | K::MplsInUdp => (&[V4, V6], false),
        K::Teredo => (&[V6], false),
        K::WireGuard => (&[], true),
    }
}

/// A number that the kind has room for. A pseudowire's label is another than that of IP in MPLS, as in networks.
const fn id(kind: TunnelKind) -> u32 {
    match kind {
        TunnelKind::Erspan2 | TunnelKind::Erspan3 => 700,
        TunnelKind::Pseudowire => PSEUDOWIRE,
        _ => 4796,
    }
}

const PSEUDOWIRE: u32 = 4797;

/// Every kind over both versions with everything that it carries: the kind, which, and the bytes.
fn cases() -> Vec<(TunnelKind, usize, Vec<u8>)> {
    let (four, six) = (frame(&INNER4), frame(&INNER6));
    let inners = [Carried::Ethernet(&four), Carried::Ipv4(&four[14..]), Carried::Ipv6(&six[14..])];
    let mut cases = Vec::new();
    for kind in TunnelKind::ALL {
        for outer in [OUTER, OUTER6] {
            for &at in ability(kind).0 {
                let id = id(kind);
                let mut bytes = Vec::new();
                Tunnelled { outer, kind, id, inner: inners[at] }.encode(&mut bytes);
                cases.push((kind, at, bytes));
            }
        }
    }
    cases
}

#[test]
fn reads_back_every_tunnel_that_it_wrote() {
    for (kind, at, bytes) in cases() {
        let packet = Packet::parse(HeaderProtocol::ETHERNET, &bytes);
        let tunnel = packet.tunnel.unwrap_or_else(|| panic!("{kind} {at}: {packet:?}"));
        assert_eq!((tunnel.kind, packet.problem), (kind, None), "{at}");
        assert_eq!(tunnel.id, ability(kind).1.then_some(id(kind)), "{kind}");
        let inner = packet.inner(&bytes).unwrap_or_else(|| panic!("{kind} {at}: {packet:?}"));
        let expected = if at == 2 { INNER6 } else { INNER4 };
        assert_eq!((inner.src_addr, inner.dst_addr), (Some(expected.src_addr), Some(expected.dst_addr)), "{kind} {at}");
        assert_eq!((inner.ports(), inner.proto, inner.problem), (Some((40_000, 443)), Some(6), None), "{kind} {at}");
        assert_eq!(inner.src_mac, (at == 0).then_some(INNER4.src_mac), "{kind} {at}");
        // Links have no IP header of their own: the one inside describes the packet.
        let is_link = matches!(kind, TunnelKind::Pseudowire | TunnelKind::Backbone | TunnelKind::Nsh);
        assert_eq!(packet.src_addr == inner.src_addr, is_link, "{kind}");
        assert_eq!(packet.src_mac, Some(OUTER.src_mac));
    }
}

/// tshark reads the same layers of what we write: addresses, ports and the protocol by name.
#[test]
fn tshark_reads_every_tunnel_that_we_write() {
    let cases = cases();
    let capture = tshark::capture(cases.iter().map(|(_, _, bytes)| bytes.clone()));
    // What both ends of a pseudowire agree on beforehand.
    let mut arguments = vec!["-d", "mpls.label==4797,pwethcw", "-T", "fields", "-E", "occurrence=a"];
    for field in ["frame.protocols", "ip.src", "ipv6.src", "tcp.dstport", "_ws.malformed"] {
        arguments.extend(["-e", field]);
    }
    let Some(text) = tshark::run(&capture, &arguments) else { return };
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), cases.len());
    let mut unread = Vec::new();
    for ((kind, at, _), line) in cases.iter().zip(&lines) {
        let [protocols, four, six, port, malformed] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        assert_eq!(malformed, "", "{kind} {at}: {line}");
        let inner = if *at == 2 {
            six.ends_with("2222:2222:2222:2222:2222:2222:2222:2222")
        } else {
            four.ends_with("10.1.0.1")
        };
        if !inner || port != "443" {
            unread.push(format!("{kind} {at}: {protocols}"));
        }
    }
    // tshark 4.0 leaves ERSPAN III's IP packets (frame type 2) as data, and what an L2TPv3 session carries if it has
    // not seen the messages that set it up.
    unread.retain(|line| !(line.starts_with("erspan3") && line.ends_with("erspan:data")));
    unread.retain(|line| !(line.starts_with("l2tp3") && line.ends_with("l2tp:data")));
    assert!(unread.is_empty(), "{unread:#?}");
}

#[test]
fn a_tunnel_cut_anywhere_keeps_the_layers_before_the_cut() {
    for (kind, at, bytes) in cases() {
        let whole: Vec<Packet> = layers(Layer::Ethernet, &bytes).collect();
        for cut in 0..bytes.len() {
            let packets: Vec<Packet> = layers(Layer::Ethernet, &bytes[..cut]).collect();
            let outer = &packets[0];
            let l4 = whole[0].l4_offset.unwrap() as usize;
            let is_link = matches!(kind, TunnelKind::Pseudowire | TunnelKind::Backbone | TunnelKind::Nsh);
            if cut >= l4 && !is_link {
                assert_eq!((outer.src_addr, outer.proto), (whole[0].src_addr, whole[0].proto), "{kind} {at} {cut}");
            }
            assert!(outer.src_mac.is_some() || cut < 12);
            for (packet, whole) in packets.iter().zip(&whole) {
                assert!(packet.src_addr.is_none() || packet.src_addr == whole.src_addr, "{kind} {at} {cut}");
                assert!(packet.problem.is_none_or(|problem| problem.offset <= cut));
            }
            let last = packets.last().unwrap();
            assert!(last.ports() != Some((40_000, 443)) || last.tcp_flags.is_some() || last.problem.is_some());
        }
    }
}

#[test]
fn each_changed_byte_is_survived() {
    for (_, _, mut bytes) in cases() {
        for at in 0..bytes.len() {
            let before = bytes[at];
            for value in [0, 0x0F, 0x40, 0x60, 0x88, 0xFF, before ^ 1, before ^ 0x80] {
                bytes[at] = value;
                let count = layers(Layer::Ethernet, &bytes).count();
                assert!(count <= TUNNELS_MAX + 1);
            }
            bytes[at] = before;
        }
    }
}

#[test]
fn tunnels_in_tunnels_are_followed_so_far_and_no_further() {
    let mut bytes = frame(&INNER4);
    for _ in 0..TUNNELS_MAX + 3 {
        let mut out = Vec::new();
        Tunnelled { outer: OUTER, kind: TunnelKind::Vxlan, id: 5, inner: Carried::Ethernet(&bytes) }.encode(&mut out);
        bytes = out;
    }
    let packets: Vec<Packet> = layers(Layer::Ethernet, &bytes).collect();
    assert_eq!(packets.len(), TUNNELS_MAX + 1);
    assert_eq!(packets.last().unwrap().problem.unwrap().problem, Problem::TooDeep(TUNNELS_MAX));
    // Links that have no IP header are followed no further either.
    let mut bytes = frame(&INNER4);
    for _ in 0..1000 {
        let mut out = Vec::new();
        Tunnelled { outer: OUTER, kind: TunnelKind::Pseudowire, id: 5, inner: Carried::Ethernet(&bytes) }
            .encode(&mut out);
        bytes = out;
    }
    assert_eq!(layers(Layer::Ethernet, &bytes).count(), TUNNELS_MAX + 1);
}

/// Bytes of the links that sFlow numbers, from the documents that lay them out.
#[test]
fn every_header_protocol_of_sflow_leads_to_ip() {
    let whole = frame(&INNER4);
    let ip = &whole[14..];
    let (to, from) = ([2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1]);
    let snap = [0xAA, 0xAA, 3, 0, 0, 0, 8, 0];
    let addressed = |before: &[u8], after: &[u8]| [before, &to, &from, after].concat();
    let cases: Vec<(u32, Vec<u8>)> = vec![
        (1, addressed(&[], &[8, 0])),
        (2, addressed(&[0x50], &snap)),
        (3, addressed(&[0x10, 0x40], &snap)),
        // With a route of six bytes, which the first bit of the source announces.
        (3, [&[0x10, 0x40][..], &to, &[0x82, 0, 0, 0, 0, 1], &[6, 0x30, 0, 0x11, 0, 0x20], &snap].concat()),
        (4, addressed(&[0x57], &snap)),
        (5, vec![0x18, 0x41, 0x03, 0xCC]),
        (5, vec![0x18, 0x41, 0x03, 0x00, 0x80, 0, 0, 0, 8, 0]),
        (5, vec![0x18, 0x41, 8, 0]),
        (5, [&[0x18, 0x41, 3, 0, 0x80, 0, 0x80, 0xC2, 0, 7][..], &to, &from, &[8, 0]].concat()),
        (6, vec![0x10, 0x01, 0x00]),
        (7, vec![0xFF, 0x03, 0x00, 0x21]),
        (7, vec![0x21]),
        (7, vec![0x02, 0x81, 0, 6, 0x41, 64]),
        (8, [&[0; 36][..], &snap].concat()),
        (9, snap.to_vec()),
        (9, vec![0xFE, 0xFE, 3, 0xCC]),
        (9, [&[0xAA, 0xAA, 3, 0, 0x80, 0xC2, 0, 7, 0, 0][..], &to, &from, &[8, 0]].concat()),
        (9, addressed(&[0, 0], &[8, 0])),
        (9, vec![]),
        (10, vec![]),
        (11, vec![]),
        (13, vec![0, 6, 0x41, 64]),
        (14, vec![0xFF, 0x03, 0x00, 0x21]),
        (14, vec![0x0F, 0x00, 0x08, 0x00]),
        // To and from an access point, between two, and with a service class.
        (15, [&[8, 1, 0, 0, 9, 9, 9, 9, 9, 9][..], &from, &to, &[0, 0], &snap].concat()),
        (15, [&[8, 2, 0, 0][..], &to, &[9; 6], &from, &[0, 0], &snap].concat()),
        (15, [&[8, 3, 0, 0][..], &[9; 6], &[9; 6], &to, &[0, 0], &from, &snap].concat()),
        (15, [&[0x88, 1, 0, 0, 9, 9, 9, 9, 9, 9][..], &from, &to, &[0, 0, 0, 0], &snap].concat()),
        (
            15,
            [&[0x88, 1, 0, 0, 9, 9, 9, 9, 9, 9][..], &from, &to, &[0, 0, 0x80, 0], &to, &from, &[0, 9], &snap].concat(),
        ),
        (16, [&[0, 9, 0, b'N', 8, 1, 0, 0, 9, 9, 9, 9, 9, 9][..], &from, &to, &[0, 0], &snap].concat()),
        (17, addressed(&[], &[&[0, 9][..], &snap].concat())),
    ];
    for (number, header) in cases {
        let bytes = [&header, ip].concat();
        let packet = Packet::parse(HeaderProtocol(number), &bytes);
        assert_eq!((packet.src_addr, packet.problem), (Some(INNER4.src_addr), None), "{number} {header:02x?}");
        assert_eq!((packet.ports(), packet.l3_offset), (Some((40_000, 443)), Some(header.len() as u32)), "{number}");
        if matches!(number, 1..=4 | 15..=17) {
            assert_eq!((packet.src_mac, packet.dst_mac), (Some(from), Some(to)), "{number} {header:02x?}");
        }
        for cut in 0..bytes.len() {
            Packet::parse(HeaderProtocol(number), &bytes[..cut]);
        }
    }
    let six = frame(&INNER6);
    assert_eq!(Packet::parse(HeaderProtocol(12), &six[14..]).src_addr, Some(INNER6.src_addr));
    assert!(Packet::parse(HeaderProtocol(18), ip).problem.is_some());
}

#[test]
fn names_what_it_cannot_enter() {
    let mut bytes = Vec::new();
    let inner = Carried::Ipv4(&[]);
    Tunnelled { outer: OUTER, kind: TunnelKind::WireGuard, id: 0x0102_0304, inner }.encode(&mut bytes);
    let packet = Packet::parse(HeaderProtocol::ETHERNET, &bytes);
    let tunnel = packet.tunnel.unwrap();
    assert_eq!((tunnel.kind, tunnel.id, tunnel.has_inner()), (TunnelKind::WireGuard, Some(0x0102_0304), false));
    assert_eq!(packet.inner(&bytes), None);
    // Another program's use of the same port.
    let at = bytes.len() - 16;
    bytes[at + 1] = 1;
    assert_eq!(Packet::parse(HeaderProtocol::ETHERNET, &bytes).tunnel, None);
}

#[test]
fn ipsec_shows_its_index_and_what_an_authentication_header_protects() {
    let tcp = &frame(&INNER4)[34..];
    let header = |proto: u8| {
        let mut bytes = frame(&Frame { transport: Transport::Other { proto }, payload_length: 60, ..INNER4 });
        bytes.truncate(34);
        bytes
    };
    let protected = [&header(51)[..], &[6, 4, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3], &[0; 12], tcp].concat();
    let packet = Packet::parse(HeaderProtocol::ETHERNET, &protected);
    assert_eq!((packet.ipsec_spi, packet.proto, packet.ports()), (Some(0x102), Some(6), Some((40_000, 443))));
    let secret = [&header(50)[..], &[0, 0, 9, 9, 0, 0, 0, 1], &[7; 40]].concat();
    let packet = Packet::parse(HeaderProtocol::ETHERNET, &secret);
    assert_eq!((packet.ipsec_spi, packet.proto, packet.ports(), packet.problem), (Some(0x909), Some(50), None, None));
    let igmp = [&header(2)[..], &[0x16, 0, 0, 0, 224, 0, 0, 251]].concat();
    assert_eq!(Packet::parse(HeaderProtocol::ETHERNET, &igmp).igmp_type, Some(0x16));
}
