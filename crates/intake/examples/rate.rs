//! How many flows a second one thread turns from datagrams into columns: decoding alone, without sockets or disks.
//!
//! `cargo run -p finderscope-intake --example rate [seconds] [name]`. Datagrams are made in memory by the wire encoders, thirty
//! flows each, and every tenth of NetFlow v9 and IPFIX repeats its template. Batches are closed and thrown away. Where
//! the system tells it, the time is the processor's, so that other work on the machine does not count.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example for the terminal")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use finderscope_flow::Tables;
use finderscope_intake::{Config, Intake, Quiet};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::ipfix::{self, Encoder, FieldSpecifier};
use finderscope_wire::netflow::{v5, v9};
use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport};
use finderscope_wire::sflow::{self, DatagramHeader, FlowHeader, FlowRecord, SampledHeader};

const FLOWS: usize = 30;
const DATAGRAMS: usize = 4_096;
const SECONDS: u32 = 1_767_225_600;
const UPTIME_MS: u32 = 100_000_000;

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let time = Duration::from_secs_f64(seconds);
    let only = std::env::args().nth(2).unwrap_or_default();
    for (name, datagrams, flows) in [
        ("netflow v5", (0..DATAGRAMS).map(netflow5).collect::<Vec<_>>(), FLOWS),
        ("netflow v9, 18 fields", (0..DATAGRAMS).map(netflow9).collect(), FLOWS),
        ("ipfix, 18 fields", (0..DATAGRAMS).map(ipfix).collect(), FLOWS),
        ("ipfix, 8 fields", (0..DATAGRAMS).map(narrow).collect(), FLOWS),
        ("sflow, 8 samples", (0..DATAGRAMS).map(sflow).collect(), 8),
    ] {
        if name.contains(&only) {
            measure(name, &datagrams, flows, time);
        }
    }
}

fn measure(name: &str, datagrams: &[Vec<u8>], flows: usize, time: Duration) {
    let mut intake = Intake::new(Config::default());
    let mut tables = Tables::default();
    let listener = Listener { scheme: Scheme::Udp, address: SocketAddr::from(([0, 0, 0, 0], 2055)) };
    let source = SocketAddr::from(([10, 0, 0, 1], 50_000));
    let rows_max: usize = std::env::var("ROWS").ok().and_then(|t| t.parse().ok()).unwrap_or(65536);
    let (mut sequence, mut closed) = (0_u64, 0_usize);
    let (start, start_cpu) = (Instant::now(), cpu_seconds());
    while start.elapsed() < time {
        for bytes in datagrams {
            sequence += 1;
            let received_ns = i64::from(SECONDS) * 1_000_000_000 + 500_000_000;
            intake.handle(
                &Delivery { sequence, received_ns, source, listener, identity: None, bytes },
                &mut tables,
                &mut Quiet,
            );
            if tables.flows.rows() >= rows_max {
                let batch = tables.flows.finish();
                closed += batch.num_rows();
                tables.flows.recycle(batch);
                intake.cut();
            }
        }
    }
    let cpu = start_cpu.zip(cpu_seconds()).map(|(start, end)| end - start);
    let elapsed = cpu.unwrap_or_else(|| start.elapsed().as_secs_f64());
    let books = intake.totals();
    let rows = closed + tables.flows.rows();
    assert_eq!(books.records.received as usize, rows);
    assert_eq!(books.datagrams.duplicate, 0, "the window is smaller than the round");
    assert_eq!(books.datagrams.received as usize * flows, rows);
    println!(
        "{name:24} {:6.2} M flows/s  {:6.1} ns/flow  {:5.2} M datagrams/s",
        rows as f64 / elapsed / 1e6,
        elapsed * 1e9 / rows as f64,
        sequence as f64 / elapsed / 1e6
    );
}

/// Time that this process has run, from Linux's scheduler.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let ran_ns: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(ran_ns / 1e9)
}

