//! What the registry says of elements that everybody sends, and that its tables are sound.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::generated::{ENTERPRISE, IANA, NETFLOW9, VALUES};
use super::*;
use crate::Column;

#[track_caller]
fn check(id: u16, name: &str, data_type: DataType, semantics: Semantics, units: Units) {
    let found = element(None, id).unwrap();
    assert_eq!((found.id, found.enterprise), (id, 0));
    assert_eq!((found.name, found.data_type, found.semantics, found.units), (name, data_type, semantics, units));
    assert!(std::ptr::eq(by_name(name).unwrap(), found));
    assert!(std::ptr::eq(by_name(found.column_name).unwrap(), found));
}

#[test]
fn knows_the_elements_that_everybody_sends() {
    use {DataType as D, Semantics as S, Units as U};
    check(1, "octetDeltaCount", D::Unsigned64, S::DeltaCounter, U::Octets);
    check(2, "packetDeltaCount", D::Unsigned64, S::DeltaCounter, U::Packets);
    check(8, "sourceIPv4Address", D::Ipv4Address, S::Default, U::None);
    check(34, "samplingInterval", D::Unsigned32, S::Quantity, U::Packets);
    check(35, "samplingAlgorithm", D::Unsigned8, S::Identifier, U::None);
    check(48, "samplerId", D::Unsigned8, S::Identifier, U::None);
    check(49, "samplerMode", D::Unsigned8, S::Identifier, U::None);
    check(50, "samplerRandomInterval", D::Unsigned32, S::Quantity, U::None);
    check(56, "sourceMacAddress", D::MacAddress, S::Default, U::None);
    check(152, "flowStartMilliseconds", D::DateTimeMilliseconds, S::Default, U::Milliseconds);
    check(291, "basicList", D::BasicList, S::List, U::None);
    check(302, "selectorId", D::Unsigned64, S::Identifier, U::None);
    check(305, "samplingPacketInterval", D::Unsigned32, S::Quantity, U::Packets);
    check(306, "samplingPacketSpace", D::Unsigned32, S::Quantity, U::Packets);
    check(311, "samplingProbability", D::Float64, S::Quantity, U::None);
    check(313, "ipHeaderPacketSection", D::OctetArray, S::Default, U::None);
    check(315, "dataLinkFrameSection", D::OctetArray, S::Default, U::None);
    check(346, "privateEnterpriseNumber", D::Unsigned32, S::Identifier, U::None);
}

#[test]
fn what_nobody_registered_is_not_found() {
    assert_eq!(element(None, 0), None);
    assert_eq!(element(None, 105), None);
    assert_eq!(element(None, 32767), None);
    assert_eq!(element(None, u16::MAX), None);
    assert_eq!(element(Some(4_000_000), 1), None);
    assert_eq!(by_name("noSuchElement"), None);
}

#[test]
fn an_enterprise_has_its_own_numbers() {
    assert_eq!(element(Some(6876), 880).unwrap().name, "tenantProtocol");
    assert_eq!(element(Some(637), 93).unwrap().data_type, DataType::String);
    assert_eq!(element(Some(2011), 1).unwrap().name, "ingressGponGemPortId");
    assert!(std::ptr::eq(element(Some(0), 1).unwrap(), element(None, 1).unwrap()));
}

#[test]
fn netflow_9_has_field_types_of_its_own_where_iana_has_no_number() {
    assert_eq!(element(None, 33000).unwrap().name, "ingressAclId");
    assert_eq!(element(Some(0), 40000).unwrap().data_type, DataType::String);
    assert_eq!(element(None, 8384).unwrap().column_name, "streamcore_id_rule1");
    for own in &NETFLOW9 {
        assert!(!IANA.iter().any(|element| element.id == own.id || element.name == own.name), "{own:?}");
    }
}

#[test]
fn the_reverse_of_an_element_is_named_after_it() {
    let reverse = element(Some(REVERSE_ENTERPRISE), 1).unwrap();
    assert_eq!((reverse.name, reverse.column_name), ("reverseOctetDeltaCount", "reverse_octet_delta_count"));
    assert_eq!((reverse.id, reverse.enterprise), (1, 29305));
    assert_eq!(reverse.data_type, DataType::Unsigned64);
    assert!(std::ptr::eq(by_name("reverseOctetDeltaCount").unwrap(), reverse));
    assert_eq!(element(Some(REVERSE_ENTERPRISE), 239), None);
    assert_eq!(element(Some(REVERSE_ENTERPRISE), 105), None);
}

#[test]
fn every_element_is_found_by_its_number() {
    for known in elements() {
        assert!(std::ptr::eq(element(Some(known.enterprise), known.id).unwrap(), known), "{known:?}");
    }
    assert!(IANA.len() > 480);
    assert!(ENTERPRISE.is_sorted_by_key(|element| (element.enterprise, element.id)));
    assert!(NETFLOW9.is_sorted_by_key(|element| element.id));
}

#[test]
fn names_are_unique_and_fit_for_columns() {
    let mut names: Vec<&str> = IANA.iter().chain(&NETFLOW9).map(|element| element.column_name).collect();
    let word = |name: &str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    assert!(names.iter().all(|name| word(name) && !name.contains("__")));
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn mappings_stand_by_number_and_name_elements_that_exist() {
    assert!(MAPPINGS.is_sorted_by_key(|mapping| (mapping.enterprise, mapping.element)));
    for mapping in MAPPINGS {
        assert!(element(Some(mapping.enterprise), mapping.element).is_some(), "{mapping:?}");
    }
}

#[test]
fn an_element_knows_its_column() {
    assert_eq!(column_of(None, 1), Some(Column::Bytes));
    assert_eq!(column_of(Some(0), 28), Some(Column::DstAddr));
    assert_eq!(column_of(Some(6876), 1), None);
    assert_eq!(column_of(None, 21), None);
    let icmp: Vec<Column> = mappings(0, 32).iter().map(|mapping| mapping.column).collect();
    assert_eq!(icmp, [Column::IcmpType, Column::IcmpCode]);
    assert!(mappings(0, 3).is_empty());
}

#[test]
fn values_have_names() {
    assert_eq!(protocol_name(6), Some("tcp"));
    assert_eq!(protocol_name(58), Some("ipv6-icmp"));
    assert_eq!(protocol_number("UDP"), Some(17));
    assert_eq!(protocol_number("icmp6"), Some(58));
    assert_eq!(protocol_number("nonsense"), None);
    assert_eq!(value_name(136, 1), Some("idle timeout"));
    assert_eq!(value_name(233, 3), Some("Flow Denied"));
    assert_eq!(value_name(89, 0x82), Some("ACL drop"));
    assert_eq!(value_name(136, 0), None);
    assert_eq!(value_name(1, 1), None);
}

#[test]
fn tables_of_values_stand_by_number() {
    assert!(VALUES.is_sorted_by_key(|&(element, _)| element));
    for (element, names) in VALUES {
        assert!(!names.is_empty(), "element {element}");
        assert!(names.windows(2).all(|pair| pair[0].0 < pair[1].0), "element {element}");
    }
}

#[test]
fn types_have_the_numbers_of_rfc_5610() {
    assert!(DataType::ALL.iter().all(|&known| DataType::from_number(known.number()) == Some(known)));
    assert!(Semantics::ALL.iter().all(|&known| Semantics::from_number(known.number()) == Some(known)));
    assert!(Units::ALL.iter().all(|&known| Units::from_number(known.number()) == Some(known)));
    assert_eq!(DataType::Ipv6Address.number(), 19);
    assert_eq!(DataType::from_number(200), None);
}
