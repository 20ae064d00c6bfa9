//! Questions for addresses over merged parts: the same answers with the address index as without it, of fewer pages.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_query::{Database, Filter, FlowsQuestion, Part, Warning, Window};
use finderscope_store::index::IndexBuilder;
use finderscope_store::{Encoding, PAGE_ROWS, PartWriter, writer_properties};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use tempfile::TempDir;

use crate::common::{Row, T0, ask, part, read, small};

/// Pages of a merged part of these tests, the last of them short.
const PAGES: usize = 5;
const ROWS: usize = (PAGES - 1) * PAGE_ROWS + 1_000;

/// A merged part: one busy source, a destination in every third row of a page of its own, and a few rare addresses.
fn merged(folder: &Path, name: &str, number: u8) -> Part {
    let batch = rows(number);
    let path = folder.join(format!("{name}.parquet"));
    if number.is_multiple_of(2) {
        by_the_store(&path, &batch)
    } else {
        in_two_groups(&path, &batch)
    }
    let index = folder.join(format!("{name}.index"));
    let mut builder = IndexBuilder::new();
    builder.add(&batch);
    builder.finish(&index).unwrap();
    let bytes = path.metadata().unwrap().len();
    Part {
        table: Table::Flows,
        path,
        bytes,
        rows: ROWS as u64,
        first_ns: T0,
        last_ns: T0 + ROWS as i64,
        index: Some(index),
    }
}

/// As the keeper writes it, from batches that end where no page does.
fn by_the_store(path: &Path, batch: &RecordBatch) {
    let mut writer = PartWriter::new(Arc::new(File::create(path).unwrap()), Table::Flows, Encoding::Merged).unwrap();
    for first in (0..ROWS).step_by(10_000) {
        writer.write(&batch.slice(first, 10_000.min(ROWS - first))).unwrap();
    }
    writer.finish(KeyValue::new("test".to_owned(), None)).unwrap();
}

/// With a row group of three pages, and one of two, where the store's begin after a million rows.
fn in_two_groups(path: &Path, batch: &RecordBatch) {
    let properties = writer_properties(Table::Flows, Encoding::Merged);
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    for first in (0..ROWS).step_by(PAGE_ROWS) {
        writer.write(&batch.slice(first, PAGE_ROWS.min(ROWS - first))).unwrap();
        if first == 2 * PAGE_ROWS {
            writer.flush().unwrap();
        }
    }
    writer.close().unwrap();
}

fn rows(number: u8) -> RecordBatch {
    let mut flows = Builder::new(Table::Flows);
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, ROWS);
    flows.word(Column::TimeSource).push_run(TimeSource::Absolute as i32, ROWS);
    flows.word(Column::SamplingSource).push_run(SamplingSource::Record as i32, ROWS);
    flows.time(Column::TimeReceivedNs).extend((0..ROWS).map(|row| T0 + row as i64));
    flows.address(Column::ExporterAddress).push_run(&[192, 0, 2, 1], ROWS);
    flows.address(Column::SamplerAddress).push_run(&[192, 0, 2, 1], ROWS);
    for row in 0..ROWS {
        let source: &[u8] = match row {
            100 => &[10, 9, number, 1],
            row if row == PAGE_ROWS || row == 4 * PAGE_ROWS + 999 => &[10, 9, number, 2],
            row if row == 3 * PAGE_ROWS - 1 => &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
            _ => &[10, 0, 0, 1],
        };
        let page = (row / PAGE_ROWS) as u8;
        let destination = [172, 16, number, if row % 3 == 0 { page } else { 200 }];
        flows.address(Column::SrcAddr).push(source);
        flows.address(Column::DstAddr).push(&destination);
    }
    flows.u64(Column::Bytes).extend((0..ROWS).map(|row| row as u64 + 1));
    flows.u64(Column::Packets).push_run(1, ROWS);
    flows.u16(Column::DstPort).extend((0..ROWS).map(|row| if row % 7 == 0 { 53 } else { 443 }));
    flows.text(Column::App).push_run(b"dns", ROWS);
    flows.advance(ROWS);
    flows.finish()
}

