//! Every structure of the tables, as sflowtool prints it: names, order and values are in `sflowtool/names.txt`, by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot read its own file has failed")]

#[path = "../../wire/tests/fixture/mod.rs"]
mod fixture;

use std::collections::BTreeMap;

use finderscope_packets::sflowtool::{Form, Received};
use fixture::{Kind, Structure};

fn received(bytes: &[u8]) -> Received<'_> {
    Received {
        bytes,
        source: [192, 0, 2, 1].into(),
        received_ns: 1_740_830_400_123_456_789,
        from_file: false,
        local_time: "2025-03-01T12:00:00+0000",
        log_time: "01/Mar/2025:12:00:00 +0000",
    }
}

fn printed(form: &mut Form, bytes: &[u8]) -> String {
    let mut out = Vec::new();
    assert_eq!(form.write(&received(bytes), None, &mut out), None);
    String::from_utf8(out).unwrap()
}

/// The lines that the file has for each structure.
fn expected() -> BTreeMap<String, Vec<String>> {
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in include_str!("sflowtool/names.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(line) => expected.get_mut(&last).unwrap().push(line.to_owned()),
            None => {
                line.clone_into(&mut last);
                assert_eq!(expected.insert(last.clone(), Vec::new()), None, "{line} is there twice");
            }
        }
    }
    expected
}

fn key(structure: &Structure) -> String {
    let kind = if structure.kind == Kind::Flow { "flow" } else { "counter" };
    format!("{kind} {} {}", structure.tag, structure.name)
}

/// What is printed between a record's tag and the end of its sample.
fn lines(structure: &Structure) -> Vec<String> {
    let tag = if structure.kind == Kind::Flow { "flowBlock_tag" } else { "counterBlock_tag" };
    let text = printed(&mut Form::Text, &structure.datagram());
    let (_, record) = text.split_once(&format!("{tag} {}\n", structure.tag)).unwrap();
    record.lines().take_while(|line| !line.starts_with("endSample")).map(str::to_owned).collect()
}

#[test]
fn every_structure_of_the_tables_is_in_the_file_and_prints_what_it_says() {
    let mut expected = expected();
    let mut differences = Vec::new();
    for structure in fixture::structures() {
        let key = key(&structure);
        let Some(mut expected) = expected.remove(&key) else {
            differences.push(format!("{key} is not in the file"));
            continue;
        };
        expected.retain(|line| line != "skipped");
        let lines = lines(&structure);
        if lines != expected {
            differences.push(format!("{key}: {lines:#?} instead of {expected:#?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(expected.is_empty(), "no structure: {:?}", expected.keys());
}

#[test]
fn json_has_the_same_values_under_the_same_names() {
    for structure in fixture::structures() {
        // Lists have objects in JSON; they are looked at below.
        if ["0:10", "0:2001", "0:1016"].contains(&structure.tag.to_string().as_str()) {
            continue;
        }
        let json = printed(&mut Form::Json { indented: false }, &structure.datagram());
        assert_eq!(json.matches('\n').count(), 1, "one line a datagram");
        let object: serde_json::Value = serde_json::from_str(&json).unwrap();
        let element = object["samples"][0]["elements"][0].as_object().unwrap();
        let tag = if structure.kind == Kind::Flow { "flowBlock_tag" } else { "counterBlock_tag" };
        let mut expected = serde_json::Map::new();
        expected.insert(tag.to_owned(), structure.tag.to_string().into());
        for line in lines(&structure) {
            let (name, value) = line.split_once(' ').unwrap();
            expected.insert(name.to_owned(), value.into());
        }
        assert_eq!(element, &expected, "{}", key(&structure));
        assert!(json.contains(&format!("\"elements\":[{{\"{tag}\":")), "the tag comes first: {json}");
    }
}

#[test]
fn lists_inside_records_are_lists_of_objects_in_json() {
    let element = |tag: &str| {
        let structures = fixture::structures();
        let structure = structures.iter().find(|it| it.kind == Kind::Counter && it.tag.to_string() == tag).unwrap();
        let json = printed(&mut Form::Json { indented: true }, &structure.datagram());
        assert!(json.ends_with("\n}\n\n"), "{json}");
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["samples"][0]["elements"][0].clone()
    };
    assert_eq!(
        element("0:2001"),
        serde_json::json!({"counterBlock_tag": "0:2001", "adaptor_list": [
            {"ifIndex": "11", "MACs": "2", "mac_list": ["02000000000c", "02000000000d"]},
            {"ifIndex": "14", "MACs": "2", "mac_list": ["02000000000f", "020000000010"]},
        ]})
    );
    let optics = element("0:10");
    assert_eq!(optics["sfp_module_active_lanes"], "2");
    assert_eq!(optics["sfp_lanes"].as_array().unwrap().len(), 2);
    assert_eq!(optics["sfp_lanes"][1]["tx_bias_current_uA"], "26");
    assert_eq!(optics["sfp_lanes"][0].as_object().unwrap().len(), 10);
}

#[test]
fn frames_of_an_aggregate_are_elements_of_their_own() {
    let structure = fixture::structures().into_iter().find(|it| it.tag.to_string() == "0:1016").unwrap();
    let json = printed(&mut Form::Json { indented: false }, &structure.datagram());
    let object: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        object["samples"][0]["elements"],
        serde_json::json!([
            {"flowBlock_tag": "0:1016", "aggregation_num_pdus": "1", "aggregation_pdu": "0"},
            {"flowBlock_tag": "0:1036", "extendedType": "egress_queue", "egress_queue_id": "5"},
            {"flowBlock_tag": "0:1040", "extendedType": "queue_depth", "queue_depth_bytes": "6"},
        ])
    );
}

#[test]
fn every_printed_line_is_a_name_and_a_value() {
    for structure in fixture::structures() {
        for line in printed(&mut Form::Text, &structure.datagram()).lines() {
            let (name, value) = line.split_once(' ').unwrap();
            assert!(!name.is_empty() && !value.is_empty() && value == value.trim_end(), "{line:?}");
        }
    }
}
