//! Builders keep what was written, row by row, and fill what was not with nulls.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use arrow::array::{Array, AsArray};
use arrow::datatypes::{UInt16Type, UInt64Type};
use finderscope_flow::builder::{BATCH_BYTES, BATCH_ROWS};
use finderscope_flow::{Builder, Column, FlowType, Kind, Table, Tables};
use proptest::prelude::*;

#[test]
fn columns_that_were_not_written_catch_up_with_nulls() {
    let mut flows = Builder::new(Table::Flows);
    flows.time(Column::TimeReceivedNs).push_run(7, 3);
    flows.u64(Column::Bytes).extend([1, 2, 3].into_iter());
    flows.advance(3);
    flows.time(Column::TimeReceivedNs).push_run(8, 2);
    flows.u16(Column::SrcPort).extend([443, 53].into_iter());
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, 2);
    flows.advance(2);

    let batch = flows.finish();
    assert_eq!(batch.num_rows(), 5);
    let bytes = batch.column_by_name("bytes").unwrap().as_primitive::<UInt64Type>();
    assert_eq!(bytes.iter().collect::<Vec<_>>(), [Some(1), Some(2), Some(3), None, None]);
    let ports = batch.column_by_name("src_port").unwrap().as_primitive::<UInt16Type>();
    assert_eq!(ports.iter().collect::<Vec<_>>(), [None, None, None, Some(443), Some(53)]);
    assert_eq!(batch.column_by_name("dst_addr").unwrap().null_count(), 5);
    let types = batch.column_by_name("type").unwrap().as_any_dictionary();
    assert_eq!(types.keys().null_count(), 3);
    assert!(flows.is_empty());
}

