//! What the operator says about elements comes before the program's own tables.

use finderscope_flow::{Column, Table};
use finderscope_intake::{Config, Intake, MapProtocol, MapRule, MapTarget, MapType, can_be_mapped};
use finderscope_wire::ipfix::{FieldSpecifier, VARIABLE};
use serde_json::json;

use crate::harness::{Collector, check, field, ipfix, v9};

fn rule(enterprise: u32, element: u16, target: MapTarget, data_type: Option<MapType>) -> MapRule {
    MapRule { protocol: MapProtocol::Both, enterprise, element, target, data_type }
}

fn column(column: Column) -> MapTarget {
    MapTarget::Column(column)
}

fn extra(name: &str) -> MapTarget {
    MapTarget::Extra(name.to_owned())
}

fn with(maps: Vec<MapRule>) -> Config {
    Config { maps, ..Config::default() }
}

const CISCO: fn(u16, u16) -> FieldSpecifier = |element, length| FieldSpecifier { element, length, enterprise: Some(9) };

/// One IPFIX record of Cisco's 12235 (text), 8233 (a number), and bytes.
fn message(sequence: u32) -> Vec<u8> {
    ipfix(sequence, |encoder| {
        encoder.template(256, &[field(1, 4), CISCO(12235, VARIABLE), CISCO(8233, 2)]);
        encoder.record_with(256, |writer| _ = writer.u32(9).u8(4).bytes(b"chat").u16(443));
    })
}

#[test]
fn an_element_fills_the_column_that_the_operator_names() {
    let maps =
        vec![rule(9, 12235, column(Column::App), Some(MapType::String)), rule(9, 8233, column(Column::DstPort), None)];
    let mut collector = Collector::new(with(maps));
    collector.send(&message(0));
    let flow = collector.flow();
    check(&flow, &[("app", json!("chat")), ("dst_port", json!(443)), ("bytes", json!(9)), ("extra", json!(null))]);
}

#[test]
fn a_new_name_is_an_entry_of_extra_of_the_type_that_was_said() {
    for (data_type, value) in [(None, "443"), (Some(MapType::Signed), "443"), (Some(MapType::Hex), "01bb")] {
        let maps =
            vec![rule(9, 12235, extra("service"), Some(MapType::String)), rule(9, 8233, extra("rtt"), data_type)];
        let mut collector = Collector::new(with(maps));
        collector.send(&message(0));
        assert_eq!(collector.flow()["extra"], json!({"service": "chat", "rtt": value}), "{data_type:?}");
    }
}

#[test]
fn what_the_operator_says_comes_before_the_tables() {
    // The program's own tables give element 7 the source port, and 21 to the flow's times.
    let maps = vec![
        rule(0, 7, column(Column::DstPort), None),
        rule(0, 5, extra("dscp"), Some(MapType::Number)),
        rule(0, 2, column(Column::App), Some(MapType::Number)),
    ];
    let mut collector = Collector::new(with(maps));
    collector.send(&v9(0, |encoder| {
        encoder.template(256, &[field(1, 4), field(7, 2), field(11, 2), field(5, 1), field(2, 4)]);
        encoder.record_with(256, |writer| _ = writer.u32(9).u16(1000).u16(2000).u8(184).u32(77));
    }));
    let flow = collector.flow();
    check(
        &flow,
        &[("dst_port", json!(1000)), ("src_port", json!(null)), ("app", json!("77")), ("packets", json!(null))],
    );
    assert_eq!(flow["extra"]["dscp"], json!("184"));
    // Who lost the column to it is not lost.
    assert_eq!(flow["extra"]["destinationTransportPort"], json!("2000"));
}

#[test]
fn a_rule_may_be_for_one_protocol() {
    let only = |protocol| with(vec![MapRule { protocol, ..rule(0, 7, column(Column::DstPort), None) }]);
    for (protocol, in_v9, in_ipfix) in [
        (MapProtocol::NetflowV9, "dst_port", "src_port"),
        (MapProtocol::Ipfix, "src_port", "dst_port"),
        (MapProtocol::Both, "dst_port", "dst_port"),
    ] {
        let mut collector = Collector::new(only(protocol));
        let record = |encoder: &mut finderscope_wire::ipfix::Encoder<'_>| {
            encoder.template(256, &[field(1, 4), field(7, 2)]);
            encoder.record_with(256, |writer| _ = writer.u32(9).u16(1000));
        };
        collector.send(&v9(0, record));
        check(&collector.flow(), &[(in_v9, json!(1000))]);
        collector.send(&ipfix(0, record));
        check(&collector.flow(), &[(in_ipfix, json!(1000))]);
    }
}

#[test]
fn a_field_that_cannot_fill_its_column_is_kept_by_name() {
    let maps = vec![rule(9, 8233, column(Column::SrcMac), None), rule(9, 12235, column(Column::NatEvent), None)];
    let mut collector = Collector::new(with(maps));
    collector.send(&message(0));
    let flow = collector.flow();
    let extra = flow["extra"].as_object().unwrap();
    assert_eq!((flow.get("src_mac"), extra.len()), (None, 2), "{flow:#?}");
}

#[test]
fn rules_change_while_templates_stay_known() {
    let mut collector = Collector::new(Config::default());
    collector.send(&message(0));
    assert!(collector.flow().get("app").is_none());
    let config = with(vec![rule(9, 12235, column(Column::App), None)]);
    collector.intake.reconfigure(config.clone());
    let record = ipfix(1, |encoder| {
        encoder.record_with(256, |writer| _ = writer.u32(9).u8(4).bytes(b"mail").u16(25));
    });
    collector.send(&record);
    check(&collector.flow(), &[("app", json!("mail"))]);
    // And over a restart, by the rules of that time.
    let state = collector.intake.state();
    let mut collector = Collector::with(Intake::restore(config, &state).unwrap());
    collector.send(&ipfix(2, |encoder| {
        encoder.record_with(256, |writer| _ = writer.u32(9).u8(4).bytes(b"news").u16(119));
    }));
    check(&collector.flow(), &[("app", json!("news"))]);
}

#[test]
fn columns_that_are_found_in_other_ways_cannot_be_named() {
    for column in Column::ALL.iter().filter(|column| can_be_mapped(**column)) {
        // Every column that can be named really is filled, by a field of a length that fits.
        let length = match column.kind() {
            finderscope_flow::Kind::Mac => 6,
            finderscope_flow::Kind::Address => 4,
            finderscope_flow::Kind::U8 => 1,
            _ => 2,
        };
        let mut collector = Collector::new(with(vec![rule(9, 1, self::column(*column), None)]));
        collector.send(&ipfix(0, |encoder| {
            encoder.template(256, &[field(8, 4), field(230, 1), CISCO(1, length)]);
            encoder.record_with(256, |writer| _ = writer.u32(1).u8(1).bytes(&vec![b'A'; length.into()]));
        }));
        let events = collector.rows(Table::Events);
        let filled = events.iter().chain(&collector.flows()).any(|row| row.contains_key(column.name()));
        let elsewhere = !column.is_in(Table::Events);
        assert!(filled || elsewhere, "{} is not filled", column.name());
    }
    for column in [Column::SamplingRate, Column::TimeReceivedNs, Column::Type, Column::Extra, Column::IfIndex] {
        assert!(!can_be_mapped(column), "{}", column.name());
    }
}
