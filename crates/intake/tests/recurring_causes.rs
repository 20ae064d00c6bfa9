//! The six mistakes behind most of collectors' published vulnerabilities, one test each.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use finderscope_flow::Tables;
use finderscope_intake::{Config, Intake, Quiet};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::ipfix::{self, Encoder, FieldSpecifier, VARIABLE};
use finderscope_wire::netflow::v9;
use finderscope_wire::packet::HeaderProtocol;
use finderscope_wire::sflow::{self, DatagramHeader, FlowHeader, FlowRecord, SampledHeader};

/// A decoder with its tables, which holds the balances after every datagram.
struct Check {
    intake: Intake,
    tables: Tables,
}

impl Check {
    fn new() -> Self {
        Self { intake: Intake::new(Config::default()), tables: Tables::default() }
    }

    /// Takes a datagram; returns how many rows of flows it brought.
    fn take(&mut self, source: &str, bytes: &[u8]) -> usize {
        let before = self.tables.flows.rows();
        let listener = Listener { scheme: Scheme::Udp, address: "0.0.0.0:2055".parse().unwrap() };
        let source = source.parse().unwrap();
        let delivery =
            Delivery { sequence: 0, received_ns: 1_767_225_600_000_000_000, source, listener, identity: None, bytes };
        self.intake.handle(&delivery, &mut self.tables, &mut Quiet);
        self.intake.check_balances().unwrap();
        self.tables.flows.rows() - before
    }
}

const A: &str = "192.0.2.1:1000";
const B: &str = "192.0.2.2:1000";

fn ipfix(sequence: u32, domain: u32, fill: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = ipfix::Header {
        sequence_number: sequence.into(),
        observation_domain_id: domain.into(),
        export_time: 1_767_225_600.into(),
        ..Default::default()
    };
    let mut encoder = Encoder::ipfix(&mut bytes, &header);
    fill(&mut encoder);
    encoder.finish().unwrap();
    bytes
}

const BYTES_4: [FieldSpecifier; 1] = [FieldSpecifier::new(1, 4)];

#[test]
fn a_length_trusted_in_an_inner_loop() {
    let mut check = Check::new();
    let named = [FieldSpecifier::new(1, 4), FieldSpecifier::new(82, VARIABLE)];
    check.take(A, &ipfix(0, 1, |encoder| _ = encoder.template(256, &named)));
    let lie = ipfix(0, 1, |encoder| {
        encoder.record(256, &[0, 0, 0, 9, 2, b'e', b'0']);
        encoder.record(256, &[0, 0, 0, 9, 255, 0xFF, 0xFF, b'x']);
    });
    assert_eq!(check.take(A, &lie), 1, "the record before the lie is kept");
    let sets = check.intake.totals().sets;
    assert_eq!(sets.malformed.total(), 1);
}

#[test]
fn zero_length_records() {
    let mut check = Check::new();
    let empty = [FieldSpecifier::new(1, 0), FieldSpecifier::new(2, 0)];
    check.take(A, &ipfix(0, 1, |encoder| _ = encoder.template(256, &empty)));
    assert_eq!(check.take(A, &ipfix(0, 1, |encoder| _ = encoder.record(256, &[1; 1000]))), 0);
    assert_eq!(check.intake.ledger().map(|exporter| exporter.templates()).sum::<usize>(), 0);
}

#[test]
fn counts_of_32_bits_that_allocate() {
    let mut check = Check::new();
    let mut bytes = Vec::new();
    let agent = Some("192.0.2.1".parse().unwrap());
    sflow::Encoder::new(&mut bytes, &DatagramHeader { agent, ..Default::default() });
    let count = bytes.len() - 4;
    bytes[count..].copy_from_slice(&u32::MAX.to_be_bytes());
    check.take(A, &bytes);
    assert_eq!(check.intake.totals().datagrams.received, 1);
}

