//! Every sFlow structure sent to a collector: each value is found where the manual's page on structures says.

use finderscope_flow::Table;
use finderscope_intake::{Place, counter_place, flow_place};
use finderscope_wire::sflow::Layout;
use serde_json::Value;

use crate::fixture::{Field, Kind, Structure, structures};
use crate::harness::{Collector, Row};

fn row(structure: &Structure) -> Row {
    let mut collector = Collector::new(Default::default());
    collector.send(&structure.datagram());
    let table = if structure.kind == Kind::Flow { Table::Flows } else { Table::Counters };
    let mut rows = collector.rows(table);
    assert_eq!(rows.len(), 1, "{}", structure.name);
    rows.remove(0)
}

fn place(structure: &Structure, field: &str) -> Place {
    match structure.kind {
        Kind::Flow => flow_place(Layout::flow(structure.tag).unwrap(), field),
        Kind::Counter => counter_place(Layout::counter(structure.tag).unwrap(), field),
    }
}

/// What a cell says: lists say each of their numbers.
fn said(cell: &Value) -> Vec<String> {
    match cell {
        Value::Array(numbers) => numbers.iter().map(Value::to_string).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// The value as a cell has it: users are text, and a label is the upper 20 bits of its entry.
fn expected(structure: &Structure, field: &Field) -> String {
    match (&*field.kind, &*field.name, structure.tag.format) {
        ("opaque", "src_user" | "dst_user", _) => String::from_utf8(field.hex()).unwrap(),
        ("u32", "label", 1006) => (field.value.parse::<u32>().unwrap() >> 12).to_string(),
        _ => field.value.clone(),
    }
}

#[test]
fn every_value_is_where_the_manual_says() {
    for structure in structures() {
        let row = row(&structure);
        if structure.kind == Kind::Counter {
            assert_eq!(row["structure"], *structure.name);
        }
        let layout = match structure.kind {
            Kind::Flow => Layout::flow(structure.tag).unwrap(),
            Kind::Counter => Layout::counter(structure.tag).unwrap(),
        };
        let (mut top, mut seen) = (String::new(), Vec::new());
        for field in &structure.fields {
            let outermost = layout.fields.iter().any(|outer| outer.name == field.name);
            if outermost {
                top.clone_from(&field.name);
            }
            seen.push(&*field.name);
            let times = seen.iter().filter(|name| **name == field.name).count();
            let place = place(&structure, if outermost { &field.name } else { &top });
            found(&structure, field, outermost, times, &place, &row);
        }
    }
}

fn found(structure: &Structure, field: &Field, outermost: bool, times: usize, place: &Place, row: &Row) {
    let value = expected(structure, field);
    let context = || format!("{} {} {} in {row:#?}", structure.tag, structure.name, field.name);
    match place {
        Place::Told(_) => {}
        // Counts and kinds of segments are not in the list that they make.
        Place::Columns(_) if field.kind == "count" || field.name == "kind" => {}
        Place::Columns(columns) => {
            let cells: Vec<_> = columns.iter().filter_map(|column| row.get(column.name())).flat_map(said).collect();
            assert!(cells.contains(&value), "{}", context());
        }
        Place::Extra(name) if name == "mpls_out_labels" => assert_eq!(row["extra"][name], "14,15", "{}", context()),
        Place::Extra(name) => {
            let name = if outermost { name.clone() } else { inner(structure, field) };
            let name = if times > 1 { format!("{name}.{times}") } else { name };
            assert_eq!(row["extra"][&name], *value, "{name}: {}", context());
        }
    }
}

/// The name of a field inside an array.
fn inner(structure: &Structure, field: &Field) -> String {
    match structure.kind {
        Kind::Flow => format!("{}.{}", structure.name, field.name),
        Kind::Counter => field.name.clone(),
    }
}

#[test]
fn the_frames_of_an_aggregate_are_told_one_by_one() {
    let structure = structures().into_iter().find(|structure| structure.name == "extended_80211_aggregation").unwrap();
    let row = row(&structure);
    assert_eq!(row["extra"]["extended_80211_aggregation.pdus"], "1");
    assert_eq!(row["extra"]["pdu.1.extended_egress_queue.queue"], "5");
    assert_eq!(row["extra"]["pdu.1.extended_queue.depth"], "6");
}
