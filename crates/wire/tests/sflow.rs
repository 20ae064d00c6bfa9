//! sFlow datagrams of our own making: read back, cut, changed, and made to lie.
#![allow(clippy::unwrap_used, reason = "a test whose own datagram cannot be read has failed")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    CounterRecord, CountersHeader, DataSource, Datagram, DatagramHeader, DiscardedHeader, Encoder, ExtendedNat,
    ExtendedRouter, ExtendedSwitch, ExtendedUrl, ExtendedUser, FieldType, FlowHeader, FlowRecord, GatewayValue,
    GenericInterface, Interface, Layout, Sample, SampledEthernet, SampledHeader, SampledIpv4, SampledIpv6, Tag, Value,
};
use finderscope_wire::{Problem, WireError};
use proptest::prelude::*;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1));
const SOURCE: DataSource = DataSource { class: 0, index: 7 };

/// One of every record that is typed, and two that are not.
fn flow_records() -> Vec<FlowRecord<'static>> {
    vec![
        FlowRecord::SampledHeader(SampledHeader {
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 1518,
            stripped: 4,
            header: b"a header of an odd length",
        }),
        FlowRecord::SampledEthernet(SampledEthernet {
            length: 64,
            src_mac: [1, 2, 3, 4, 5, 6],
            dst_mac: [7, 8, 9, 10, 11, 12],
            etype: 0x0800,
        }),
        FlowRecord::SampledIpv4(SampledIpv4 {
            length: 40,
            protocol: 6,
            src_ip: Ipv4Addr::new(192, 0, 2, 1),
            dst_ip: Ipv4Addr::new(192, 0, 2, 2),
            src_port: 1234,
            dst_port: 443,
            tcp_flags: 0x12,
            tos: 0x10,
        }),
        FlowRecord::SampledIpv6(SampledIpv6 {
            length: 60,
            protocol: 17,
            src_ip: Ipv6Addr::LOCALHOST,
            dst_ip: Ipv6Addr::UNSPECIFIED,
            src_port: 53,
            dst_port: 5353,
            tcp_flags: 0,
            priority: 3,
        }),
        FlowRecord::ExtendedSwitch(ExtendedSwitch { src_vlan: 10, src_priority: 1, dst_vlan: 20, dst_priority: 2 }),
        FlowRecord::ExtendedRouter(ExtendedRouter { nexthop: Some(V6), src_mask_len: 48, dst_mask_len: 64 }),
        FlowRecord::ExtendedUser(ExtendedUser { src_charset: 106, src_user: b"alice", dst_charset: 3, dst_user: b"" }),
        FlowRecord::ExtendedUrl(ExtendedUrl { direction: 1, url: b"/index.html", host: b"example.org" }),
        FlowRecord::ExtendedNat(ExtendedNat { src_address: Some(V4), dst_address: None }),
        FlowRecord::EgressQueue(5),
        FlowRecord::Unknown { tag: Tag::new(12345, 6), body: b"whatever" },
    ]
}

/// A datagram with every kind of sample, two of each that has two forms.
fn everything() -> Vec<u8> {
    let mut buffer = Vec::new();
    let header = DatagramHeader { agent: Some(V4), sub_agent_id: 1, sequence_number: 2, uptime_ms: 3 };
    let mut datagram = Encoder::new(&mut buffer, &header);
    let flow = FlowHeader {
        sequence_number: 11,
        source: SOURCE,
        sampling_rate: 1000,
        sample_pool: 11000,
        drops: 2,
        input: Interface::index(7),
        output: Interface { format: 2, value: 3 },
    };
    let mut sample = datagram.flow_sample(&flow);
    for record in flow_records() {
        sample.record(&record);
    }
    let mut sample = datagram.flow_sample_expanded(&flow);
    sample.gateway(&gateway()).mpls(Some(V4), &[0x0001_0140], &[]).values(Tag::new(0, 1040), &[Value::U32(99)]);
    let counters = CountersHeader { sequence_number: 12, source: SOURCE };
    datagram.counters_sample(&counters).generic_interface(&interface());
    datagram.counters_sample_expanded(&counters).values(Tag::new(0, 1005), &[Value::Text(b"swp1")]);
    let discarded = DiscardedHeader {
        sequence_number: 13,
        source: SOURCE,
        drops: 4,
        input: Interface::index(1),
        output: Interface::UNKNOWN,
        reason: 258,
    };
    datagram.discarded_packet(&discarded).values(Tag::new(0, 1042), &[Value::Text(b"NOT_SPECIFIED")]);
    datagram.raw_sample(Tag::new(7, 7), b"metric");
    buffer
}

