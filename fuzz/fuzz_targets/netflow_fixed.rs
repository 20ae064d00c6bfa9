//! NetFlow versions 1, 6, 7 and 8: what is read fits into what was given, and what is sound is read again as it was.

#![no_main]

use finderscope_wire::netflow::fixed::{Field, Message, encode};
use finderscope_wire::netflow::flow_times_ns;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let Ok(message) = Message::read(datagram) else { return };
    let header = message.header();
    let records: Vec<_> = message.records().collect();
    for record in &records {
        let (first, last) = (record.get(Field::First), record.get(Field::Last));
        let _ = flow_times_ns(header.export_ns(), header.uptime_ms, first, last);
    }
    let body = message.body();
    assert_eq!(body.offset() + body.len() + message.excess().len(), datagram.len());
    let Some(layout) = message.layout() else { return };
    assert_eq!(body.len(), records.len() * layout.record_length());
    let mut out = Vec::new();
    encode(layout, header, &records, &mut out).expect("no more records than were counted");
    let again = Message::read(&out).expect("it was just written");
    assert_eq!((again.header(), again.problem()), (header, None));
    assert!(again.records().eq(records));
});
