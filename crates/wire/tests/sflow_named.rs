//! InMon's samples of names and values, and aggregates of 802.11: our own bytes, read back, cut and changed.
//!
//! tshark knows neither. The layouts are those of the public decoder of their maker (sflowtool's `readRTMetric` and
//! `readRTFlow`) and of the document "sFlow 802.11 Structures" (sflow.org, `sflow_80211.txt`).
#![allow(clippy::unwrap_used, reason = "a test whose own datagram cannot be read has failed")]

use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{
    Datagram, DatagramHeader, Encoder, FlowField, FlowHeader, FlowRecord, Metric, Sample, SampledHeader, Tag, Value,
};
use finderscope_wire::{Problem, WireError};

const METRICS: [(&[u8], Metric<'_>); 7] = [
    (b"state", Metric::Text(b"ok")),
    (b"requests", Metric::Counter32(u32::MAX)),
    (b"bytes", Metric::Counter64(1 << 40)),
    (b"temperature", Metric::Gauge32(42)),
    (b"free", Metric::Gauge64(u64::MAX - 1)),
    (b"load", Metric::Float(0.5)),
    (b"mean", Metric::Double(1.0 / 3.0)),
];

fn fields() -> [(&'static [u8], FlowField<'static>); 8] {
    [
        (b"user", FlowField::Text(b"alice")),
        (b"macsource", FlowField::Mac([1, 2, 3, 4, 5, 6])),
        (b"ipsource", FlowField::Ipv4([192, 0, 2, 1].into())),
        (b"ip6source", FlowField::Ipv6("2001:db8::1".parse().unwrap())),
        (b"score", FlowField::Int32(-7)),
        (b"bytes", FlowField::Int64(1 << 40)),
        (b"ratio", FlowField::Float(0.25)),
        (b"mean", FlowField::Double(-1.5)),
    ]
}

fn everything() -> Vec<u8> {
    let mut buffer = Vec::new();
    let mut datagram = Encoder::new(&mut buffer, &DatagramHeader::default());
    datagram.rtmetric(b"sensor", &METRICS);
    datagram.rtflow(b"dns", 10, 100, &fields());
    buffer
}

fn samples(bytes: &[u8]) -> Vec<Result<Sample<'_>, WireError>> {
    Datagram::read(bytes).unwrap().samples().collect()
}

#[test]
fn names_and_values_of_every_type_are_read_back() {
    let bytes = everything();
    let samples = samples(&bytes);
    let [Ok(Sample::RtMetric(metrics)), Ok(Sample::RtFlow(flow))] = samples[..] else { panic!("{samples:?}") };
    assert_eq!((metrics.data_source, samples[0].unwrap().tag()), (&b"sensor"[..], Tag::new(4300, 1002)));
    assert_eq!(metrics.metrics().map(Result::unwrap).collect::<Vec<_>>(), METRICS);
    let types: Vec<_> = metrics.metrics().map(|metric| metric.unwrap().1.type_name()).collect();
    assert_eq!(types, ["string", "counter32", "counter64", "gauge32", "gauge64", "float", "double"]);
    assert_eq!((flow.data_source, samples[1].unwrap().tag()), (&b"dns"[..], Tag::new(4300, 1003)));
    assert_eq!((flow.sampling_rate, flow.sample_pool), (10, 100));
    assert_eq!(flow.fields().map(Result::unwrap).collect::<Vec<_>>(), fields());
    let types: Vec<_> = flow.fields().map(|field| field.unwrap().1.type_name()).collect();
    assert_eq!(types, ["string", "mac", "ip", "ip6", "int32", "int64", "float", "double"]);
}

#[test]
fn the_bytes_are_those_of_the_public_decoder() {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, &DatagramHeader::default()).rtmetric(b"ab", &[(b"x", Metric::Gauge32(7))]);
    let sample = b"\x01\x0c\xc3\xea\0\0\0\x1c\0\0\0\x02ab\0\0\0\0\0\x01\0\0\0\x01x\0\0\0\0\0\0\x03\0\0\0\x07";
    assert_eq!(&bytes[24..], sample);
    bytes.clear();
    Encoder::new(&mut bytes, &DatagramHeader::default()).rtflow(b"ab", 2, 3, &[(b"x", FlowField::Mac([9; 6]))]);
    let sample = b"\x01\x0c\xc3\xeb\0\0\0\x28\0\0\0\x02ab\0\0\0\0\0\x02\0\0\0\x03\0\0\0\x01\0\0\0\x01x\0\0\0\
                   \0\0\0\x01\x09\x09\x09\x09\x09\x09\0\0";
    assert_eq!(&bytes[24..], sample);
}

/// Whole values, and errors.
fn walk(bytes: &[u8]) -> (usize, usize) {
    let Ok(datagram) = Datagram::read(bytes) else { return (0, 1) };
    let (mut whole, mut errors) = (0, 0);
    let mut tell = |ok: bool| if ok { whole += 1 } else { errors += 1 };
    for sample in datagram.samples() {
        match sample {
            Ok(Sample::RtMetric(it)) => it.metrics().for_each(|metric| tell(metric.is_ok())),
            Ok(Sample::RtFlow(it)) => it.fields().for_each(|field| tell(field.is_ok())),
            Ok(Sample::Flow(it)) => it.records().for_each(|record| match record {
                Ok(FlowRecord::Aggregation(frames)) => frames.pdus().for_each(|frame| {
                    assert!(frame.clone().blocks().count() <= bytes.len());
                    frame.for_each(|record| tell(record.is_ok()));
                }),
                other => tell(other.is_ok()),
            }),
            Ok(_) => {}
            Err(_) => tell(false),
        }
    }
    (whole, errors)
}

