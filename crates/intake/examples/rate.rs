//! How many flows a second one thread turns from datagrams into columns: decoding alone, without sockets or disks.
//!
//! `cargo run --release -p finderscope-intake --example rate [seconds] [name]`. Datagrams are made in memory by the wire
//! encoders, thirty flows each, and every tenth of NetFlow v9 and IPFIX repeats its template. Batches are closed, and their
//! memory is filled again, as a server's are when they are written down. Where the system tells it, the time is the
//! processor's, so that other work on the machine does not count.
//!
//! Beside it stands what share of the memory's speed that is: bytes read from datagrams and written into columns (not those
//! of columns that are null, or one value), against what a plain copy of large buffers reads and writes.
//!
//! The name `exporters` asks what it costs that there are many: NetFlow v9 of 8 and of 10,000 exporters in turn, twenty
//! templates each, and how much memory the decoder's state takes.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example for the terminal")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use finderscope_flow::Tables;
use finderscope_intake::{Config, Intake, Quiet};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};
use finderscope_wire::ipfix::{self, Encoder, FieldSpecifier};
use finderscope_wire::netflow::{v5, v9};
use finderscope_wire::packet::{Address, Frame, HeaderProtocol, Transport};
use finderscope_wire::sflow::{
    self, DataSource, DatagramHeader, ExtendedRouter, ExtendedSwitch, FlowHeader, FlowRecord, Interface, SampledHeader,
};

const FLOWS: usize = 30;
const DATAGRAMS: usize = 4_096;
const SECONDS: u32 = 1_767_225_600;
const UPTIME_MS: u32 = 100_000_000;

/// A name, what makes a datagram of a number, and how many flows are in one.
type Case = (&'static str, fn(usize) -> Vec<u8>, usize);

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3.0);
    let time = Duration::from_secs_f64(seconds);
    let only = std::env::args().nth(2).unwrap_or_default();
    if only == "exporters" {
        return exporters(time);
    }
    let copied = if time.is_zero() { f64::NAN } else { copied_per_second() };
    println!("a copy of large buffers reads and writes {:.1} GB/s", copied / 1e9);
    let cases: [Case; 6] = [
        ("netflow v5", netflow5, FLOWS),
        ("netflow v9, 18 fields", netflow9, FLOWS),
        ("ipfix, 18 fields", ipfix, FLOWS),
        ("ipfix, 8 fields", narrow, FLOWS),
        ("sflow, 8 samples", sflow, 8),
        ("sflow, 5 mixed samples", mixed, 5),
    ];
    for (name, make, flows) in cases {
        if name.contains(&only) {
            measure(name, &(0..DATAGRAMS).map(make).collect::<Vec<_>>(), flows, time, copied);
        }
    }
}

