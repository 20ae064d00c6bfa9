//! sFlow versions 2 and 4: our own bytes by the document (RFC 3176 section 4), read back, cut, changed, and shown to tshark.
#![allow(clippy::unwrap_used, reason = "a test whose own datagram cannot be read has failed")]

mod tshark;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    CountersHeader, CountersVersion, DataSource, Datagram, DatagramHeader, ExtendedMpls, ExtendedNat, ExtendedRouter,
    ExtendedSwitch, ExtendedUrl, ExtendedUser, FlowHeader, FlowRecord, GatewayValue, GenericInterface, Interface,
    PlainEncoder, PlainVersion, Sample, SampledHeader, SampledIpv4, SampledIpv6, Value,
};
use finderscope_wire::{Problem, WireError};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1));
const SOURCE: DataSource = DataSource { class: 1, index: 7 };
const VERSIONS: [PlainVersion; 2] = [PlainVersion::V2, PlainVersion::V4];

fn flow(sequence_number: u32) -> FlowHeader {
    FlowHeader {
        sequence_number,
        source: SOURCE,
        sampling_rate: 400,
        sample_pool: 4400,
        drops: 3,
        input: Interface::index(0x4000_0005),
        output: Interface { format: 2, value: 6 },
    }
}

fn ipv4() -> FlowRecord<'static> {
    FlowRecord::SampledIpv4(SampledIpv4 {
        length: 40,
        protocol: 6,
        src_ip: Ipv4Addr::new(192, 0, 2, 1),
        dst_ip: Ipv4Addr::new(192, 0, 2, 2),
        src_port: 1234,
        dst_port: 443,
        tcp_flags: 0x12,
        tos: 0x10,
    })
}

fn ipv6() -> FlowRecord<'static> {
    FlowRecord::SampledIpv6(SampledIpv6 {
        length: 60,
        protocol: 17,
        src_ip: "2001:db8::11".parse().unwrap(),
        dst_ip: "2001:db8::12".parse().unwrap(),
        src_port: 53,
        dst_port: 5353,
        tcp_flags: 0,
        priority: 3,
    })
}

fn header() -> FlowRecord<'static> {
    FlowRecord::SampledHeader(SampledHeader {
        protocol: HeaderProtocol::ETHERNET,
        frame_length: 1518,
        stripped: 0,
        header: b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x88\xb5 an odd length",
    })
}

/// The extended records whose form does not depend on more than what is here.
fn extended() -> Vec<FlowRecord<'static>> {
    vec![
        FlowRecord::ExtendedSwitch(ExtendedSwitch { src_vlan: 10, src_priority: 1, dst_vlan: 20, dst_priority: 2 }),
        FlowRecord::ExtendedRouter(ExtendedRouter { nexthop: Some(V6), src_mask_len: 48, dst_mask_len: 64 }),
        FlowRecord::ExtendedUser(ExtendedUser { src_charset: 0, src_user: b"alice", dst_charset: 0, dst_user: b"bo" }),
        FlowRecord::ExtendedUrl(ExtendedUrl { direction: 1, url: b"/index.html", host: b"" }),
        FlowRecord::ExtendedNat(ExtendedNat { src_address: Some(V4), dst_address: Some(V6) }),
    ]
}

fn gateway() -> GatewayValue<'static> {
    GatewayValue {
        nexthop: None,
        router_as: 64500,
        src_as: 64501,
        src_peer_as: 64502,
        dst_as_path: &[(2, &[64503, 64504]), (1, &[64505, 64506])],
        communities: &[0xFDE8_0001, 0xFDE8_0002],
        local_pref: 100,
    }
}

fn interface() -> GenericInterface {
    GenericInterface { if_index: 7, if_speed: 10_000_000_000, if_in_octets: 123_456_789_012, ..Default::default() }
}

fn numbers(count: u32) -> Vec<Value<'static>> {
    (1..=count).map(Value::U32).collect()
}

