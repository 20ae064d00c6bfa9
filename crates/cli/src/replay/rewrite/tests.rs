#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use finderscope_wire::ipfix::Encoder;
use finderscope_wire::sflow::{DataSource, DatagramHeader, FlowHeader};

use super::*;

const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const LOOP_NS: i64 = 60_000_000_000;

/// The datagrams as they are one loop later.
fn one_loop_later(datagrams: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (mut rewriter, mut bytes) = (Rewriter::default(), Vec::new());
    for datagram in datagrams {
        rewriter.learn(SOURCE, datagram, bytes.len());
        bytes.extend_from_slice(datagram);
    }
    for patch in rewriter.patches(LOOP_NS) {
        patch.advance(&mut bytes);
    }
    let mut rest = bytes.as_slice();
    let cut = datagrams.iter().map(|datagram| rest.split_off(..datagram.len()).unwrap().to_vec());
    cut.collect()
}

fn v5_datagram(sequence: u32, flows: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = v5::Header { flow_sequence: sequence.into(), unix_seconds: 1000.into(), ..Default::default() };
    v5::encode(&header, &vec![v5::Record::default(); flows], &mut bytes).unwrap();
    bytes
}

#[test]
fn v5_goes_on_by_flows() {
    let later = one_loop_later(&[v5_datagram(100, 30), v5_datagram(130, 5)]);
    let headers = later.iter().map(|bytes| *v5::Message::read(bytes).unwrap().header());
    let numbers: Vec<_> = headers.map(|header| (header.flow_sequence.get(), header.unix_seconds.get())).collect();
    assert_eq!(numbers, [(135, 1060), (165, 1060)]);
}

#[test]
fn v9_goes_on_by_datagrams() {
    let datagram = |sequence: u32| {
        let mut bytes = Vec::new();
        let header = v9::Header { sequence_number: sequence.into(), ..Default::default() };
        let mut encoder = Encoder::v9(&mut bytes, &header);
        encoder.template(256, &[FieldSpecifier::new(1, 4)]).record(256, &[0, 0, 0, 1]);
        encoder.finish().unwrap();
        bytes
    };
    let later = one_loop_later(&[datagram(u32::MAX), datagram(0), datagram(1)]);
    let numbers: Vec<_> =
        later.iter().map(|bytes| v9::Message::read(bytes).unwrap().header().sequence_number.get()).collect();
    assert_eq!(numbers, [2, 3, 4], "numbers wrap");
}

#[test]
fn ipfix_goes_on_by_data_records_and_moves_times_behind_variable_fields() {
    let fields = [FieldSpecifier::new(82, ipfix::VARIABLE), FieldSpecifier::new(152, 8), FieldSpecifier::new(150, 4)];
    let datagram = |sequence: u32, name: &[u8]| {
        let mut bytes = Vec::new();
        let header = ipfix::Header { sequence_number: sequence.into(), export_time: 1000.into(), ..Default::default() };
        let mut encoder = Encoder::ipfix(&mut bytes, &header);
        encoder.template(256, &fields);
        encoder.record_with(256, |writer| {
            ipfix::put_variable_length(writer, name).unwrap();
            writer.u64(5_000).u32(5);
        });
        encoder.finish().unwrap();
        bytes
    };
    let long = [b'x'; 300];
    let later = one_loop_later(&[datagram(7, b"eth0"), datagram(8, &long)]);
    for (bytes, sequence) in later.iter().zip([9, 10]) {
        let (message, _) = ipfix::Message::read(bytes).unwrap();
        assert_eq!((message.header().sequence_number.get(), message.header().export_time.get()), (sequence, 1060));
        assert!(bytes.ends_with(&[0, 0, 0, 0, 0, 0, 0xFD, 0xE8, 0, 0, 0, 65]), "65,000 ms and 65 s: {bytes:?}");
    }
}

