//! Forms that look at more than one record: lines of columns, context, damage, and whatever bytes there may be.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own datagram has failed")]

#[path = "../../wire/tests/fixture/mod.rs"]
mod fixture;

use std::net::{IpAddr, Ipv4Addr};

use finderscope_packets::sflowtool::{Fields, Form, Received, Seen, Vlans};
use finderscope_wire::WireError;
use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport, Vlan};
use finderscope_wire::sflow::{
    CountersHeader, DataSource, DatagramHeader, DiscardedHeader, Encoder, ExtendedSwitch, FlowHeader, FlowRecord,
    GenericInterface, Interface, SampledHeader, SampledIpv4, Tag, Value,
};
use proptest::prelude::*;

const AGENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 254));

fn write(form: &mut Form, bytes: &[u8], vlans: Option<&Vlans>) -> (String, Option<WireError>) {
    let received = Received {
        bytes,
        source: [192, 0, 2, 1].into(),
        received_ns: 1_740_830_400_123_456_789,
        from_file: false,
        local_time: "2025-03-01T12:00:00+0000",
        log_time: "01/Mar/2025:12:00:00 +0000",
    };
    let mut out = Vec::new();
    let damage = form.write(&received, vlans, &mut out);
    (String::from_utf8(out).unwrap(), damage)
}

fn sound(mut form: Form, bytes: &[u8]) -> String {
    let (text, damage) = write(&mut form, bytes, None);
    assert_eq!(damage, None);
    text
}

fn frame<'a>(vlans: &'a [Vlan], six: bool, transport: Transport) -> Frame<'a> {
    let (src_addr, dst_addr) = match six {
        false => (Address::V4([10, 0, 0, 1]), Address::V4([10, 0, 0, 254])),
        true => (
            Address::V6([0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            Address::V6([0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        ),
    };
    Frame {
        src_mac: [0, 0x90, 0x27, 0x73, 0xDB, 8],
        dst_mac: [0, 0x10, 0x83, 0x26, 0x5E, 0],
        vlans,
        src_addr,
        dst_addr,
        tos: 0xB8,
        ttl: 64,
        label: 0x1234,
        transport,
        payload_length: 97,
    }
}

const HEAD: FlowHeader = FlowHeader {
    sequence_number: 7,
    source: DataSource { class: 0, index: 3 },
    sampling_rate: 80,
    sample_pool: 5600,
    drops: 1,
    input: Interface { format: 0, value: 3 },
    output: Interface { format: 2, value: 4 },
};

/// A datagram with one flow sample of a header and what follows it.
fn sampled(frame: &Frame<'_>, more: &[FlowRecord<'_>]) -> Vec<u8> {
    let mut header = Vec::new();
    frame.encode(&mut header);
    let frame_length = frame.length() + 4;
    let protocol = HeaderProtocol::ETHERNET;
    let mut bytes = Vec::new();
    let mut encoder =
        Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), sequence_number: 9, ..Default::default() });
    let mut sample = encoder.flow_sample(&HEAD);
    sample.record(&FlowRecord::SampledHeader(SampledHeader { protocol, frame_length, stripped: 4, header: &header }));
    more.iter().for_each(|record| _ = sample.record(record));
    bytes
}

const UDP: Transport = Transport::Udp { src_port: 35690, dst_port: 161 };