/// 100BaseVG's counters, of which some are wide.
fn vg() -> Vec<Value<'static>> {
    let wide = [1, 3, 9, 11, 12, 13];
    (0..14).map(|at| if wide.contains(&at) { Value::U64(1 << 33 | at) } else { Value::U32(at as u32) }).collect()
}

fn vlan() -> Vec<Value<'static>> {
    vec![Value::U32(321), Value::U64(1 << 40), Value::U32(2), Value::U32(3), Value::U32(4), Value::U32(5)]
}

/// Every kind of counters, with what is special to it.
fn counters() -> Vec<(CountersVersion, Vec<Value<'static>>)> {
    vec![
        (CountersVersion::Generic, vec![]),
        (CountersVersion::Ethernet, numbers(13)),
        (CountersVersion::TokenRing, numbers(18)),
        (CountersVersion::Fddi, vec![]),
        (CountersVersion::Vg, vg()),
        (CountersVersion::Wan, vec![]),
        (CountersVersion::Vlan, vlan()),
    ]
}

/// A datagram with every packet, every extended record and every kind of counters.
fn everything(version: PlainVersion, agent: IpAddr) -> Vec<u8> {
    let mut buffer = Vec::new();
    let start = DatagramHeader { agent: Some(agent), sub_agent_id: 0, sequence_number: 2, uptime_ms: 3000 };
    let mut datagram = PlainEncoder::new(&mut buffer, version, &start);
    let mut sample = datagram.flow_sample(&flow(11), &header()).unwrap();
    for record in extended() {
        assert!(sample.extended(&record));
    }
    sample.gateway(&gateway());
    datagram.flow_sample(&flow(12), &ipv4()).unwrap();
    let mut sample = datagram.flow_sample(&flow(13), &ipv6()).unwrap();
    let (address, text) = (Value::Address(Some(V4)), Value::Text(b"lsp-1"));
    let label = [address, Value::Count(1), Value::U32(0x0001_0140), Value::Count(0)];
    assert!(sample.values(6, &label) && sample.values(8, &[text, Value::U32(9), Value::U32(5)]));
    assert!(sample.values(9, &[text, Value::U32(9), Value::U32(5)]));
    assert!(sample.values(10, &[text, Value::U32(24)]) && sample.values(11, &[Value::U32(25)]));
    assert!(sample.values(12, &[Value::Count(2), Value::U32(0x8100_0001), Value::U32(0x8100_0002)]));
    assert!(!sample.values(13, &[]) && !sample.extended(&ipv4()));
    for (sequence_number, (kind, specific)) in (21..).zip(counters()) {
        let head = CountersHeader { sequence_number, source: SOURCE };
        datagram.counters_sample(&head, 30, kind, &interface(), &specific);
    }
    buffer
}

fn samples(bytes: &[u8]) -> Vec<Result<Sample<'_>, WireError>> {
    Datagram::read(bytes).unwrap().samples().collect()
}