#[test]
fn sflow_goes_on_by_datagrams_and_by_samples_of_each_source() {
    let datagram = |sequence: u32, sample: u32| {
        let mut bytes = Vec::new();
        let agent = Some(SOURCE);
        let header = DatagramHeader { agent, sub_agent_id: 0, sequence_number: sequence, uptime_ms: 1 };
        let mut encoder = sflow::Encoder::new(&mut bytes, &header);
        for (index, number) in [(1, sample), (2, 2 * sample), (1, sample + 1)] {
            let source = DataSource { class: 0, index };
            encoder.flow_sample(&FlowHeader { sequence_number: number, source, ..FlowHeader::default() });
        }
        bytes
    };
    let later = one_loop_later(&[datagram(50, 10), datagram(51, 12)]);
    let numbers = |bytes: &Vec<u8>| {
        let datagram = sflow::Datagram::read(bytes).unwrap();
        let samples = datagram.samples().map(|sample| match sample.unwrap() {
            sflow::Sample::Flow(sample) => sample.sequence_number,
            other => panic!("{other:?}"),
        });
        (datagram.sequence_number, datagram.uptime_ms, samples.collect::<Vec<_>>())
    };
    assert_eq!(numbers(&later[0]), (52, 60_001, vec![14, 25, 15]));
    assert_eq!(numbers(&later[1]), (53, 60_001, vec![16, 29, 17]));
}

#[test]
fn older_sflow_goes_on_by_datagrams_and_by_samples_too() {
    let datagram = |sequence: u32, sample: u32| {
        let mut bytes = Vec::new();
        let header = DatagramHeader { agent: Some(SOURCE), sub_agent_id: 0, sequence_number: sequence, uptime_ms: 1 };
        let mut encoder = sflow::PlainEncoder::new(&mut bytes, sflow::PlainVersion::V4, &header);
        let packet = sflow::FlowRecord::SampledHeader(sflow::SampledHeader {
            protocol: finderscope_wire::packet::HeaderProtocol::ETHERNET,
            frame_length: 64,
            stripped: 0,
            header: &[0; 21],
        });
        let source = DataSource { class: 0, index: 1 };
        for number in [sample, sample + 1] {
            let head = FlowHeader { sequence_number: number, source, ..FlowHeader::default() };
            encoder.flow_sample(&head, &packet).unwrap();
        }
        let head = sflow::CountersHeader { sequence_number: sample, source };
        encoder.counters_sample(&head, 30, sflow::CountersVersion::Generic, &Default::default(), &[]);
        bytes
    };
    let later = one_loop_later(&[datagram(50, 10), datagram(51, 12)]);
    let numbers = |bytes: &Vec<u8>| {
        let datagram = sflow::Datagram::read(bytes).unwrap();
        let samples = datagram.samples().map(|sample| match sample.unwrap() {
            sflow::Sample::Flow(sample) => sample.sequence_number,
            sflow::Sample::Counters(sample) => sample.sequence_number,
            other => panic!("{other:?}"),
        });
        (datagram.sequence_number, datagram.uptime_ms, samples.collect::<Vec<_>>())
    };
    assert_eq!(numbers(&later[0]), (52, 60_001, vec![14, 15, 13]));
    assert_eq!(numbers(&later[1]), (53, 60_001, vec![16, 17, 15]));
}

#[test]
fn what_is_no_telemetry_is_left_alone() {
    let noise = vec![b"hello".to_vec(), vec![], vec![0; 40], vec![0, 10, 0, 16]];
    assert_eq!(one_loop_later(&noise), noise);
}

#[test]
fn older_versions_go_on_by_records_and_version_1_by_time_alone() {
    let datagram = |version, aggregation, flow_sequence, records| {
        let mut bytes = Vec::new();
        let layout = fixed::Layout::of(version, aggregation).unwrap();
        let header = fixed::Header { flow_sequence, unix_seconds: 1000, ..Default::default() };
        fixed::encode(layout, &header, &vec![fixed::Record::default(); records], &mut bytes).unwrap();
        bytes
    };
    let capture = [
        datagram(8, 1, 100, 30),
        datagram(8, 2, 7, 4),
        datagram(8, 1, 130, 5),
        datagram(7, 0, 1, 2),
        datagram(1, 0, 0, 9),
    ];
    let later = one_loop_later(&capture);
    let headers = later.iter().map(|bytes| *fixed::Message::read(bytes).unwrap().header());
    let numbers: Vec<_> = headers.map(|header| (header.flow_sequence, header.unix_seconds)).collect();
    assert_eq!(numbers, [(135, 1060), (11, 1060), (165, 1060), (3, 1060), (0, 1060)]);
}
