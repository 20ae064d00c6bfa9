//! Conditions over merged parts: the answers are those over the same rows in memory, however their pages are encoded.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_query::{Database, Error, Part, Warning, Window};
use finderscope_store::{Encoding, PAGE_ROWS, PartWriter};
use parquet::file::metadata::KeyValue;
use tempfile::TempDir;

use crate::common::{T0, ask, read, small};

const ROWS: usize = 3 * PAGE_ROWS + 700;

/// Rows with every kind of column: few and many values, none, and some in every pattern.
fn rows() -> RecordBatch {
    let mut flows = Builder::new(Table::Flows);
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, ROWS);
    flows.word(Column::TimeSource).push_run(TimeSource::Absolute as i32, ROWS);
    flows.time(Column::TimeReceivedNs).extend((0..ROWS).map(|row| T0 + row as i64));
    flows.address(Column::ExporterAddress).push_run(&[192, 0, 2, 1], ROWS);
    flows.address(Column::SamplerAddress).push_run(&[192, 0, 2, 1], ROWS);
    flows.u64(Column::Packets).push_run(1, ROWS);
    let mut random = 88_172_645_463_325_252_u64;
    for row in 0..ROWS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let page = row / PAGE_ROWS;
        let host = (random >> 8).to_be_bytes();
        // Sources are few and of both families, destinations nearly all different.
        let six = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host[7] % 9];
        let four = [10, host[6] % 3, 0, host[7] % 50];
        flows.address(Column::SrcAddr).push(if random.is_multiple_of(5) { &six } else { &four });
        flows.address(Column::DstAddr).push(if random.is_multiple_of(7) { &six } else { &host[..4] });
        let source = if random.is_multiple_of(3) { SamplingSource::Record } else { SamplingSource::None };
        flows.word(Column::SamplingSource).push(source as i32);
        flows.u64(Column::Bytes).push(random % (1 << (8 * (1 + random % 5))));
        flows.u16(Column::DstPort).push([53, 80, 443, 8_080][(random % 4) as usize]);
        // None in the first page, all in the second, then some.
        match page {
            0 => flows.u16(Column::SrcPort).push_nulls(1),
            1 => flows.u16(Column::SrcPort).push(random as u16),
            _ if random.is_multiple_of(11) => flows.u16(Column::SrcPort).push_nulls(1),
            _ => flows.u16(Column::SrcPort).push(random as u16),
        }
        if random.is_multiple_of(4) {
            flows.u8(Column::IpTos).push((random >> 16) as u8);
            flows.text(Column::App).push(format!("application {}", random % 13).as_bytes());
        } else {
            flows.u8(Column::IpTos).push_nulls(1);
            flows.text(Column::App).push_nulls(1);
        }
        if random.is_multiple_of(17) {
            flows.list(Column::BgpCommunities).push((0..random as u32 % 3).map(|at| at + row as u32));
        } else {
            flows.list(Column::BgpCommunities).push_nulls(1);
        }
        if row == PAGE_ROWS + 5 {
            flows.address(Column::NextHop).push(&[10, 0, 0, 1]);
        } else {
            flows.address(Column::NextHop).push_nulls(1);
        }
    }
    flows.advance(ROWS);
    flows.finish()
}

fn merged(folder: &Path, batch: &RecordBatch) -> Part {
    let path = folder.join("merged.parquet");
    let mut writer = PartWriter::new(Arc::new(File::create(&path).unwrap()), Table::Flows, Encoding::Merged).unwrap();
    writer.write(batch).unwrap();
    writer.finish(KeyValue::new("test".to_owned(), None)).unwrap();
    let bytes = path.metadata().unwrap().len();
    let (first_ns, last_ns) = (T0, T0 + ROWS as i64);
    Part { table: Table::Flows, path, bytes, rows: ROWS as u64, first_ns, last_ns, index: None }
}

const CONDITIONS: [&str; 24] = [
    "dst_port = 443",
    "dst_port = 443 and bytes > 100000",
    "bytes > 100000 and dst_port = 443 and src_addr <<= '10.1.0.0/16'",
    "src_addr <<= '2001:db8::/32' and dst_addr <<= '2001:db8::/32'",
    "src_addr = '10.0.0.7' or dst_addr = '10.0.0.7'",
    "src_addr = '2001:db8::3' or dst_addr = '2001:db8::3' or dst_port = 53",
    "dst_addr <<= '128.0.0.0/3' and dst_port <> 80",
    "src_port is null",
    "src_port is not null and src_port < 100",
    "src_port > 60000 or ip_tos = 3",
    "not (src_port > 60000)",
    "ip_tos in (1, 2, 3) and app = 'application 4'",
    "app is null and src_port is null and dst_port = 80",
    "next_hop = '10.0.0.1'",
    "next_hop is null and bytes < 50",
    "sampling_source = 'record' and bytes between 1000 and 2000",
    "sampling_source <> 'record' and (dst_port = 53 or src_port = 7) and bytes % 3 = 1",
    "bytes > packets and bytes < 100",
    "time_received_ns < '2026-01-01T00:00:00.000020Z' and bytes = 17",
    "dst_mac is null and src_addr = '10.2.0.1'",
    "dst_port = 1",
    "bytes >= 0",
    "case when src_port is null then dst_port = 53 else src_port % 2 = 0 end",
    "bytes / 7 = 3 and dst_port = 53",
];

