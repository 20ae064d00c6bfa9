#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use super::*;

fn understood(text: &str) -> Mapping {
    parse(text, Path::new("mapping.yaml")).unwrap()
}

fn refusal(text: &str) -> String {
    parse(text, Path::new("mapping.yaml")).unwrap_err().to_string()
}

fn rule(protocol: MapProtocol, enterprise: u32, element: u16, target: MapTarget) -> MapRule {
    MapRule { protocol, enterprise, element, target, data_type: None }
}

#[test]
fn both_spellings_of_a_destination_are_the_column() {
    let mapping = understood(
        "ipfix:\n  mapping:\n    - field: 7\n      destination: DstPort\n    - field: 8\n      destination: src_addr\n\
         netflowv9:\n  mapping:\n    - field: 9\n      destination: IPTTL\n      endianness: big\n",
    );
    assert_eq!(
        mapping.rules,
        [
            rule(MapProtocol::Ipfix, 0, 7, MapTarget::Column(Column::DstPort)),
            rule(MapProtocol::Ipfix, 0, 8, MapTarget::Column(Column::SrcAddr)),
            rule(MapProtocol::NetflowV9, 0, 9, MapTarget::Column(Column::IpTtl)),
        ]
    );
    assert_eq!(mapping.warnings, Vec::<String>::new());
}

#[test]
fn other_destinations_are_columns_of_the_type_that_the_formatter_declares() {
    let mapping = understood(
        "formatter:\n  fields: []\n  protobuf:\n    - name: csum\n      index: 996\n      type: varint\n\
         \x20   - name: label\n      index: 997\n      type: string\n      array: true\n\
         ipfix:\n  mapping:\n    - field: 34\n      destination: Csum\n    - field: 35\n      destination: label\n\
         \x20     penprovided: true\n      pen: 2636\n    - field: 36\n      destination: CustomList_1\n      penprovided: false\n      pen: 7\n",
    );
    let extra = |name: &str| MapTarget::Extra(name.to_owned());
    let ipfix = |pen, element, name| rule(MapProtocol::Ipfix, pen, element, extra(name));
    assert_eq!(
        mapping.rules,
        [
            MapRule { data_type: Some(MapType::Number), ..ipfix(0, 34, "csum") },
            MapRule { data_type: Some(MapType::String), ..ipfix(2636, 35, "label") },
            ipfix(0, 36, "custom_list_1"),
        ]
    );
}

#[test]
fn what_has_no_meaning_here_is_named_with_line_and_key() {
    let mapping = understood(
        "formatter:\n  fields:\n    - src_addr\n  key: [sampler_address]\n  render: {}\nsflow:\n  mapping:\n    - layer: \"4\"\n\
         \x20     offset: 0\n      length: 16\n      destination: src_port\nnetflowv9:\n  mapping:\n    - field: 34\n\
         \x20     destination: SamplingRate\n    - field: 11\n      pb: 555\n      destination: DstPort\nextra: 1\n",
    );
    assert_eq!(mapping.rules.len(), 1);
    assert_eq!(
        mapping.warnings,
        [
            "mapping.yaml:2: formatter.fields is about goflow2's output, and changes nothing",
            "mapping.yaml:4: formatter.key is about goflow2's output, and changes nothing",
            "mapping.yaml:8: sflow.mapping[0] is about bytes of packets, whose headers are decoded into columns, and changes nothing",
            "mapping.yaml:15: netflowv9.mapping[0].destination names sampling_rate, which is found without it, and changes nothing",
            "mapping.yaml:17: netflowv9.mapping[1].pb is about goflow2's output, and changes nothing",
            "mapping.yaml:19: extra is not known, and changes nothing",
        ]
    );
}

#[test]
fn mistakes_are_named_with_line_and_key() {
    let entry = |rest: &str| format!("ipfix:\n  mapping:\n    - destination: src_port\n      field: 7\n{rest}");
    for (text, expected) in [
        ("ipfix:\n  mapping:\n    - destination: x\n".to_owned(), "mapping.yaml:3: ipfix.mapping[0]: field is missing"),
        ("ipfix:\n  mapping:\n    - field: 7\n".to_owned(), "mapping.yaml:3: ipfix.mapping[0]: destination is missing"),
        (
            "ipfix:\n  mapping:\n    - field: 70000\n".to_owned(),
            "mapping.yaml:3: ipfix.mapping[0].field: '70000' is no number up to 65535",
        ),
        (
            entry("      penprovided: perhaps\n"),
            "mapping.yaml:5: ipfix.mapping[0].penprovided: 'perhaps' is neither true nor false",
        ),
        (
            entry("      endian: little\n"),
            "mapping.yaml:5: ipfix.mapping[0].endian: little endian is not read; elements are big endian (RFC 7011 section 6.1)",
        ),
        ("ipfix:\n  mapping: 3\n".to_owned(), "mapping.yaml:2: ipfix.mapping: a list was expected"),
        ("- 1\n".to_owned(), "mapping.yaml:1: here: keys and values were expected"),
        (
            "formatter:\n  protobuf:\n    - name: a\n      type: float\n".to_owned(),
            "mapping.yaml:4: formatter.protobuf[0].type: 'float' is none of varint, string, bytes",
        ),
        ("a: 1\n---\nb: 2\n".to_owned(), "mapping.yaml:2: a second document; there may be one"),
        ("a: &x 1\nb: *x\n".to_owned(), "mapping.yaml:2: aliases are not read; write the value out"),
    ] {
        assert_eq!(refusal(&text), expected, "{text}");
    }
    assert!(refusal("a: [1, 2\nb: 3\n").starts_with("mapping.yaml:"), "{}", refusal("a: [1, 2\nb: 3\n"));
    let deep = "[".repeat(5_000);
    assert!(refusal(&deep).contains("mapping.yaml:1:"), "{}", refusal(&deep));
}

#[test]
fn an_empty_file_says_nothing() {
    for text in ["", "# only a comment\n", "ipfix:\nnetflowv9:\n  mapping:\n"] {
        assert_eq!(understood(text), Mapping::default(), "{text:?}");
    }
}
