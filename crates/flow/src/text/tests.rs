//! Every kind of cell in every format, and JSON that any reader takes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Builder, Column, FlowType, Kind, Table};

/// Looks at the first cell of `array` as JSON and as plain text.
#[track_caller]
fn check(array: impl Array + 'static, json: &str, plain: &str) {
    check_field(&Field::new("x", array.data_type().clone(), true), &array, json, plain);
}

#[track_caller]
fn check_field(field: &Field, array: &dyn Array, json: &str, plain: &str) {
    let (mut as_json, mut as_plain) = (Vec::new(), Vec::new());
    write_json_value(&mut as_json, array, field, 0).unwrap();
    write_plain(&mut as_plain, array, field, 0).unwrap();
    assert_eq!((text(as_json.clone()).as_str(), text(as_plain).as_str()), (json, plain));
    serde_json::from_slice::<Value>(&as_json).unwrap();
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn field(kind: Kind) -> Field {
    let metadata = HashMap::from([("kind".to_owned(), kind.name().to_owned())]);
    Field::new("x", kind.data_type(), true).with_metadata(metadata)
}

#[test]
fn numbers_are_numbers() {
    check(UInt8Array::from(vec![255]), "255", "255");
    check(UInt16Array::from(vec![65_535]), "65535", "65535");
    check(UInt32Array::from(vec![u32::MAX]), "4294967295", "4294967295");
    check(UInt64Array::from(vec![u64::MAX]), "18446744073709551615", "18446744073709551615");
    check(Int8Array::from(vec![-128]), "-128", "-128");
    check(Int16Array::from(vec![-5]), "-5", "-5");
    check(Int32Array::from(vec![-5]), "-5", "-5");
    check(Int64Array::from(vec![i64::MIN]), "-9223372036854775808", "-9223372036854775808");
    check(Float64Array::from(vec![0.1]), "0.1", "0.1");
    check(Float64Array::from(vec![1e300]), "1e300", "1e300");
    check(Float32Array::from(vec![1.0]), "1.0", "1.0");
    check(BooleanArray::from(vec![true]), "true", "true");
    let decimal = Decimal128Array::from(vec![-12_345]).with_precision_and_scale(10, 2).unwrap();
    check(decimal, "-123.45", "-123.45");
}

#[test]
fn what_is_not_a_number_is_null_in_json() {
    check(Float64Array::from(vec![f64::NAN]), "null", "NaN");
    check(Float32Array::from(vec![f32::NEG_INFINITY]), "null", "-inf");
}

#[test]
fn times_are_in_utc_whatever_their_unit_and_zone() {
    let time = "2026-07-22T09:45:00.250Z";
    let quoted = format!("\"{time}\"");
    let ns = 1_784_713_500_250_000_000;
    check(TimestampNanosecondArray::from(vec![ns]).with_timezone("UTC"), &quoted, time);
    check(TimestampMicrosecondArray::from(vec![ns / 1_000]), &quoted, time);
    check(TimestampMillisecondArray::from(vec![ns / 1_000_000]).with_timezone("+02:00"), &quoted, time);
    check(TimestampSecondArray::from(vec![0]), "\"1970-01-01T00:00:00Z\"", "1970-01-01T00:00:00Z");
    check(Date32Array::from(vec![1]), "\"1970-01-02\"", "1970-01-02");
    check(Date64Array::from(vec![-1]), "\"1969-12-31\"", "1969-12-31");
}

#[test]
fn bytes_are_addresses_by_their_length() {
    let six = std::net::Ipv6Addr::LOCALHOST.octets();
    check(BinaryArray::from(vec![&[10, 0, 0, 1][..]]), "\"10.0.0.1\"", "10.0.0.1");
    check(LargeBinaryArray::from(vec![&six[..]]), "\"::1\"", "::1");
    check(BinaryViewArray::from(vec![&[1, 2, 3][..]]), "\"010203\"", "010203");
    let fixed = FixedSizeBinaryArray::try_from_iter([six].into_iter()).unwrap();
    check(fixed, "\"::1\"", "::1");
    let mac = UInt64Array::from(vec![0x0102_0304_0506]);
    check_field(&field(Kind::Mac), &mac, "\"01:02:03:04:05:06\"", "01:02:03:04:05:06");
    check(mac, "1108152157446", "1108152157446");
}

#[test]
fn text_is_escaped_where_it_could_do_harm() {
    check(StringArray::from(vec!["GigabitEthernet0/1"]), "\"GigabitEthernet0/1\"", "GigabitEthernet0/1");
    check(LargeStringArray::from(vec!["say \"hi\""]), r#""say \"hi\"""#, "say \"hi\"");
    check(StringViewArray::from(vec!["DOMAIN\\user"]), r#""DOMAIN\\user""#, "DOMAIN\\user");
    check(StringArray::from(vec!["\x1b[31mred\0"]), r#""\u001b[31mred\u0000""#, r"\u001b[31mred\u0000");
    check(StringArray::from(vec!["a\nb\tc\r"]), r#""a\nb\tc\r""#, r"a\u000ab\u0009c\u000d");
    check(StringArray::from(vec!["x\u{202e}y\u{9b}\u{2028}"]), r#""x\u202ey\u009b\u2028""#, r"x\u202ey\u009b\u2028");
    check(StringArray::from(vec!["Zürich 東京 🔭"]), "\"Zürich 東京 🔭\"", "Zürich 東京 🔭");
    check(StringArray::from(vec![""]), "\"\"", "");
    assert_eq!(plain_text("plain"), "plain");
    assert_eq!(plain_text("\u{7f}é"), "\\u007fé");
}

#[test]
fn what_has_parts_is_written_part_by_part() {
    let numbers = |rows: Vec<Option<Vec<Option<u32>>>>| ListArray::from_iter_primitive::<UInt32Type, _, _>(rows);
    check(numbers(vec![Some(vec![Some(1), Some(2)])]), "[1,2]", "1 2");
    check(numbers(vec![Some(vec![])]), "[]", "");
    check(numbers(vec![Some(vec![None, Some(3)])]), "[null,3]", " 3");
    let large = LargeListArray::from_iter_primitive::<UInt8Type, _, _>(vec![Some(vec![Some(7)])]);
    check(large, "[7]", "7");
    let fixed = FixedSizeListArray::from_iter_primitive::<Int8Type, _, _>(vec![Some(vec![Some(1), Some(-1)])], 2);
    check(fixed, "[1,-1]", "1 -1");
    let name: ArrayRef = Arc::new(StringArray::from(vec![Some("a b")]));
    let none: ArrayRef = Arc::new(UInt8Array::from(vec![None]));
    let members = StructArray::from(vec![
        (Arc::new(Field::new("name", DataType::Utf8, true)), name),
        (Arc::new(Field::new("none", DataType::UInt8, true)), none),
    ]);
    check(members, r#"{"name":"a b"}"#, r#"{"name":"a b"}"#);
    let mut map = MapBuilder::new(None, UInt16Builder::new(), StringBuilder::new());
    map.keys().append_value(5);
    map.values().append_value("x");
    map.append(true).unwrap();
    check(map.finish(), r#"{"5":"x"}"#, r#"{"5":"x"}"#);
}

#[test]
fn a_word_is_looked_up_even_where_the_dictionary_has_nulls() {
    let words: DictionaryArray<Int32Type> = vec!["UNKNOWN", "IPFIX"].into_iter().collect();
    check(words.slice(1, 1), "\"IPFIX\"", "IPFIX");
    let values: ArrayRef = Arc::new(StringArray::from(vec![None, Some("x")]));
    let keys = Int8Array::from(vec![Some(0), Some(1), None]);
    check(DictionaryArray::new(keys, values), "null", "");
    let empty: DictionaryArray<Int32Type> = vec![None::<&str>].into_iter().collect();
    check(empty, "null", "");
}

#[test]
fn what_only_arrow_knows_is_text() {
    check(IntervalYearMonthArray::from(vec![14]), "\"1 years 2 mons\"", "1 years 2 mons");
    check(DurationSecondArray::from(vec![90]), "\"PT90S\"", "PT90S");
    check(Time32SecondArray::from(vec![3_661]), "\"01:01:01\"", "01:01:01");
    check(NullArray::new(1), "null", "");
}

/// A row of the flows table with a value of every kind, and one with nothing but its time.
fn flows() -> RecordBatch {
    let mut builder = Builder::new(Table::Flows);
    builder.word(Column::Type).push(FlowType::Ipfix as i32);
    builder.time(Column::TimeReceivedNs).push(1_500_000_000);
    builder.address(Column::SrcAddr).push(&[192, 0, 2, 1]);
    builder.u64(Column::SrcMac).push(0xaabb_ccdd_eeff);
    builder.u8(Column::Proto).push(6);
    builder.u16(Column::SrcPort).push(443);
    builder.u32(Column::InIf).push(7);
    builder.u64(Column::Bytes).push(u64::MAX);
    builder.text(Column::App).push("a \"b\", c=\x07".as_bytes());
    builder.list(Column::MplsLabel).push([16, 17].into_iter());
    let extra = builder.map(Column::Extra);
    extra.entry("6876/900", "x\ny");
    extra.close();
    builder.advance(1);
    builder.time(Column::TimeReceivedNs).push(2_000_000_000);
    builder.advance(1);
    builder.finish()
}

#[test]
fn a_record_is_one_line_of_json() {
    let (batch, schema) = (flows(), Table::Flows.schema());
    let writer = RecordWriter::new(&schema);
    let mut rows = writer.rows(&batch).unwrap();
    let mut out = Vec::new();
    (0..rows.len()).for_each(|row| rows.write_json(&mut out, row));
    let out = text(out);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines,
        [
            concat!(
                r#"{"type":"IPFIX","time_received_ns":"1970-01-01T00:00:01.500Z","bytes":18446744073709551615,"#,
                r#""src_addr":"192.0.2.1","src_port":443,"proto":6,"in_if":7,"src_mac":"aa:bb:cc:dd:ee:ff","#,
                r#""mpls_label":[16,17],"app":"a \"b\", c=\u0007","extra":{"6876/900":"x\ny"}}"#
            ),
            r#"{"time_received_ns":"1970-01-01T00:00:02Z"}"#,
        ]
    );
}

#[test]
fn a_record_has_every_member_where_nulls_are_asked_for() {
    let (batch, schema) = (flows(), Table::Flows.schema());
    let writer = RecordWriter::new(&schema).with_nulls(Nulls::Write);
    let mut out = Vec::new();
    writer.rows(&batch).unwrap().write_json_object(&mut out, 1);
    let record: Value = serde_json::from_slice(&out).unwrap();
    let record = record.as_object().unwrap();
    assert_eq!(record.len(), schema.fields().len());
    assert_eq!(record["src_addr"], Value::Null);
    assert_eq!(record["time_received_ns"], json!("1970-01-01T00:00:02Z"));
}

#[test]
fn a_record_without_members_is_an_empty_object() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("a", DataType::UInt8, true)]));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(UInt8Array::from(vec![None, Some(1)]))]).unwrap();
    let writer = RecordWriter::new(&schema);
    let mut rows = writer.rows(&batch).unwrap();
    let mut out = b"before".to_vec();
    rows.write_json_object(&mut out, 0);
    rows.write_json_object(&mut out, 1);
    assert_eq!(text(out), r#"before{}{"a":1}"#);
}

#[test]
fn a_record_for_people_has_names_and_quotes_what_has_blanks() {
    let (batch, schema) = (flows(), Table::Flows.schema());
    let writer = RecordWriter::new(&schema);
    let mut out = Vec::new();
    writer.rows(&batch).unwrap().write_text(&mut out, 0);
    assert_eq!(
        text(out),
        concat!(
            "type=IPFIX time_received_ns=1970-01-01T00:00:01.500Z bytes=18446744073709551615 src_addr=192.0.2.1 ",
            "src_port=443 proto=6 in_if=7 src_mac=aa:bb:cc:dd:ee:ff mpls_label=\"16 17\" ",
            "app=\"a \\\"b\\\", c=\\\\u0007\" extra=\"{\\\"6876/900\\\":\\\"x\\\\ny\\\"}\"\n"
        )
    );
}

#[test]
fn csv_is_quoted_where_it_must_be() {
    let schema: SchemaRef =
        Arc::new(Schema::new(vec![Field::new("a,b", DataType::Utf8, true), Field::new("n", DataType::UInt64, true)]));
    let names: ArrayRef = Arc::new(StringArray::from(vec![Some("x,\"y\""), Some(""), None, Some("plain")]));
    let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![names, numbers]).unwrap();
    let writer = RecordWriter::new(&schema);
    let mut rows = writer.rows(&batch).unwrap();
    let mut out = Vec::new();
    writer.write_csv_header(&mut out);
    (0..rows.len()).for_each(|row| rows.write_csv(&mut out, row));
    assert_eq!(text(out), "\"a,b\",n\n\"x,\"\"y\"\"\",1\n\"\",\n,3\nplain,4\n");
}

#[test]
fn a_batch_of_other_columns_is_refused() {
    let writer = RecordWriter::new(&Table::Counters.schema());
    assert!(writer.rows(&flows()).is_err());
}

#[test]
fn every_column_of_every_table_can_be_written() {
    for table in Table::ALL {
        let mut builder = Builder::new(table);
        for &column in table.columns() {
            fill(&mut builder, column);
        }
        builder.advance(1);
        let (batch, schema) = (builder.finish(), table.schema());
        let writer = RecordWriter::new(&schema);
        let mut out = Vec::new();
        writer.rows(&batch).unwrap().write_json(&mut out, 0);
        let record: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(record.as_object().unwrap().len(), table.columns().len(), "{}", table.name());
    }
}

fn fill(builder: &mut Builder, column: Column) {
    match column.kind() {
        Kind::U8 => builder.u8(column).push(1),
        Kind::U16 => builder.u16(column).push(1),
        Kind::U32 => builder.u32(column).push(1),
        Kind::U64 | Kind::Mac => builder.u64(column).push(1),
        Kind::Time => builder.time(column).push(1),
        Kind::Address => builder.address(column).push(&[0; 16]),
        Kind::Text => builder.text(column).push(b"x"),
        Kind::Word(_) => builder.word(column).push(0),
        Kind::List => builder.list(column).push(std::iter::empty()),
        Kind::Map => {
            builder.map(column).entry("k", "v");
            builder.map(column).close();
        }
    }
}

/// Text with what JSON and terminals stumble over in it.
fn any_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![any::<char>(), prop::char::range('\0', '\u{ff}'), prop::char::range('\u{2000}', '\u{2070}')],
        0..12,
    )
    .prop_map(|letters| letters.into_iter().collect())
}

