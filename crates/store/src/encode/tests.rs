//! What is written by hand is what Parquet's own reader reads, and what its own writer would have written.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use arrow::compute::concat_batches;
use finderscope_flow::{Builder, Column, Kind};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::ParquetMetaData;
use proptest::prelude::*;

use super::*;
use crate::settings::{PAGE_ROWS, ROW_GROUP_ROWS, writer_properties};

/// A small, seeded generator (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// How a column's cells look.
#[derive(Clone, Copy, Debug)]
enum Look {
    Same,
    Runs,
    Few,
    Any,
    Ends,
}

/// Which cells are null.
#[derive(Clone, Copy, Debug)]
enum Holes {
    None,
    Some,
    Long,
    First,
    All,
}

fn number(look: Look, row: usize, random: &mut Random) -> u64 {
    match look {
        Look::Same => 0x0123_4567_89ab_cdef,
        Look::Runs => (row / 24) as u64 * 1_000_003,
        Look::Few => random.next() % 9 * 0x0101_0203_0405,
        Look::Any => random.next(),
        Look::Ends => [0, u64::MAX, i64::MAX as u64, i64::MIN as u64][(random.next() % 4) as usize],
    }
}

fn is_null(holes: Holes, row: usize, random: &mut Random) -> bool {
    match holes {
        Holes::None => false,
        Holes::Some => random.next().is_multiple_of(3),
        Holes::Long => (row / 700).is_multiple_of(2),
        Holes::First => row < PAGE_ROWS + 5,
        Holes::All => true,
    }
}

fn bytes(number: u64, look: Look) -> Vec<u8> {
    let long = [number.to_le_bytes(), (!number).to_le_bytes(), number.to_be_bytes()].concat();
    let length = match look {
        Look::Ends => [0, 4, 16, 20][(number >> 62) as usize],
        _ if number.is_multiple_of(5) => 16,
        _ => 4,
    };
    long[..length].to_vec()
}

fn fill(builder: &mut Builder, column: Column, rows: usize, (look, holes): (Look, Holes), random: &mut Random) {
    for row in 0..rows {
        let value = number(look, row, random);
        if is_null(holes, row, random) {
            match column.kind() {
                Kind::U8 => builder.u8(column).push_nulls(1),
                Kind::U16 => builder.u16(column).push_nulls(1),
                Kind::U32 => builder.u32(column).push_nulls(1),
                Kind::U64 | Kind::Mac => builder.u64(column).push_nulls(1),
                Kind::Time => builder.time(column).push_nulls(1),
                Kind::Address => builder.address(column).push_nulls(1),
                Kind::Text => builder.text(column).push_nulls(1),
                Kind::Word(_) => builder.word(column).push_nulls(1),
                Kind::List => builder.list(column).push_nulls(1),
                Kind::Map => builder.map(column).push_nulls(1),
            }
            continue;
        }
        match column.kind() {
            Kind::U8 => builder.u8(column).push(value as u8),
            Kind::U16 => builder.u16(column).push(value as u16),
            Kind::U32 => builder.u32(column).push(value as u32),
            Kind::U64 | Kind::Mac => builder.u64(column).push(value),
            Kind::Time => builder.time(column).push(value as i64),
            Kind::Address => builder.address(column).push(&bytes(value, look)),
            Kind::Text => builder.text(column).push(format!("{value:x}").as_bytes()),
            Kind::Word(words) => builder.word(column).push((value % words.len() as u64) as i32),
            Kind::List => builder.list(column).push((0..value as u32 % 4).map(|item| item ^ value as u32)),
            Kind::Map => {
                (0..value % 3).for_each(|at| builder.map(column).entry(&at.to_string(), &value.to_string()));
                builder.map(column).close();
            }
        }
    }
}

/// Rows whose columns look as `looks` say, in turn.
fn batch(table: Table, rows: usize, looks: &[(Look, Holes)], seed: u64) -> RecordBatch {
    let mut builder = Builder::new(table);
    let mut random = Random(seed);
    for (at, &column) in table.columns().iter().enumerate() {
        let (look, holes) = looks[(at + seed as usize) % looks.len()];
        let holes = if column == Column::TimeReceivedNs { Holes::None } else { holes };
        fill(&mut builder, column, rows, (look, holes), &mut random);
    }
    builder.advance(rows);
    builder.finish()
}

