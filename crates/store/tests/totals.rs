//! Totals files against a plain model: each number of each row.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{TimestampNanosecondType, UInt64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use finderscope_flow::{Builder, Column, SamplingSource, Table};
use finderscope_store::totals::{Dimension, Level, TotalsBuilder, TotalsFile, merge};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use tempfile::TempDir;

/// 2026-01-01 00:00 UTC.
const T0: i64 = 1_767_225_600_000_000_000;
const SECOND: i64 = 1_000_000_000;

#[derive(Clone, Debug)]
struct Flow {
    received: i64,
    start: Option<i64>,
    end: Option<i64>,
    exporter: Option<u8>,
    in_if: Option<u32>,
    out_if: Option<u32>,
    proto: Option<u8>,
    src: Option<(bool, u8)>,
    port: Option<u16>,
    src_as: Option<u32>,
    bytes: Option<u64>,
    packets: Option<u64>,
    rate: Option<u64>,
    assumed: bool,
}

fn plain(received: i64) -> Flow {
    Flow {
        received,
        start: Some(received - SECOND),
        end: Some(received),
        exporter: Some(1),
        in_if: Some(1),
        out_if: Some(2),
        proto: Some(6),
        src: Some((false, 1)),
        port: Some(80),
        src_as: Some(64_500),
        bytes: Some(1_000),
        packets: Some(3),
        rate: Some(1),
        assumed: false,
    }
}

fn address((six, last): (bool, u8)) -> Vec<u8> {
    let mut octets = vec![0; if six { 16 } else { 4 }];
    octets[0] = 10;
    *octets.last_mut().unwrap() = last;
    octets
}

fn batch(flows: &[Flow]) -> RecordBatch {
    let mut builder = Builder::new(Table::Flows);
    for flow in flows {
        let exporter = flow.exporter.map(|last| address((false, last)));
        builder.time(Column::TimeReceivedNs).push(flow.received);
        builder.time(Column::TimeFlowStartNs).push_option(flow.start);
        builder.time(Column::TimeFlowEndNs).push_option(flow.end);
        builder.address(Column::ExporterAddress).push_option(exporter.as_deref());
        builder.address(Column::SamplerAddress).push_option(exporter.as_deref());
        builder.address(Column::SrcAddr).push_option(flow.src.map(address).as_deref());
        builder.u32(Column::InIf).push_option(flow.in_if);
        builder.u32(Column::OutIf).push_option(flow.out_if);
        builder.u8(Column::Proto).push_option(flow.proto);
        builder.u16(Column::DstPort).push_option(flow.port);
        builder.u32(Column::SrcAs).push_option(flow.src_as);
        builder.u64(Column::Bytes).push_option(flow.bytes);
        builder.u64(Column::Packets).push_option(flow.packets);
        builder.u64(Column::SamplingRate).push_option(flow.rate);
        let source = if flow.assumed { SamplingSource::Assumed } else { SamplingSource::Record };
        builder.word(Column::SamplingSource).push(source as i32);
        builder.advance(1);
    }
    builder.finish()
}

/// Level and dimension, the group's cells as text, and the bin's begin.
type Group = (String, Vec<String>, Option<i64>);
/// flows, bytes, packets, bytes_scaled, packets_scaled, flows_sampled, bytes_assumed, first, last.
type Sums = [Option<i128>; 9];

