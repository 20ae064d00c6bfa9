//! NetFlow v5: what is read fits into what was given, and what is sound is written back as it came.

#![no_main]

use finderscope_wire::netflow::{flow_times_ns, v5};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    let Ok(message) = v5::Message::read(datagram) else { return };
    let header = message.header();
    assert!(header.sampling().rate() > 0);
    assert_eq!(header.sampling().to_word(), header.sampling.get());
    for record in message.records() {
        let _ = flow_times_ns(header.export_ns(), header.uptime_ms.get(), record.first_ms.get(), record.last_ms.get());
    }
    assert_eq!(24 + 48 * message.records().len() + message.excess().len(), datagram.len());
    if message.problem().is_none() {
        let mut out = Vec::new();
        v5::encode(header, message.records(), &mut out).expect("no more records than were counted");
        assert_eq!(out, datagram[..datagram.len() - message.excess().len()]);
    }
});