#[test]
fn a_template_replaced_while_in_use() {
    let mut check = Check::new();
    let wide = [FieldSpecifier::new(8, 4), FieldSpecifier::new(1, 8)];
    let mixed = ipfix(0, 1, |encoder| {
        encoder.template(256, &BYTES_4).record(256, &[0, 0, 0, 1]).record(256, &[0, 0, 0, 2]);
        encoder.template(256, &wide).record(256, &[10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3]);
        encoder.withdraw_template(256).record(256, &[0, 0, 0, 4]);
    });
    assert_eq!(check.take(A, &mixed), 3, "each set is read by the template of its moment");
    assert_eq!(check.intake.totals().sets.waiting, 1, "what comes after the withdrawal waits");
}

#[test]
fn template_keys_too_coarse() {
    let mut check = Check::new();
    let ports = [FieldSpecifier::new(7, 2), FieldSpecifier::new(1, 2)];
    check.take(A, &ipfix(0, 1, |encoder| _ = encoder.template(256, &BYTES_4)));
    check.take(B, &ipfix(0, 1, |encoder| _ = encoder.template(256, &ports)));
    check.take(A, &ipfix(0, 2, |encoder| _ = encoder.template(256, &ports)));
    let data = ipfix(0, 1, |encoder| _ = encoder.record(256, &[0, 1, 0, 2]));
    assert_eq!((check.take(A, &data), check.take(B, &data)), (1, 1));
    let bytes = check.tables.flows.finish();
    let bytes = bytes.column_by_name("bytes").unwrap();
    let bytes: Vec<_> = arrow::array::AsArray::as_primitive::<arrow::datatypes::UInt64Type>(bytes).iter().collect();
    assert_eq!(bytes, [Some(0x0001_0002), Some(2)], "each exporter's own template was used");

    let mut v9 = Vec::new();
    let mut encoder = Encoder::v9(&mut v9, &v9::Header { source_id: 1.into(), ..Default::default() });
    encoder.record(256, &[0, 1, 0, 2]);
    encoder.finish().unwrap();
    assert_eq!(check.take(A, &v9), 0, "an IPFIX template is none of NetFlow v9's");
    assert_eq!(check.intake.totals().sets.waiting, 1);
}

#[test]
fn inner_headers_parsed_with_less_care() {
    let ethernet = |etype: u16, rest: &[u8]| {
        let mut header = vec![2; 12];
        header.extend(etype.to_be_bytes());
        header.extend_from_slice(rest);
        header
    };
    let mut headers = vec![
        ethernet(0x0800, &[0x40, 0, 0xFF, 0xFF]),
        ethernet(0x0800, &[0x4F; 20]),
        ethernet(0x86DD, &[0x60; 40]),
        ethernet(0x86DD, &[&[0x60, 0, 0, 0, 0xFF, 0xFF, 0, 64][..], &[0; 500]].concat()),
        ethernet(0x8847, &[0; 400]),
        [&[2; 12][..], &[0x81, 0, 0, 1].repeat(100)].concat(),
    ];
    headers.extend((0..60).map(|length| vec![0x45; length]));
    for (sequence, header) in (1..).zip(&headers) {
        let mut check = Check::new();
        let mut bytes = Vec::new();
        let agent = Some("192.0.2.1".parse().unwrap());
        let header_of = DatagramHeader { agent, sequence_number: sequence, ..Default::default() };
        let mut encoder = sflow::Encoder::new(&mut bytes, &header_of);
        for protocol in [HeaderProtocol::ETHERNET, HeaderProtocol::IPV4, HeaderProtocol::IPV6, HeaderProtocol::MPLS] {
            let sampled = SampledHeader { protocol, frame_length: u32::MAX, stripped: u32::MAX, header };
            encoder.flow_sample(&FlowHeader::default()).record(&FlowRecord::SampledHeader(sampled));
        }
        assert_eq!(check.take(A, &bytes), 4, "a sample is a row, however little its header says: {header:02x?}");
    }
}