fn write(path: &Path, table: Table, encoding: Encoding, batches: &[RecordBatch]) -> ParquetMetaData {
    let file = Arc::new(File::create(path).unwrap());
    let mut writer = PartWriter::new(file, table, encoding).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish(KeyValue::new("finderscope".to_owned(), "here".to_owned())).unwrap();
    read(path).0
}

fn read(path: &Path) -> (ParquetMetaData, RecordBatch) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let (metadata, schema) = (builder.metadata().as_ref().clone(), Arc::clone(builder.schema()));
    let batches: Vec<RecordBatch> = builder.with_batch_size(10_000).build().unwrap().map(Result::unwrap).collect();
    (metadata, concat_batches(&schema, &batches).unwrap())
}

/// Written by hand and by Parquet's own writer, the same is read, and known from the statistics.
fn check(table: Table, encoding: Encoding, batches: &[RecordBatch]) {
    let dir = tempfile::tempdir().unwrap();
    let (ours, stock) = (dir.path().join("ours"), dir.path().join("stock"));
    let metadata = write(&ours, table, encoding, batches);
    let properties = writer_properties(table, encoding);
    let mut writer = ArrowWriter::try_new(File::create(&stock).unwrap(), table.schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    let (stock_metadata, expected) = read(&stock);
    let (_, rows) = read(&ours);
    assert_eq!(rows.schema().fields(), expected.schema().fields());
    for (column, (ours, theirs)) in table.columns().iter().zip(rows.columns().iter().zip(expected.columns())) {
        // Dictionaries may differ in their order; what they say may not.
        let said = |array| arrow::compute::cast(array, &column.kind().plain()).unwrap();
        assert!(said(ours) == said(theirs), "{encoding:?} {}", column.name());
    }
    assert_eq!(metadata.file_metadata().schema_descr(), stock_metadata.file_metadata().schema_descr());
    assert_eq!(metadata.file_metadata().column_orders(), stock_metadata.file_metadata().column_orders());
    if metadata.num_row_groups() == 1 && stock_metadata.num_row_groups() == 1 {
        same_statistics(&metadata, &stock_metadata);
    }
}

/// Each column's smallest and largest value; nulls are counted in all columns of ours.
fn same_statistics(ours: &ParquetMetaData, theirs: &ParquetMetaData) {
    for (ours, theirs) in ours.row_group(0).columns().iter().zip(theirs.row_group(0).columns()) {
        let name = ours.column_path().string();
        let Some(theirs) = theirs.statistics() else { continue };
        let ours = ours.statistics().unwrap();
        assert_eq!(ours.min_bytes_opt(), theirs.min_bytes_opt(), "{name}");
        assert_eq!(ours.max_bytes_opt(), theirs.max_bytes_opt(), "{name}");
        assert_eq!(ours.null_count_opt(), theirs.null_count_opt(), "{name}");
    }
}

trait Plain {
    /// The type of the cells without a dictionary.
    fn plain(self) -> arrow::datatypes::DataType;
}

impl Plain for Kind {
    fn plain(self) -> arrow::datatypes::DataType {
        match self {
            Self::Word(_) => arrow::datatypes::DataType::Utf8,
            kind => kind.data_type(),
        }
    }
}

const LOOKS: [Look; 5] = [Look::Same, Look::Runs, Look::Few, Look::Any, Look::Ends];
const HOLES: [Holes; 5] = [Holes::None, Holes::Some, Holes::Long, Holes::First, Holes::All];

#[test]
fn every_kind_of_column_is_read_back_with_all_its_looks_and_holes() {
    let looks: Vec<_> = LOOKS.into_iter().flat_map(|look| HOLES.map(|holes| (look, holes))).collect();
    for table in Table::ALL {
        for (seed, rows) in [1, 2, 63, 64, 65, 1_000].into_iter().enumerate() {
            let batch = batch(table, rows, &looks, seed as u64);
            for encoding in Encoding::ALL {
                check(table, encoding, std::slice::from_ref(&batch));
            }
        }
    }
}

#[test]
fn pages_begin_and_end_within_batches_and_at_their_ends() {
    let looks: Vec<_> = LOOKS.into_iter().flat_map(|look| HOLES.map(|holes| (look, holes))).collect();
    for (seed, sizes) in
        [vec![PAGE_ROWS - 1], vec![PAGE_ROWS], vec![PAGE_ROWS + 1], vec![10, 2 * PAGE_ROWS, PAGE_ROWS - 10]]
            .into_iter()
            .enumerate()
    {
        let batches: Vec<_> =
            sizes.iter().map(|&rows| batch(Table::Flows, rows, &looks, 7 * seed as u64 + rows as u64)).collect();
        for encoding in Encoding::ALL {
            check(Table::Flows, encoding, &batches);
        }
    }
}

#[test]
fn a_part_without_rows_is_a_file_without_rows() {
    for encoding in Encoding::ALL {
        let dir = tempfile::tempdir().unwrap();
        let metadata = write(&dir.path().join("none"), Table::Flows, encoding, &[]);
        assert_eq!((metadata.file_metadata().num_rows(), metadata.num_row_groups()), (0, 0));
        let batch = Builder::new(Table::Flows).finish();
        write(&dir.path().join("empty"), Table::Flows, encoding, &[batch]);
    }
}

#[test]
fn a_column_that_repeats_little_has_no_dictionary_and_one_that_repeats_much_has_one() {
    let dir = tempfile::tempdir().unwrap();
    let rows = 3 * PAGE_ROWS;
    let mut builder = Builder::new(Table::Flows);
    let mut random = Random(1);
    builder.time(Column::TimeReceivedNs).extend((0..rows).map(|row| row as i64));
    builder.u32(Column::FragmentId).extend((0..rows).map(|_| random.next() as u32));
    builder.u32(Column::SrcAs).extend((0..rows).map(|_| (random.next() % 300 * 1_003_001) as u32));
    (0..rows).for_each(|_| builder.address(Column::SrcAddr).push(&(random.next() as u32).to_be_bytes()));
    (0..rows).for_each(|_| builder.address(Column::DstAddr).push(&((random.next() % 999) as u32).to_be_bytes()));
    builder.advance(rows);
    let metadata = write(&dir.path().join("part"), Table::Flows, Encoding::Merged, &[builder.finish()]);
    let columns = metadata.row_group(0).columns();
    let has_dictionary = |column: Column| {
        let chunk = columns.iter().find(|chunk| chunk.column_path().string() == column.name()).unwrap();
        chunk.dictionary_page_offset().is_some()
    };
    assert!(!has_dictionary(Column::FragmentId) && !has_dictionary(Column::SrcAddr));
    assert!(has_dictionary(Column::SrcAs) && has_dictionary(Column::DstAddr));
}

#[test]
fn a_dictionary_that_grows_too_large_ends_and_the_rest_is_read_all_the_same() {
    let rows = ROW_GROUP_ROWS / 2;
    let mut builder = Builder::new(Table::Flows);
    let mut random = Random(5);
    builder.time(Column::TimeReceivedNs).extend((0..rows).map(|row| row as i64));
    // Few values at first, then nothing but new ones.
    let mut new = |row: usize| if row < PAGE_ROWS { random.next() % 50 } else { random.next() };
    builder.u64(Column::Bytes).extend((0..rows).map(&mut new));
    (0..rows).for_each(|row| builder.address(Column::SrcAddr).push(&(new(row) as u32).to_be_bytes()));
    builder.advance(rows);
    check(Table::Flows, Encoding::Merged, &[builder.finish()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_rows_are_read_back(
        sizes in prop::collection::vec(1..400usize, 1..4),
        looks in prop::collection::vec((prop::sample::select(&LOOKS[..]), prop::sample::select(&HOLES[..])), 1..9),
        seed in any::<u32>(),
    ) {
        let table = Table::ALL[seed as usize % Table::ALL.len()];
        let batches: Vec<_> =
            sizes.iter().map(|&rows| batch(table, rows, &looks, u64::from(seed) + rows as u64)).collect();
        for encoding in Encoding::ALL {
            check(table, encoding, &batches);
        }
    }
}

#[test]
fn a_part_on_a_full_disk_is_an_error_however_small() {
    for encoding in [Encoding::Cut, Encoding::Merged] {
        let file = File::options().write(true).open("/dev/full").unwrap();
        let writer = PartWriter::new(Arc::new(file), Table::Flows, encoding).unwrap();
        let error = writer.finish(KeyValue::new("nothing".to_owned(), None)).unwrap_err();
        assert!(error.to_string().contains("No space left"), "{error}");
    }
}