fn gateway() -> GatewayValue<'static> {
    GatewayValue {
        nexthop: Some(V4),
        router_as: 64500,
        src_as: 64501,
        src_peer_as: 64502,
        dst_as_path: &[(2, &[64503, 64504]), (1, &[64505, 64506])],
        communities: &[0xFDE8_0001, 0xFDE8_0002],
        local_pref: 100,
    }
}

fn interface() -> GenericInterface {
    GenericInterface { if_index: 7, if_speed: 10_000_000_000, if_in_octets: u64::MAX - 1, ..Default::default() }
}

fn samples(bytes: &[u8]) -> Vec<Result<Sample<'_>, WireError>> {
    Datagram::read(bytes).unwrap().samples().collect()
}

#[test]
fn reads_back_every_sample_and_record() {
    let bytes = everything();
    let datagram = Datagram::read(&bytes).unwrap();
    assert_eq!((datagram.version, datagram.agent, datagram.sub_agent_id), (5, Some(V4), 1));
    assert_eq!((datagram.sequence_number, datagram.uptime_ms, datagram.sample_count), (2, 3, 6));

    let samples = samples(&bytes);
    let [
        Ok(Sample::Flow(flow)),
        Ok(Sample::Flow(expanded)),
        Ok(Sample::Counters(counters)),
        Ok(Sample::Counters(wide)),
        Ok(Sample::Discarded(discarded)),
        Ok(Sample::Unknown { tag: Tag { enterprise: 7, format: 7 }, body: b"metric" }),
    ] = samples[..]
    else {
        panic!("{samples:?}")
    };

    for flow in [flow, expanded] {
        assert_eq!((flow.sequence_number, flow.source, flow.sampling_rate), (11, SOURCE, 1000));
        assert_eq!((flow.sample_pool, flow.drops), (11000, 2));
        assert_eq!((flow.input.if_index(), flow.output.multiple()), (Some(7), Some(3)));
    }
    assert_eq!(flow.records().map(Result::unwrap).collect::<Vec<_>>(), flow_records());

    let records: Vec<_> = expanded.records().map(Result::unwrap).collect();
    let [FlowRecord::ExtendedGateway(read), FlowRecord::ExtendedMpls(mpls), FlowRecord::Other(queue)] = records[..]
    else {
        panic!("{records:?}")
    };
    let segments = read.dst_as_path.segments().map(|it| (it.kind, it.numbers.iter().collect::<Vec<_>>()));
    assert_eq!(segments.collect::<Vec<_>>(), [(2, vec![64503, 64504]), (1, vec![64505, 64506])]);
    assert_eq!(read.communities.iter().collect::<Vec<_>>(), gateway().communities);
    assert_eq!((read.dst_peer_as(), read.dst_as(), read.local_pref), (Some(64503), Some(64506), 100));
    assert_eq!((mpls.in_stack.first(), mpls.out_stack.is_empty()), (Some(0x0001_0140), true));
    assert_eq!((queue.layout().name, queue.fields().next()), ("extended_queue", Some(("depth", Value::U32(99)))));

    let records: Vec<_> = counters.records().map(Result::unwrap).collect();
    assert_eq!(records[0].generic_interface(), Some(interface()));
    let records: Vec<_> = wide.records().map(Result::unwrap).collect();
    assert_eq!(records[0].fields().collect::<Vec<_>>(), [("name", Value::Text(b"swp1"))]);
    assert_eq!((discarded.reason_name(), discarded.drops, discarded.source), (Some("acl"), 4, SOURCE));
}

