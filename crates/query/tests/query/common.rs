//! Rows to ask about, parts to keep them in, and answers as text.

use std::net::IpAddr;
use std::path::Path;

use arrow::array::RecordBatch;
use finderscope_flow::text::write_json_value;
use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_query::{Answer, Database, Error, Options, Part, Warning, Window};
use parquet::arrow::ArrowWriter;

/// 2026-01-01T00:00:00Z.
pub(crate) const T0: i64 = 1_767_225_600_000_000_000;
pub(crate) const SECOND: i64 = 1_000_000_000;

/// One flow, with defaults for what a test does not care about.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) received_s: i64,
    pub(crate) exporter: &'static str,
    pub(crate) src: Option<&'static str>,
    pub(crate) dst: Option<&'static str>,
    pub(crate) sport: Option<u16>,
    pub(crate) dport: Option<u16>,
    pub(crate) proto: u8,
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
    pub(crate) rate: Option<u64>,
    pub(crate) flags: Option<u16>,
    pub(crate) tos: u8,
    pub(crate) src_as: Option<u32>,
    pub(crate) dst_as: Option<u32>,
    pub(crate) in_if: u32,
    pub(crate) out_if: u32,
    pub(crate) vlan: Option<u16>,
    pub(crate) src_mac: Option<u64>,
    pub(crate) next_hop: Option<&'static str>,
    pub(crate) icmp_type: Option<u8>,
    pub(crate) direction: Option<u8>,
    pub(crate) duration_ms: i64,
    pub(crate) app: Option<&'static str>,
    pub(crate) bytes_l3: Option<u64>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            received_s: 0,
            exporter: "192.0.2.1",
            src: Some("10.0.0.1"),
            dst: Some("10.0.0.2"),
            sport: Some(1000),
            dport: Some(80),
            proto: 6,
            bytes: 100,
            packets: 1,
            rate: Some(1),
            flags: None,
            tos: 0,
            src_as: None,
            dst_as: None,
            in_if: 1,
            out_if: 2,
            vlan: None,
            src_mac: None,
            next_hop: None,
            icmp_type: None,
            direction: None,
            duration_ms: 1000,
            app: None,
            bytes_l3: None,
        }
    }
}

fn octets(address: &str) -> Vec<u8> {
    match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The rows as the builders make them.
pub(crate) fn batch(rows: &[Row]) -> RecordBatch {
    let mut flows = Builder::new(Table::Flows);
    for row in rows {
        let received = T0 + row.received_s * SECOND;
        flows.word(Column::Type).push(FlowType::Ipfix as i32);
        flows.time(Column::TimeReceivedNs).push(received);
        flows.time(Column::TimeFlowEndNs).push(received);
        flows.time(Column::TimeFlowStartNs).push(received - row.duration_ms * 1_000_000);
        flows.word(Column::TimeSource).push(TimeSource::Absolute as i32);
        flows.word(Column::SamplingSource).push(SamplingSource::Record as i32);
        flows.address(Column::ExporterAddress).push(&octets(row.exporter));
        flows.address(Column::SamplerAddress).push(&octets(row.exporter));
        flows.address(Column::SrcAddr).push_option(row.src.map(octets).as_deref());
        flows.address(Column::DstAddr).push_option(row.dst.map(octets).as_deref());
        flows.address(Column::NextHop).push_option(row.next_hop.map(octets).as_deref());
        flows.u16(Column::SrcPort).push_option(row.sport);
        flows.u16(Column::DstPort).push_option(row.dport);
        flows.u8(Column::Proto).push(row.proto);
        flows.u64(Column::Bytes).push(row.bytes);
        flows.u64(Column::Packets).push(row.packets);
        flows.u64(Column::BytesL3).push_option(row.bytes_l3);
        flows.u64(Column::SamplingRate).push_option(row.rate);
        flows.u16(Column::TcpFlags).push_option(row.flags);
        flows.u8(Column::IpTos).push(row.tos);
        flows.u32(Column::SrcAs).push_option(row.src_as);
        flows.u32(Column::DstAs).push_option(row.dst_as);
        flows.u32(Column::InIf).push(row.in_if);
        flows.u32(Column::OutIf).push(row.out_if);
        flows.u16(Column::VlanId).push_option(row.vlan);
        flows.u64(Column::SrcMac).push_option(row.src_mac);
        flows.u8(Column::IcmpType).push_option(row.icmp_type);
        flows.u8(Column::FlowDirection).push_option(row.direction);
        flows.text(Column::App).push_option(row.app.map(str::as_bytes));
        flows.advance(1);
    }
    flows.finish()
}

/// Writes a part of flows.
pub(crate) fn part(folder: &Path, name: &str, rows: &[Row]) -> Part {
    part_of(folder, name, &batch(rows), rows)
}

/// Writes a part whose batch may lack columns.
pub(crate) fn part_of(folder: &Path, name: &str, batch: &RecordBatch, rows: &[Row]) -> Part {
    let path = folder.join(format!("{name}.parquet"));
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    let times = rows.iter().map(|row| T0 + row.received_s * SECOND);
    Part {
        table: Table::Flows,
        bytes: path.metadata().unwrap().len(),
        rows: batch.num_rows() as u64,
        first_ns: times.clone().min().unwrap(),
        last_ns: times.max().unwrap(),
        index: None,
        path,
    }
}

/// A database of flows in memory.
pub(crate) fn memory(rows: &[Row]) -> Database {
    Database::in_memory([(Table::Flows, batch(rows))], small()).unwrap()
}

pub(crate) fn small() -> Options {
    Options { threads: 2, ..Options::default() }
}

/// An answer's rows as JSON values, cell by cell, and its warnings.
pub(crate) async fn read(mut answer: Answer) -> Result<(Vec<String>, Vec<Warning>), Error> {
    let batches = answer.collect().await?;
    Ok((batches.iter().flat_map(lines).collect(), answer.warnings()))
}

/// Each row's cells, as JSON values with blanks between.
pub(crate) fn lines(batch: &RecordBatch) -> Vec<String> {
    let schema = batch.schema();
    let cell = |column: usize, row: usize| {
        let mut text = Vec::new();
        write_json_value(&mut text, batch.column(column), schema.field(column), row).unwrap();
        String::from_utf8(text).unwrap().trim_matches('"').to_owned()
    };
    let row = |row| (0..batch.num_columns()).map(|column| cell(column, row)).collect::<Vec<_>>().join(" ");
    (0..batch.num_rows()).map(row).collect()
}

/// The rows of a question in SQL over all time.
pub(crate) async fn ask(database: &Database, sql: &str) -> Result<Vec<String>, Error> {
    Ok(read(database.sql(sql, &Window::ALL).await?).await?.0)
}