#[test]
fn a_flow_line_has_twenty_columns_with_what_was_said_last() {
    let line = |bytes: &[u8]| sound(Form::Line, bytes);
    // 14 + 20 + 8 + 97 bytes, and 4 of the check sequence, which were stripped.
    assert_eq!(
        line(&sampled(&frame(&[], false, UDP), &[])),
        "FLOW,10.0.0.254,3,4,00902773db08,001083265e00,0x0800,0,0,10.0.0.1,10.0.0.254,17,0xb8,64,35690,161,0x00,143,125,80\n"
    );
    let tcp = Transport::Tcp { src_port: 40000, dst_port: 443, sequence: 1, flags: 0x12 };
    let tags = [Vlan { tpid: 0x88A8, id: 100, priority: 5 }, Vlan { tpid: 0x8100, id: 7, priority: 1 }];
    let switch =
        FlowRecord::ExtendedSwitch(ExtendedSwitch { src_vlan: 21, src_priority: 0, dst_vlan: 22, dst_priority: 0 });
    assert_eq!(
        line(&sampled(&frame(&tags, true, tcp), &[])),
        "FLOW,10.0.0.254,3,4,00902773db08,001083265e00,0x86dd,7,0,2001:0db8:0000:0000:0000:0000:0000:0001,\
         2001:0db8:0000:0000:0000:0000:0000:0002,6,0xb8,64,40000,443,0x12,183,179,80\n"
    );
    let both = line(&sampled(&frame(&tags, false, tcp), &[switch]));
    assert_eq!(both.split(',').skip(7).take(2).collect::<Vec<_>>(), ["21", "22"]);
    let icmp = line(&sampled(&frame(&[], false, Transport::Icmp { kind: 3, code: 4 }), &[]));
    assert_eq!(icmp.split(',').skip(11).collect::<Vec<_>>()[..6], ["1", "0xb8", "64", "3", "4", "0x00"]);
    for line in [both, icmp] {
        assert_eq!(line.split(',').count(), 20);
    }
}

#[test]
fn a_sample_without_a_header_has_what_its_records_say_and_no_addresses_of_its_own() {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
    encoder.flow_sample(&FlowHeader { sampling_rate: u32::MAX, ..HEAD });
    encoder.flow_sample(&HEAD).record(&FlowRecord::SampledIpv4(SampledIpv4 {
        length: 1500,
        protocol: 6,
        src_ip: [10, 0, 0, 1].into(),
        dst_ip: [10, 0, 0, 2].into(),
        src_port: 1,
        dst_port: 2,
        tcp_flags: 16,
        tos: 4,
    }));
    assert_eq!(
        sound(Form::Line, &bytes),
        "FLOW,10.0.0.254,3,4,000000000000,000000000000,0x0000,0,0,-,-,0,0x00,0,0,0,0x00,0,0,4294967295\n\
         FLOW,10.0.0.254,3,4,000000000000,000000000000,0x0000,0,0,10.0.0.1,10.0.0.2,6,0x04,0,1,2,0x10,1500,1500,80\n"
    );
}

#[test]
fn a_counters_line_has_twenty_one_columns_also_without_an_interface() {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
    let source = DataSource { class: 0, index: 17 };
    let counters = GenericInterface {
        if_index: 17,
        if_type: 6,
        if_speed: 100_000_000,
        if_direction: 1,
        if_status: 3,
        if_in_octets: u64::MAX,
        if_in_ucast_pkts: 175_283_006,
        if_in_multicast_pkts: 8,
        if_in_broadcast_pkts: 9,
        if_in_discards: 10,
        if_in_errors: 11,
        if_in_unknown_protos: 12,
        if_out_octets: 13,
        if_out_ucast_pkts: 14,
        if_out_multicast_pkts: 15,
        if_out_broadcast_pkts: 16,
        if_out_discards: 17,
        if_out_errors: 18,
        if_promiscuous_mode: 1,
    };
    encoder.counters_sample(&CountersHeader { sequence_number: 1, source }).generic_interface(&counters);
    encoder.counters_sample(&CountersHeader { sequence_number: 2, source });
    assert_eq!(
        sound(Form::Line, &bytes),
        "CNTR,10.0.0.254,17,6,100000000,1,3,18446744073709551615,175283006,8,9,10,11,12,13,14,15,16,17,18,1\n\
         CNTR,10.0.0.254,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"
    );
}