#[test]
fn runs_of_addresses_of_both_lengths_and_nulls_keep_their_bounds() {
    let (short, long) = ([[10, 0, 0, 1], [10, 0, 0, 2]], [[6; 16], [7; 16]]);
    let mut flows = Builder::new(Table::Flows);
    flows.time(Column::TimeReceivedNs).push_run(1, 10);
    flows.word(Column::Type).push_run(FlowType::Ipfix as i32, 10);
    let cells = flows.address(Column::SrcAddr);
    cells.extend_fixed(short.into_iter());
    cells.extend_fixed::<4>([].into_iter());
    cells.push_nulls(1);
    cells.extend_fixed(long.into_iter());
    cells.push_run(&[1, 2, 3, 4], 2);
    cells.push_run(&[], 2);
    cells.push(&[9; 16]);
    assert_eq!(cells.len(), 10);
    flows.advance(10);

    let batch = flows.finish();
    let addresses = batch.column_by_name("src_addr").unwrap().as_binary::<i32>();
    let run: &[u8] = &[1, 2, 3, 4];
    let expected = [
        Some(&short[0][..]),
        Some(&short[1]),
        None,
        Some(&long[0]),
        Some(&long[1]),
        Some(run),
        Some(run),
        Some(&[]),
        Some(&[]),
        Some(&[9; 16]),
    ];
    assert_eq!(addresses.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_batch_is_full_by_its_rows_or_by_its_text() {
    let mut by_rows = Builder::new(Table::Flows);
    by_rows.advance(BATCH_ROWS - 1);
    assert!(!by_rows.is_full());
    by_rows.advance(1);
    assert!(by_rows.is_full());

    let mut by_text = Builder::new(Table::Events);
    by_text.text(Column::UserName).push(&vec![b'a'; BATCH_BYTES - 1]);
    by_text.advance(1);
    assert!(!by_text.is_full());
    by_text.text(Column::UserName).push(b"a");
    by_text.advance(1);
    assert!(by_text.is_full());
}

#[test]
fn a_row_of_a_map_is_null_without_entries() {
    let mut flows = Builder::new(Table::Flows);
    flows.time(Column::TimeReceivedNs).push_run(1, 3);
    let extra = flows.map(Column::Extra);
    extra.entry("flowId", "7");
    extra.entry("9/12235", "x");
    extra.close();
    extra.close();
    extra.entry("flowId", "8");
    extra.close();
    flows.advance(3);
    let batch = flows.finish();
    let extra = batch.column_by_name("extra").unwrap().as_map();
    assert_eq!((extra.value_length(0), extra.is_null(1), extra.value_length(2)), (2, true, 1));
}

#[test]
fn text_that_is_not_utf8_costs_only_its_own_cell() {
    let mut flows = Builder::new(Table::Flows);
    flows.time(Column::TimeReceivedNs).push_run(1, 2);
    let app = flows.text(Column::App);
    app.push(b"a\xff");
    app.push("ö".as_bytes());
    flows.advance(2);
    let batch = flows.finish();
    let app = batch.column_by_name("app").unwrap().as_string::<i32>();
    assert_eq!((app.value(0), app.value(1)), ("a\u{fffd}", "ö"));
}

#[test]
fn every_kind_closes_with_and_without_rows() {
    let mut tables = Tables::default();
    for builder in tables.all() {
        for rows in [0, 1, 200_000] {
            builder.time(Column::TimeReceivedNs).push_run(1, rows);
            builder.advance(rows);
            let batch = builder.finish();
            assert_eq!((batch.num_rows(), batch.schema()), (rows, builder.table().schema()));
        }
    }
}

#[test]
fn every_column_has_one_name_and_a_place() {
    for (at, &column) in Column::ALL.iter().enumerate() {
        assert_eq!(Column::by_name(column.name()), Some(column));
        assert_eq!(column as usize, at);
        assert!(Table::ALL.iter().any(|&table| column.is_in(table)), "{} is in no table", column.name());
        assert!(!column.doc().is_empty());
        if let Kind::Word(words) = column.kind() {
            assert!(words.len() > 1);
        }
    }
}

/// Where the cells of a batch's column of bytes and of its sources begin.
fn places(batch: &arrow::array::RecordBatch) -> [*const u8; 2] {
    let column = |column: Column| batch.column_by_name(column.name()).unwrap();
    let bytes = column(Column::Bytes).as_primitive::<UInt64Type>().values().inner().as_ptr();
    [bytes, column(Column::SrcAddr).as_binary::<i32>().values().as_ptr()]
}

fn fill(flows: &mut Builder, first: u64) -> arrow::array::RecordBatch {
    flows.time(Column::TimeReceivedNs).push_run(1, 100);
    flows.u64(Column::Bytes).extend((0..100_u32).map(|row| first + u64::from(row)));
    flows.address(Column::SrcAddr).extend_fixed((0..100_u32).map(|row| (first as u32 + row).to_be_bytes()));
    flows.advance(100);
    flows.finish()
}

#[test]
fn a_batch_that_nobody_holds_any_more_is_filled_again() {
    let mut flows = Builder::new(Table::Flows);
    let first = fill(&mut flows, 1_000);
    let (before, held) = (places(&first), first.clone());
    flows.recycle(first);
    let second = fill(&mut flows, 2_000);
    assert_ne!(places(&second), before, "somebody still holds the first one");
    assert_eq!(held.column_by_name("bytes").unwrap().as_primitive::<UInt64Type>().value(99), 1_099);
    flows.recycle(held);
    let third = fill(&mut flows, 3_000);
    assert_eq!(places(&third), before);
    let bytes = third.column_by_name("bytes").unwrap().as_primitive::<UInt64Type>();
    assert_eq!((bytes.len(), bytes.value(0), bytes.value(99), bytes.null_count()), (100, 3_000, 3_099, 0));
    let sources = third.column_by_name("src_addr").unwrap().as_binary::<i32>();
    assert_eq!(sources.value(99), 3_099_u32.to_be_bytes());
}

#[test]
fn runs_of_values_and_of_nulls_are_written_out_where_something_else_comes() {
    let mut flows = Builder::new(Table::Flows);
    flows.time(Column::TimeReceivedNs).push_run(1, 9);
    let cells = flows.u16(Column::SrcPort);
    cells.push_nulls(1);
    cells.push_run(443, 2);
    cells.push_run(443, 1);
    cells.push_nulls(2);
    cells.push_option(None);
    cells.push(53);
    cells.push_option(Some(0));
    assert_eq!(cells.len(), 9);
    flows.u16(Column::DstPort).push_run(80, 9);
    flows.u8(Column::Proto).push_nulls(9);
    let cells = flows.u32(Column::InIf);
    cells.push_run(7, 9);
    cells.tail_mut(7)[1] = 8;
    flows.advance(9);
    let batch = flows.finish();
    let ports =
        |name: &str| batch.column_by_name(name).unwrap().as_primitive::<UInt16Type>().iter().collect::<Vec<_>>();
    let p = Some(443);
    assert_eq!(ports("src_port"), [None, p, p, p, None, None, None, Some(53), Some(0)]);
    assert_eq!(ports("dst_port"), [Some(80); 9]);
    assert_eq!(batch.column_by_name("proto").unwrap().null_count(), 9);
    let interfaces = batch.column_by_name("in_if").unwrap().as_primitive::<arrow::datatypes::UInt32Type>();
    assert_eq!(interfaces.values()[6..], [7, 7, 8]);
}

#[test]
fn what_is_one_value_to_its_end_is_right_in_every_batch() {
    let mut flows = Builder::new(Table::Flows);
    for (rows, port, address) in
        [(10, 1_u16, [10, 0, 0, 1]), (100, 1, [10, 0, 0, 1]), (50, 1, [10, 0, 0, 1]), (20, 2, [9; 4])]
    {
        flows.time(Column::TimeReceivedNs).push_run(1, rows);
        flows.u16(Column::SrcPort).push_run(port, rows);
        flows.address(Column::ExporterAddress).push_run(&address, rows);
        flows.word(Column::Type).push_run(FlowType::Ipfix as i32, rows);
        flows.advance(rows);
        let batch = flows.finish();
        let ports = batch.column_by_name("src_port").unwrap().as_primitive::<UInt16Type>();
        assert!(ports.len() == rows && ports.values().iter().all(|&value| value == port));
        let exporters = batch.column_by_name("exporter_address").unwrap().as_binary::<i32>();
        assert!(exporters.len() == rows && exporters.iter().all(|value| value == Some(&address[..])));
        assert_eq!(batch.column_by_name("type").unwrap().as_any_dictionary().keys().null_count(), 0);
    }
}

/// What is done to a column: cells of these values, of which some are null or long, or a run, or nothing for so many rows.
#[derive(Clone, Debug)]
enum Step {
    Cells(Vec<u16>, u64),
    Run(u16, usize),
    Behind(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let masks = prop_oneof![Just(u64::MAX), any::<u64>(), Just(0)];
    prop_oneof![
        6 => (prop::collection::vec(0_u16..2, 0..=32), masks).prop_map(|(values, mask)| Step::Cells(values, mask)),
        1 => (0_u16..2, 0_usize..5).prop_map(|(value, count)| Step::Run(value, count)),
        1 => (0_usize..5).prop_map(Step::Behind),
    ]
}

proptest! {
    #[test]
    fn cells_that_come_many_at_once_are_what_single_ones_would_be(
        batches in prop::collection::vec(prop::collection::vec(any_step(), 0..12), 1..4),
    ) {
        let (mut many, mut single) = (Builder::new(Table::Flows), Builder::new(Table::Flows));
        for steps in batches {
            for step in steps {
                prop_assert_eq!(many_cells(&mut many, &step), single_cells(&mut single, &step));
            }
            prop_assert_eq!(many.finish(), single.finish());
        }
    }
}

fn many_cells(builder: &mut Builder, step: &Step) -> usize {
    let rows = match step {
        Step::Cells(values, mask) => {
            let mut room = [0; 32];
            room[..values.len()].copy_from_slice(values);
            // What is no null is asked as whoever knows it asks: by all bits.
            let valid = if mask.trailing_ones() as usize >= values.len() { u64::MAX } else { *mask };
            builder.u16(Column::SrcPort).extend_valid(&room, values.len(), valid);
            let addresses: Vec<_> = values.iter().map(|&value| address(value)).collect();
            let same = addresses.windows(2).all(|pair| pair[0] == pair[1]);
            let cells = builder.address(Column::SrcAddr);
            if !(same && values.first().is_some_and(|&first| cells.go_on_with(&address(first)[..4], values.len()))) {
                let bits = addresses.iter().enumerate();
                cells.extend_mixed(bits.map(|(at, value)| (value, !same && mask >> at & 1 == 1)));
            }
            values.len()
        }
        Step::Run(value, count) => {
            builder.u16(Column::SrcPort).push_run(*value, *count);
            builder.address(Column::SrcAddr).push_run(&address(*value)[..4], *count);
            *count
        }
        Step::Behind(count) => *count,
    };
    always(builder, rows);
    rows
}

fn single_cells(builder: &mut Builder, step: &Step) -> usize {
    let rows = match step {
        Step::Cells(values, mask) => {
            let same = values.windows(2).all(|pair| pair[0] == pair[1]);
            for (at, &value) in values.iter().enumerate() {
                let valid = mask >> at & 1 == 1;
                builder.u16(Column::SrcPort).push_option(valid.then_some(value));
                builder.address(Column::SrcAddr).push(&address(value)[..if valid && !same { 16 } else { 4 }]);
            }
            values.len()
        }
        Step::Run(value, count) => {
            for _ in 0..*count {
                builder.u16(Column::SrcPort).push(*value);
                builder.address(Column::SrcAddr).push(&address(*value)[..4]);
            }
            *count
        }
        Step::Behind(count) => {
            builder.u16(Column::SrcPort).push_nulls(*count);
            builder.address(Column::SrcAddr).push_nulls(*count);
            *count
        }
    };
    always(builder, rows);
    rows
}

/// What no row is without.
fn always(builder: &mut Builder, rows: usize) {
    builder.time(Column::TimeReceivedNs).push_run(7, rows);
    builder.word(Column::Type).push_run(FlowType::Ipfix as i32, rows);
    builder.advance(rows);
}

fn address(value: u16) -> [u8; 16] {
    [value as u8 + 1; 16]
}
