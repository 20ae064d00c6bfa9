use finderscope_wire::ipfix::{Dialect, FieldSpecifier, ScopeKind, SetKind, TemplateKind, VARIABLE};
use finderscope_wire::netflow::v9::{Header, Message};

use crate::decoded::{Cache, Decoded, decode};
use crate::templates::record;

/// A v9 datagram of these sets, whose lengths are put in.
pub(crate) fn datagram(sets: &[(u16, &[u8])]) -> Vec<u8> {
    let mut out = vec![0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4];
    for (id, body) in sets {
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
        out.extend_from_slice(body);
    }
    out
}

const TEMPLATE: &[u8] = &[1, 0, 0, 2, 0, 8, 0, 4, 0, 1, 0, 2];

#[test]
fn reads_the_header() {
    let bytes = datagram(&[]);
    let message = Message::read(&bytes).unwrap();
    let expected = Header {
        version: 9.into(),
        count: 1.into(),
        uptime_ms: 1.into(),
        unix_seconds: 2.into(),
        sequence_number: 3.into(),
        source_id: 4.into(),
    };
    assert_eq!((message.header(), message.header().export_ns()), (&expected, 2_000_000_000));
    assert_eq!(message.sets().count(), 0);
}

#[test]
fn refuses_a_header_that_is_cut_or_of_another_version() {
    let bytes = datagram(&[]);
    for cut in 0..bytes.len() {
        assert_eq!(Message::read(&bytes[..cut]).unwrap_err().reason(), "truncated");
    }
    let mut other = bytes;
    other[1] = 10;
    assert_eq!(Message::read(&other).unwrap_err().reason(), "version");
}

#[test]
fn the_count_of_the_header_means_nothing() {
    let sets: &[(u16, &[u8])] = &[(0, TEMPLATE), (256, &[10, 0, 0, 1, 0, 7, 10, 0, 0, 2, 0, 8])];
    let expected = decode(&datagram(sets));
    assert_eq!(expected.records.len(), 2);
    for count in [0, 2, 3, 4, 0xffff_u16] {
        let mut bytes = datagram(sets);
        bytes[2..4].copy_from_slice(&count.to_be_bytes());
        assert_eq!(decode(&bytes), expected);
    }
}

#[test]
fn set_ids_mean_what_rfc_3954_says() {
    let kind = |id| Dialect::V9.set_kind(id);
    assert_eq!(kind(0), SetKind::Templates(TemplateKind::Data));
    assert_eq!(kind(1), SetKind::Templates(TemplateKind::Options));
    assert_eq!((kind(2), kind(255), kind(256)), (SetKind::Reserved(2), SetKind::Reserved(255), SetKind::Data(256)));
}

#[test]
fn a_set_length_under_four_stops_the_message() {
    for length in 0..4 {
        let mut bytes = datagram(&[(0, TEMPLATE), (256, &[1, 2, 3, 4, 5, 6]), (256, &[])]);
        let at = bytes.len() - 1;
        bytes[at] = length;
        let decoded = decode(&bytes);
        assert_eq!((decoded.templates.len(), decoded.records.len(), decoded.problems.len()), (1, 1, 1));
        let expected = format!("set.length: length {length} is under its minimum of 4 at byte {}", at - 1);
        assert_eq!(decoded.problems[0].to_string(), expected);
    }
}

#[test]
fn a_datagram_filled_up_with_zeros_has_no_problem() {
    for zeros in 0..70 {
        let bytes = [datagram(&[(0, TEMPLATE)]), vec![0; zeros]].concat();
        let decoded = decode(&bytes);
        // One to three may be the beginning of a set that was cut.
        assert_eq!((decoded.templates.len(), decoded.problems.is_empty()), (1, !(1..4).contains(&zeros)), "{zeros}");
    }
    let bytes = [datagram(&[(0, TEMPLATE)]), vec![0, 0, 0, 0, 0, 0, 0, 1]].concat();
    assert_eq!(decode(&bytes).problems[0].reason(), "too_short");
}

#[test]
fn a_set_beyond_the_end_keeps_its_whole_records_and_is_reported() {
    let mut bytes = datagram(&[(0, TEMPLATE), (256, &[1; 20])]);
    bytes.truncate(bytes.len() - 5);
    let decoded = decode(&bytes);
    assert_eq!((decoded.records.len(), decoded.problems.len()), (2, 1));
    assert_eq!(decoded.problems[0].to_string(), "set.length: length 24 is over its maximum of 19 at byte 38");
}

