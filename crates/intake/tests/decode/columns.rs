//! Every row of the table of mappings: octets of an element in, the column's cell out.
//!
//! `facts/columns.tsv` has octets and cells that were worked out from the documents. A mapping without a line there fails.

use std::collections::BTreeSet;

use finderscope_flow::Table;
use finderscope_flow::registry::{self, DataType};
use finderscope_wire::ipfix::{Encoder, FieldSpecifier};
use serde_json::{Value, json};

use crate::harness::{Collector, Row, check, field, ipfix, v9};

struct Fact {
    enterprise: u32,
    element: u16,
    octets: Vec<u8>,
    column: &'static str,
    cell: Value,
}

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn facts() -> Vec<Fact> {
    let lines = include_str!("../facts/columns.tsv").lines().filter(|line| !line.starts_with('#'));
    let fact = |line: &'static str| {
        let fields: Vec<&'static str> = line.split('\t').collect();
        let [enterprise, element, hex, column, cell] = fields[..] else { panic!("{line:?}") };
        Fact {
            enterprise: enterprise.parse().unwrap(),
            element: element.parse().unwrap(),
            octets: octets(hex),
            column,
            cell: serde_json::from_str(cell).unwrap(),
        }
    };
    lines.map(fact).collect()
}

/// The row of a record that has this one field.
fn row(enterprise: u32, element: u16, octets: &[u8]) -> Row {
    let length = u16::try_from(octets.len()).unwrap();
    let write = |encoder: &mut Encoder<'_>| {
        let field = FieldSpecifier { element, enterprise: (enterprise != 0).then_some(enterprise), length };
        encoder.template(256, &[field]).record(256, octets);
    };
    let mut collector = Collector::new(Default::default());
    collector.send(&if element >= 0x8000 { v9(0, write) } else { ipfix(0, write) });
    let mut rows = collector.flows();
    rows.extend(collector.rows(Table::Events));
    assert_eq!(rows.len(), 1, "{enterprise}/{element}: {rows:#?}");
    rows.remove(0)
}

#[test]
fn every_fact_is_what_becomes_of_the_element() {
    for fact in facts() {
        let row = row(fact.enterprise, fact.element, &fact.octets);
        let at = format!("{}/{} in {}", fact.enterprise, fact.element, fact.column);
        assert_eq!(row.get(fact.column), Some(&fact.cell), "{at}: {row:#?}");
        assert_eq!(row.get("extra"), None, "{at}");
    }
}

#[test]
fn every_mapping_has_a_fact() {
    let known: BTreeSet<(u32, u16, &str)> =
        facts().iter().map(|fact| (fact.enterprise, fact.element, fact.column)).collect();
    let without: Vec<_> = registry::MAPPINGS
        .iter()
        .map(|mapping| (mapping.enterprise, mapping.element, mapping.column.name()))
        .filter(|mapping| !known.contains(mapping))
        .collect();
    assert!(without.is_empty(), "write what becomes of these: {without:?}");
}

