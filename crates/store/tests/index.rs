//! The address index: what it finds is what a look at every row finds, and what is damaged is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use finderscope_flow::{Builder, Column, Table};
use finderscope_store::PAGE_ROWS;
use finderscope_store::index::{Index, IndexBuilder, Side};
use proptest::prelude::*;

/// A few addresses that lie close together, of both families, and none.
fn any_address() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Vec::new())),
        6 => (0_u8..3, any::<u8>()).prop_map(|(net, host)| Some(vec![10, 0, net, host])),
        3 => (0_u8..2, any::<u8>()).prop_map(|(net, host)| {
            let mut address = vec![0x20, 1, 0xd, 0xb8, 0, 0, 0, net, 0, 0, 0, 0, 0, 0, 0, host];
            address[8] = host;
            Some(address)
        }),
    ]
}

type Addresses = (Option<Vec<u8>>, Option<Vec<u8>>);

fn batch(rows: &[&Addresses]) -> RecordBatch {
    let mut builder = Builder::new(Table::Flows);
    for (place, (source, destination)) in rows.iter().enumerate() {
        builder.time(Column::TimeReceivedNs).push(place as i64);
        for (column, address) in [(Column::SrcAddr, source), (Column::DstAddr, destination)] {
            if let Some(address) = address {
                builder.address(column).push(address);
            }
        }
        builder.advance(1);
    }
    builder.finish()
}

fn write(path: &Path, batches: impl IntoIterator<Item = RecordBatch>) -> u64 {
    let mut builder = IndexBuilder::new();
    batches.into_iter().for_each(|batch| builder.add(&batch));
    builder.finish(path).unwrap()
}

/// The distinct addresses of each page.
fn seen(rows: &[&Addresses], side: Side) -> BTreeSet<(Vec<u8>, u32)> {
    let of = |row: &Addresses| if side == Side::Source { row.0.clone() } else { row.1.clone() };
    (0..).zip(rows).filter_map(|(row, addresses)| Some((of(addresses)?, row / PAGE_ROWS as u32))).collect()
}

/// The pages that hold an address of the range, by looking at each.
fn plainly(seen: &BTreeSet<(Vec<u8>, u32)>, from: &[u8], through: &[u8]) -> Vec<u32> {
    let within = |address: &[u8]| address.len() == from.len() && address >= from && address <= through;
    let pages: BTreeSet<u32> = seen.iter().filter(|(address, _)| within(address)).map(|(_, page)| *page).collect();
    pages.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn finds_the_pages_that_a_look_at_every_row_finds(
        mut few in prop::collection::vec((any_address(), any_address()), 1..40),
        places in prop::collection::vec((0_usize..4 * PAGE_ROWS, 0_usize..40), 1..60),
        step in 1_usize..3 * PAGE_ROWS,
    ) {
        // Mostly one address, and others in between.
        let rows: usize = places.iter().map(|place| place.0).max().unwrap_or(0) + 1;
        few[0] = (Some(vec![10, 0, 0, 1]), None);
        let mut all = vec![&few[0]; rows];
        for (row, address) in &places {
            all[*row] = &few[address % few.len()];
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.index");
        let bytes = write(&path, all.chunks(step).map(batch));
        prop_assert_eq!(bytes, fs::metadata(&path).unwrap().len());
        let index = Index::open(&path).unwrap();
        prop_assert_eq!(index.rows(), rows as u64);
        let asked: Vec<&Vec<u8>> = few.iter().flat_map(|row| [&row.0, &row.1]).flatten().filter(|address| !address.is_empty()).collect();
        for side in Side::ALL {
            let seen = seen(&all, side);
            for from in &asked {
                for through in asked.iter().filter(|through| through.len() == from.len()) {
                    let pages = index.pages(side, from, through).unwrap();
                    prop_assert_eq!(pages, plainly(&seen, from, through), "{:?} {:?} {:?}", side, from, through);
                }
            }
        }
    }
}

/// Many addresses, so that there are several blocks, runs and kinds of entries.
fn large(dir: &Path) -> (PathBuf, usize) {
    let path = dir.join("large.index");
    let rows = 40 * PAGE_ROWS + 5;
    let batches = (0..rows).step_by(50_000).map(|first| {
        let rows = 50_000.min(rows - first);
        let mut builder = Builder::new(Table::Flows);
        builder.time(Column::TimeReceivedNs).push_run(0, rows);
        for row in first..first + rows {
            let number = (row as u32).wrapping_mul(0x9e37_79b1);
            let address = if row % 2 == 0 { number.to_be_bytes() } else { [10, 0, 0, (row % 7) as u8] };
            builder.address(Column::SrcAddr).push(&address);
            let mut six = [0x20; 16];
            six[12..].copy_from_slice(&address);
            builder.address(Column::DstAddr).push(&six);
        }
        builder.advance(rows);
        builder.finish()
    });
    write(&path, batches);
    (path, rows)
}

#[test]
fn many_addresses_are_found_each_in_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let (path, rows) = large(dir.path());
    let index = Index::open(&path).unwrap();
    for row in (0..rows).step_by(2).step_by(977) {
        let address = (row as u32).wrapping_mul(0x9e37_79b1).to_be_bytes();
        assert_eq!(index.pages(Side::Source, &address, &address).unwrap(), [(row / PAGE_ROWS) as u32]);
        assert_eq!(index.pages(Side::Destination, &address, &address).unwrap(), [0_u32; 0]);
    }
    let everywhere: Vec<u32> = (0..41).collect();
    assert_eq!(index.pages(Side::Source, &[10, 0, 0, 3], &[10, 0, 0, 3]).unwrap(), everywhere[..everywhere.len() - 1]);
    assert_eq!(index.pages(Side::Source, &[0; 4], &[255; 4]).unwrap(), everywhere);
    assert_eq!(index.pages(Side::Source, &[255; 4], &[0; 4]).unwrap(), [0_u32; 0]);
    // What no index is made of may be anywhere.
    assert_eq!(index.pages(Side::Source, &[10], &[10]).unwrap(), everywhere);
    assert_eq!(index.pages(Side::Source, &[0; 4], &[255; 16]).unwrap(), everywhere);
}

