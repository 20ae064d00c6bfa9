//! XDR padding as agents really send it: counted or not, there or not.
#![allow(clippy::unwrap_used, reason = "a test whose own datagram cannot be read has failed")]

use finderscope_wire::WireError;
use finderscope_wire::sflow::{Datagram, FlowRecord, Sample, Value};

const FLOW: [u32; 7] = [1, 7, 1000, 0, 0, 1, 2];

/// One record of a sample: its format, what its length says, and its bytes as they follow.
type Record<'a> = (u32, u32, &'a [u8]);

/// A datagram with one sample (1 flow, 2 counters) of these records, and a second sample, of counters, behind it.
fn datagram(kind: u32, records: &[Record<'_>]) -> Vec<u8> {
    let mut body: Vec<u8> =
        if kind == 1 { &FLOW[..] } else { &FLOW[..2] }.iter().flat_map(|it| it.to_be_bytes()).collect();
    body.extend((records.len() as u32).to_be_bytes());
    for (format, length, bytes) in records {
        body.extend(format.to_be_bytes().into_iter().chain(length.to_be_bytes()).chain(bytes.iter().copied()));
    }
    let mut out: Vec<u8> = [5, 1, 0x0A00_0001, 0, 1, 2, 2, kind].iter().flat_map(|it: &u32| it.to_be_bytes()).collect();
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(body);
    out.extend([2, 12, 2, 8, 0].iter().flat_map(|it: &u32| it.to_be_bytes()));
    out
}

fn flow_records(bytes: &[u8]) -> Vec<Result<FlowRecord<'_>, WireError>> {
    let samples: Vec<_> = Datagram::read(bytes).unwrap().samples().collect();
    let [Ok(Sample::Flow(flow)), Ok(Sample::Counters(next))] = samples[..] else { panic!("{samples:?}") };
    assert_eq!(next.source.index, 8, "the sample behind is found");
    flow.records().collect()
}

/// Texts and numbers of a record that has no type of its own.
fn texts(record: &Result<FlowRecord<'_>, WireError>) -> Vec<String> {
    let Ok(FlowRecord::Other(block)) = record else { panic!("{record:?}") };
    let text = |value: Value<'_>| value.bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    block.fields().map(|(_, value)| text(value).unwrap_or_else(|| format!("{value:?}"))).collect()
}

const HEADER: &[u8] = b"\0\0\0\x01\0\0\0\x40\0\0\0\x04\0\0\0\x05hello";
const QUEUE: Record<'_> = (1036, 4, &[0, 0, 0, 5]);

#[test]
fn a_header_of_an_odd_length_is_read_however_it_is_padded() {
    let padded: Vec<u8> = [HEADER, &[0, 0, 0]].concat();
    for first in [(1, 24, &padded[..]), (1, 21, &padded[..]), (1, 21, HEADER)] {
        let bytes = datagram(1, &[first, QUEUE]);
        let records = flow_records(&bytes);
        let [Ok(FlowRecord::SampledHeader(header)), Ok(FlowRecord::EgressQueue(5))] = records[..] else {
            panic!("{first:?}: {records:?}")
        };
        assert_eq!((header.frame_length, header.header), (64, &b"hello"[..]));
    }
}

#[test]
fn the_last_record_needs_no_padding() {
    let bytes = datagram(1, &[QUEUE, (1, 21, HEADER)]);
    assert!(matches!(flow_records(&bytes)[..], [Ok(_), Ok(FlowRecord::SampledHeader(_))]));
}

#[test]
fn users_and_urls_are_read_without_padding_inside() {
    let user = b"\0\0\0\x6a\0\0\0\x05alice\0\0\0\x03\0\0\0\x02bo";
    let url = b"\0\0\0\x01\0\0\0\x03/ix\0\0\0\x0bexample.org";
    let bytes = datagram(1, &[(1004, 23, user), (1005, 26, url), QUEUE]);
    let records = flow_records(&bytes);
    let [Ok(FlowRecord::ExtendedUser(user)), Ok(FlowRecord::ExtendedUrl(url)), Ok(FlowRecord::EgressQueue(5))] =
        records[..]
    else {
        panic!("{records:?}")
    };
    assert_eq!((user.src_charset, user.src_user, user.dst_charset, user.dst_user), (106, &b"alice"[..], 3, &b"bo"[..]));
    assert_eq!((url.direction, url.url, url.host), (1, &b"/ix"[..], &b"example.org"[..]));
}

#[test]
fn addresses_of_six_bytes_are_read() {
    let ethernet = [0, 0, 0, 64, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 8, 0];
    let bytes = datagram(1, &[(2, 20, &ethernet), QUEUE]);
    let records = flow_records(&bytes);
    let [Ok(FlowRecord::SampledEthernet(read)), Ok(_)] = records[..] else { panic!("{records:?}") };
    assert_eq!((read.length, read.src_mac, read.dst_mac), (64, [1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]));
    assert_eq!(read.etype, 0x0800);
}

#[test]
fn structures_of_the_list_are_read_without_padding_inside() {
    // hw_trap: two strings; function: one, whose record says its unpadded length.
    let bytes = datagram(1, &[(1041, 14, b"\0\0\0\x02l3\0\0\0\x04ttl0"), (1038, 7, b"\0\0\0\x03abc"), QUEUE]);
    let records = flow_records(&bytes);
    assert_eq!(records.len(), 3);
    assert_eq!((texts(&records[0]), texts(&records[1])), (vec!["l3".into(), "ttl0".into()], vec!["abc".into()]));
}

#[test]
fn what_fits_in_neither_way_is_an_error_of_its_record() {
    let bytes = datagram(1, &[(1041, 12, b"\0\0\0\x02l3\0\0\0\x04tt"), QUEUE]);
    assert!(matches!(flow_records(&bytes)[..], [Err(_), Ok(FlowRecord::EgressQueue(5))]));
}