#[test]
fn a_sample_cut_anywhere_keeps_what_lies_before_the_cut() {
    let bytes = everything();
    assert_eq!(walk(&bytes), (15, 0));
    let mut all = 15;
    for cut in (0..bytes.len()).rev() {
        let (whole, errors) = walk(&bytes[..cut]);
        assert!(whole == all || whole == all - 1, "cut at {cut}");
        assert_eq!(errors, 1, "cut at {cut}");
        all = whole;
    }
    assert_eq!(all, 0);
}

#[test]
fn a_changed_byte_is_survived_wherever_it_is() {
    for mut bytes in [everything(), aggregate(&frames())] {
        for place in 0..bytes.len() {
            for other in 0..=255 {
                let kept = std::mem::replace(&mut bytes[place], other);
                let (whole, errors) = walk(&bytes);
                assert!(whole + errors <= bytes.len());
                bytes[place] = kept;
            }
        }
    }
}

#[test]
fn a_value_of_an_unknown_type_ends_its_sample_alone() {
    let mut bytes = Vec::new();
    let mut datagram = Encoder::new(&mut bytes, &DatagramHeader::default());
    datagram.rtmetric(b"ab", &[(b"x", Metric::Gauge32(1)), (b"y", Metric::Gauge32(2)), (b"z", Metric::Gauge32(3))]);
    datagram.rtflow(b"ab", 1, 1, &[(b"x", FlowField::Int32(1))]);
    let second = 24 + 8 + 12 + 16 + 8;
    bytes[second + 3] = 99;
    let samples = samples(&bytes);
    let [Ok(Sample::RtMetric(metrics)), Ok(Sample::RtFlow(flow))] = samples[..] else { panic!("{samples:?}") };
    let read: Vec<_> = metrics.metrics().collect();
    let error = WireError::new("rtmetric.type", second, Problem::Value(99));
    assert_eq!(read, [Ok((&b"x"[..], Metric::Gauge32(1))), Err(error)]);
    assert_eq!(flow.fields().count(), 1);
}

/// Two frames: one with a header and its queue, one with nothing.
fn frames() -> Vec<Value<'static>> {
    let header = b"\0\0\0\x0f\0\0\0\x40\0\0\0\0\0\0\0\x03abc\0";
    let frame = [Value::Count(2), Value::U32(1), Value::Opaque(header), Value::U32(1036), Value::Opaque(b"\0\0\0\x05")];
    [&[Value::Count(2)], &frame[..], &[Value::Count(0)]].concat()
}

fn aggregate(frames: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut datagram = Encoder::new(&mut bytes, &DatagramHeader::default());
    datagram.flow_sample(&FlowHeader::default()).values(Tag::new(0, 1016), frames);
    bytes
}

fn only_aggregate(bytes: &[u8]) -> Result<FlowRecord<'_>, WireError> {
    let Ok(Sample::Flow(sample)) = samples(bytes)[0] else { panic!() };
    sample.records().next().unwrap()
}

#[test]
fn every_frame_of_an_aggregate_has_its_records() {
    let bytes = aggregate(&frames());
    let Ok(FlowRecord::Aggregation(read)) = only_aggregate(&bytes) else { panic!() };
    assert_eq!(read.pdu_count(), 2);
    let frames: Vec<Vec<_>> = read.pdus().map(|frame| frame.map(Result::unwrap).collect()).collect();
    let header = SampledHeader { protocol: HeaderProtocol(15), frame_length: 64, stripped: 0, header: b"abc" };
    assert_eq!(frames, [vec![FlowRecord::SampledHeader(header), FlowRecord::EgressQueue(5)], vec![]]);
    let names: Vec<_> =
        read.pdus().flat_map(|frame| frame.blocks()).map(|block| block.unwrap().layout().name).collect();
    assert_eq!(names, ["sampled_header", "extended_egress_queue"]);

    let mut again = Vec::new();
    let mut datagram = Encoder::new(&mut again, &DatagramHeader::default());
    datagram.flow_sample(&FlowHeader::default()).record(&only_aggregate(&bytes).unwrap());
    assert_eq!(again, bytes);
}

#[test]
fn an_aggregate_inside_an_aggregate_is_too_deep() {
    let bytes = aggregate(&[Value::Count(1), Value::Count(1), Value::U32(1016), Value::Opaque(b"\0\0\0\0")]);
    let Ok(FlowRecord::Aggregation(read)) = only_aggregate(&bytes) else { panic!() };
    let inner: Vec<_> = read.pdus().flatten().collect();
    assert!(matches!(inner[..], [Err(WireError { problem: Problem::TooDeep(1), .. })]), "{inner:?}");
    let inner: Vec<_> = read.pdus().flat_map(|frame| frame.blocks()).collect();
    assert!(matches!(inner[..], [Err(WireError { problem: Problem::TooDeep(1), .. })]), "{inner:?}");
}

#[test]
fn counts_in_an_aggregate_that_lie_are_an_error_of_the_record() {
    for words in [&[u32::MAX, 0, 0][..], &[1, u32::MAX, 0], &[1, 1, 1036, 400]] {
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut bytes = Vec::new();
        let mut datagram = Encoder::new(&mut bytes, &DatagramHeader::default());
        datagram.flow_sample(&FlowHeader::default()).values(Tag::new(0, 1016), &[Value::Fixed(&body)]);
        let problem = only_aggregate(&bytes).unwrap_err().problem;
        assert!(matches!(problem, Problem::Truncated { .. }), "{problem:?}");
    }
}