fn measure(name: &str, datagrams: &[Vec<u8>], flows: usize, time: Duration, copied: f64) {
    let mut intake = Intake::new(Config::default());
    let mut tables = Tables::default();
    let listener = Listener { scheme: Scheme::Udp, address: SocketAddr::from(([0, 0, 0, 0], 2055)) };
    let source = SocketAddr::from(([10, 0, 0, 1], 50_000));
    let (mut sequence, mut closed, mut row_bytes) = (0_u64, 0_usize, 0.0);
    let (start, start_cpu) = (Instant::now(), cpu_seconds());
    while start.elapsed() < time {
        for (at, bytes) in (1..).zip(datagrams) {
            sequence += 1;
            let received_ns = i64::from(SECONDS) * 1_000_000_000 + 500_000_000;
            intake.gather(
                &Delivery { sequence, received_ns, source, listener, identity: None, bytes },
                &mut tables,
                &mut Quiet,
            );
            // As a server does, which takes so many datagrams from the system at once.
            if at % 64 == 0 || at == datagrams.len() {
                intake.settle(&mut tables);
            }
            if tables.flows.is_full() {
                let batch = tables.flows.finish();
                closed += batch.num_rows();
                if row_bytes == 0.0 {
                    row_bytes = written(&batch) as f64 / batch.num_rows() as f64;
                }
                tables.flows.recycle(batch);
                intake.settle(&mut tables);
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
    let read: usize = datagrams.iter().map(Vec::len).sum();
    let moved = rows as f64 * row_bytes + sequence as f64 * read as f64 / datagrams.len() as f64;
    println!(
        "{name:24} {:6.2} M flows/s  {:6.1} ns/flow  {:5.2} M datagrams/s  {row_bytes:4.0} bytes/row written  {:4.1} GB/s moved, {:2.0} % of a copy's",
        rows as f64 / elapsed / 1e6,
        elapsed * 1e9 / rows as f64,
        sequence as f64 / elapsed / 1e6,
        moved / elapsed / 1e9,
        moved / elapsed / copied * 100.0,
    );
}

/// Bytes of cells in columns that are neither null nor one value.
fn written(batch: &RecordBatch) -> usize {
    let rows = batch.num_rows();
    let is_same = |array: &dyn Array| *array.slice(0, rows - 1) == *array.slice(1, rows - 1);
    let columns = batch.columns().iter().filter(|array| array.null_count() < rows && !is_same(array));
    let bytes = |array: &dyn Array| match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().values().len(),
        DataType::Dictionary(keys, _) => rows * keys.primitive_width().unwrap_or(0),
        other => rows * other.primitive_width().unwrap_or(0),
    };
    columns.map(|array| bytes(array)).sum()
}

/// Bytes that a copy of large buffers reads and writes in a second of the processor's; the best of some.
fn copied_per_second() -> f64 {
    const BYTES: usize = 64 << 20;
    let (from, mut to) = (vec![1_u8; BYTES], vec![2_u8; BYTES]);
    let once = |_| {
        let (start, start_cpu) = (Instant::now(), cpu_seconds());
        std::hint::black_box(&mut to).copy_from_slice(std::hint::black_box(&from));
        let cpu = start_cpu.zip(cpu_seconds()).map(|(start, end)| end - start);
        2.0 * BYTES as f64 / cpu.unwrap_or_else(|| start.elapsed().as_secs_f64())
    };
    (0..8).map(once).fold(0.0, f64::max)
}

/// Templates of each exporter.
const TEMPLATES: usize = 20;

fn exporters(time: Duration) {
    // The columns' memory is no state: it is there before any is measured.
    let mut tables = Tables::default();
    of_exporters(8, Duration::ZERO, &mut tables);
    for count in [8, 10_000] {
        println!("{}", of_exporters(count, time, &mut tables));
    }
}

/// Every exporter sends its templates, so many empty datagrams that its window of duplicates is full, and then flows of one
/// template after the other.
fn of_exporters(count: usize, time: Duration, tables: &mut Tables) -> String {
    let before = resident_bytes();
    let mut intake = Intake::new(Config::default());
    let mut sender = Sender { sequence: 0, flows: 0 };
    let mut templates = datagram(|encoder| {
        for number in 0..TEMPLATES {
            encoder.template(256 + number as u16, &turned(number));
        }
    });
    sender.round(count, &mut templates, &mut intake, tables);
    let mut empty = datagram(|_| {});
    for _ in 0..1_024 {
        sender.round(count, &mut empty, &mut intake, tables);
    }
    let mut data: Vec<Vec<u8>> = (0..TEMPLATES)
        .map(|number| {
            datagram(|encoder| {
                encoder.template(256 + number as u16, &turned(number));
                (0..FLOWS).for_each(|flow| record(encoder, 256 + number as u16, number, flow, &turned(number)));
            })
        })
        .collect();
    for bytes in &mut data {
        // Only those that begin the round have the template: that is learned above.
        bytes.drain(20..20 + 8 + 4 * FIELDS.len());
        sender.round(count, bytes, &mut intake, tables);
    }
    let (flows, start, start_cpu) = (sender.flows, Instant::now(), cpu_seconds());
    while start.elapsed() < time {
        for bytes in &mut data {
            sender.round(count, bytes, &mut intake, tables);
        }
    }
    let cpu = start_cpu.zip(cpu_seconds()).map(|(start, end)| end - start);
    let elapsed = cpu.unwrap_or_else(|| start.elapsed().as_secs_f64());
    let grown = resident_bytes().saturating_sub(before);
    assert_eq!(intake.totals().sets.waiting, 0);
    assert_eq!(intake.totals().records.received as usize, sender.flows);
    format!(
        "{count:6} exporters  {:6.1} ns/flow  {:6.1} MB of state, {:6.0} bytes each  {:5.1} MB when saved",
        elapsed * 1e9 / (sender.flows - flows) as f64,
        grown as f64 / 1e6,
        grown as f64 / count as f64,
        intake.state().len() as f64 / 1e6,
    )
}

/// Exporters that all send the same, each in its turn.
struct Sender {
    sequence: u32,
    flows: usize,
}

impl Sender {
    fn round(&mut self, exporters: usize, bytes: &mut [u8], intake: &mut Intake, tables: &mut Tables) {
        let listener = Listener { scheme: Scheme::Udp, address: SocketAddr::from(([0, 0, 0, 0], 2055)) };
        bytes[12..16].copy_from_slice(&self.sequence.to_be_bytes());
        self.sequence += 1;
        let address = |number: usize| Ipv4Addr::from(0x0A00_0000 + number as u32);
        for number in 0..exporters {
            if number % 64 == 0 {
                // As a server does, which takes so many datagrams from the system at once.
                let next = number..exporters.min(number + 64);
                intake.foresee(next.map(|number| (address(number).into(), &*bytes)));
            }
            let before = tables.flows.rows();
            let source = SocketAddr::from((address(number), 50_000));
            let received_ns = i64::from(SECONDS) * 1_000_000_000 + 500_000_000;
            let delivery = Delivery { sequence: 0, received_ns, source, listener, identity: None, bytes };
            intake.handle(&delivery, tables, &mut Quiet);
            self.flows += tables.flows.rows() - before;
            if tables.flows.is_full() {
                let batch = tables.flows.finish();
                tables.flows.recycle(batch);
            }
        }
    }
}

fn datagram(fill: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let header = v9::Header { uptime_ms: UPTIME_MS.into(), unix_seconds: SECONDS.into(), ..Default::default() };
    let mut bytes = Vec::new();
    let mut encoder = Encoder::v9(&mut bytes, &header);
    fill(&mut encoder);
    encoder.finish().unwrap();
    bytes
}

/// The usual fields in another order.
fn turned(number: usize) -> [FieldSpecifier; FIELDS.len()] {
    let mut fields = FIELDS;
    fields.rotate_left(number % FIELDS.len());
    if number >= FIELDS.len() {
        fields.reverse();
    }
    fields
}

/// Memory of this process that is there, from Linux.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = text.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4_096
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
                first_ms: (UPTIME_MS - 5_000 - random as u32 % 4_096).into(),
                last_ms: (UPTIME_MS - 1_000 - random as u32 % 2_048).into(),
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
    (0..FLOWS).for_each(|flow| record(encoder, 256, number, flow, fields));
}

fn record(encoder: &mut Encoder<'_>, template: u16, number: usize, flow: usize, fields: &[FieldSpecifier]) {
    encoder.record_with(template, |writer| {
        let random = scramble(number, flow);
        for field in fields {
            let value = match field.element {
                22 => u64::from(UPTIME_MS) - 5_000 - random % 4_096,
                21 => u64::from(UPTIME_MS) - 1_000 - random % 2_048,
                152 => u64::from(SECONDS) * 1000 - 5_000,
                _ => random.rotate_left(u32::from(field.element)),
            };
            writer.bytes(&value.to_be_bytes()[8 - usize::from(field.length)..]);
        }
    });
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

/// Eight packets of TCP over IPv4 that take one way.
fn sflow(number: usize) -> Vec<u8> {
    samples(number, 8, |random| {
        let source = Address::V4((random as u32).to_be_bytes());
        let destination = Address::V4(((random >> 32) as u32).to_be_bytes());
        let tcp = Transport::Tcp { src_port: random as u16, dst_port: 443, sequence: 1, flags: 0x10 };
        (source, destination, tcp, [3, 4])
    })
}

/// Five packets as they come: one in five over IPv6, one in five UDP, some ICMP, between 48 interfaces.
fn mixed(number: usize) -> Vec<u8> {
    samples(number, 5, |random| {
        let address = |at: u32| match random % 5 {
            0 => Address::V6([(random >> at) as u8; 16]),
            _ => Address::V4(((random >> at) as u32).to_be_bytes()),
        };
        let (src_port, dst_port) = (random as u16, 53 + (random >> 20) as u16 % 2_000);
        let transport = match (random >> 8) % 50 {
            0..10 => Transport::Udp { src_port, dst_port: 53 },
            10 => Transport::Icmp { kind: 8, code: 0 },
            _ => Transport::Tcp { src_port, dst_port, sequence: random as u32, flags: 0x18 },
        };
        let interface = |at: u32| 1 + (random >> at) as u32 % 48;
        (address(0), address(32), transport, [interface(16), interface(40)])
    })
}

/// A datagram of samples of packets, each with what a switch and a router know.
fn samples(number: usize, count: usize, packet: impl Fn(u64) -> (Address, Address, Transport, [u32; 2])) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = DatagramHeader { sequence_number: number as u32, uptime_ms: UPTIME_MS, ..Default::default() };
    let mut datagram = sflow::Encoder::new(&mut bytes, &header);
    for flow in 0..count {
        let random = scramble(number, flow);
        let (src_addr, dst_addr, transport, [input, output]) = packet(random);
        let mut header = Vec::new();
        let frame = Frame {
            src_mac: [2, 0, 0, 0, 0, input as u8],
            dst_mac: [2, 0, 0, 1, 0, output as u8],
            vlans: &[],
            src_addr,
            dst_addr,
            tos: 0,
            ttl: 64,
            label: 0,
            transport,
            payload_length: 1000,
        };
        frame.encode(&mut header);
        header.resize(128, 0);
        let sequence_number = (number * count + flow) as u32;
        let mut sample = datagram.flow_sample(&FlowHeader {
            sequence_number,
            source: DataSource { class: 0, index: input },
            sampling_rate: 1000,
            input: Interface::index(input),
            output: Interface::index(output),
            ..Default::default()
        });
        sample.record(&FlowRecord::SampledHeader(SampledHeader {
            protocol: HeaderProtocol::ETHERNET,
            frame_length: 1058,
            stripped: 4,
            header: &header,
        }));
        sample.record(&FlowRecord::ExtendedSwitch(ExtendedSwitch {
            src_vlan: 10,
            src_priority: 0,
            dst_vlan: 20,
            dst_priority: 0,
        }));
        sample.record(&FlowRecord::ExtendedRouter(ExtendedRouter {
            nexthop: Some([10, 0, 0, 254].into()),
            src_mask_len: 24,
            dst_mask_len: 16,
        }));
    }
    bytes
}