/// Two merged parts with indexes, one without, and a cut one.
fn parts(folder: &Path) -> Vec<Part> {
    let rare = Row { src: Some("10.9.1.2"), bytes: 7, ..Row::default() };
    let bare = Part { index: None, ..merged(folder, "m3", 3) };
    vec![merged(folder, "m1", 1), merged(folder, "m2", 2), bare, part(folder, "cut", &[rare, Row::default()])]
}

const CONDITIONS: [&str; 16] = [
    "src_addr = '10.9.1.1'",
    "src_addr = '10.9.1.2'",
    "'10.9.2.2' = src_addr and dst_port = 443",
    "src_addr = '10.9.1.2' or dst_addr = '10.9.1.2'",
    "src_addr = '10.9.1.1' or dst_addr = '172.16.2.3'",
    "src_addr = '10.9.1.1' or bytes = 5",
    "src_addr in ('10.9.1.1', '10.9.3.1', '2001:db8::7')",
    "src_addr <<= '10.9.0.0/16'",
    "src_addr <<= '10.9.1.0/30' and dst_addr <<= '172.16.1.200/32'",
    "cidr_match(dst_addr, '172.16.2.0/29') and dst_port = 53",
    "src_addr <<= '2001:db8::/32'",
    "src_addr = '203.0.113.9'",
    "src_addr = '10.0.0.1'",
    "not src_addr = '10.0.0.1'",
    "src_addr = '10.9.1.1' and dst_addr = '172.16.2.3'",
    "src_addr > '10.5.0.0' and src_addr < '11.0.0.0'",
];

#[tokio::test]
async fn answers_are_the_same_with_the_index_as_without_it() {
    let folder = TempDir::new().unwrap();
    let parts = parts(folder.path());
    let plain: Vec<Part> = parts.iter().map(|part| Part { index: None, ..part.clone() }).collect();
    let with = Database::over_parts(parts, small()).unwrap();
    let without = Database::over_parts(plain, small()).unwrap();
    for condition in CONDITIONS {
        let count = format!(
            "select count(*), sum(bytes), min(time_received_ns), max(dst_addr), count(app) from flows where {condition}"
        );
        assert_eq!(ask(&with, &count).await.unwrap(), ask(&without, &count).await.unwrap(), "{condition}");
        let list = format!("select bytes, src_addr, dst_port, app from flows where {condition} order by 1, 2 limit 20");
        assert_eq!(ask(&with, &list).await.unwrap(), ask(&without, &list).await.unwrap(), "{condition}");
        let biggest = format!("select * from flows where {condition} order by bytes desc, src_addr limit 3");
        assert_eq!(ask(&with, &biggest).await.unwrap(), ask(&without, &biggest).await.unwrap(), "{condition}");
    }
}

/// How many parts a question opens, and how many rows come out of them at most.
async fn read_of(parts: &[Part], filter: &str) -> (u64, u64, usize) {
    let database = Database::over_parts(parts.to_vec(), small()).unwrap();
    let question = FlowsQuestion { filter: Some(Filter::parse(filter).unwrap()), ..FlowsQuestion::default() };
    let mut answer = database.flows(&question).await.unwrap();
    let rows = answer.collect().await.unwrap().iter().map(RecordBatch::num_rows).sum();
    let progress = answer.progress();
    assert_eq!((progress.parts, answer.warnings()), (progress.parts_opened, vec![]));
    (progress.parts, progress.rows, rows)
}