#[test]
fn a_set_length_that_is_no_multiple_of_four_is_taken_as_it_is() {
    let decoded = decode(&datagram(&[(0, TEMPLATE), (256, &[1; 7]), (256, &[2; 6])]));
    assert_eq!((decoded.records.len(), decoded.problems), (2, vec![]));
}

#[test]
fn padding_of_any_value_after_the_last_record_is_no_record() {
    let decoded = decode(&datagram(&[(0, TEMPLATE), (256, &[1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9])]));
    assert_eq!((decoded.records.len(), decoded.problems), (1, vec![]));
}

#[test]
fn zeros_after_the_last_template_are_padding() {
    for zeros in 0..12 {
        let body = [TEMPLATE, &vec![0; zeros]].concat();
        let decoded = decode(&datagram(&[(0, &body)]));
        assert_eq!((decoded.templates.len(), decoded.problems), (1, vec![]), "{zeros} zeros");
    }
}

#[test]
fn a_template_id_of_zero_before_other_bytes_costs_the_rest_of_the_set() {
    let body = [TEMPLATE, &[0, 0, 0, 1, 0, 8, 0, 4]].concat();
    let decoded = decode(&datagram(&[(0, &body)]));
    assert_eq!((decoded.templates.len(), decoded.problems.len()), (1, 1));
    assert_eq!(decoded.problems[0].to_string(), "template.id: value 0 is not allowed at byte 36");
}

#[test]
fn a_template_without_fields_is_refused() {
    let decoded = decode(&datagram(&[(0, &[1, 0, 0, 0, 1, 1, 0, 0])]));
    assert_eq!(decoded.templates, []);
    assert_eq!(decoded.problems[0].to_string(), "template: a record has no length at byte 24");
}

#[test]
fn the_top_bit_of_a_field_type_is_part_of_it_by_default() {
    // 57472 + 1, as ntop numbers its own; an IPFIX reader would take the next field for its enterprise.
    let body = [1, 0, 0, 2, 0xe0, 0x81, 0, 4, 0, 8, 0, 4];
    let decoded = decode(&datagram(&[(0, &body)]));
    assert_eq!(decoded.templates[0].fields, [FieldSpecifier::new(57473, 4), FieldSpecifier::new(8, 4)]);
}

#[test]
fn the_top_bit_of_a_field_type_may_be_an_enterprises_where_asked_for() {
    let body = [1, 0, 0, 2, 0x80, 9, 0, 4, 0, 0, 0x89, 0x25, 0, 8, 0, 4];
    let bytes = datagram(&[(0, &body)]);
    let mut decoded = Decoded::default();
    Cache::default().sets(Message::read(&bytes).unwrap().sets(), Dialect::V9Enterprise, 0, &mut decoded);
    assert_eq!(decoded.templates[0].fields, [FieldSpecifier::of_enterprise(35109, 9, 4), FieldSpecifier::new(8, 4)]);
    assert_eq!(decoded.problems, []);
}

#[test]
fn a_scope_type_has_no_enterprise_even_where_fields_have() {
    let body = [1, 0, 0, 4, 0, 8, 0x80, 1, 0, 4, 0x80, 9, 0, 2, 0, 0, 0, 7];
    let bytes = datagram(&[(1, &body)]);
    let mut decoded = Decoded::default();
    Cache::default().sets(Message::read(&bytes).unwrap().sets(), Dialect::V9Enterprise, 0, &mut decoded);
    assert_eq!(decoded.templates[0].fields, [FieldSpecifier::new(0x8001, 4), FieldSpecifier::of_enterprise(7, 9, 2)]);
    assert_eq!((decoded.templates[0].scope, decoded.problems.len()), (1, 0));
}

#[test]
fn a_length_of_65535_is_variable_here_as_well() {
    let body = [1, 0, 0, 2, 0, 8, 0, 4, 0, 94, 0xff, 0xff];
    let data = [1, 2, 3, 4, 3, b'd', b'n', b's', 5, 6, 7, 8, 0];
    let decoded = decode(&datagram(&[(0, &body), (256, &data)]));
    assert_eq!(decoded.templates[0].fields[1].length, VARIABLE);
    assert_eq!(decoded.records[0].fields, [&[1, 2, 3, 4][..], b"dns"]);
    assert_eq!(decoded.records[1].fields, [&[5, 6, 7, 8][..], b""]);
}