#[test]
fn text_has_its_names_in_order_between_markers() {
    let tags = [Vlan { tpid: 0x88A8, id: 100, priority: 5 }, Vlan { tpid: 0x8100, id: 7, priority: 1 }];
    let tcp = Transport::Tcp { src_port: 40000, dst_port: 443, sequence: 1, flags: 0x12 };
    let text = sound(Form::Text, &sampled(&frame(&tags, false, tcp), &[]));
    let lines: Vec<&str> = text.lines().collect();
    let header = lines.iter().position(|line| line.starts_with("headerBytes ")).unwrap();
    assert_eq!(
        lines[..header],
        [
            "startDatagram =================================",
            "datagramSourceIP 192.0.2.1",
            &format!("datagramSize {}", sampled(&frame(&tags, false, tcp), &[]).len()),
            "unixSecondsUTC 1740830400",
            "unixSecondsUTC_uS 123456",
            "localtime 2025-03-01T12:00:00+0000",
            "datagramVersion 5",
            "agentSubId 0",
            "agent 10.0.0.254",
            "packetSequenceNo 9",
            "sysUpTime 0",
            "samplesInPacket 1",
            "startSample ----------------------",
            "sampleType_tag 0:1",
            "sampleType FLOWSAMPLE",
            "sampleSequenceNo 7",
            "sourceId 0:3",
            "meanSkipCount 80",
            "samplePool 5600",
            "dropEvents 1",
            "inputPort 3",
            "outputPort multiple 4",
            "flowBlock_tag 0:1",
            "flowSampleType HEADER",
            "headerProtocol 1",
            "sampledPacketSize 163",
            "strippedBytes 4",
            "headerLen 62",
        ]
    );
    assert!(lines[header].starts_with("headerBytes 00-10-83-26-5E-00-00-90-27-73-DB-08-88-A8-"), "{}", lines[header]);
    assert!(!lines[header].ends_with('-'));
    assert_eq!(
        lines[header + 1..],
        [
            "dstMAC 001083265e00",
            "srcMAC 00902773db08",
            "decodedVLAN 100",
            "decodedPriority 5",
            "decodedVLAN.1 7",
            "decodedPriority.1 1",
            "ethernet_type 2048",
            "IPSize 137",
            "ip.tot_len 137",
            "srcIP 10.0.0.1",
            "dstIP 10.0.0.254",
            "IPProtocol 6",
            "IPTOS 184",
            "IPTTL 64",
            "IPID 4660",
            "TCPSrcPort 40000",
            "TCPDstPort 443",
            "TCPFlags 18",
            "endSample   ----------------------",
            "endDatagram   =================================",
        ]
    );
}

/// What follows the Ethernet type of a sampled IPv6 packet with these bytes behind its fixed header.
fn six(next: u8, behind: &[u8]) -> Vec<String> {
    let fixed = [0x6B, 0x81, 0x23, 0x45, 0, 0, next, 63];
    let header = [&[0; 12][..], &[0x86, 0xDD], &fixed, &[0x20; 16], &[0xFE; 16], behind].concat();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &DatagramHeader::default());
    encoder.flow_sample(&HEAD).record(&FlowRecord::SampledHeader(SampledHeader {
        protocol: HeaderProtocol::ETHERNET,
        frame_length: 118,
        stripped: 4,
        header: &header,
    }));
    let text = sound(Form::Text, &bytes);
    let (_, names) = text.split_once("ethernet_type 34525\n").unwrap();
    names.lines().take_while(|line| !line.starts_with("endSample")).map(str::to_owned).collect()
}

#[test]
fn ipv6_is_decoded_through_its_extension_headers() {
    let udp = [0x8B, 0x6A, 0, 161, 0, 100, 0, 0];
    let hop_by_hop_and_fragment = [&[44, 0, 0, 0, 0, 0, 0, 0], &[17, 0, 0, 1, 0, 0, 0, 9], &udp[..]].concat();
    let fixed = [
        "IPSize 100",
        "IPTOS 184",
        "IP6_label 0x12345",
        "IPV6_payloadLen <jumbo>",
        "IPTTL 63",
        "srcIP6 2020:2020:2020:2020:2020:2020:2020:2020",
        "dstIP6 fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe",
    ];
    let transport = ["IPProtocol 17", "UDPSrcPort 35690", "UDPDstPort 161", "UDPBytes 100"];
    assert_eq!(
        six(0, &hop_by_hop_and_fragment),
        [&fixed[..], &["IP6HeaderExtension 0", "IP6HeaderExtension 44"], &transport].concat()
    );
    let authenticated = [&[17, 4], &[0; 22][..], &udp].concat();
    assert_eq!(six(51, &authenticated), [&fixed[..], &["IP6HeaderExtension 51"], &transport].concat());
    let later = [17, 0, 0x05, 0xC8, 0, 0, 0, 9];
    let fragment = ["IP6HeaderExtension 44", "IPProtocol 17", "IPFragmentOffset 185"];
    assert_eq!(six(44, &later), [&fixed[..], &fragment].concat());
}