/// Octets of an element without a column, and its text in `extra`.
#[test]
fn every_abstract_data_type_has_its_text() {
    let samples: [(DataType, u32, u16, &[u8], &str); 24] = [
        (DataType::OctetArray, 9, 8_235, &[0xca, 0xfe], "cafe"),
        (DataType::Unsigned8, 0, 200, &[0x16], "22"),
        (DataType::Unsigned16, 0, 186, &[0x72, 0x10], "29200"),
        (DataType::Unsigned32, 0, 185, &[0, 0, 1], "1"),
        (DataType::Unsigned64, 0, 134, &[0, 1, 0, 0, 0, 0], "4294967296"),
        (DataType::Signed8, 8057, 1_016, &[0xff], "-1"),
        (DataType::Signed16, 8057, 1_013, &[0xff, 0xfe], "-2"),
        (DataType::Signed32, 15_397, 11, &[0xff, 0xff, 0xff], "-1"),
        (DataType::Signed64, 39_499, 352, &[0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"),
        (DataType::Float32, 3054, 126, &[0x41, 0xb8, 0xee, 0xf8], "23.116684"),
        (DataType::Float64, 0, 311, &[0x3f, 0xe0, 0, 0, 0, 0, 0, 0], "0.5"),
        (DataType::Boolean, 0, 276, &[2], "false"),
        (DataType::MacAddress, 0, 365, &[0, 1, 2, 3, 4, 5], "00:01:02:03:04:05"),
        (DataType::String, 0, 82, b"ge-0/0/1\0", "ge-0/0/1"),
        (DataType::DateTimeSeconds, 0, 260, &[0x65, 0x92, 0x00, 0x80], "2024-01-01T00:00:00Z"),
        (
            DataType::DateTimeMilliseconds,
            0,
            258,
            &[0, 0, 0x01, 0x8c, 0xc2, 0x51, 0xf4, 0x01],
            "2024-01-01T00:00:00.001Z",
        ),
        (DataType::DateTimeMicroseconds, 0, 268, &[0xe9, 0x3c, 0x7f, 0x00, 0x80, 0, 0, 0], "2024-01-01T00:00:00.500Z"),
        (DataType::DateTimeNanoseconds, 0, 270, &[0xe9, 0x3c, 0x7f, 0x00, 0x40, 0, 0, 0], "2024-01-01T00:00:00.250Z"),
        (DataType::Ipv4Address, 0, 47, &[192, 0, 2, 1], "192.0.2.1"),
        (DataType::Ipv6Address, 0, 140, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "fe80::1"),
        (
            DataType::BasicList,
            0,
            291,
            &[3, 0, 4, 0, 1, 6],
            r#"{"semantic":"allOf","element":"protocolIdentifier","values":[6]}"#,
        ),
        (DataType::SubTemplateList, 0, 292, &[0, 1, 44, 7], r#"{"semantic":"noneOf","template":300,"octets":"07"}"#),
        (
            DataType::SubTemplateMultiList,
            0,
            293,
            &[4, 1, 44, 0, 5, 7],
            r#"{"semantic":"ordered","lists":[{"template":300,"octets":"07"}]}"#,
        ),
        (DataType::Unsigned256, 0, 515, &[0x80, 0, 0, 1], "80000001"),
    ];
    for (data_type, enterprise, element, octets, text) in samples {
        let known = registry::element(Some(enterprise), element).unwrap();
        assert_eq!(known.data_type, data_type, "{}", known.name);
        assert_eq!(row(enterprise, element, octets)["extra"], json!({ known.name: text }));
    }
    assert!(DataType::ALL.iter().all(|known| samples.iter().any(|sample| sample.0 == *known)));
}

#[test]
fn flags_of_parts_are_ored_and_paths_are_in_their_order() {
    let mut collector = Collector::new(Default::default());
    let of = |enterprise, element, length| FieldSpecifier::of_enterprise(enterprise, element, length);
    collector.send(&ipfix(0, |encoder| {
        let path = [of(35_632, 301, 4), of(35_632, 300, 4), of(35_632, 302, 4)];
        let flags = [of(6_871, 14, 1), of(6_871, 15, 1), field(2, 1)];
        encoder.template(256, &[&flags[..], &path[..]].concat());
        encoder.record(256, &[2, 0x18, 9, 0, 0, 0xfc, 1, 0, 0, 0xfc, 0, 0, 0, 0, 0]);
    }));
    let flow = collector.flow();
    check(&flow, &[("tcp_flags", json!(0x1a)), ("as_path", json!([0xfc00, 0xfc01]))]);
    check(&flow, &[("extra", json!({"initialTCPFlags": "2", "unionTCPFlags": "24"}))]);
}

#[test]
fn a_networks_address_stands_for_a_hosts_and_beside_it() {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(256, &[field(44, 4), field(9, 1), field(2, 1)]).record(256, &[10, 1, 0, 0, 16, 1]);
    }));
    check(&collector.flow(), &[("src_addr", json!("10.1.0.0")), ("src_net", json!(16)), ("extra", json!(null))]);
    collector.send(&ipfix(1, |encoder| {
        encoder.template(257, &[field(44, 4), field(8, 4)]).record(257, &[10, 1, 0, 0, 10, 1, 2, 3]);
    }));
    let extra = json!({"sourceIPv4Prefix": "10.1.0.0"});
    check(&collector.flow(), &[("src_addr", json!("10.1.2.3")), ("extra", extra)]);
}

#[test]
fn route_distinguishers_are_written_as_people_do() {
    for (octets, text) in [
        ([0, 0, 0xfc, 0, 0, 0, 0, 100], "64512:100"),
        ([0, 1, 192, 0, 2, 1, 0, 7], "192.0.2.1:7"),
        ([0, 2, 0, 1, 0, 0, 0, 9], "65536:9"),
        ([0, 9, 0, 1, 0, 0, 0, 9], "0009000100000009"),
    ] {
        assert_eq!(row(0, 90, &octets)["extra"], json!({"mplsVpnRouteDistinguisher": text}));
    }
}