#[test]
fn an_options_template_measures_its_parts_in_bytes() {
    let body = [1, 4, 0, 4, 0, 8, 0, 1, 0, 4, 0, 34, 0, 4, 0, 35, 0, 1, 0, 0];
    let decoded = decode(&datagram(&[(1, &body), (260, &[0, 0, 0, 0, 0, 0, 0, 100, 2])]));
    let template = &decoded.templates[0];
    assert_eq!((template.kind, template.scope, template.fields.len()), (TemplateKind::Options, 1, 3));
    assert_eq!(decoded.records[0].fields, [&[0, 0, 0, 0][..], &[0, 0, 0, 100], &[2]]);
    assert_eq!(decoded.problems, []);
}

#[test]
fn an_options_template_without_a_scope_is_sound() {
    let body = [1, 4, 0, 0, 0, 4, 0, 34, 0, 4];
    let decoded = decode(&datagram(&[(1, &body)]));
    assert_eq!((decoded.templates[0].scope, decoded.templates[0].fields.len()), (0, 1));
    assert_eq!(decoded.problems, []);
}

#[test]
fn a_scope_field_without_length_is_sound() {
    let body = [1, 4, 0, 4, 0, 4, 0, 1, 0, 0, 0, 34, 0, 4];
    let decoded = decode(&datagram(&[(1, &body), (260, &[0, 0, 0, 9])]));
    assert_eq!(decoded.records[0].fields, [&[][..], &[0, 0, 0, 9]]);
}

#[test]
fn a_scope_length_that_is_no_multiple_of_four_costs_its_set_alone() {
    for (scope, option) in [(3, 4), (4, 7), (6, 2)] {
        let body = [1, 4, 0, scope, 0, option, 0, 1, 0, 4, 0, 34, 0, 4];
        let decoded = decode(&datagram(&[(1, &body), (0, TEMPLATE)]));
        assert_eq!((decoded.templates.len(), decoded.problems.len()), (1, 1), "{scope} {option}");
        assert_eq!(decoded.problems[0].reason(), "value");
    }
}

#[test]
fn scope_types_are_a_name_space_of_their_own() {
    use ScopeKind::{Cache, Element, Interface, LineCard, Other, System, Template};
    let kinds = (1..=6).map(|element| ScopeKind::of(Dialect::V9, element)).collect::<Vec<_>>();
    assert_eq!(kinds, [System, Interface, LineCard, Cache, Template, Other(6)]);
    assert_eq!(ScopeKind::of(Dialect::Ipfix, 1), Element(1));
}

#[test]
fn identity_is_in_the_bytes_of_the_specifiers() {
    let first = record(TEMPLATE, Dialect::V9, TemplateKind::Data);
    assert_eq!(first.bytes(), &TEMPLATE[4..]);
    assert_eq!((first.shortest(), first.fixed_length()), (6, Some(6)));
}

/// Two messages in one datagram; `change` is done to the second.
fn glued(change: impl Fn(&mut Vec<u8>)) -> Vec<usize> {
    let first = datagram(&[(0, TEMPLATE), (256, &[1, 2, 3, 4, 5, 6])]);
    let mut second = datagram(&[(256, &[7; 12])]);
    change(&mut second);
    let bytes = [first, second].concat();
    let messages: Vec<_> = finderscope_wire::netflow::v9::messages(&bytes).map(Result::unwrap).collect();
    assert_eq!(messages.iter().map(Message::length).sum::<usize>(), bytes.len());
    messages.iter().map(Message::length).collect()
}

#[test]
fn messages_behind_each_other_in_one_datagram_are_told_apart() {
    assert_eq!(glued(|_| {}), [20 + 16 + 10, 20 + 16]);
    // Half an hour later is still the same datagram's.
    assert_eq!(glued(|second| second[10..12].copy_from_slice(&[7, 8])).len(), 2);
}

#[test]
fn what_only_looks_like_a_message_is_not_one() {
    assert_eq!(glued(|second| second[19] = 5).len(), 1, "another source id");
    assert_eq!(glued(|second| second[8] = 1).len(), 1, "years away");
    assert_eq!(glued(|second| second[1] = 10).len(), 1, "another version");
    assert_eq!(glued(|second| second.truncate(19)).len(), 1, "no room for a header");
    // Inside a set nothing begins.
    let inner = datagram(&[]);
    let bytes = datagram(&[(256, &inner)]);
    assert_eq!(finderscope_wire::netflow::v9::messages(&bytes).count(), 1);
}

#[test]
fn every_datagram_has_a_message_or_an_error() {
    for cut in 0..20 {
        let bytes = &datagram(&[])[..cut];
        let errors: Vec<_> = finderscope_wire::netflow::v9::messages(bytes).map(Result::unwrap_err).collect();
        assert_eq!(errors.len(), 1);
    }
}