#[test]
fn no_rows_have_no_pages() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("empty.index");
    write(&path, []);
    assert_eq!(Index::open(&path).unwrap().pages(Side::Source, &[0; 4], &[255; 4]).unwrap(), [0_u32; 0]);
}

#[test]
fn a_batch_without_addresses_makes_no_index() {
    let dir = tempfile::tempdir().unwrap();
    let batch = batch(&[&(None, None)]);
    let source = batch.schema().index_of("src_addr").unwrap();
    let others: Vec<usize> = (0..batch.num_columns()).filter(|column| *column != source).collect();
    let mut builder = IndexBuilder::new();
    builder.add(&batch.project(&others).unwrap());
    let error = builder.finish(&dir.path().join("a.index")).unwrap_err();
    assert!(error.to_string().contains("without addresses"), "{error}");
}

/// A side, an address, and the pages that hold it.
type Question = (Side, Vec<u8>, Vec<u32>);

/// A small index, and every question whose answer some byte of it decides.
fn small(dir: &Path) -> (PathBuf, Vec<Question>) {
    let path = dir.join("small.index");
    let mut rows: Vec<Addresses> = (0..2 * PAGE_ROWS).map(|_| (Some(vec![10, 0, 0, 1]), Some(vec![10; 16]))).collect();
    for host in 0..20 {
        rows[usize::from(host) * 1_700] = (Some(vec![10, 7, 0, host]), Some(vec![host; 4]));
        rows[usize::from(host) * 1_700 + 1] = (Some(vec![host; 16]), None);
    }
    let rows: Vec<&Addresses> = rows.iter().collect();
    write(&path, [batch(&rows)]);
    let mut questions = Vec::new();
    for side in Side::ALL {
        let seen = seen(&rows, side);
        let distinct: BTreeSet<&Vec<u8>> = seen.iter().map(|(address, _)| address).collect();
        questions.extend(distinct.into_iter().map(|address| (side, address.clone(), plainly(&seen, address, address))));
    }
    (path, questions)
}

#[test]
fn every_truncation_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = small(dir.path());
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        Index::open(&path).unwrap_err();
    }
}

#[test]
fn every_altered_byte_is_refused_by_some_question_and_misleads_none() {
    let dir = tempfile::tempdir().unwrap();
    let (path, questions) = small(dir.path());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        for bit in [1, 0x80] {
            let mut altered = whole.clone();
            altered[at] ^= bit;
            fs::write(&path, &altered).unwrap();
            let Ok(index) = Index::open(&path) else { continue };
            let mut refused = 0;
            for (side, address, pages) in &questions {
                match index.pages(*side, address, address) {
                    Ok(found) => assert_eq!(&found, pages, "byte {at}"),
                    Err(_) => refused += 1,
                }
            }
            assert!(refused > 0, "byte {at} is read by no question");
        }
    }
}
