//! sflowtool's forms of any datagram: JSON is JSON on one line, lines have their columns, and every line of text is a
//! name and a value without control characters.

#![no_main]

use finderscope_packets::sflowtool::netflow::{NetFlow, Version};
use finderscope_packets::sflowtool::{Fields, Form, Received, Sampled, pcap, samples};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let json = write(Form::Json { indented: false }, bytes);
    assert_eq!(json.matches('\n').count(), 1);
    serde_json::from_str::<serde_json::Value>(&json).expect("JSON, whatever comes");
    for line in write(Form::Line, bytes).lines() {
        assert_eq!(line.split(',').count(), if line.starts_with("FLOW,") { 20 } else { 21 });
    }
    for line in write(Form::Text, bytes).lines() {
        assert!(line.split_once(' ').is_some_and(|(name, _)| !name.is_empty()));
        assert!(!line.contains(char::is_control));
    }
    write(Form::Grep(Vec::new()), bytes);
    write(Form::Log, bytes);
    write(Form::Fields(Fields::new("srcIP,ifIndex,discarded_srcIP").expect("there are fields")), bytes);
    let mut out = Vec::new();
    let mut netflow = [NetFlow::new(Version::V5, false, true), NetFlow::new(Version::V9, true, false)];
    samples(bytes, None, |_, sample| {
        if let Sampled::Flow(seen) | Sampled::Discarded(seen) = sample {
            for netflow in &mut netflow {
                netflow.write(seen, 0, 0, &mut out).expect("nothing is refused");
            }
            pcap::write_packet(&mut out, 0, seen, true);
        }
    });
});

fn write(mut form: Form, bytes: &[u8]) -> String {
    let mut out = Vec::new();
    let source = [192, 0, 2, 1].into();
    let (local_time, log_time) = ("2025-03-01T12:00:00+0000", "01/Mar/2025:12:00:00 +0000");
    let received = Received { bytes, source, received_ns: 0, from_file: false, local_time, log_time };
    form.write(&received, None, &mut out);
    String::from_utf8(out).expect("text")
}
