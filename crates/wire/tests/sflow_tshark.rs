//! What we write, as tshark reads it.
#![allow(clippy::unwrap_used, reason = "a test that cannot run its peer has failed")]

mod tshark;

use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport, Vlan};
use finderscope_wire::sflow::{
    CountersHeader, DataSource, DatagramHeader, Encoder, ExtendedRouter, ExtendedSwitch, FlowHeader, FlowRecord,
    GatewayValue, GenericInterface, Interface, PlainEncoder, PlainVersion, SampledHeader, Tag, Value,
};

fn inner() -> Frame<'static> {
    Frame {
        src_mac: [2, 0, 0, 0, 0, 1],
        dst_mac: [2, 0, 0, 0, 0, 2],
        vlans: &[Vlan { tpid: 0x8100, id: 321, priority: 5 }],
        src_addr: Address::V4([192, 0, 2, 1]),
        dst_addr: Address::V4([198, 51, 100, 2]),
        tos: 0,
        ttl: 64,
        label: 77,
        transport: Transport::Tcp { src_port: 40001, dst_port: 443, sequence: 5, flags: 0x12 },
        payload_length: 1000,
    }
}

/// Both forms of both samples, with the records that generators use.
fn datagram() -> Vec<u8> {
    let mut header = Vec::new();
    inner().encode(&mut header);
    let mut buffer = Vec::new();
    let agent = Some([10, 9, 8, 7].into());
    let mut datagram =
        Encoder::new(&mut buffer, &DatagramHeader { agent, sub_agent_id: 3, sequence_number: 4, uptime_ms: 5000 });
    let source = DataSource { class: 0, index: 17 };
    let flow = FlowHeader {
        sequence_number: 21,
        source,
        sampling_rate: 2048,
        sample_pool: 43008,
        drops: 1,
        input: Interface::index(17),
        output: Interface::index(18),
    };
    let sampled = FlowRecord::SampledHeader(SampledHeader {
        protocol: HeaderProtocol::ETHERNET,
        frame_length: inner().length() + 4,
        stripped: 4,
        header: &header,
    });
    let switch = ExtendedSwitch { src_vlan: 321, src_priority: 5, dst_vlan: 322, dst_priority: 0 };
    let router = ExtendedRouter { nexthop: agent, src_mask_len: 24, dst_mask_len: 16 };
    let gateway = GatewayValue {
        nexthop: agent,
        router_as: 64500,
        src_as: 64501,
        src_peer_as: 64502,
        dst_as_path: &[(2, &[64503, 64504])],
        communities: &[65000],
        local_pref: 100,
    };
    let mut sample = datagram.flow_sample(&flow);
    sample.record(&sampled).record(&FlowRecord::ExtendedSwitch(switch));
    sample.record(&FlowRecord::ExtendedRouter(router)).gateway(&gateway);
    datagram.flow_sample_expanded(&flow).record(&sampled);
    let counters = CountersHeader { sequence_number: 22, source };
    let interface = GenericInterface {
        if_index: 17,
        if_speed: 10_000_000_000,
        if_in_octets: 123_456_789_012,
        if_out_errors: 9,
        ..Default::default()
    };
    let ethernet: Vec<_> = (1..=13).map(Value::U32).collect();
    datagram.counters_sample(&counters).generic_interface(&interface).values(Tag::new(0, 2), &ethernet);
    datagram.counters_sample_expanded(&counters).generic_interface(&interface);
    buffer
}

#[test]
fn tshark_reads_the_datagrams_that_we_write() {
    let Some(text) = tshark::run(&tshark::pcap(tshark::SFLOW, &[datagram()]), &["-V", "-O", "sflow,ip,tcp,vlan"])
    else {
        return;
    };
    for line in [
        "Agent address: 10.9.8.7",
        "Sub-agent ID: 3",
        "Sequence number: 4",
        "SysUptime: 5 seconds (5000ms)",
        "NumSamples: 4",
        "Sampling rate: 1 out of 2048 packets",
        "Sample pool: 43008 total packets",
        "Frame Length: 1062",
        "Payload stripped: 4",
        "Incoming 802.1Q VLAN: 321",
        "Outgoing 802.1Q VLAN: 322",
        "Next hop source mask: 24",
        "AS Peer: 64502",
        "AS Destination: 64504",
        "localpref: 100",
        "Interface index: 17",
        "Interface Speed: 10000000000",
        "Input Octets: 123456789012",
        "Output Errors: 9",
        "Symbol Errors: 13",
        "802.1Q Virtual LAN, PRI: 5, DEI: 0, ID: 321",
        "Source Port: 40001",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert_eq!(text.matches("    Expanded flow sample, seq").count(), 1, "{text}");
    assert_eq!(text.matches("    Expanded counters sample, seq").count(), 1, "{text}");
    assert_eq!(text.matches("Header checksum status: Good").count(), 3, "the datagram's own, and both samples'");
    assert!(!text.contains("alformed") && !text.contains("incorrect"), "{text}");
}

#[test]
fn tshark_finds_nothing_amiss_in_ipv6_and_icmp_headers() {
    let (src_addr, dst_addr) = (Address::V6([0x20; 16]), Address::V6([0x21; 16]));
    for transport in [Transport::Udp { src_port: 53, dst_port: 40000 }, Transport::Icmp { kind: 128, code: 0 }] {
        let mut header = Vec::new();
        Frame { src_addr, dst_addr, transport, ..inner() }.encode(&mut header);
        let mut buffer = Vec::new();
        let mut datagram = Encoder::new(&mut buffer, &DatagramHeader::default());
        datagram.flow_sample(&FlowHeader::default()).record(&FlowRecord::SampledHeader(SampledHeader {
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 1000,
            stripped: 4,
            header: &header,
        }));
        let Some(fields) = tshark::run(
            &tshark::pcap(tshark::SFLOW, &[buffer]),
            &["-T", "fields", "-e", "ipv6.src", "-e", "ipv6.nxt", "-e", "_ws.malformed"],
        ) else {
            return;
        };
        let next = if matches!(transport, Transport::Udp { .. }) { 17 } else { 58 };
        assert_eq!(fields.trim(), format!("2020:2020:2020:2020:2020:2020:2020:2020\t{next}"));
    }
}

#[test]
fn tshark_reads_an_agent_over_ipv6_and_its_sub_agent() {
    for (plain, expected) in [(None, "5\t2001:db8::99\t7\t31"), (Some(PlainVersion::V4), "4\t2001:db8::99\t\t31")] {
        let agent = Some("2001:db8::99".parse().unwrap());
        let header = DatagramHeader { agent, sub_agent_id: 7, sequence_number: 31, uptime_ms: 1 };
        let mut buffer = Vec::new();
        match plain {
            None => _ = Encoder::new(&mut buffer, &header),
            Some(version) => _ = PlainEncoder::new(&mut buffer, version, &header),
        }
        let fields = ["sflow_245.version", "sflow_245.agent.v6", "sflow_245.sub_agent_id", "sflow_245.sequence_number"];
        let arguments: Vec<_> =
            ["-T", "fields"].into_iter().chain(fields.into_iter().flat_map(|it| ["-e", it])).collect();
        let Some(out) = tshark::run(&tshark::pcap(tshark::SFLOW, &[buffer]), &arguments) else { return };
        assert_eq!(out.trim_end_matches('\n'), expected);
    }
}