fn text(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn or_null<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn cells(flow: &Flow, dimension: Dimension) -> Vec<String> {
    let exporter = or_null(flow.exporter.map(|last| text(&address((false, last)))));
    match dimension {
        Dimension::All => vec![exporter],
        Dimension::InIf => vec![exporter, or_null(flow.in_if)],
        Dimension::OutIf => vec![exporter, or_null(flow.out_if)],
        Dimension::Proto => vec![or_null(flow.proto)],
        Dimension::SrcAddr => vec![or_null(flow.src.map(|src| text(&address(src))))],
        Dimension::DstPort => vec![or_null(flow.port)],
        Dimension::SrcAs => vec![or_null(flow.src_as)],
        Dimension::DstAddr | Dimension::SrcPort | Dimension::DstAs => vec![String::new()],
    }
}

/// The shares of a flow by the rule of the manual, in wide numbers: bin, whether the record counts in it, and each volume.
fn shares(flow: &Flow, bin: i64) -> Vec<(i64, bool, [Option<i128>; 4])> {
    let end = flow.end.unwrap_or(flow.received);
    let start = flow.start.unwrap_or(end).min(end);
    let scaled = |volume: Option<u64>| volume.map(|volume| i128::from(volume) * i128::from(flow.rate.unwrap_or(1)));
    let volumes = [flow.bytes.map(i128::from), flow.packets.map(i128::from), scaled(flow.bytes), scaled(flow.packets)];
    let passed = |volume: i128, until: i64| match i128::from(end - start) {
        0 => volume,
        length => volume * i128::from(until.clamp(start, end) - start) / length,
    };
    let bins = start.div_euclid(bin)..=end.div_euclid(bin);
    let share = |number: i64| {
        let (from, until) = (number * bin, (number + 1) * bin);
        let share = volumes.map(|volume| {
            volume.map(|volume| if start == end { volume } else { passed(volume, until) - passed(volume, from) })
        });
        (from, number == end.div_euclid(bin), share)
    };
    bins.map(share).filter(|(_, last, share)| *last || share.iter().any(|share| share.unwrap_or(0) > 0)).collect()
}

fn model(flows: &[Flow]) -> BTreeMap<Group, Sums> {
    let mut groups: BTreeMap<Group, Sums> = BTreeMap::new();
    for flow in flows {
        for dimension in Dimension::ALL {
            for &level in dimension.levels() {
                let bins = match level.ns() {
                    Some(ns) => {
                        shares(flow, ns).into_iter().map(|(time, last, share)| (Some(time), last, share)).collect()
                    }
                    None => {
                        let whole = shares(&Flow { start: flow.end, ..flow.clone() }, SECOND);
                        vec![(None, true, whole[0].2)]
                    }
                };
                for (time, last, [bytes, packets, bytes_scaled, packets_scaled]) in bins {
                    let sampled = i128::from(last && flow.rate.is_some_and(|rate| rate > 1));
                    let of_all = dimension == Dimension::All && level == Level::Part;
                    let assumed = if flow.rate.is_none() || flow.assumed { bytes_scaled.unwrap_or(0) } else { 0 };
                    let row = [
                        Some(i128::from(last)),
                        bytes,
                        packets,
                        bytes_scaled,
                        packets_scaled,
                        Some(sampled),
                        of_all.then_some(assumed),
                        of_all.then_some(i128::from(flow.received)),
                        of_all.then_some(i128::from(flow.received)),
                    ];
                    let key = (dimension.at(level), cells(flow, dimension), time);
                    add(groups.entry(key).or_insert([None; 9]), &row);
                }
            }
        }
    }
    groups
}

fn add(sums: &mut Sums, row: &Sums) {
    for (at, (sum, more)) in sums.iter_mut().zip(row).enumerate() {
        *sum = match (*sum, *more) {
            (Some(sum), Some(more)) => Some(match at {
                7 => sum.min(more),
                8 => sum.max(more),
                _ => sum + more,
            }),
            (sum, more) => sum.or(more),
        };
    }
}

/// The file's rows, which must be in order within each row group.
fn read(path: &Path) -> BTreeMap<Group, Sums> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader
        .map(Result::unwrap)
        .flat_map(|batch| (0..batch.num_rows()).map(move |row| group(&batch, row)).collect::<Vec<_>>())
        .collect()
}

fn group(batch: &RecordBatch, row: usize) -> (Group, Sums) {
    let word = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().value(row).to_owned();
    let dimension = Dimension::ALL.into_iter().find(|dimension| dimension.name() == word("dimension")).unwrap();
    let cell = |column: &Column| cell(batch.column_by_name(column.name()).unwrap(), row);
    for other in batch.schema().fields().iter().filter_map(|field| Column::by_name(field.name())) {
        let is_other = !dimension.columns().contains(&other) && ![Column::Bytes, Column::Packets].contains(&other);
        assert!(!is_other || batch.column_by_name(other.name()).unwrap().is_null(row));
    }
    let number = |name: &str| {
        let cells = batch.column_by_name(name).unwrap();
        let number = cells.as_primitive_opt::<UInt64Type>().map(|cells| i128::from(cells.value(row)));
        let time = cells.as_primitive_opt::<TimestampNanosecondType>().map(|cells| i128::from(cells.value(row)));
        number.or(time).filter(|_| cells.is_valid(row))
    };
    let sums = [
        "flows",
        "bytes",
        "packets",
        "bytes_scaled",
        "packets_scaled",
        "flows_sampled",
        "bytes_assumed",
        "first_received_ns",
        "last_received_ns",
    ];
    let key = (
        format!("{}/{}", word("level"), word("dimension")),
        dimension.columns().iter().map(cell).collect(),
        number("time").map(|time| time as i64),
    );
    let mut sums = sums.map(number);
    // Left out where they are the plain ones.
    for (scaled, plain) in [(3, 1), (4, 2)] {
        assert!(sums[scaled].is_none() || sums[scaled] != sums[plain], "{key:?}");
        sums[scaled] = sums[scaled].or(sums[plain]);
    }
    (key, sums)
}

