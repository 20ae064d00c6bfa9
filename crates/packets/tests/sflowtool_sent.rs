//! What is made of samples for other programs: NetFlow, captures, a web server's log.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own datagram has failed")]

use std::net::{IpAddr, Ipv4Addr};

use finderscope_flow::{Tables, text};
use finderscope_intake::{Config, Intake, Quiet};
use finderscope_packets::sflowtool::netflow::{NetFlow, Version};
use finderscope_packets::sflowtool::{Form, Received, Sampled, Seen, pcap, samples};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport};
use finderscope_wire::sflow::{
    AsPathSegment, DatagramHeader, Encoder, ExtendedRouter, FlowHeader, FlowRecord, FlowWriter, GatewayValue,
    Interface, SampledHeader, Tag, Value,
};

/// 2025-03-01, noon and 123 ms.
const NOON_NS: i64 = 1_740_830_400_123_456_789;

fn frame(six: bool, transport: Transport) -> Frame<'static> {
    let (src_addr, dst_addr) = match six {
        false => (Address::V4([10, 0, 0, 1]), Address::V4([10, 0, 0, 2])),
        true => (Address::V6([0x20; 16]), Address::V6([0x30; 16])),
    };
    let (src_mac, dst_mac) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    Frame {
        src_mac,
        dst_mac,
        vlans: &[],
        src_addr,
        dst_addr,
        tos: 4,
        ttl: 64,
        label: 9,
        transport,
        payload_length: 100,
    }
}

fn datagram(fill: impl FnOnce(&mut FlowWriter<'_, '_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &DatagramHeader { sub_agent_id: 5, ..Default::default() });
    let (input, output) = (Interface::index(3), Interface::index(70_000));
    fill(&mut encoder.flow_sample(&FlowHeader { sampling_rate: 1000, input, output, ..Default::default() }));
    bytes
}

fn header(writer: &mut FlowWriter<'_, '_>, protocol: HeaderProtocol, frame: &Frame<'_>, skip: usize) {
    let mut header = Vec::new();
    frame.encode(&mut header);
    let (frame_length, header) = (frame.length() + 4 - skip as u32, &header[skip..]);
    writer.record(&FlowRecord::SampledHeader(SampledHeader { protocol, frame_length, stripped: 4, header }));
}

fn sampled(frame: &Frame<'_>) -> Vec<u8> {
    datagram(|writer| header(writer, HeaderProtocol::ETHERNET, frame, 0))
}