#[tokio::test]
async fn rows_of_merged_parts_are_chosen_as_in_memory() {
    let folder = TempDir::new().unwrap();
    let batch = rows();
    let stored = Database::over_parts(vec![merged(folder.path(), &batch)], small()).unwrap();
    let memory = Database::in_memory([(Table::Flows, batch)], small()).unwrap();
    for condition in CONDITIONS {
        for columns in [
            "count(*), sum(bytes), min(src_addr), max(dst_addr), count(src_port), max(app), count(ip_tos)",
            "src_addr, sampling_source, dst_port, ip_tos, app, count(*), sum(bytes), max(src_port)",
        ] {
            let rest = if columns.starts_with("count") { "" } else { "group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5" };
            let question = format!("select {columns} from flows where {condition} {rest}");
            let (found, expected) = (ask(&stored, &question).await, ask(&memory, &question).await);
            assert_eq!(found.unwrap(), expected.unwrap(), "{question}");
        }
        let list = format!("select * from flows where {condition} order by time_received_ns limit 30");
        assert_eq!(ask(&stored, &list).await.unwrap(), ask(&memory, &list).await.unwrap(), "{condition}");
        let list = format!("select dst_addr, src_port from flows where {condition} order by time_received_ns");
        assert_eq!(ask(&stored, &list).await.unwrap(), ask(&memory, &list).await.unwrap(), "{condition}");
    }
}

#[tokio::test]
async fn a_condition_that_fails_is_no_damage() {
    let folder = TempDir::new().unwrap();
    let database = Database::over_parts(vec![merged(folder.path(), &rows())], small()).unwrap();
    let error = ask(&database, "select count(*) from flows where bytes / (dst_port - dst_port) > 1").await.unwrap_err();
    assert!(matches!(&error, Error::Sql(text) if text == "division by zero"), "{error:?}");
}

#[tokio::test]
async fn a_footer_with_any_byte_changed_gives_an_answer() {
    let folder = TempDir::new().unwrap();
    let part = merged(folder.path(), &rows());
    let sound = std::fs::read(&part.path).unwrap();
    let question = "select count(*), sum(bytes), max(dst_addr) from flows where dst_port = 443 and src_port > 5";
    let footer = u32::from_le_bytes(sound[sound.len() - 8..sound.len() - 4].try_into().unwrap()) as usize;
    let begin = sound.len() - 8 - footer;
    for at in (begin..sound.len()).step_by(footer / 100) {
        for change in [0x01, 0x55, 0x80] {
            let mut bytes = sound.clone();
            bytes[at] ^= change;
            std::fs::write(&part.path, bytes).unwrap();
            let answer = Database::over_parts(vec![part.clone()], small()).unwrap().sql(question, &Window::ALL).await;
            let (rows, _) = read(answer.unwrap()).await.unwrap_or_else(|error| panic!("byte {at}: {error}"));
            assert_eq!(rows.len(), 1);
        }
    }
}

#[tokio::test]
async fn damaged_pages_cost_their_part_and_no_more() {
    let folder = TempDir::new().unwrap();
    let batch = rows();
    let part = merged(folder.path(), &batch);
    let sound = std::fs::read(&part.path).unwrap();
    let question = "select count(*), sum(bytes), max(dst_addr) from flows where dst_port = 443 and src_port > 5";
    let whole = ask(&Database::over_parts(vec![part.clone()], small()).unwrap(), question).await.unwrap();
    let mut damaged = 0;
    for at in (4..sound.len() - 60_000).step_by(sound.len() / 97) {
        let mut bytes = sound.clone();
        bytes[at..at + 40].fill(0xff);
        std::fs::write(&part.path, bytes).unwrap();
        let database = Database::over_parts(vec![part.clone()], small()).unwrap();
        let mut answer = database.sql(question, &Window::ALL).await.unwrap();
        answer.collect().await.unwrap();
        if answer.warnings().iter().any(|warning| matches!(warning, Warning::DamagedPart { .. })) {
            damaged += 1;
        }
    }
    assert!(damaged > 0, "no damage was met");
    std::fs::write(&part.path, sound).unwrap();
    let again = ask(&Database::over_parts(vec![part], small()).unwrap(), question).await.unwrap();
    assert_eq!(again, whole);
}