fn cell(cells: &ArrayRef, row: usize) -> String {
    match cells.as_binary_opt::<i32>() {
        _ if cells.is_null(row) => String::new(),
        Some(addresses) => text(addresses.value(row)),
        None => ArrayFormatter::try_new(cells.as_ref(), &FormatOptions::default()).unwrap().value(row).to_string(),
    }
}

fn build(path: &Path, flows: &[Flow], batch_rows: usize) -> Option<TotalsFile> {
    let mut builder = TotalsBuilder::new();
    flows.chunks(batch_rows).for_each(|flows| builder.add(&batch(flows)));
    builder.finish(path).unwrap()
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let times = (0..7_200_i64, prop::option::of(-100..20_000_i64), prop::option::of(-400..3_000_i64));
    let groups = (
        prop::option::weighted(0.9, 1..3_u8),
        prop::option::weighted(0.9, 0..3_u32),
        prop::option::weighted(0.9, prop_oneof![Just(6_u8), Just(17), Just(255), Just(0)]),
        prop::option::weighted(0.9, (any::<bool>(), 0..4_u8)),
        prop::option::weighted(0.9, prop_oneof![Just(0_u16), Just(443), Just(65_535)]),
    );
    let volumes = (
        prop::option::weighted(0.9, prop_oneof![0..3_u64, 0..1_000_000_u64, Just(1 << 50)]),
        prop::option::weighted(0.9, 0..100_u64),
        prop::option::weighted(0.9, prop_oneof![3 => Just(1_u64), 1 => Just(1000)]),
        prop::bool::weighted(0.1),
    );
    let src_as = prop::option::of(prop_oneof![Just(0_u32), Just(u32::MAX)]);
    (times, groups, volumes, src_as).prop_map(|((at, duration, late), group, volume, src_as)| {
        let received = T0 + at * SECOND;
        let end = late.map(|late| received - late * SECOND + at);
        Flow {
            received,
            end,
            start: duration.map(|duration| end.unwrap_or(received) - duration * SECOND),
            exporter: group.0,
            in_if: group.1,
            out_if: group.1.map(|number| u32::MAX - number),
            proto: group.2,
            src: group.3,
            port: group.4,
            src_as,
            bytes: volume.0,
            packets: volume.1,
            rate: volume.2,
            assumed: volume.3,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_number_is_that_of_a_plain_model(flows in prop::collection::vec(any_flow(), 1..60), batch_rows in 1..60_usize) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("totals.parquet");
        let file = build(&path, &flows, batch_rows).unwrap();
        prop_assert_eq!(&file.lacks, &Vec::<String>::new());
        prop_assert_eq!(file.rows, flows.len() as u64);
        prop_assert_eq!(file.min_received_ns, flows.iter().map(|flow| flow.received).min().unwrap());
        prop_assert_eq!(file.max_received_ns, flows.iter().map(|flow| flow.received).max().unwrap());
        prop_assert_eq!(file.file_bytes, path.metadata().unwrap().len());
        prop_assert_eq!(read(&path), model(&flows));
    }

    #[test]
    fn merged_totals_are_those_of_all_rows(
        flows in prop::collection::vec(prop::collection::vec(any_flow(), 1..20), 1..5),
    ) {
        let folder = TempDir::new().unwrap();
        let paths: Vec<_> = (0..flows.len()).map(|at| folder.path().join(format!("{at}.parquet"))).collect();
        for (path, flows) in paths.iter().zip(&flows) {
            build(path, flows, 7).unwrap();
        }
        let path = folder.path().join("merged.parquet");
        let file = merge(&paths, &path).unwrap().unwrap();
        let flows: Vec<Flow> = flows.into_iter().flatten().collect();
        prop_assert_eq!(file.rows, flows.len() as u64);
        prop_assert_eq!(file.min_received_ns, flows.iter().map(|flow| flow.received).min().unwrap());
        prop_assert_eq!(read(&path), model(&flows));
        // What was merged can be merged again.
        let again = folder.path().join("again.parquet");
        merge(std::slice::from_ref(&path), &again).unwrap().unwrap();
        prop_assert_eq!(read(&again), read(&path));
    }
}

#[test]
fn minutes_nest_into_hours_and_days() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("totals.parquet");
    let odd = |n: i64| Flow {
        start: Some(T0 + n * 977 * SECOND / 3),
        end: Some(T0 + n * 1_601 * SECOND + 17),
        bytes: Some(n.unsigned_abs() * 7_919 + 1),
        rate: Some(7),
        ..plain(T0 + n * SECOND)
    };
    build(&path, &(1..50).map(odd).collect::<Vec<_>>(), 10).unwrap();
    let rows = read(&path);
    for (finer, coarser) in [(Level::Minute, Level::Hour), (Level::Hour, Level::Day), (Level::Minute, Level::Day)] {
        for dimension in Dimension::TIMED {
            let mut nested: BTreeMap<Group, Sums> = BTreeMap::new();
            for ((_, cells, time), sums) in rows.iter().filter(|((at, ..), _)| *at == dimension.at(finer)) {
                let ns = coarser.ns().unwrap();
                let key = (dimension.at(coarser), cells.clone(), time.map(|time| time.div_euclid(ns) * ns));
                add(nested.entry(key).or_insert([None; 9]), sums);
            }
            let coarse = rows.clone().into_iter().filter(|((at, ..), _)| *at == dimension.at(coarser));
            assert_eq!(nested, coarse.collect());
        }
    }
}

#[test]
fn the_sums_of_a_file_are_those_of_its_rows_in_every_dimension() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("totals.parquet");
    let flows: Vec<Flow> = (0..1_000).map(|n| Flow { port: Some(n as u16), ..plain(T0 + n * 8 * SECOND) }).collect();
    build(&path, &flows, 100).unwrap();
    let mut whole: BTreeMap<String, [i128; 3]> = BTreeMap::new();
    for ((at, ..), sums) in read(&path) {
        let whole = whole.entry(at).or_default();
        (0..3).for_each(|place| whole[place] += sums[place].unwrap());
    }
    assert_eq!(whole.len(), 10 + 4 * 3);
    assert!(whole.values().all(|sums| *sums == [1_000, 1_000_000, 3_000]), "{whole:?}");
}

