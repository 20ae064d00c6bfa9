//! Template records of IPFIX, and what both dialects refuse.

use finderscope_wire::Reader;
use finderscope_wire::ipfix::{Dialect, FieldSpecifier, TemplateKind, TemplateRecord, TemplateRecords};

/// The one record in the body of a template set.
pub(crate) fn record(body: &[u8], dialect: Dialect, kind: TemplateKind) -> TemplateRecord<'_> {
    TemplateRecords::new(Reader::new(body), dialect, kind).next().unwrap().unwrap()
}

/// The records of an IPFIX set, as text, errors included.
fn check(kind: TemplateKind, body: &[u8], expected: &[&str]) {
    let found: Vec<_> = TemplateRecords::new(Reader::new(body), Dialect::Ipfix, kind)
        .map(|record| match record {
            Ok(record) if record.withdrawal => format!("withdraws {}", record.id),
            Ok(record) => format!("{} {}/{}", record.id, record.scope, record.field_count),
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_enterprise_number_follows_the_top_bit() {
    let record = record(&[1, 0, 0, 2, 0x80, 9, 0, 4, 0, 0, 0x89, 0x25, 0, 8, 0, 4], Dialect::Ipfix, TemplateKind::Data);
    let fields: Vec<_> = record.fields().collect();
    assert_eq!(fields, [FieldSpecifier::of_enterprise(35109, 9, 4), FieldSpecifier::new(8, 4)]);
}

#[test]
fn several_templates_share_a_set() {
    let body = [1, 0, 0, 1, 0, 8, 0, 4, 1, 1, 0, 1, 0, 12, 0, 4, 0, 0];
    check(TemplateKind::Data, &body, &["256 0/1", "257 0/1"]);
}

#[test]
fn an_options_template_counts_its_scope() {
    check(TemplateKind::Options, &[1, 0, 0, 2, 0, 1, 0, 10, 0, 4, 0, 34, 0, 4], &["256 1/2"]);
    // RFC 7011 forbids a count of 0, exporters send it.
    check(TemplateKind::Options, &[1, 0, 0, 1, 0, 0, 0, 10, 0, 4], &["256 0/1"]);
}

#[test]
fn a_scope_beyond_the_fields_is_refused() {
    let expected = "template.scope_field_count: length 2 is over its maximum of 1 at byte 4";
    check(TemplateKind::Options, &[1, 0, 0, 1, 0, 2, 0, 10, 0, 4], &[expected]);
}

#[test]
fn withdrawals_are_no_syntax_errors() {
    check(TemplateKind::Data, &[1, 0, 0, 0, 1, 1, 0, 0], &["withdraws 256", "withdraws 257"]);
    check(TemplateKind::Data, &[0, 2, 0, 0], &["withdraws 2"]);
    check(TemplateKind::Options, &[0, 3, 0, 0], &["withdraws 3"]);
    // A withdrawal has no scope count, so a template may follow at once.
    check(TemplateKind::Options, &[1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 10, 0, 4], &["withdraws 256", "257 1/1"]);
}

#[test]
fn a_template_id_under_256_is_refused() {
    check(TemplateKind::Data, &[0, 255, 0, 1, 0, 8, 0, 4], &["template.id: value 255 is not allowed at byte 0"]);
    check(TemplateKind::Data, &[0, 2, 0, 1, 0, 8, 0, 4], &["template.id: value 2 is not allowed at byte 0"]);
    check(TemplateKind::Data, &[0, 4, 0, 0], &["template.id: value 4 is not allowed at byte 0"]);
}

#[test]
fn a_field_count_beyond_the_set_is_refused_and_what_came_before_is_kept() {
    let body = [1, 0, 0, 1, 0, 8, 0, 4, 1, 1, 0, 2, 0, 8, 0, 4];
    check(TemplateKind::Data, &body, &["256 0/1", "field.element: needs 2 bytes, 0 are left at byte 16"]);
}

#[test]
fn an_enterprise_number_beyond_the_set_is_refused() {
    let expected = "field.enterprise: needs 4 bytes, 2 are left at byte 8";
    check(TemplateKind::Data, &[1, 0, 0, 1, 0x80, 8, 0, 4, 0, 0], &[expected]);
}

#[test]
fn fields_without_length_are_kept_but_not_alone() {
    check(TemplateKind::Data, &[1, 0, 0, 2, 0, 8, 0, 4, 0, 9, 0, 0], &["256 0/2"]);
    check(TemplateKind::Data, &[1, 0, 0, 2, 0, 8, 0, 0, 0, 9, 0, 0], &["template: a record has no length at byte 0"]);
}

#[test]
fn zeros_at_the_end_are_padding_and_other_bytes_are_not() {
    check(TemplateKind::Data, &[1, 0, 0, 1, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0], &["256 0/1"]);
    check(TemplateKind::Data, &[0; 8], &[]);
    let expected = "template.id: value 0 is not allowed at byte 0";
    check(TemplateKind::Data, &[0, 0, 0, 0, 0, 0, 0, 1], &[expected]);
}

#[test]
fn a_field_that_varies_makes_no_fixed_length() {
    let record = record(&[1, 0, 0, 2, 0, 8, 0, 4, 0, 82, 0xff, 0xff], Dialect::Ipfix, TemplateKind::Data);
    assert_eq!((record.shortest(), record.fixed_length()), (5, None));
}

#[test]
fn repeated_fields_do_not_fail() {
    check(TemplateKind::Data, &[1, 0, 0, 2, 0, 8, 0, 4, 0, 8, 0, 4], &["256 0/2"]);
}