#[tokio::test]
async fn only_pages_that_hold_the_address_are_read() {
    let folder = TempDir::new().unwrap();
    let parts = [merged(folder.path(), "m1", 1), merged(folder.path(), "m2", 2)];
    let page = PAGE_ROWS as u64;
    assert_eq!(read_of(&parts, "host 10.9.1.1").await, (1, page, 1));
    assert_eq!(read_of(&parts, "src ip 10.9.1.2").await, (1, page + 1_000, 2));
    assert_eq!(read_of(&parts, "host 10.9.1.2 and host 172.16.1.1").await.0, 1);
    assert_eq!(read_of(&parts, "src net 10.9.0.0/16").await, (2, 2 * (2 * page + 1_000), 6));
    assert_eq!(read_of(&parts, "host 2001:db8::7").await, (2, 2 * page, 2));
    assert_eq!(read_of(&parts, "host 203.0.113.9").await, (0, 0, 0));
    assert_eq!(read_of(&parts, "src ip 10.9.1.1 and dst ip 172.16.1.4").await, (0, 0, 0));
    assert_eq!(read_of(&parts, "host 10.9.1.1 or port 1").await, (2, 2 * ROWS as u64, 1));
}

#[tokio::test]
async fn explain_tells_which_pages_were_chosen() {
    let folder = TempDir::new().unwrap();
    let database = Database::over_parts(parts(folder.path()), small()).unwrap();
    let plan = ask(&database, "explain select bytes from flows where src_addr = '10.9.1.2'").await.unwrap().join("\n");
    assert!(plan.contains("address_index=2 of 10 pages in 1 of 2 parts"), "{plan}");
    let plan = ask(&database, "explain select bytes from flows where dst_port = 53").await.unwrap().join("\n");
    assert!(!plan.contains("address_index"), "{plan}");
}

#[tokio::test]
async fn a_damaged_index_costs_a_warning_and_no_row() {
    let folder = TempDir::new().unwrap();
    let parts = parts(folder.path());
    let index = parts[0].index.clone().unwrap();
    let whole = fs::read(&index).unwrap();
    let question = "select sum(bytes) from flows where src_addr = '10.9.1.2'";
    let expected = [(PAGE_ROWS + 1 + 4 * PAGE_ROWS + 1_000 + 7).to_string()];
    let mut damaged: Vec<Vec<u8>> = [0, 1, 100, whole.len() - 1].map(|length| whole[..length].to_vec()).to_vec();
    for at in (0..whole.len()).step_by(7) {
        let mut altered = whole.clone();
        altered[at] ^= 0x10;
        damaged.push(altered);
    }
    let mut warned = 0;
    for bytes in damaged {
        fs::write(&index, &bytes).unwrap();
        let database = Database::over_parts(parts.clone(), small()).unwrap();
        let (rows, warnings) = read(database.sql(question, &Window::ALL).await.unwrap()).await.unwrap();
        assert_eq!(rows, expected);
        warned += warnings.len();
        assert!(warnings.iter().all(|warning| matches!(warning, Warning::DamagedIndex { path, .. } if *path == index)));
        assert!(!warnings.iter().any(Warning::is_partial));
    }
    assert!(warned > 4, "{warned} warnings");
    fs::remove_file(&index).unwrap();
    let database = Database::over_parts(parts.clone(), small()).unwrap();
    let (rows, warnings) = read(database.sql(question, &Window::ALL).await.unwrap()).await.unwrap();
    assert_eq!((rows.as_slice(), warnings.len()), (&expected[..], 1));
    // An index of a part with other rows, as after a mix-up of files.
    let mut short = IndexBuilder::new();
    short.add(&rows_of_one_page());
    short.finish(&index).unwrap();
    let database = Database::over_parts(parts.clone(), small()).unwrap();
    let (rows, warnings) = read(database.sql(question, &Window::ALL).await.unwrap()).await.unwrap();
    assert_eq!((rows.as_slice(), warnings.len()), (&expected[..], 1));
    assert!(warnings[0].to_string().contains("is read whole: it is of"), "{}", warnings[0]);
}

fn rows_of_one_page() -> RecordBatch {
    rows(1).slice(0, PAGE_ROWS)
}