#[test]
fn flows_that_span_too_long_cost_the_times_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("totals.parquet");
    let mut flows: Vec<Flow> = (0..100).map(|n| plain(T0 + n * SECOND)).collect();
    flows[50].start = Some(i64::MIN);
    let file = build(&path, &flows, 30).unwrap();
    let times: Vec<String> = Dimension::TIMED
        .iter()
        .flat_map(|dimension| dimension.levels()[1..].iter().map(|&level| dimension.at(level)))
        .collect();
    assert_eq!(file.lacks, times);
    flows[50].start = None;
    let mut expected = model(&flows);
    expected.retain(|(at, ..), _| !times.contains(at));
    assert_eq!(read(&path), expected);
}

#[test]
fn many_spread_flows_cost_the_times_and_not_hours_of_work() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("totals.parquet");
    let week = |n: i64| Flow { start: Some(T0 - 6 * 86_400 * SECOND), ..plain(T0 + n * SECOND) };
    let file = build(&path, &(0..1_000).map(week).collect::<Vec<_>>(), 1_000).unwrap();
    assert_eq!(file.lacks.len(), 12);
    assert_eq!(
        read(&path)[&("part/proto".to_owned(), vec!["6".to_owned()], None)][..2],
        [Some(1_000), Some(1_000_000)]
    );
}