/// A number that looks random, of a flow's place.
const fn scramble(datagram: usize, flow: usize) -> u64 {
    let mut word = (datagram * FLOWS + flow) as u64 + 1;
    word = (word ^ (word >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    word ^ (word >> 29)
}

fn netflow5(number: usize) -> Vec<u8> {
    let records: Vec<v5::Record> = (0..FLOWS)
        .map(|flow| {
            let random = scramble(number, flow);
            v5::Record {
                source: (random as u32).to_be_bytes(),
                destination: ((random >> 32) as u32).to_be_bytes(),
                next_hop: [10, 0, 0, 254],
                packets: (random as u32 & 0xff).into(),
                octets: (random as u32 & 0xffff).into(),
                first_ms: (UPTIME_MS - 5_000).into(),
                last_ms: (UPTIME_MS - 1_000).into(),
                source_port: (random as u16).into(),
                destination_port: 443.into(),
                protocol: 6,
                ..Default::default()
            }
        })
        .collect();
    let header = v5::Header {
        uptime_ms: UPTIME_MS.into(),
        unix_seconds: SECONDS.into(),
        flow_sequence: ((number * FLOWS) as u32).into(),
        ..Default::default()
    };
    let mut bytes = Vec::new();
    v5::encode(&header, &records, &mut bytes).unwrap();
    bytes
}

/// What Cisco's and most others' templates have: as NetFlow v5, and a direction.
const FIELDS: [FieldSpecifier; 18] = [
    FieldSpecifier::new(8, 4),
    FieldSpecifier::new(12, 4),
    FieldSpecifier::new(15, 4),
    FieldSpecifier::new(10, 4),
    FieldSpecifier::new(14, 4),
    FieldSpecifier::new(2, 4),
    FieldSpecifier::new(1, 4),
    FieldSpecifier::new(22, 4),
    FieldSpecifier::new(21, 4),
    FieldSpecifier::new(7, 2),
    FieldSpecifier::new(11, 2),
    FieldSpecifier::new(6, 1),
    FieldSpecifier::new(4, 1),
    FieldSpecifier::new(5, 1),
    FieldSpecifier::new(61, 1),
    FieldSpecifier::new(16, 4),
    FieldSpecifier::new(17, 4),
    FieldSpecifier::new(9, 1),
];

const NARROW: [FieldSpecifier; 8] = [
    FieldSpecifier::new(8, 4),
    FieldSpecifier::new(12, 4),
    FieldSpecifier::new(7, 2),
    FieldSpecifier::new(11, 2),
    FieldSpecifier::new(4, 1),
    FieldSpecifier::new(2, 8),
    FieldSpecifier::new(1, 8),
    FieldSpecifier::new(152, 8),
];

fn records(encoder: &mut Encoder<'_>, number: usize, fields: &[FieldSpecifier]) {
    if number.is_multiple_of(10) {
        encoder.template(256, fields);
    }
    for flow in 0..FLOWS {
        encoder.record_with(256, |writer| {
            let random = scramble(number, flow);
            for field in fields {
                let value = match field.element {
                    22 | 21 => u64::from(UPTIME_MS) - 2_000,
                    152 => u64::from(SECONDS) * 1000 - 5_000,
                    _ => random.rotate_left(u32::from(field.element)),
                };
                writer.bytes(&value.to_be_bytes()[8 - usize::from(field.length)..]);
            }
        });
    }
}

fn netflow9(number: usize) -> Vec<u8> {
    let header = v9::Header {
        uptime_ms: UPTIME_MS.into(),
        unix_seconds: SECONDS.into(),
        sequence_number: (number as u32).into(),
        ..Default::default()
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::v9(&mut bytes, &header);
    records(&mut encoder, number, &FIELDS);
    encoder.finish().unwrap();
    bytes
}

fn ipfix(number: usize) -> Vec<u8> {
    ipfix_of(number, &FIELDS)
}

fn narrow(number: usize) -> Vec<u8> {
    ipfix_of(number, &NARROW)
}

fn ipfix_of(number: usize, fields: &[FieldSpecifier]) -> Vec<u8> {
    let header = ipfix::Header {
        export_time: SECONDS.into(),
        sequence_number: ((number * FLOWS) as u32).into(),
        ..Default::default()
    };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::ipfix(&mut bytes, &header);
    records(&mut encoder, number, fields);
    encoder.finish().unwrap();
    bytes
}

fn sflow(number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = DatagramHeader { sequence_number: number as u32, uptime_ms: UPTIME_MS, ..Default::default() };
    let mut datagram = sflow::Encoder::new(&mut bytes, &header);
    for flow in 0..8 {
        let random = scramble(number, flow);
        let mut packet = Vec::new();
        let frame = Frame {
            src_mac: [2, 0, 0, 0, 0, 1],
            dst_mac: [2, 0, 0, 0, 0, 2],
            vlans: &[],
            src_addr: Address::V4((random as u32).to_be_bytes()),
            dst_addr: Address::V4(((random >> 32) as u32).to_be_bytes()),
            tos: 0,
            ttl: 64,
            label: 0,
            transport: Transport::Tcp { src_port: random as u16, dst_port: 443, sequence: 1, flags: 0x10 },
            payload_length: 1000,
        };
        frame.encode(&mut packet);
        packet.resize(packet.len() + 64, 0);
        let sequence_number = (number * 8 + flow) as u32;
        let mut sample =
            datagram.flow_sample(&FlowHeader { sequence_number, sampling_rate: 1000, ..Default::default() });
        sample.record(&FlowRecord::SampledHeader(SampledHeader {
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 1058,
            stripped: 4,
            header: &packet,
        }));
    }
    bytes
}