/// Calls `take` with what the only flow sample says.
fn seen<T>(bytes: &[u8], take: impl FnOnce(&Seen<'_>) -> T) -> T {
    let (mut take, mut taken) = (Some(take), None);
    let damage = samples(bytes, None, |_, sample| {
        if let Sampled::Flow(seen) = sample {
            taken = Some(take.take().unwrap()(seen));
        }
    });
    assert_eq!(damage, None);
    taken.unwrap()
}

/// The flows that the program's own intake reads from a datagram.
fn flows(bytes: &[u8]) -> Vec<serde_json::Value> {
    let (mut intake, mut tables) = (Intake::new(Config::default()), Tables::default());
    let listener = Listener { scheme: Scheme::Udp, address: "0.0.0.0:2055".parse().unwrap() };
    let source = "192.0.2.1:9".parse().unwrap();
    let delivery = Delivery { sequence: 0, received_ns: NOON_NS, source, listener, identity: None, bytes };
    intake.handle(&delivery, &mut tables, &mut Quiet);
    intake.check_balances().unwrap();
    assert_eq!(intake.totals().sets.malformed.total(), 0);
    let batch = tables.flows.finish();
    let writer = text::RecordWriter::new(&batch.schema());
    let mut rows = writer.rows(&batch).unwrap();
    let mut lines = Vec::new();
    (0..rows.len()).for_each(|row| rows.write_json(&mut lines, row));
    String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn netflow(version: Version, scaled: bool, bytes: &[u8]) -> Option<serde_json::Value> {
    let mut netflow = NetFlow::new(version, false, scaled);
    let mut out = Vec::new();
    if !seen(bytes, |seen| netflow.write(seen, 5, NOON_NS, &mut out)).unwrap() {
        assert!(out.is_empty());
        return None;
    }
    let mut flows = flows(&out);
    assert_eq!(flows.len(), 1);
    flows.pop()
}

fn check(flow: &serde_json::Value, expected: &[(&str, serde_json::Value)]) {
    for (name, value) in expected {
        assert_eq!(&flow[name], value, "{name} in {flow}");
    }
}

const TCP: Transport = Transport::Tcp { src_port: 40000, dst_port: 443, sequence: 1, flags: 0x12 };
const UDP: Transport = Transport::Udp { src_port: 53, dst_port: 5353 };

#[test]
fn netflow_5_is_what_the_intake_reads() {
    let bytes = datagram(|writer| {
        header(writer, HeaderProtocol::ETHERNET, &frame(false, TCP), 0);
        let nexthop = Some(IpAddr::V4(Ipv4Addr::new(10, 9, 9, 9)));
        writer.record(&FlowRecord::ExtendedRouter(ExtendedRouter { nexthop, src_mask_len: 24, dst_mask_len: 16 }));
        writer.gateway(&GatewayValue {
            nexthop,
            router_as: 1,
            src_as: 65_010,
            src_peer_as: 65_011,
            dst_as_path: &[(AsPathSegment::SEQUENCE, &[65_020, 4_200_000_000])],
            communities: &[],
            local_pref: 0,
        });
    });
    let flow = netflow(Version::V5, true, &bytes).unwrap();
    check(
        &flow,
        &[
            ("type", "NETFLOW_V5".into()),
            ("src_addr", "10.0.0.1".into()),
            ("dst_addr", "10.0.0.2".into()),
            ("next_hop", "10.9.9.9".into()),
            ("packets", 1000.into()),
            ("bytes", 140_000.into()),
            ("in_if", 3.into()),
            ("out_if", 0.into()),
            ("src_port", 40000.into()),
            ("dst_port", 443.into()),
            ("proto", 6.into()),
            ("tcp_flags", 0x12.into()),
            ("ip_tos", 4.into()),
            ("src_as", 65_010.into()),
            ("dst_as", 23_456.into()),
            ("src_net", 24.into()),
            ("dst_net", 16.into()),
        ],
    );
    let peers = seen(&bytes, |seen| {
        let mut out = Vec::new();
        NetFlow::new(Version::V5, true, true).write(seen, 5, NOON_NS, &mut out).unwrap();
        flows(&out).remove(0)
    });
    check(&peers, &[("src_as", 65_011.into()), ("dst_as", 65_020.into())]);
}

#[test]
fn unscaled_netflow_tells_the_rate() {
    for version in [Version::V5, Version::V9] {
        let flow = netflow(version, false, &sampled(&frame(false, TCP))).unwrap();
        check(&flow, &[("packets", 1.into()), ("bytes", 140.into()), ("sampling_rate", 1000.into())]);
    }
}

#[test]
fn netflow_9_has_both_families_and_udp_counts_its_own_length() {
    let flow = netflow(Version::V9, true, &sampled(&frame(true, UDP))).unwrap();
    check(
        &flow,
        &[
            ("type", "NETFLOW_V9".into()),
            ("src_addr", "2020:2020:2020:2020:2020:2020:2020:2020".into()),
            ("dst_addr", "3030:3030:3030:3030:3030:3030:3030:3030".into()),
            ("packets", 1000.into()),
            ("bytes", 108_000.into()),
            ("out_if", 70_000.into()),
            ("src_port", 53.into()),
            ("ipv6_flow_label", 9.into()),
            ("observation_domain_id", 5.into()),
        ],
    );
    let flow = netflow(Version::V9, true, &sampled(&frame(false, TCP))).unwrap();
    check(&flow, &[("src_addr", "10.0.0.1".into()), ("bytes", 140_000.into()), ("dst_port", 443.into())]);
}

#[test]
fn what_netflow_cannot_say_is_left_out() {
    assert_eq!(netflow(Version::V5, true, &sampled(&frame(true, UDP))), None);
    assert_eq!(netflow(Version::V9, true, &datagram(|_| {})), None);
    let mut fragment = sampled(&frame(false, UDP));
    // The word of flags and offset stands six bytes into the IP header, which begins with 0x45 0x04.
    let at = fragment.windows(2).position(|bytes| bytes == [0x45, 4]).unwrap() + 6;
    fragment[at..at + 2].copy_from_slice(&[0, 0xB9]);
    assert_eq!(netflow(Version::V9, true, &fragment), None);
}

#[test]
fn captures_have_the_frames_length_and_end_where_they_are_cut() {
    let words =
        |bytes: &[u8]| -> Vec<u32> { bytes.as_chunks::<4>().0.iter().map(|word| u32::from_ne_bytes(*word)).collect() };
    let packet = |bytes: &[u8], redacted| {
        let mut out = Vec::new();
        seen(bytes, |seen| pcap::write_packet(&mut out, NOON_NS, seen, redacted)).then_some(out)
    };
    let mut file = Vec::new();
    pcap::write_header(&mut file);
    assert_eq!(words(&file), [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65_536, 1]);
    // 54 bytes of headers, and 100 that the sample does not hold.
    let whole = packet(&sampled(&frame(false, TCP)), false).unwrap();
    assert_eq!(words(&whole[..16]), [1_740_830_400, 123_456, 54, 158]);
    assert_eq!(packet(&sampled(&frame(false, TCP)), true).unwrap(), whole, "a payload that is not there cuts nothing");
    let longer = datagram(|writer| {
        let mut header = Vec::new();
        frame(false, UDP).encode(&mut header);
        header.extend([7; 20]);
        let (protocol, frame_length) = (HeaderProtocol::ETHERNET, 146);
        writer.record(&FlowRecord::SampledHeader(SampledHeader {
            protocol,
            frame_length,
            stripped: 4,
            header: &header,
        }));
    });
    assert_eq!(words(&packet(&longer, false).unwrap()[8..16]), [62, 146]);
    assert_eq!(words(&packet(&longer, true).unwrap()[8..16]), [42, 146]);
    let bare = datagram(|writer| header(writer, HeaderProtocol::IPV4, &frame(false, TCP), 14));
    let made = packet(&bare, false).unwrap();
    // The header that `finderscope packets --make-ethernet` makes.
    assert_eq!((words(&made[8..16]), &made[16..30]), (vec![54, 158], &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0][..]));
    let labelled = [&[0, 0, 0x11, 64][..], &made[30..]].concat();
    let labelled = datagram(|writer| {
        let (protocol, header) = (HeaderProtocol::MPLS, &labelled[..]);
        writer.record(&FlowRecord::SampledHeader(SampledHeader { protocol, frame_length: 100, stripped: 0, header }));
    });
    let made = packet(&labelled, false).unwrap();
    assert_eq!((words(&made[8..16]), &made[28..30]), (vec![58, 114], &[0x88, 0x47][..]));
    assert_eq!(packet(&datagram(|_| {}), false), None);
    let other = datagram(|writer| header(writer, HeaderProtocol(18), &frame(false, TCP), 14));
    assert_eq!(packet(&other, false), None);
    let mut out = Vec::new();
    assert!(pcap::write_datagram(&mut out, NOON_NS, &[1, 2, 3]));
    assert_eq!(words(&out[8..16]), [45, 45]);
    assert!(!pcap::write_datagram(&mut out, NOON_NS, &[0; 65_508]));
}

#[test]
fn a_request_and_its_socket_are_a_line_of_a_log() {
    let http = |writer: &mut FlowWriter<'_, '_>, user: &'static [u8]| {
        let text = [&b"/a b?\"c\""[..], b"example.org", b"", b"curl/8 \"x\"", b"", user, b"text/html"].map(Value::Text);
        let head = [Value::U32(2), Value::U32(1001)];
        let counts = [Value::U64(10), Value::U64(2048), Value::U32(7), Value::I32(200)];
        writer.values(Tag::new(0, 2206), &[&head[..], &text, &counts].concat());
    };
    let socket = |writer: &mut FlowWriter<'_, '_>| {
        let address = |last| Value::Ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)));
        writer.values(Tag::new(0, 2100), &[Value::U32(6), address(1), address(2), Value::U32(80), Value::U32(999)]);
    };
    let log = |bytes: &[u8]| {
        let (local_time, log_time) = ("2025-03-01T12:00:00+0000", "01/Mar/2025:12:00:00 +0000");
        let source = [192, 0, 2, 1].into();
        let received = Received { bytes, source, received_ns: NOON_NS, from_file: false, local_time, log_time };
        let mut out = Vec::new();
        assert_eq!(Form::Log.write(&received, None, &mut out), None);
        String::from_utf8(out).unwrap()
    };
    let both = datagram(|writer| {
        http(writer, b"");
        socket(writer);
    });
    assert_eq!(
        log(&both),
        "10.0.0.2 - - [01/Mar/2025:12:00:00 +0000] \"GET /a%20b?\\\"c\\\" HTTP/1.1\" 200 2048 \"-\" \"curl/8 \\\"x\\\"\"\n"
    );
    let named = datagram(|writer| {
        socket(writer);
        http(writer, b"ann");
    });
    assert!(log(&named).starts_with("10.0.0.2 - ann ["), "{}", log(&named));
    assert_eq!(log(&datagram(|writer| http(writer, b"ann"))), "");
    assert_eq!(log(&datagram(socket)), "");
}