#[test]
fn what_is_beyond_64_bits_is_left_out_or_the_file_not_made() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("totals.parquet");
    let large = |n: u8| Flow { bytes: Some(u64::MAX / 2), exporter: Some(n), src: Some((true, n)), ..plain(T0) };
    // Each exporter and source fits, all of the same protocol or port do not.
    let file = build(&path, &[large(1), large(2), large(3)], 3).unwrap();
    let rows = read(&path);
    assert!(file.lacks.contains(&"part/proto".to_owned()) && file.lacks.contains(&"part/dst_port".to_owned()));
    assert!(!file.lacks.iter().any(|lack| lack.ends_with("/all") || lack.ends_with("src_addr")), "{:?}", file.lacks);
    assert!(rows.keys().all(|(at, ..)| !file.lacks.contains(at)));
    // A volume times its rate that does not fit says nothing of any dimension.
    assert_eq!(build(&path, &[Flow { rate: Some(3), ..large(1) }, plain(T0)], 1), None);
    assert_eq!(TotalsBuilder::new().finish(&path).unwrap(), None);
    // Merging notices it, too.
    let other = folder.path().join("other.parquet");
    build(&path, &[large(1)], 1).unwrap();
    build(&other, &[large(1), plain(T0)], 1).unwrap();
    assert_eq!(merge(&[path.clone(), other.clone()], &folder.path().join("m.parquet")).unwrap().map(|_| ()), Some(()));
    let third = folder.path().join("third.parquet");
    build(&third, &[large(1)], 1).unwrap();
    assert_eq!(merge(&[path, other, third], &folder.path().join("m.parquet")).unwrap(), None);
}

#[test]
fn addresses_that_stand_for_few_rows_each_are_left_out() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("totals.parquet");
    let flow = |n: usize| Flow { src: Some((true, n as u8)), ..plain(T0) };
    let named = |from: usize| {
        let mut builder = Builder::new(Table::Flows);
        for n in from..from + 70_000 {
            builder.time(Column::TimeReceivedNs).push(T0);
            builder.address(Column::SrcAddr).push(&(n as u32).to_be_bytes());
            builder.u64(Column::Bytes).push(1);
            builder.advance(1);
        }
        builder.finish()
    };
    for (rows, lacks) in [(100_000, &["part/src_addr".to_owned()][..]), (1_000_000, &[])] {
        let mut builder = TotalsBuilder::of_rows(rows);
        builder.add(&batch(&(0..10).map(flow).collect::<Vec<_>>()));
        builder.add(&named(0));
        builder.add(&named(0));
        let lacking = builder.finish(&path).unwrap().unwrap().lacks;
        let lacking: Vec<String> = lacking.into_iter().filter(|lack| lack.starts_with("part/")).collect();
        assert_eq!(lacking, lacks);
        assert_eq!(read(&path).keys().filter(|(at, ..)| at == "part/src_addr").count() > 0, lacks.is_empty());
    }
}

#[test]
fn a_file_says_when_a_sampler_is_not_its_exporter() {
    let folder = TempDir::new().unwrap();
    let [one, two, both] = ["one", "two", "both"].map(|name| folder.path().join(name));
    let flows = batch(&[plain(T0)]);
    let place = flows.schema().index_of("sampler_address").unwrap();
    let mut columns = flows.columns().to_vec();
    columns[place] = std::sync::Arc::new(arrow::array::BinaryArray::from(vec![&[10_u8, 9, 9, 9][..]]));
    let mut builder = TotalsBuilder::new();
    builder.add(&flows);
    assert_eq!(builder.finish(&one).unwrap().unwrap().lacks, Vec::<String>::new());
    let mut builder = TotalsBuilder::new();
    builder.add(&RecordBatch::try_new(flows.schema(), columns).unwrap());
    assert_eq!(builder.finish(&two).unwrap().unwrap().lacks, ["sampler_address"]);
    assert_eq!(merge(&[one, two], &both).unwrap().unwrap().lacks, ["sampler_address"]);
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let folder = TempDir::new().unwrap();
    let (path, to) = (folder.path().join("totals.parquet"), folder.path().join("m.parquet"));
    build(&path, &[plain(T0)], 1).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for end in (0..bytes.len()).step_by(97) {
        std::fs::write(&path, &bytes[..end]).unwrap();
        merge(std::slice::from_ref(&path), &to).unwrap_err();
    }
}