proptest! {
    #[test]
    fn json_text_reads_back_and_prints_nothing_unsafe(value in any_text()) {
        let mut out = Vec::new();
        write_json_string(&mut out, &value);
        let out = text(out);
        prop_assert!(!out.contains(is_unsafe));
        prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), value);
    }

    #[test]
    fn plain_text_prints_nothing_unsafe(value in any_text()) {
        let mut out = Vec::new();
        write_plain_text(&mut out, &value);
        let out = text(out);
        prop_assert!(!out.contains(is_unsafe));
        prop_assert_eq!(plain_text(&value), out);
    }

    #[test]
    fn a_record_of_anything_is_json_that_reads_back(
        name in any_text(),
        numbers in prop::collection::vec(any::<Option<u64>>(), 5),
        floats in prop::collection::vec(any::<Option<f64>>(), 5),
        texts in prop::collection::vec(prop::option::of(any_text()), 5),
        bytes in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..20)), 5),
        times in prop::collection::vec(any::<Option<i64>>(), 5),
        lengths in prop::collection::vec(0_usize..4, 5),
        write_nulls in any::<bool>(),
    ) {
        let columns: Vec<(String, ArrayRef)> = vec![
            (format!("{name}0"), Arc::new(UInt64Array::from(numbers.clone()))),
            (format!("{name}1"), Arc::new(Float64Array::from(floats))),
            (format!("{name}2"), Arc::new(StringArray::from(texts.clone()))),
            (format!("{name}3"), Arc::new(bytes.iter().map(Option::as_deref).collect::<BinaryArray>())),
            (format!("{name}4"), Arc::new(TimestampNanosecondArray::from(times))),
            (format!("{name}5"), Arc::new(lists(&lengths))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
        let writer = RecordWriter::new(&batch.schema()).with_nulls(if write_nulls { Nulls::Write } else { Nulls::Omit });
        let mut rows = writer.rows(&batch).unwrap();
        for row in 0..rows.len() {
            let mut out = Vec::new();
            rows.write_json(&mut out, row);
            prop_assert!(out.iter().filter(|&&byte| byte == b'\n').count() == 1);
            let record: Value = serde_json::from_slice(&out).unwrap();
            let expected = numbers[row].map_or(Value::Null, Value::from);
            prop_assert_eq!(record.get(format!("{name}0")).unwrap_or(&Value::Null), &expected);
            let expected = texts[row].clone().map_or(Value::Null, Value::from);
            prop_assert_eq!(record.get(format!("{name}2")).unwrap_or(&Value::Null), &expected);
            prop_assert_eq!(record[format!("{name}5")].as_array().unwrap().len(), lengths[row]);
        }
    }
}

/// Columns whose cells often are what the cell before was, with nulls between, and names of any length.
fn repeating() -> impl Strategy<Value = RecordBatch> {
    let cells = prop::collection::vec(prop::option::weighted(0.8, 0_usize..3), 12);
    (prop::collection::vec(cells, 6), 1_usize..90).prop_map(|(cells, length)| {
        const ADDRESSES: [&[u8]; 3] = [&[0; 4], &[0; 16], &[0, 0, 0, 1]];
        const WORDS: [&str; 3] = ["", "a,\"b\" c", "word"];
        let of = |column: usize| cells[column].iter().copied();
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(of(0).map(|cell| cell.map(|cell| cell as u8)).collect::<UInt8Array>()),
            Arc::new(of(1).map(|cell| cell.map(|cell| cell as i64)).collect::<TimestampNanosecondArray>()),
            Arc::new(of(2).map(|cell| cell.map(|cell| ADDRESSES[cell])).collect::<BinaryArray>()),
            Arc::new(of(3).map(|cell| cell.map(|cell| WORDS[cell])).collect::<DictionaryArray<Int8Type>>()),
            Arc::new(of(4).map(|cell| cell.map(|cell| WORDS[cell])).collect::<StringArray>()),
            Arc::new(of(5).map(|cell| cell.map(|cell| cell as f64)).collect::<Float64Array>()),
        ];
        let name = |column: usize| format!("{column}{}", "x".repeat(length));
        let columns = arrays.into_iter().enumerate().map(|(column, array)| (name(column), array, true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    })
}

/// The same JSON, cell by cell.
fn json_by_cells(batch: &RecordBatch, row: usize, nulls: Nulls) -> String {
    let mut members = Vec::new();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let mut out = Vec::new();
        write_json_value(&mut out, array, field, row).unwrap();
        if nulls == Nulls::Write || out != b"null" {
            members.push(format!("\"{}\":{}", field.name(), text(out)));
        }
    }
    format!("{{{}}}\n", members.join(","))
}

/// The same line of CSV, cell by cell.
fn csv_by_cells(batch: &RecordBatch, row: usize) -> String {
    let cell = |(field, array): (&FieldRef, &ArrayRef)| {
        let mut out = Vec::new();
        write_plain(&mut out, array, field, row).unwrap();
        let plain = text(out);
        let null = array.logical_nulls().is_some_and(|nulls| nulls.is_null(row));
        let quoted = !null && (plain.is_empty() || plain.contains([',', '"']));
        if quoted { format!("\"{}\"", plain.replace('"', "\"\"")) } else { plain }
    };
    let cells: Vec<String> = batch.schema().fields().iter().zip(batch.columns()).map(cell).collect();
    cells.join(",") + "\n"
}

proptest! {
    #[test]
    fn lines_are_the_same_whether_cells_repeat_or_not(batch in repeating()) {
        let writer = RecordWriter::new(&batch.schema());
        let with_nulls = RecordWriter::new(&batch.schema()).with_nulls(Nulls::Write);
        let (mut rows, mut rows_with_nulls) = (writer.rows(&batch).unwrap(), with_nulls.rows(&batch).unwrap());
        // By style, by row, and back again, so that one style follows another too.
        for row in (0..batch.num_rows()).chain([0, 0]) {
            let mut out = Vec::new();
            rows.write_json(&mut out, row);
            prop_assert_eq!(text(out), json_by_cells(&batch, row, Nulls::Omit));
            let mut out = Vec::new();
            rows_with_nulls.write_json(&mut out, row);
            prop_assert_eq!(text(out), json_by_cells(&batch, row, Nulls::Write));
        }
        for row in 0..batch.num_rows() {
            let mut out = Vec::new();
            rows.write_csv(&mut out, row);
            prop_assert_eq!(text(out), csv_by_cells(&batch, row));
        }
    }

    #[test]
    fn all_lines_at_once_are_the_lines_row_by_row(batch in mixed()) {
        let all = |nulls, write: fn(&Rows<'_>, &mut Vec<u8>)| {
            let writer = RecordWriter::new(&batch.schema()).with_nulls(nulls);
            let mut out = b"before".to_vec();
            write(&writer.rows(&batch).unwrap(), &mut out);
            text(out)
        };
        for nulls in [Nulls::Omit, Nulls::Write] {
            let lines: String = (0..batch.num_rows()).map(|row| json_by_cells(&batch, row, nulls)).collect();
            prop_assert_eq!(all(nulls, |rows, out| rows.write_json_lines(out)), format!("before{lines}"));
        }
        let lines: String = (0..batch.num_rows()).map(|row| csv_by_cells(&batch, row)).collect();
        prop_assert_eq!(all(Nulls::Omit, |rows, out| rows.write_csv_lines(out)), format!("before{lines}"));
    }
}

/// Columns of most types, each with cells that change seldom, often or never, nulls in some, over several blocks.
fn mixed() -> impl Strategy<Value = RecordBatch> {
    let column = (0..MIXED, any::<u64>(), prop_oneof![Just(1_usize), Just(7), Just(40), Just(1_000)], 0..3_u8);
    (prop::collection::vec((column, 1_usize..70), 0..12), 0_usize..300).prop_map(|(columns, rows)| {
        let columns = columns.into_iter().enumerate().map(|(at, ((kind, seed, each, nulls), length))| {
            let cells: Vec<Option<u64>> = (0..rows)
                .map(|row| {
                    let cell = (row / each) as u64;
                    let cell = (cell ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (cell * 7 % 64);
                    let is_null = [false, cell.is_multiple_of(3), true][usize::from(nulls)];
                    (!is_null).then_some(cell)
                })
                .collect();
            (format!("{at}{}", "x".repeat(length)), mixed_array(kind, cells), true)
        });
        let columns: Vec<_> = columns.collect();
        let schema = columns.iter().map(|(name, array, _)| Field::new(name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(schema.collect::<Vec<_>>()));
        let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(schema, arrays, &options).unwrap()
    })
}

const MIXED: usize = 14;

fn mixed_array(kind: usize, cells: Vec<Option<u64>>) -> ArrayRef {
    fn of<A: FromIterator<Option<T>>, T>(cells: Vec<Option<u64>>, make: impl Fn(u64) -> T) -> A {
        cells.into_iter().map(|cell| cell.map(&make)).collect()
    }
    fn bytes(cell: u64) -> Vec<u8> {
        let length = [4, 4, 16, 0, 3][cell as usize % 5];
        cell.to_be_bytes().repeat(2)[..length].to_vec()
    }
    fn word(cell: u64) -> String {
        [String::new(), "a,\"b\" c".to_owned(), "a word that no view holds".repeat(4), cell.to_string()]
            [cell as usize % 4]
            .clone()
    }
    match kind {
        0 => Arc::new(of::<UInt8Array, _>(cells, |cell| cell as u8)),
        1 => Arc::new(of::<UInt16Array, _>(cells, |cell| cell as u16)),
        2 => Arc::new(of::<UInt32Array, _>(cells, |cell| cell as u32)),
        3 => Arc::new(of::<UInt64Array, _>(cells, |cell| cell)),
        4 => Arc::new(of::<Int32Array, _>(cells, |cell| cell as i32)),
        5 => Arc::new(of::<TimestampNanosecondArray, _>(cells, |cell| cell as i64)),
        6 => Arc::new(of::<TimestampMillisecondArray, _>(cells, |cell| cell as i64)),
        7 => Arc::new(of::<Float64Array, _>(cells, |cell| if cell.is_multiple_of(2) { 0.0 } else { -0.0 })),
        8 => Arc::new(of::<BinaryArray, _>(cells, bytes)),
        9 => Arc::new(of::<BinaryViewArray, _>(cells, bytes)),
        10 => Arc::new(of::<StringArray, _>(cells, word)),
        11 => Arc::new(of::<StringViewArray, _>(cells, word)),
        12 => Arc::new(of::<BooleanArray, _>(cells, |cell| cell.is_multiple_of(2))),
        _ => {
            let cells: Vec<Option<String>> = of(cells, word);
            Arc::new(cells.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
        }
    }
}

fn lists(lengths: &[usize]) -> ListArray {
    let total: u32 = lengths.iter().map(|&length| length as u32).sum();
    let mut ends = vec![0_i32];
    ends.extend(lengths.iter().scan(0, |end, &length| {
        *end += length as i32;
        Some(*end)
    }));
    let item = Arc::new(Field::new("item", DataType::UInt32, false));
    let items = Arc::new(UInt32Array::from((0..total).collect::<Vec<_>>()));
    ListArray::new(item, OffsetBuffer::new(ScalarBuffer::from(ends)), items, None)
}
