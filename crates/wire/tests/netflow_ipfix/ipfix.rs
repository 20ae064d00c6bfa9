//! Messages of IPFIX: lengths, and several in one datagram.

use finderscope_wire::ipfix::{
    Dialect, Encoder, Extent, FieldSpecifier, Header, Message, SetKind, TemplateKind, messages, stream_message_length,
};

use crate::decoded::decode;

fn message(domain: u32, records: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header { export_time: 7.into(), observation_domain_id: domain.into(), ..Header::default() };
    let mut encoder = Encoder::ipfix(&mut out, &header);
    encoder.template(256, &[FieldSpecifier::new(8, 4)]);
    for _ in 0..records {
        encoder.record(256, &[10, 0, 0, 1]);
    }
    encoder.finish().unwrap();
    out
}

#[test]
fn reads_the_header() {
    let bytes = message(3, 1);
    let (message, rest) = Message::read(&bytes).unwrap();
    let header = message.header();
    assert_eq!((header.version.get(), usize::from(header.length.get())), (10, bytes.len()));
    assert_eq!((header.export_ns(), header.observation_domain_id.get()), (7_000_000_000, 3));
    assert_eq!((message.extent(), message.offset(), rest.len()), (Extent::Whole, 0, 0));
}

#[test]
fn set_ids_mean_what_rfc_7011_says() {
    let kind = |id| Dialect::Ipfix.set_kind(id);
    assert_eq!(kind(2), SetKind::Templates(TemplateKind::Data));
    assert_eq!(kind(3), SetKind::Templates(TemplateKind::Options));
    assert_eq!((kind(0), kind(255), kind(256)), (SetKind::Reserved(0), SetKind::Reserved(255), SetKind::Data(256)));
}

#[test]
fn several_messages_in_one_datagram_are_all_read() {
    let bytes = [message(1, 1), message(2, 2), message(3, 0)].concat();
    let found: Vec<_> = messages(&bytes).map(Result::unwrap).collect();
    let domains: Vec<_> = found.iter().map(|message| message.header().observation_domain_id.get()).collect();
    assert_eq!(domains, [1, 2, 3]);
    assert_eq!(found[1].offset(), message(1, 1).len());
    // Offsets count from the start of the datagram, not of the message.
    assert_eq!(found[1].sets().next().unwrap().unwrap().offset, message(1, 1).len() + 16);
}

#[test]
fn a_message_longer_than_its_datagram_gives_what_is_there() {
    let mut bytes = message(1, 3);
    bytes.truncate(bytes.len() - 2);
    let decoded = decode(&bytes);
    assert_eq!((decoded.templates.len(), decoded.records.len()), (1, 2));
    let problems: Vec<_> = decoded.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "message.length: length 44 is over its maximum of 42 at byte 2",
            "set.length: length 16 is over its maximum of 14 at byte 30",
        ]
    );
}

#[test]
fn a_message_shorter_than_its_datagram_is_followed_by_an_error() {
    let bytes = [message(1, 1), vec![0xff; 5]].concat();
    let found: Vec<_> = messages(&bytes).collect();
    assert_eq!(found.len(), 2);
    assert!(found[0].is_ok());
    assert_eq!(found[1].as_ref().unwrap_err().reason(), "truncated");
}

#[test]
fn a_set_never_reaches_into_the_next_message() {
    let mut first = message(1, 1);
    let at = first.len() - 5;
    first[at] += 16;
    let bytes = [first, message(2, 1)].concat();
    let set = messages(&bytes).next().unwrap().unwrap().sets().last().unwrap().unwrap();
    assert!(matches!(set.extent, Extent::Cut(_)));
    assert_eq!(set.body.rest(), [10, 0, 0, 1]);
    assert_eq!(messages(&bytes).filter(Result::is_ok).count(), 2);
}

#[test]
fn a_length_under_the_headers_own_is_refused() {
    for length in 0..16 {
        let mut bytes = message(1, 1);
        bytes[2..4].copy_from_slice(&[0, length]);
        let error = Message::read(&bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("message.length: length {length} is under its minimum of 16 at byte 2"));
    }
}

#[test]
fn an_empty_datagram_is_no_message() {
    let found: Vec<_> = messages(&[]).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].as_ref().unwrap_err().reason(), "truncated");
}

#[test]
fn a_stream_says_how_long_its_next_message_is() {
    let bytes = message(1, 1);
    for there in 0..4 {
        assert_eq!(stream_message_length(&bytes[..there]), Ok(None));
    }
    assert_eq!(stream_message_length(&bytes[..4]), Ok(Some(bytes.len())));
    assert_eq!(stream_message_length(&[0, 9, 0, 20]).unwrap_err().reason(), "version");
    assert_eq!(stream_message_length(&[0, 10, 0, 15]).unwrap_err().reason(), "too_short");
}
