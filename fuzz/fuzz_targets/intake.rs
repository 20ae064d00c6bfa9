//! Many datagrams into one intake: books must balance after each, and a saved state must be the same state.
//!
//! The input is a session: each datagram behind three bytes, its length (big-endian) and a byte of which the low two
//! bits are the exporter, bits 2 to 5 how many minutes later it came, bit 6 whether a cut and bit 7 whether a restart
//! comes before it.

#![no_main]

use std::net::SocketAddr;

use finderscope_flow::Tables;
use finderscope_intake::{Config, Intake, Limits, Quiet};
use finderscope_wire::Reader;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use libfuzzer_sys::fuzz_target;

const MINUTE_NS: i64 = 60_000_000_000;

fuzz_target!(|session: &[u8]| {
    let mut intake = Intake::new(config());
    let mut tables = Tables::default();
    let mut received_ns = 1_767_225_600_000_000_000;
    let listener = Listener { scheme: Scheme::Udp, address: SocketAddr::from(([0, 0, 0, 0], 2055)) };
    let (mut rest, mut sequence) = (Reader::new(session), 0);
    while let Ok(length) = rest.u16("length") {
        let Ok(how) = rest.u8("how") else { break };
        let bytes = rest.bytes("datagram", usize::from(length).min(rest.len())).expect("no more than there is");
        if how & 0x40 != 0 {
            intake.cut();
        }
        if how & 0x80 != 0 {
            let before = intake.totals();
            intake = Intake::restore(config(), &intake.state()).expect("its own state");
            assert_eq!(intake.totals().sets, before.sets);
            assert_eq!(intake.totals().records.received, before.records.received);
        }
        received_ns += i64::from(how >> 2 & 15) * MINUTE_NS;
        sequence += 1;
        let source = SocketAddr::from(([10, 0, 0, how & 3], 2055));
        intake.handle(
            &Delivery { sequence, received_ns, source, listener, identity: None, bytes },
            &mut tables,
            &mut Quiet,
        );
        intake.check_balances().expect("books balance");
        for builder in tables.all().into_iter().filter(|builder| !builder.is_empty()) {
            builder.finish();
        }
    }
});

/// Limits that a short session reaches.
fn config() -> Config {
    let limits = Limits {
        exporters: 3,
        domains_per_exporter: 3,
        templates_per_exporter: 8,
        fields_per_template: 64,
        template_fields_per_exporter: 256,
        template_fields: 512,
        samplers_per_exporter: 4,
        sources_per_exporter: 4,
        duplicate_window: 8,
        waiting_bytes_per_exporter: 4_096,
        waiting_bytes: 8_192,
        ..Limits::default()
    };
    Config { limits, template_timeout_ns: Some(60 * MINUTE_NS), ..Config::default() }
}
