//! Structured data (RFC 6313) in records, and elements that exporters describe themselves (RFC 5610).

use finderscope_flow::Table;
use finderscope_intake::Intake;
use finderscope_wire::Writer;
use finderscope_wire::ipfix::{
    FieldSpecifier, ListSemantic, TypeRecord, VARIABLE, put_basic_list, put_sub_template_list,
    put_sub_template_multi_list, put_variable_length,
};
use serde_json::{Value, json};

use crate::harness::{Collector, Row, check, field, ipfix};

/// What `write` puts into a field of varying length.
fn content(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes));
    bytes
}

/// The row of a record that has only the element `id`, with this content; templates 300 and 301 are known.
fn row(id: u16, content: &[u8]) -> Row {
    let mut collector = Collector::new(Default::default());
    collector.send(&ipfix(0, |encoder| {
        encoder.template(300, &[field(82, VARIABLE), field(10, 4)]);
        encoder.template(301, &[field(8, 4), FieldSpecifier::of_enterprise(4_000_000, 5, 2), field(292, VARIABLE)]);
        encoder.template(256, &[field(4, 1), field(id, VARIABLE)]);
        encoder.record_with(256, |writer| {
            writer.u8(6);
            put_variable_length(writer, content).unwrap();
        });
    }));
    collector.flow()
}

/// The JSON in `extra` under `name`.
fn extra(row: &Row, name: &str) -> Value {
    serde_json::from_str(row["extra"][name].as_str().unwrap()).unwrap()
}

#[test]
fn a_basic_list_is_its_values_under_the_elements_name() {
    let bytes = content(|writer| {
        let values: [&[u8]; 2] = [&[10, 0, 0, 1], &[10, 0, 0, 2]];
        put_basic_list(writer, ListSemantic::ExactlyOneOf, field(8, 4), &values).unwrap();
    });
    let expected = json!({
        "semantic": "exactlyOneOf", "element": "sourceIPv4Address", "values": ["10.0.0.1", "10.0.0.2"]
    });
    assert_eq!(extra(&row(291, &bytes), "basicList"), expected);
}

#[test]
fn numbers_are_numbers_and_unknown_elements_octets() {
    let numbers = content(|writer| {
        put_basic_list(writer, ListSemantic::Ordered, field(14, 4), &[&[0, 0, 0, 7], &[255; 4]]).unwrap();
    });
    assert_eq!(extra(&row(291, &numbers), "basicList")["values"], json!([7, 4_294_967_295_u32]));
    let unknown = content(|writer| {
        let field = FieldSpecifier::of_enterprise(4_000_000, 5, 2);
        put_basic_list(writer, ListSemantic::Undefined, field, &[&[1, 2]]).unwrap();
    });
    let expected = json!({"semantic": "undefined", "element": "4000000/5", "values": ["0102"]});
    assert_eq!(extra(&row(291, &unknown), "basicList"), expected);
}

#[test]
fn lists_of_records_name_their_fields_and_nest() {
    let inner = content(|writer| {
        let record = content(|writer| {
            put_variable_length(writer, b"eth \"0\"").unwrap();
            writer.u32(5);
        });
        put_sub_template_list(writer, ListSemantic::AllOf, 300, &record);
    });
    let outer = content(|writer| {
        let record = content(|writer| {
            writer.bytes(&[192, 0, 2, 1]).u16(0x0102);
            put_variable_length(writer, &inner).unwrap();
        });
        put_sub_template_multi_list(writer, ListSemantic::OneOrMoreOf, &[(301, &record), (999, &[1, 2])]).unwrap();
    });
    let expected = json!({"semantic": "oneOrMoreOf", "lists": [
        {"template": 301, "records": [{
            "sourceIPv4Address": "192.0.2.1",
            "4000000/5": "0102",
            "subTemplateList": {
                "semantic": "allOf", "template": 300,
                "records": [{"interfaceName": "eth \"0\"", "ingressInterface": 5}]
            },
        }]},
        {"template": 999, "octets": "0102"},
    ]});
    assert_eq!(extra(&row(293, &outer), "subTemplateMultiList"), expected);
}

#[test]
fn every_shorter_list_is_json_still() {
    let whole = content(|writer| {
        let record = content(|writer| {
            put_variable_length(writer, b"eth0").unwrap();
            writer.u32(5);
        });
        put_sub_template_multi_list(writer, ListSemantic::AllOf, &[(300, &record), (300, &record)]).unwrap();
    });
    for length in 1..whole.len() {
        let list = extra(&row(293, &whole[..length]), "subTemplateMultiList");
        let records =
            list["lists"].as_array().unwrap().iter().filter(|part| part["records"][0]["ingressInterface"] == 5);
        assert_eq!(records.count(), usize::from(length >= 14), "{length}");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        assert!(extra(&row(293, &changed), "subTemplateMultiList").is_object());
    }
}

