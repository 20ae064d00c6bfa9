//! Single rows out of pages and dictionaries that are several frames: the answers are those over the same rows in memory.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use finderscope_flow::{Builder, Column, FlowType, SamplingSource, Table, TimeSource};
use finderscope_query::{Database, Part};
use finderscope_store::index::IndexBuilder;
use finderscope_store::{Encoding, PAGE_ROWS, PartWriter};
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use tempfile::TempDir;

use crate::common::{T0, ask, small};

const ROWS: usize = 2 * PAGE_ROWS + 5_000;
/// Rows where a frame may begin or end.
const BORDERS: [usize; 12] = [
    0,
    PAGE_ROWS / 4 - 1,
    PAGE_ROWS / 4,
    PAGE_ROWS / 2 - 1,
    PAGE_ROWS / 2,
    3 * PAGE_ROWS / 4,
    PAGE_ROWS - 1,
    PAGE_ROWS,
    PAGE_ROWS + PAGE_ROWS / 4,
    2 * PAGE_ROWS - 1,
    2 * PAGE_ROWS,
    ROWS - 1,
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// A host of many, of which few are met often, of either family.
fn host(number: u64) -> Vec<u8> {
    let [.., a, b, c] = number.to_be_bytes();
    match number % 5 {
        0 => vec![0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c],
        _ => vec![10, a, b, c],
    }
}

fn rows() -> RecordBatch {
    let mut flows = Builder::new(Table::Flows);
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, ROWS);
    flows.word(Column::TimeSource).push_run(TimeSource::Absolute as i32, ROWS);
    flows.word(Column::SamplingSource).push_run(SamplingSource::Record as i32, ROWS);
    flows.time(Column::TimeReceivedNs).extend((0..ROWS).map(|row| T0 + row as i64));
    flows.address(Column::ExporterAddress).push_run(&[192, 0, 2, 1], ROWS);
    flows.address(Column::SamplerAddress).push_run(&[192, 0, 2, 1], ROWS);
    let mut random = Random(88_172_645_463_325_252);
    let mut skewed = |most: u64| {
        let below = 1 + random.next() % most;
        random.next() % below
    };
    for row in 0..ROWS {
        flows.address(Column::SrcAddr).push(&host(skewed(30_000)));
        match BORDERS.contains(&row) {
            true => flows.address(Column::DstAddr).push(&[203, 0, (row >> 8) as u8, row as u8]),
            false => flows.address(Column::DstAddr).push(&host(skewed(30_000))),
        }
        flows.u32(Column::SrcAs).push(skewed(9_000) as u32 * 400_009);
        flows.u64(Column::Bytes).push(skewed(1 << 30));
        flows.u16(Column::SrcPort).push(skewed(1 << 16) as u16);
        flows.u16(Column::DstPort).push([53, 80, 443, 8_080][skewed(4) as usize]);
        // A value in a few rows, and in none of the second page.
        match row % 3 == 0 && row / PAGE_ROWS != 1 {
            true => flows.u16(Column::VlanId).push(skewed(4_000) as u16),
            false => flows.u16(Column::VlanId).push_nulls(1),
        }
    }
    flows.u64(Column::Packets).push_run(1, ROWS);
    flows.advance(ROWS);
    flows.finish()
}

fn merged(folder: &Path, batch: &RecordBatch) -> Part {
    let (path, index) = (folder.join("merged.parquet"), folder.join("merged.index"));
    let mut writer = PartWriter::new(Arc::new(File::create(&path).unwrap()), Table::Flows, Encoding::Merged).unwrap();
    writer.write(batch).unwrap();
    writer.finish(KeyValue::new("test".to_owned(), None)).unwrap();
    let mut addresses = IndexBuilder::new();
    addresses.add(batch);
    addresses.finish(&index).unwrap();
    let bytes = path.metadata().unwrap().len();
    let (first_ns, last_ns) = (T0, T0 + ROWS as i64);
    Part { table: Table::Flows, path, bytes, rows: ROWS as u64, first_ns, last_ns, index: Some(index) }
}

fn text(address: &[u8]) -> String {
    match <[u8; 4]>::try_from(address) {
        Ok(four) => std::net::IpAddr::from(four).to_string(),
        Err(_) => std::net::IpAddr::from(<[u8; 16]>::try_from(address).unwrap()).to_string(),
    }
}

#[tokio::test]
async fn rows_at_the_borders_of_frames_and_addresses_anywhere_in_a_dictionary_are_found() {
    let folder = TempDir::new().unwrap();
    let batch = rows();
    let part = merged(folder.path(), &batch);
    let footer = ParquetMetaDataReader::new().parse_and_finish(&File::open(&part.path).unwrap()).unwrap();
    let of = |name: &str| footer.row_group(0).columns().iter().find(|chunk| chunk.column_path().string() == name);
    for name in ["src_addr", "dst_addr", "src_as"] {
        assert!(of(name).unwrap().dictionary_page_offset().is_some(), "{name} has no dictionary to look into");
    }
    let stored = Database::over_parts(vec![part], small()).unwrap();
    let memory = Database::in_memory([(Table::Flows, batch)], small()).unwrap();
    let borders = BORDERS.map(|row| text(&[203, 0, (row >> 8) as u8, row as u8]));
    let hosts: HashSet<u64> = (0..8).chain((0..30_000).step_by(1_499)).collect();
    let mut found = 0;
    for address in borders.into_iter().chain(hosts.into_iter().map(|number| text(&host(number)))) {
        for condition in [
            format!("dst_addr = '{address}'"),
            format!("src_addr = '{address}' or dst_addr = '{address}'"),
            format!("src_addr = '{address}' and dst_port <> 80"),
            format!("src_addr <<= '{address}/28' and vlan_id is null"),
        ] {
            let question = format!("select * from flows where {condition} order by time_received_ns");
            let expected = ask(&memory, &question).await.unwrap();
            assert_eq!(ask(&stored, &question).await.unwrap(), expected, "{condition}");
            found += expected.len();
        }
    }
    assert!(found > 1_000, "{found} rows are no test");
}
