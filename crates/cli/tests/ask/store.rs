//! A small store to be asked: eight flows of two exporters, in two hours and so in two parts.

use std::path::{Path, PathBuf};

use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_store::{Cut, Options, Snapshot, Store};

/// 2026-01-01 00:00 UTC.
pub(crate) const START_NS: i64 = 1_767_225_600_000_000_000;
pub(crate) const SECOND_NS: i64 = 1_000_000_000;

/// What the wire can bring: an escape sequence, and a mark that turns text around.
pub(crate) const NASTY: &str = "a\u{1b}[2J\u{202e}b";

struct Flow {
    /// After the start.
    second: i64,
    exporter: u8,
    source: u8,
    port: u16,
    bytes: u64,
    packets: u64,
    rate: Option<u64>,
}

/// Of 10.0.0.1 come 4 flows, of 10.0.0.2 three, of 10.0.0.3 one; 10.0.0.2's are sampled.
const FLOWS: [Flow; 8] = [
    Flow { second: 0, exporter: 1, source: 1, port: 443, bytes: 1_000, packets: 10, rate: Some(1) },
    Flow { second: 60, exporter: 1, source: 1, port: 443, bytes: 2_000, packets: 20, rate: Some(1) },
    Flow { second: 61, exporter: 1, source: 1, port: 53, bytes: 500, packets: 5, rate: Some(1) },
    Flow { second: 180, exporter: 2, source: 2, port: 443, bytes: 100, packets: 1, rate: Some(1_000) },
    Flow { second: 3_600, exporter: 2, source: 2, port: 80, bytes: 100, packets: 1, rate: Some(1_000) },
    Flow { second: 3_601, exporter: 2, source: 2, port: 80, bytes: 100, packets: 1, rate: Some(1_000) },
    Flow { second: 3_602, exporter: 1, source: 1, port: 443, bytes: 6_500, packets: 20, rate: Some(1) },
    Flow { second: 3_603, exporter: 1, source: 3, port: 443, bytes: 90_000, packets: 100, rate: None },
];

/// Makes the store.
pub(crate) fn make() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), Options { command: "test".into(), ..Options::default() }).unwrap();
    let mut writer = store.writer(0).unwrap();
    let mut builder = Builder::new(Table::Flows);
    FLOWS.iter().for_each(|flow| add(&mut builder, flow));
    writer.write(Table::Flows, builder.finish()).unwrap();
    writer.cut(Cut { position: 1, state: None, sync_journal: || Ok(()) }).unwrap();
    dir
}

fn add(builder: &mut Builder, flow: &Flow) {
    let end_ns = START_NS + flow.second * SECOND_NS;
    builder.word(Column::Type).push(FlowType::Ipfix as i32);
    builder.time(Column::TimeReceivedNs).push(end_ns + SECOND_NS / 2);
    builder.address(Column::ExporterAddress).push(&[192, 0, 2, flow.exporter]);
    builder.time(Column::TimeFlowStartNs).push(end_ns - 2 * SECOND_NS);
    builder.time(Column::TimeFlowEndNs).push(end_ns);
    builder.word(Column::TimeSource).push(TimeSource::Absolute as i32);
    builder.u64(Column::SamplingRate).push_option(flow.rate);
    builder.word(Column::SamplingSource).push(match flow.rate {
        Some(1) => SamplingSource::None as i32,
        Some(_) => SamplingSource::Options as i32,
        None => SamplingSource::Assumed as i32,
    });
    builder.u64(Column::Bytes).push(flow.bytes);
    builder.u64(Column::Packets).push(flow.packets);
    builder.address(Column::SrcAddr).push(&[10, 0, 0, flow.source]);
    builder.address(Column::DstAddr).push(&[10, 9, 9, 9]);
    builder.u16(Column::SrcPort).push(40_000);
    builder.u16(Column::DstPort).push(flow.port);
    builder.u8(Column::Proto).push(if flow.port == 53 { 17 } else { 6 });
    if flow.source == 3 {
        builder.text(Column::App).push(NASTY.as_bytes());
    }
    builder.advance(1);
}

/// The file of the flows' second hour.
pub(crate) fn second_part(dir: &Path) -> PathBuf {
    let snapshot = Snapshot::read(dir).unwrap();
    let part = snapshot.parts(Table::Flows).last().unwrap();
    snapshot.path(part)
}