#[test]
fn discarded_packets_have_their_prefix_and_reason() {
    let mut header = Vec::new();
    frame(&[], false, UDP).encode(&mut header);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
    let (input, output) = (Interface { format: 0, value: 3 }, Interface { format: 1, value: 258 });
    let discarded = DiscardedHeader { sequence_number: 1, source: HEAD.source, drops: 0, input, output, reason: 258 };
    encoder.discarded_packet(&discarded).record(&FlowRecord::SampledHeader(SampledHeader {
        protocol: HeaderProtocol::ETHERNET,
        frame_length: 143,
        stripped: 4,
        header: &header,
    }));
    let text = sound(Form::Text, &bytes);
    for line in [
        "sampleType_tag 0:5",
        "sampleType DISCARD",
        "outputPort dropCode 258",
        "discardCode 258",
        "discardReason acl",
        "discarded_flowBlock_tag 0:1",
        "discarded_srcIP 10.0.0.1",
        "discarded_UDPDstPort 161",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    assert_eq!(sound(Form::Line, &bytes), "");
    let fields = Form::Fields(Fields::new("agent,discarded_srcIP,srcIP,discardReason").unwrap());
    assert_eq!(sound(fields, &bytes), "10.0.0.254,10.0.0.1,,acl\n");
    let grep = sound(Form::Grep(Vec::new()), &bytes);
    let line = "2025-03-01T12:00:00+0000 10.0.0.254 0 0 0:3 0:5 0:1 discarded_srcIP 10.0.0.1";
    assert!(grep.lines().any(|it| it == line), "{grep}");
}

#[test]
fn every_line_of_grep_has_its_context() {
    let text = sound(Form::Grep(Vec::new()), &sampled(&frame(&[], false, UDP), &[]));
    let context = |name: &str| {
        let line = text.lines().find(|line| line.split(' ').nth(7) == Some(name)).unwrap();
        line.split(' ').take(7).skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(context("datagramSourceIP"), "- - - - - -");
    assert_eq!(context("samplesInPacket"), "10.0.0.254 0 9 - - -");
    assert_eq!(context("sampleSequenceNo"), "10.0.0.254 0 9 0:3 0:1 -");
    assert_eq!(context("UDPSrcPort"), "10.0.0.254 0 9 0:3 0:1 0:1");
    assert!(!text.contains("-----"));
}

#[test]
fn columns_come_as_asked_for_and_only_where_a_sample_has_one() {
    let bytes = sampled(&frame(&[], false, UDP), &[]);
    let fields = |list: &str| sound(Form::Fields(Fields::new(list).unwrap()), &bytes);
    assert_eq!(fields("srcIP,localtime,nothing,dstIP"), "10.0.0.1,2025-03-01T12:00:00+0000,,10.0.0.254\n");
    assert_eq!(fields("localtime,agent"), "");
    assert_eq!(fields("ifIndex"), "");
    assert!(Fields::new(" , ").is_none());
}

#[test]
fn vlans_leave_out_a_packet_only_when_both_are_unwanted() {
    let switch = |src_vlan, dst_vlan| {
        FlowRecord::ExtendedSwitch(ExtendedSwitch { src_vlan, src_priority: 0, dst_vlan, dst_priority: 0 })
    };
    let lines = |vlans: &Vlans, record| {
        let bytes = sampled(&frame(&[], false, UDP), &[record]);
        let line = write(&mut Form::Line, &bytes, Some(vlans)).0;
        let text = write(&mut Form::Text, &bytes, Some(vlans)).0;
        assert_eq!(line.is_empty(), !text.contains("startSample"));
        line.lines().count()
    };
    let include = Vlans::include(None, "0-20,4091").unwrap();
    assert_eq!([(5, 30), (30, 4091), (30, 31), (0, 0)].map(|(a, b)| lines(&include, switch(a, b))), [1, 1, 0, 1]);
    let exclude = Vlans::exclude(None, "5 6").unwrap();
    assert_eq!([(5, 6), (5, 7), (7, 5), (0, 0)].map(|(a, b)| lines(&exclude, switch(a, b))), [0, 1, 1, 1]);
    let seen = |in_vlan| Seen { in_vlan, out_vlan: in_vlan, ..Default::default() };
    assert!(!include.wants(&seen(u32::MAX)) && include.wants(&seen(20)) && !include.wants(&seen(21)));
    assert!(exclude.wants(&seen(u32::MAX)) && !exclude.wants(&seen(5)) && exclude.wants(&seen(4096)));
}

#[test]
fn damage_closes_what_is_open_and_leaves_no_line_of_its_sample() {
    let whole = sampled(&frame(&[], false, UDP), &[]);
    for cut in 0..whole.len() {
        let bytes = &whole[..cut];
        let (text, damage) = write(&mut Form::Text, bytes, None);
        assert!(damage.is_some(), "{cut}");
        assert_eq!(text.matches("startDatagram").count(), text.matches("endDatagram").count());
        assert_eq!(text.matches("startSample").count(), text.matches("endSample").count());
        let (json, _) = write(&mut Form::Json { indented: false }, bytes, None);
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
        assert_eq!(write(&mut Form::Line, bytes, None).0, "", "{cut}");
        assert_eq!(write(&mut Form::Fields(Fields::new("srcIP").unwrap()), bytes, None).0, "", "{cut}");
    }
}

#[test]
fn what_comes_from_the_wire_is_escaped() {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &DatagramHeader { agent: Some(AGENT), ..Default::default() });
    let name = b"eth\"0\\\n\x1b[31m";
    let mut sample = encoder.counters_sample(&CountersHeader { sequence_number: 1, source: HEAD.source });
    sample.values(Tag::new(0, 1005), &[Value::Text(name)]);
    let text = sound(Form::Text, &bytes);
    assert!(text.contains("ifName eth\"0\\\\u000a\\u001b[31m\n"), "{text:?}");
    let json: serde_json::Value = serde_json::from_str(&sound(Form::Json { indented: false }, &bytes)).unwrap();
    assert_eq!(json["samples"][0]["elements"][0]["ifName"], "eth\"0\\\n\u{1b}[31m");
}

/// Datagrams that are nearly sound: any structure, some of its bytes changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let structures = fixture::structures();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::sample::select(structures), changes, any::<bool>()).prop_map(|(structure, changes, plain)| {
        let mut bytes = structure.datagram();
        if plain {
            bytes[3] = 4;
        }
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

fn survives(bytes: &[u8]) {
    let (text, _) = write(&mut Form::Text, bytes, None);
    for line in text.lines() {
        assert!(line.split_once(' ').is_some_and(|(name, _)| !name.is_empty()), "{line:?}");
        assert!(!line.contains(|letter: char| letter.is_control()), "{line:?}");
    }
    for indented in [false, true] {
        let (json, _) = write(&mut Form::Json { indented }, bytes, None);
        let object: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(object.is_object());
        assert!(indented || json.matches('\n').count() == 1, "{json:?}");
    }
    for line in write(&mut Form::Line, bytes, None).0.lines() {
        assert_eq!(line.split(',').count(), if line.starts_with("FLOW") { 20 } else { 21 });
    }
    let vlans = Vlans::exclude(None, "1").unwrap();
    for mut form in [Form::Grep(Vec::new()), Form::Log, Form::Fields(Fields::new("srcIP,ifIndex").unwrap())] {
        write(&mut form, bytes, Some(&vlans));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        survives(&bytes);
    }

    #[test]
    fn nearly_sound_datagrams_are_survived(bytes in mutated()) {
        survives(&bytes);
    }
}