#[test]
fn what_was_read_is_written_the_same() {
    let bytes = everything();
    assert_eq!(rewritten(&bytes), bytes);
}

/// Reads a datagram and writes it anew, flow and counter records through their values.
fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let read = Datagram::read(bytes).unwrap();
    let header = DatagramHeader {
        agent: read.agent,
        sub_agent_id: read.sub_agent_id,
        sequence_number: read.sequence_number,
        uptime_ms: read.uptime_ms,
    };
    let mut datagram = Encoder::new(&mut buffer, &header);
    for sample in read.samples() {
        match sample.unwrap() {
            Sample::Flow(it) => {
                let header = FlowHeader {
                    sequence_number: it.sequence_number,
                    source: it.source,
                    sampling_rate: it.sampling_rate,
                    sample_pool: it.sample_pool,
                    drops: it.drops,
                    input: it.input,
                    output: it.output,
                };
                let mut sample = match it.expanded {
                    true => datagram.flow_sample_expanded(&header),
                    false => datagram.flow_sample(&header),
                };
                for record in it.records() {
                    sample.record(&record.unwrap());
                }
            }
            Sample::Counters(it) => {
                let header = CountersHeader { sequence_number: it.sequence_number, source: it.source };
                let mut sample = match it.expanded {
                    true => datagram.counters_sample_expanded(&header),
                    false => datagram.counters_sample(&header),
                };
                for record in it.records().map(Result::unwrap) {
                    let values: Vec<_> = record.fields().map(|(_, value)| value).collect();
                    sample.values(record.tag(), &values);
                }
            }
            Sample::Discarded(it) => {
                let mut sample = datagram.discarded_packet(&DiscardedHeader {
                    sequence_number: it.sequence_number,
                    source: it.source,
                    drops: it.drops,
                    input: it.input,
                    output: it.output,
                    reason: it.reason,
                });
                for record in it.records() {
                    sample.record(&record.unwrap());
                }
            }
            Sample::RtMetric(it) => {
                let metrics: Vec<_> = it.metrics().map(Result::unwrap).collect();
                datagram.rtmetric(it.data_source, &metrics);
            }
            Sample::RtFlow(it) => {
                let fields: Vec<_> = it.fields().map(Result::unwrap).collect();
                datagram.rtflow(it.data_source, it.sampling_rate, it.sample_pool, &fields);
            }
            Sample::Unknown { tag, body } => datagram.raw_sample(tag, body),
        }
    }
    buffer
}

/// A value of the type, made from a number. Arrays have two members.
fn value(kind: FieldType, n: u32, out: &mut Vec<Value<'static>>) {
    const BYTES: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
    let part = |length: usize| &BYTES[..length % BYTES.len()];
    out.push(match kind {
        FieldType::U32 => Value::U32(n),
        FieldType::I32 => Value::I32(-(n.cast_signed() / 2)),
        FieldType::U64 => Value::U64(u64::from(n) << 20),
        FieldType::F32 => Value::F32(n as f32),
        FieldType::Percent => Value::Percent(n),
        FieldType::Text => Value::Text(part(n as usize)),
        FieldType::Opaque => Value::Opaque(part(n as usize)),
        FieldType::Fixed(length) => Value::Fixed(part(length)),
        FieldType::Mac => Value::Mac([1, 2, 3, 4, 5, n as u8]),
        FieldType::Ipv4 => Value::Ip(V4),
        FieldType::Ipv6 => Value::Ip(V6),
        FieldType::Address => Value::Address([None, Some(V4), Some(V6)][n as usize % 3]),
        FieldType::Array(fields) => {
            out.push(Value::Count(2));
            for _ in 0..2 {
                fields.iter().for_each(|field| value(field.kind, n, out));
            }
            return;
        }
    });
}