fn flow_records<'a>(sample: &Result<Sample<'a>, WireError>) -> Vec<Result<FlowRecord<'a>, WireError>> {
    match sample {
        Ok(Sample::Flow(sample)) => sample.records().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_back_every_sample_and_record() {
    for (version, agent) in [(PlainVersion::V2, V4), (PlainVersion::V4, V6)] {
        let bytes = everything(version, agent);
        let datagram = Datagram::read(&bytes).unwrap();
        assert_eq!((datagram.version, datagram.agent, datagram.sub_agent_id), (version.number(), Some(agent), 0));
        assert_eq!((datagram.sequence_number, datagram.uptime_ms, datagram.sample_count), (2, 3000, 10));
        let samples = samples(&bytes);
        assert_eq!(samples.len(), 10);

        let Ok(Sample::Flow(sample)) = samples[0] else { panic!() };
        assert_eq!((sample.sequence_number, sample.source, sample.sampling_rate), (11, SOURCE, 400));
        assert_eq!((sample.sample_pool, sample.drops, sample.record_count()), (4400, 3, 7));
        assert_eq!((sample.input.if_index(), sample.output.multiple()), (Some(0x4000_0005), Some(6)));
        let mut records: Vec<_> = sample.records().map(Result::unwrap).collect();
        let Some(FlowRecord::ExtendedGateway(read)) = records.pop() else { panic!("{records:?}") };
        let all: Vec<_> = std::iter::once(header()).chain(extended()).collect();
        assert_eq!(records, all);
        assert_eq!((read.router_as, read.src_as, read.src_peer_as), (64500, 64501, 64502));
        assert_eq!(read.dst_as_path.numbers().collect::<Vec<_>>(), [64503, 64504, 64505, 64506]);
        let kinds: Vec<_> = read.dst_as_path.segments().map(|segment| segment.kind).collect();
        let (communities, local_pref) = (read.communities.iter().collect::<Vec<_>>(), read.local_pref);
        match version {
            PlainVersion::V2 => assert_eq!((kinds, communities, local_pref), (vec![2], vec![], 0)),
            PlainVersion::V4 => {
                assert_eq!((kinds, local_pref), (vec![2, 1], 100));
                assert_eq!(communities, gateway().communities);
            }
        }
        assert_eq!(flow_records(&samples[1]), [Ok(ipv4())]);
        later_structures(&flow_records(&samples[2]));
    }
}

fn later_structures(records: &[Result<FlowRecord<'_>, WireError>]) {
    assert_eq!(records[0], Ok(ipv6()));
    let Ok(FlowRecord::ExtendedMpls(ExtendedMpls { nexthop, in_stack, out_stack })) = records[1] else { panic!() };
    assert_eq!((nexthop, in_stack.first(), out_stack.len()), (Some(V4), Some(0x0001_0140), 0));
    let others = records[2..].iter().map(|record| match record {
        Ok(FlowRecord::Other(block)) => (block.layout().name, block.fields().map(|(name, _)| name).collect::<Vec<_>>()),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        others.collect::<Vec<_>>(),
        [
            ("extended_mpls_tunnel", vec!["tunnel_lsp_name", "tunnel_id", "tunnel_cos"]),
            ("extended_mpls_vc", vec!["vc_instance_name", "vll_vc_id", "vc_label_cos"]),
            ("extended_mpls_FTN", vec!["mpls_ftn_descr", "mpls_ftn_mask"]),
            ("extended_mpls_LDP_FEC", vec!["mpls_fec_addr_prefix_length"]),
            ("extended_vlantunnel", vec!["stack", "value", "value"]),
        ]
    );
}

#[test]
fn counters_are_the_structures_that_their_version_says() {
    let bytes = everything(PlainVersion::V4, V4);
    let specific = [
        None,
        Some("ethernet_counters"),
        Some("tokenring_counters"),
        None,
        Some("vg_counters"),
        None,
        Some("vlan_counters"),
    ];
    for (sample, ((kind, values), specific)) in samples(&bytes)[3..].iter().zip(counters().into_iter().zip(specific)) {
        let Ok(Sample::Counters(sample)) = sample else { panic!("{sample:?}") };
        assert_eq!((sample.source, sample.sampling_interval_s), (SOURCE, Some(30)));
        let records: Vec<_> = sample.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), sample.record_count() as usize);
        let generic = (kind != CountersVersion::Vlan).then_some("if_counters");
        let names: Vec<_> = records.iter().filter_map(|record| record.name()).collect();
        assert_eq!(names, generic.into_iter().chain(specific).collect::<Vec<_>>());
        if generic.is_some() {
            assert_eq!(records[0].generic_interface(), Some(interface()));
        }
        if specific.is_some() {
            let read: Vec<_> = records.last().unwrap().fields().map(|(_, value)| value).collect();
            assert_eq!(read, values);
        }
    }
}

/// What is whole: flow records and counter records, and how many errors.
fn walk(bytes: &[u8]) -> (usize, usize) {
    let Ok(datagram) = Datagram::read(bytes) else { return (0, 1) };
    let (mut records, mut errors) = (0, 0);
    let mut tell = |ok: bool| if ok { records += 1 } else { errors += 1 };
    let mut broken = 0;
    for sample in datagram.samples() {
        match sample {
            Ok(Sample::Flow(it)) => it.records().for_each(|record| tell(record.is_ok())),
            Ok(Sample::Counters(it)) => it.records().for_each(|record| tell(record.is_ok())),
            Ok(_) => panic!("versions 2 and 4 have two kinds of samples"),
            Err(_) => broken += 1,
        }
    }
    (records, errors + broken)
}

#[test]
fn a_datagram_cut_anywhere_keeps_the_records_before_the_cut_and_reports_the_cut() {
    for version in VERSIONS {
        let bytes = everything(version, V4);
        let (mut all, errors) = walk(&bytes);
        assert_eq!((all, errors), (7 + 1 + 7 + 10, 0));
        for cut in (0..bytes.len()).rev() {
            let (records, errors) = walk(&bytes[..cut]);
            assert!(records == all || records == all - 1, "cut at {cut}: {records} of {all}");
            assert_eq!(errors, 1, "cut at {cut}");
            all = records;
        }
        assert_eq!(all, 0);
    }
}

#[test]
fn a_changed_byte_is_survived_wherever_it_is() {
    for version in VERSIONS {
        let mut bytes = everything(version, V6);
        for place in 0..bytes.len() {
            for other in 0..=255 {
                let kept = std::mem::replace(&mut bytes[place], other);
                if Datagram::read(&bytes).is_ok_and(|datagram| datagram.version != 5) {
                    let (records, errors) = walk(&bytes);
                    assert!(records <= bytes.len() / 4 && errors <= 1);
                }
                bytes[place] = kept;
            }
        }
    }
}

#[test]
fn an_unknown_kind_ends_the_datagram_after_what_was_read() {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let start = [4, 1, 0x0A00_0001, 1, 2, 2];
    let flow = [1, 5, 7, 100, 500, 0, 1, 2, 3, 60, 17];
    let packet: Vec<u32> = [4, 1, 0x0A00_0001, 1, 2, 3].into_iter().chain(flow).collect();
    // Two addresses of IPv6, four numbers, and three extended records of which the second is unknown.
    let rest = [0, 0, 0, 1, 0, 0, 0, 2, 53, 54, 0, 0, 3, 1, 10, 0, 20, 0, 99, 1, 2, 3, 4];
    let bytes: Vec<_> = [words(&packet), words(&rest)].concat();
    let samples = samples(&bytes);
    let [Ok(Sample::Flow(_))] = samples[..] else { panic!("{samples:?}") };
    let records = flow_records(&samples[0]);
    let [Ok(FlowRecord::SampledIpv6(_)), Ok(FlowRecord::ExtendedSwitch(_)), Err(error)] = records[..] else {
        panic!("{records:?}")
    };
    assert_eq!(error, WireError::new("flow_sample.extended_data", 140, Problem::Value(99)));

    let unknown_sample = words(&[&start[..], &[3, 0, 0]].concat());
    let ended: Vec<_> = Datagram::read(&unknown_sample).unwrap().samples().map(|it| it.unwrap_err()).collect();
    assert_eq!(ended, [WireError::new("sample.type", 24, Problem::Value(3))]);

    let unknown_counters = words(&[&start[..], &[2, 1, 7, 30, 8, 0, 0]].concat());
    let ended: Vec<_> = Datagram::read(&unknown_counters).unwrap().samples().map(|it| it.unwrap_err()).collect();
    assert_eq!(ended, [WireError::new("counters_sample.version", 40, Problem::Value(8))]);
}

#[test]
fn counts_of_32_bits_do_not_allocate_or_run_on() {
    let words = [4, 1, 0x0A00_0001, 1, 2, u32::MAX, 1, 5, 7, 100, 500, 0, 1, 2, 2, 40, 6, 1, 2, 3, 4, 5, 6, u32::MAX];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let samples = samples(&bytes);
    let [Ok(Sample::Flow(_))] = samples[..] else { panic!("{samples:?}") };
    assert!(matches!(flow_records(&samples[0])[..], [Ok(_), Err(_)]));
}

#[test]
fn users_and_urls_are_as_the_document_has_them() {
    // RFC 3176 section 4: extended_user is two strings, extended_url a direction and a string. tshark 4.0 knows the
    // names of both and reads neither.
    let packet = [4, 1, 0x0A00_0001, 1, 2, 1, 1, 5, 7, 100, 500, 0, 1, 2, 2, 40, 6, 1, 2, 3, 4, 5, 6];
    let mut bytes: Vec<u8> = packet.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
    bytes.extend(b"\0\0\0\x02\0\0\0\x04\0\0\0\x05alice\0\0\0\0\0\0\x02bo\0\0");
    bytes.extend(b"\0\0\0\x05\0\0\0\x02\0\0\0\x03/ix\0");
    for version in [2, 4] {
        bytes[3] = version;
        let samples = samples(&bytes);
        let [_, Ok(FlowRecord::ExtendedUser(user)), Ok(FlowRecord::ExtendedUrl(url))] = flow_records(&samples[0])[..]
        else {
            panic!("{samples:?}")
        };
        assert_eq!((user.src_user, user.dst_user, user.src_charset), (&b"alice"[..], &b"bo"[..], 0));
        assert_eq!((url.direction, url.url, url.host), (2, &b"/ix"[..], &b""[..]));
    }
}

/// What tshark 4.0 reads of these versions: all but packets by their fields, users, URLs and the later structures.
fn for_tshark(version: PlainVersion) -> Vec<u8> {
    let mut buffer = Vec::new();
    let start = DatagramHeader { agent: Some(V4), sub_agent_id: 0, sequence_number: 2, uptime_ms: 3000 };
    let mut datagram = PlainEncoder::new(&mut buffer, version, &start);
    let mut sample = datagram.flow_sample(&flow(11), &header()).unwrap();
    assert!(extended()[..2].iter().all(|record| sample.extended(record)));
    sample.gateway(&gateway());
    for (sequence_number, (kind, specific)) in (21..).zip(counters()) {
        let head = CountersHeader { sequence_number, source: SOURCE };
        datagram.counters_sample(&head, 30, kind, &interface(), &specific);
    }
    buffer
}

#[test]
fn tshark_reads_the_same_from_every_sample() {
    for version in VERSIONS {
        let pcap = tshark::pcap(tshark::SFLOW, &[for_tshark(version)]);
        let Some(text) = tshark::run(&pcap, &["-V", "-O", "sflow"]) else { return };
        for (line, times) in [
            ("Agent address: 10.1.2.3", 1),
            ("Sequence number: 2", 1),
            ("SysUptime: 3 seconds (3000ms)", 1),
            ("NumSamples: 8", 1),
            ("Sampling rate: 1 out of 400 packets", 1),
            ("Sample pool: 4400 total packets", 1),
            ("Frame Length: 1518", 1),
            ("Incoming 802.1Q VLAN: 10", 1),
            ("Outgoing 802.1Q VLAN: 20", 1),
            ("Next hop source mask: 48", 1),
            ("AS Router: 64500", 1),
            ("AS Source: 64501", 1),
            ("AS Peer: 64502", 1),
            ("AS Destination: 64506", 1),
            ("Input interface (ifIndex): 1073741829", 1),
            ("Multiple outputs: 6 interfaces", 1),
            ("Sampling Interval: 30", 7),
            ("Interface Speed: 10000000000", 6),
            ("Input Octets: 123456789012", 6),
            // tshark 4.0 steps over Ethernet's 52 bytes without a word, and finds the next sample behind them.
            ("Counters type: Ethernet counters (2)", 1),
            ("Line Errors: 1", 1),
            ("Freq Errors: 18", 1),
            ("HC Out High Priority Octets: 8589934605", 1),
            ("VLAN ID: 321", 1),
            ("Octets: 1099511627776", 1),
        ] {
            assert_eq!(text.lines().filter(|it| it.trim() == line).count(), times, "{line:?} in\n{text}");
        }
        assert!(!text.contains("alformed"), "{text}");
    }
}