#[test]
fn lists_in_lists_end_and_so_does_their_text() {
    let mut nested = content(|writer| put_basic_list(writer, ListSemantic::AllOf, field(4, 1), &[&[6]]).unwrap());
    for _ in 0..30 {
        nested = content(|writer| {
            put_basic_list(writer, ListSemantic::AllOf, field(291, VARIABLE), &[&nested]).unwrap();
        });
    }
    let row_text = row(291, &nested)["extra"]["basicList"].as_str().unwrap().to_owned();
    assert_eq!(row_text.matches("\"values\":").count(), 8);
    assert!(row_text.contains("\"octets\":"));
    let long = content(|writer| {
        let values = [&[1_u8][..]; 60_000];
        put_basic_list(writer, ListSemantic::AllOf, field(4, 1), &values).unwrap();
    });
    let row_text = row(291, &long)["extra"]["basicList"].as_str().unwrap().to_owned();
    assert!(row_text.len() < 17_000, "{}", row_text.len());
    assert!(row_text.ends_with(",\"…\"]}"));
}

#[test]
fn a_wide_template_in_a_list_does_not_multiply() {
    let mut collector = Collector::new(Default::default());
    let wide: Vec<FieldSpecifier> = (1..=500).map(|id| FieldSpecifier::of_enterprise(4_000_000_000, id, 1)).collect();
    let list = content(|writer| put_sub_template_list(writer, ListSemantic::AllOf, 300, &[7; 5_000]));
    collector.send(&ipfix(0, |encoder| {
        encoder.template(300, &wide).template(256, &[field(292, VARIABLE)]);
        encoder.record_with(256, |writer| put_variable_length(writer, &list).unwrap());
    }));
    let flow = collector.flow();
    let text = flow["extra"]["subTemplateList"].as_str().unwrap();
    assert!(text.len() < 16_500, "{}", text.len());
    assert!(text.ends_with(",\"…\":\"…\"}]}") || text.ends_with(",\"…\"]}"), "{}", &text[text.len() - 40..]);
    assert!(serde_json::from_str::<Value>(text).is_ok());
}

#[test]
fn communities_in_a_list_fill_their_column() {
    let communities = |id: u16| {
        content(|writer| {
            let values: [&[u8]; 2] = [&[0xfc, 0, 0, 1], &[0xfc, 0, 0, 2]];
            put_basic_list(writer, ListSemantic::AllOf, field(id, 4), &values).unwrap();
        })
    };
    check(&row(485, &communities(483)), &[("bgp_communities", json!([0xfc00_0001_u32, 0xfc00_0002_u32]))]);
    check(&row(484, &communities(483)), &[("bgp_communities", json!([0xfc00_0001_u32, 0xfc00_0002_u32]))]);
    check(&row(485, b"\x03"), &[("bgp_communities", json!(null))]);
}

/// An exporter says what its elements are, and sends them.
fn described(collector: &mut Collector, records: &[TypeRecord<'_>]) {
    collector.send(&ipfix(0, |encoder| {
        encoder.options_template(400, &TypeRecord::SCOPE, &TypeRecord::OPTIONS);
        for record in records {
            encoder.record_with(400, |writer| record.encode(writer).unwrap());
        }
    }));
}

fn shoe_size() -> TypeRecord<'static> {
    TypeRecord { enterprise: 4_000_000, element: 5, data_type: 2, name: "shoeSize", ..Default::default() }
}

fn send_shoe(collector: &mut Collector, sequence: u32) {
    collector.send(&ipfix(sequence, |encoder| {
        encoder.template(256, &[field(4, 1), FieldSpecifier::of_enterprise(4_000_000, 5, 2)]);
        encoder.record(256, &[6, 1, 0]);
    }));
}

#[test]
fn what_an_exporter_describes_has_its_name_and_type() {
    let mut collector = Collector::new(Default::default());
    send_shoe(&mut collector, 0);
    check(&collector.flow(), &[("extra", json!({"4000000/5": "0100"}))]);
    described(&mut collector, &[shoe_size()]);
    send_shoe(&mut collector, 2);
    check(&collector.flow(), &[("extra", json!({"shoeSize": "256"}))]);
    assert_eq!(collector.note("elements_described"), 0);
    let options = collector.rows(Table::Options);
    assert_eq!(options[5]["value"], json!("shoeSize"));
    assert_eq!(options[0]["scope"], json!("privateEnterpriseNumber=4000000,informationElementId=5"));
}

#[test]
fn descriptions_outlive_a_restart() {
    let mut collector = Collector::new(Default::default());
    described(&mut collector, &[shoe_size()]);
    let state = collector.intake.state();
    let mut collector = Collector::with(Intake::restore(Default::default(), &state).unwrap());
    send_shoe(&mut collector, 1);
    check(&collector.flow(), &[("extra", json!({"shoeSize": "256"}))]);
}

#[test]
fn nobody_renames_what_the_registry_knows_and_descriptions_are_bounded() {
    let mut collector = Collector::new(Default::default());
    described(&mut collector, &[TypeRecord { enterprise: 9, element: 12_242, name: "mine", ..Default::default() }]);
    collector.send(&ipfix(1, |encoder| {
        encoder.template(256, &[FieldSpecifier::of_enterprise(9, 12_242, 4)]);
        encoder.record(256, &[0, 0, 0, 9]);
    }));
    check(&collector.flow(), &[("extra", json!({"connectionId": "9"}))]);
    let many: Vec<TypeRecord<'_>> = (0..1_100)
        .map(|element| TypeRecord { enterprise: 4_000_000, element, name: "n", ..Default::default() })
        .collect();
    described(&mut collector, &many);
    assert_eq!(collector.note("elements_described"), 1_100 - 1_024);
}