proptest! {
    #[test]
    fn every_counter_structure_is_read_back_field_by_field(n in any::<u32>()) {
        for layout in Layout::counters() {
            let mut values = Vec::new();
            layout.fields.iter().for_each(|field| value(field.kind, n, &mut values));
            let mut buffer = Vec::new();
            let mut datagram = Encoder::new(&mut buffer, &DatagramHeader::default());
            datagram.counters_sample(&CountersHeader { sequence_number: 1, source: SOURCE }).values(layout.tag, &values);
            let Ok(Sample::Counters(sample)) = samples(&buffer)[0] else { panic!() };
            let record = sample.records().next().unwrap().unwrap();
            prop_assert_eq!(record.name(), Some(layout.name));
            prop_assert_eq!(record.fields().map(|(_, value)| value).collect::<Vec<_>>(), values);
        }
    }

    #[test]
    fn every_flow_structure_is_read_and_written_the_same(n in any::<u32>()) {
        for layout in Layout::flows() {
            let mut values = Vec::new();
            layout.fields.iter().for_each(|field| value(field.kind, n, &mut values));
            let mut buffer = Vec::new();
            let mut datagram = Encoder::new(&mut buffer, &DatagramHeader::default());
            datagram.flow_sample(&FlowHeader::default()).values(layout.tag, &values);
            let Ok(Sample::Flow(sample)) = samples(&buffer)[0] else { panic!() };
            let record = sample.records().next().unwrap().unwrap();
            prop_assert_eq!(record.name(), Some(layout.name));
            prop_assert_eq!(rewritten(&buffer), buffer);
        }
    }

    #[test]
    fn any_bytes_are_survived(head in any::<bool>(), bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut datagram = if head { vec![0, 0, 0, 5, 0, 0, 0, 1] } else { Vec::new() };
        datagram.extend(&bytes);
        walk(&datagram);
    }
}

/// Reads all there is. Gives samples, whole records, and errors.
fn walk(bytes: &[u8]) -> (usize, usize, usize) {
    let Ok(datagram) = Datagram::read(bytes) else { return (0, 0, 1) };
    let (mut whole_samples, mut records, mut errors) = (0, 0, 0);
    let mut tell = |ok: bool| if ok { records += 1 } else { errors += 1 };
    let mut broken = 0;
    for sample in datagram.samples() {
        match sample {
            Ok(Sample::Flow(it)) => it.records().for_each(|record| tell(record.is_ok())),
            Ok(Sample::Discarded(it)) => it.records().for_each(|record| tell(record.is_ok())),
            Ok(Sample::Counters(it)) => it.records().for_each(|record| {
                let sound = record.map(|record| record.fields().count());
                tell(sound.is_ok());
            }),
            Ok(Sample::RtMetric(it)) => it.metrics().for_each(|metric| tell(metric.is_ok())),
            Ok(Sample::RtFlow(it)) => it.fields().for_each(|field| tell(field.is_ok())),
            Ok(Sample::Unknown { .. }) => {}
            Err(_) => broken += 1,
        }
        whole_samples += 1;
    }
    (whole_samples, records, errors + broken)
}

/// Where each record ends in a datagram: (first byte behind it).
fn record_ends(bytes: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut ends) = (28, Vec::new());
    while at < bytes.len() {
        let (format, end) = (word(at) & 0xFFF, at + 8 + word(at + 4).next_multiple_of(4));
        let mut record = match (word(at) >> 12, format) {
            (0, 1) => at + 8 + 32,
            (0, 2) => at + 8 + 12,
            (0, 3) => at + 8 + 44,
            (0, 4) => at + 8 + 16,
            (0, 5) => at + 8 + 32,
            _ => end,
        };
        while record < end {
            record += 8 + word(record + 4).next_multiple_of(4);
            ends.push(record);
        }
        at = end;
    }
    ends
}

#[test]
fn a_datagram_cut_anywhere_keeps_the_records_before_the_cut_and_reports_the_cut() {
    let bytes = everything();
    let ends = record_ends(&bytes);
    assert_eq!(walk(&bytes), (6, ends.len(), 0));
    for cut in 0..bytes.len() {
        let (_, records, errors) = walk(&bytes[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count();
        // The last bytes before the end of a record may be padding, which nobody misses.
        assert!(records == whole || records == whole + 1 && ends.contains(&cut.next_multiple_of(4)), "cut at {cut}");
        let padding = cut + 2 >= bytes.len();
        assert!(errors == 1 || padding && errors <= 1, "cut at {cut}: {errors} errors");
    }
}

#[test]
fn a_changed_byte_is_survived_wherever_it_is() {
    let mut bytes = everything();
    for place in 0..bytes.len() {
        for other in 0..=255 {
            let kept = std::mem::replace(&mut bytes[place], other);
            let (samples, records, _) = walk(&bytes);
            assert!(samples <= bytes.len() / 8 && records <= bytes.len() / 8);
            bytes[place] = kept;
        }
    }
}

/// A datagram with one sample of these bytes, whose length is as told.
fn with_sample(count: u32, tag: Tag, length: u32, body: &[u32]) -> Vec<u8> {
    let words = [5, 1, 0x0A00_0001, 0, 1, 2, count, tag.word(), length];
    words.iter().chain(body).flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn counts_of_32_bits_do_not_allocate() {
    let header = [1, 7, 1000, 0, 0, 1, 2];
    let body: Vec<u32> = header.into_iter().chain([u32::MAX, 0x7FFF_F001, 0, 0x7FFF_F001, 4, 9]).collect();
    let bytes = with_sample(u32::MAX, Tag::FLOW_SAMPLE, 4 * 13, &body);
    let samples = samples(&bytes);
    let [Ok(Sample::Flow(flow)), Err(end)] = samples[..] else { panic!("{samples:?}") };
    assert_eq!(end, WireError::new("sample.tag", bytes.len(), Problem::Truncated { needed: 4, left: 0 }));
    assert_eq!(flow.record_count(), u32::MAX);
    let records: Vec<_> = flow.records().collect();
    assert!(matches!(records[..], [Ok(_), Ok(_), Err(_)]), "{records:?}");
}

#[test]
fn numbers_inside_records_do_not_allocate_or_run_on() {
    let gateway = [1, 0x0A00_0001, 1, 2, 3, u32::MAX, 2, u32::MAX, 64500];
    let adapters = [u32::MAX, 7, u32::MAX, 0x0102_0304, 0x0506_0000];
    let vlans = [u32::MAX, 0x8100_0001];
    for (sample, format, record) in
        [(1, 1003, &gateway[..]), (2, 2001, &adapters[..]), (1, 1012, &vlans[..]), (1, 1005, &[1, u32::MAX][..])]
    {
        let header = [1, 7, 1000, 0, 0, 1, 2];
        let mut body = if sample == 1 { header.to_vec() } else { vec![1, 7] };
        body.extend([2, format, 4 * record.len() as u32]);
        body.extend(record);
        body.extend([1039, 4, 77]);
        let bytes = with_sample(1, Tag::new(0, sample), 4 * body.len() as u32, &body);
        // Damage stays in its record: the one behind it is read.
        assert_eq!(walk(&bytes), (1, 1, 1), "{format}");
    }
}

#[test]
fn records_without_length_come_to_an_end() {
    let header = [1, 7, 1000, 0, 0, 1, 2];
    let mut body = header.to_vec();
    body.push(3);
    body.extend([1, 0, 0x7FFF_F001, 0, 1036, 0]);
    let bytes = with_sample(1, Tag::FLOW_SAMPLE, 4 * body.len() as u32, &body);
    let Ok(Sample::Flow(flow)) = samples(&bytes)[0] else { panic!() };
    let records: Vec<_> = flow.records().collect();
    assert!(matches!(records[..], [Err(_), Ok(FlowRecord::Unknown { body: b"", .. }), Err(_)]), "{records:?}");
}

#[test]
fn samples_without_length_come_to_an_end() {
    let bytes = with_sample(3, Tag::FLOW_SAMPLE, 0, &[2, 0, 0x7FFF_F001, 0]);
    let samples = samples(&bytes);
    assert!(matches!(samples[..], [Err(_), Err(_), Ok(Sample::Unknown { body: b"", .. })]), "{samples:?}");
}

#[test]
fn a_length_inside_a_record_cannot_reach_into_the_next() {
    let header = [1, 7, 1000, 0, 0, 1, 2];
    let mut body = header.to_vec();
    // A sampled header that claims the sixteen bytes of the next record as its own.
    body.extend([2, 1, 16, 1, 64, 4, 12, 1036, 4, 5]);
    let bytes = with_sample(1, Tag::FLOW_SAMPLE, 4 * body.len() as u32, &body);
    let Ok(Sample::Flow(flow)) = samples(&bytes)[0] else { panic!() };
    let records: Vec<_> = flow.records().collect();
    let end = Problem::Truncated { needed: 12, left: 0 };
    assert_eq!(records, [Err(WireError::new("sampled_header.header", 92, end)), Ok(FlowRecord::EgressQueue(5))]);
}

#[test]
fn a_record_cannot_reach_out_of_its_sample() {
    let mut body = vec![1, 7, 1000, 0, 0, 1, 2, 1, 1036, 8, 5];
    let length = 4 * body.len() as u32;
    body.extend([Tag::COUNTERS_SAMPLE.word(), 12, 1, 7, 0]);
    let bytes = with_sample(2, Tag::FLOW_SAMPLE, length, &body);
    let samples = samples(&bytes);
    let [Ok(Sample::Flow(flow)), Ok(Sample::Counters(_))] = samples[..] else { panic!("{samples:?}") };
    let error = flow.records().next().unwrap().unwrap_err();
    assert_eq!((error.field, error.problem), ("record.length", Problem::Truncated { needed: 8, left: 4 }));
}

#[test]
fn a_sample_longer_than_the_datagram_is_truncated_after_its_whole_records() {
    let body = [1, 7, 1000, 0, 0, 1, 2, 2, 1036, 4, 5, 1039, 4, 6];
    let bytes = with_sample(2, Tag::FLOW_SAMPLE, 4 * body.len() as u32 + 100, &body);
    let samples = samples(&bytes);
    let [Ok(Sample::Flow(flow))] = samples[..] else { panic!("{samples:?}") };
    let records: Vec<_> = flow.records().collect();
    let [Ok(FlowRecord::EgressQueue(5)), Ok(FlowRecord::Other(_)), Err(error)] = records[..] else { panic!() };
    assert_eq!((error.field, error.offset), ("sample.length", 32));
    assert_eq!(error.problem, Problem::Truncated { needed: 156, left: 56 });
}

#[test]
fn lengths_that_leave_out_the_padding_are_rounded_up() {
    let name = |length: u32| [1, 7, 2, 1005, length, 3, 0x6574_6800, 1004, 12, 0, 1, 2];
    for length in [7, 8] {
        let body = name(length);
        let mut bytes = with_sample(2, Tag::COUNTERS_SAMPLE, 4 * 12, &body);
        bytes.extend([Tag::new(9, 9).word(), 1, 0xFF00_0000].iter().flat_map(|word| word.to_be_bytes()));
        let samples = samples(&bytes);
        let [Ok(Sample::Counters(counters)), Ok(Sample::Unknown { body: [0xFF], .. })] = samples[..] else {
            panic!("{samples:?}")
        };
        let records: Vec<_> = counters.records().map(Result::unwrap).collect();
        assert_eq!(records[0].fields().collect::<Vec<_>>(), [("name", Value::Text(b"eth"))]);
        assert_eq!(records[1].name(), Some("of_port"));
    }
    // The very last padding may be missing from the datagram.
    let mut bytes = with_sample(1, Tag::COUNTERS_SAMPLE, 12 + 8 + 7, &[1, 7, 1, 1005, 7, 3, 0x6574_6800]);
    bytes.pop();
    assert_eq!(walk(&bytes), (1, 1, 0));
}

#[test]
fn fields_that_newer_agents_add_are_read_where_they_are() {
    let cpu = |words: usize| {
        let mut body = vec![1, 7, 1, 2003, 4 * words as u32];
        body.extend((0..words as u32).map(|word| word + 100));
        with_sample(1, Tag::COUNTERS_SAMPLE, 4 * body.len() as u32, &body)
    };
    let names = |bytes: &[u8]| {
        let Ok(Sample::Counters(sample)) = samples(bytes)[0] else { panic!() };
        sample.records().next().unwrap().map(|record| record.fields().map(|(name, _)| name).collect::<Vec<_>>())
    };
    assert_eq!(names(&cpu(17)).unwrap().last(), Some(&"contexts"));
    assert_eq!(names(&cpu(20)).unwrap().last(), Some(&"guest_nice"));
    assert_eq!(names(&cpu(18)).unwrap().last(), Some(&"steal"));
    assert_eq!(names(&cpu(25)).unwrap().last(), Some(&"guest_nice"));
    assert_eq!(names(&cpu(16)).unwrap_err().problem, Problem::TooShort { length: 64, minimum: 68 });
}

#[test]
fn other_versions_are_named() {
    for version in [0, 1, 3, 6, u32::MAX] {
        let mut bytes = everything();
        bytes[..4].copy_from_slice(&version.to_be_bytes());
        assert_eq!(Datagram::read(&bytes).unwrap_err(), WireError::new("version", 0, Problem::Version(version)));
    }
}

#[test]
fn an_agent_may_not_know_its_address() {
    let mut buffer = Vec::new();
    Encoder::new(&mut buffer, &DatagramHeader { sequence_number: 9, ..Default::default() });
    let datagram = Datagram::read(&buffer).unwrap();
    assert_eq!((datagram.agent, datagram.sequence_number, datagram.sample_count), (None, 9, 0));
    buffer[7] = 3;
    let error = Datagram::read(&buffer).unwrap_err();
    assert_eq!(error, WireError::new("agent_address", 4, Problem::Value(3)));
}

#[test]
fn interfaces_say_what_they_are() {
    let of = Interface::from_word;
    assert_eq!((of(0).is_unknown(), of(0).if_index()), (true, None));
    assert_eq!(of(12).if_index(), Some(12));
    assert_eq!((of(0x3FFF_FFFF).is_internal(), of(0x3FFF_FFFF).if_index()), (true, None));
    assert_eq!((of(0x4000_0102).discarded(), of(0x4000_0102).if_index()), (Some(258), None));
    assert_eq!((of(0x8000_0003).multiple(), of(0x8000_0003).if_index()), (Some(3), None));
    for word in [0, 12, 0x3FFF_FFFF, 0x4000_0102, 0x8000_0003, u32::MAX] {
        assert_eq!(of(word).word(), word);
    }
    assert_eq!(DataSource::from_word(0x0100_0064), DataSource { class: 1, index: 100 });
}

#[test]
fn tags_print_as_enterprise_and_format() {
    assert_eq!(Tag::from_word(0).to_string(), "0:0");
    assert_eq!(Tag::RTFLOW.to_string(), "4300:1003");
    assert_eq!(Tag::from_word(u32::MAX), Tag::new(0xF_FFFF, 0xFFF));
    assert_eq!(Tag::from_word(Tag::RTFLOW.word()), Tag::RTFLOW);
}

#[test]
fn an_unknown_counter_structure_keeps_its_bytes() {
    let bytes = with_sample(1, Tag::COUNTERS_SAMPLE, 24, &[1, 7, 1, Tag::new(77, 8).word(), 4, 0x0102_0304]);
    let Ok(Sample::Counters(sample)) = samples(&bytes)[0] else { panic!() };
    let record = sample.records().next().unwrap().unwrap();
    assert_eq!(record, CounterRecord::Unknown { tag: Tag::new(77, 8), body: &[1, 2, 3, 4] });
    assert_eq!((record.name(), record.fields().count()), (None, 0));
}
