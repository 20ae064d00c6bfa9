//! What the encoder writes, the decoder reads.

use finderscope_wire::Writer;
use finderscope_wire::ipfix::{
    Encoder, FieldSpecifier, Finished, Header, Message, TemplateKind, VARIABLE, put_variable_length,
};
use finderscope_wire::netflow::v9;
use proptest::prelude::*;

use crate::decoded::{Decoded, decode};

/// A template and what its records hold.
#[derive(Clone, Debug)]
struct Layout {
    scope: Vec<FieldSpecifier>,
    fields: Vec<FieldSpecifier>,
    records: Vec<Vec<Vec<u8>>>,
}

impl Layout {
    fn all(&self) -> impl Iterator<Item = FieldSpecifier> {
        self.scope.iter().chain(&self.fields).copied()
    }
}

fn any_specifier(enterprises: bool) -> impl Strategy<Value = FieldSpecifier> {
    let enterprise = prop::option::of(any::<u32>()).prop_map(move |number| number.filter(|_| enterprises));
    let length = prop_oneof![4 => 0..40_u16, 1 => Just(VARIABLE)];
    (0..0x8000_u16, enterprise, length).prop_map(|(element, enterprise, length)| FieldSpecifier {
        element,
        enterprise,
        length,
    })
}

fn any_content(length: u16) -> BoxedStrategy<Vec<u8>> {
    match length {
        // Around nothing, and around where the long form begins.
        VARIABLE => prop_oneof![0..5_usize, 250..260_usize]
            .prop_flat_map(|length| prop::collection::vec(any::<u8>(), length))
            .boxed(),
        fixed => prop::collection::vec(any::<u8>(), usize::from(fixed)).boxed(),
    }
}

/// Layouts whose shortest record is longer than any padding.
fn any_layout(enterprises: bool) -> impl Strategy<Value = Layout> {
    let scope = prop::collection::vec(any_specifier(false), 0..3);
    let fields = prop::collection::vec(any_specifier(enterprises), 0..8);
    (scope, fields).prop_flat_map(|(scope, mut fields)| {
        fields.push(FieldSpecifier::new(1, 4));
        let record: Vec<_> = scope.iter().chain(&fields).map(|field| any_content(field.length)).collect();
        let records = prop::collection::vec(record, 0..4);
        (Just(scope), Just(fields), records).prop_map(|(scope, fields, records)| Layout { scope, fields, records })
    })
}

/// Writes all layouts' templates, then all their records.
fn write(encoder: &mut Encoder<'_>, layouts: &[Layout]) {
    for (id, layout) in (256..).zip(layouts) {
        match &layout.scope[..] {
            [] => encoder.template(id, &layout.fields),
            scope => encoder.options_template(id, scope, &layout.fields),
        };
    }
    for (id, layout) in (256..).zip(layouts) {
        for record in &layout.records {
            encoder.record_with(id, |writer| put(writer, layout, record));
        }
    }
}

fn put(writer: &mut Writer<'_>, layout: &Layout, record: &[Vec<u8>]) {
    for (field, content) in layout.all().zip(record) {
        match field.length {
            VARIABLE => put_variable_length(writer, content).unwrap(),
            _ => drop(writer.bytes(content)),
        }
    }
}

fn check(layouts: &[Layout], finished: Finished, decoded: &Decoded) -> Result<(), TestCaseError> {
    prop_assert_eq!(&decoded.problems[..], &[]);
    let mut templates: Vec<_> = decoded.templates.iter().collect();
    templates.sort_by_key(|template| template.id);
    prop_assert_eq!(templates.len(), layouts.len());
    for (layout, template) in layouts.iter().zip(templates) {
        prop_assert_eq!(&layout.all().collect::<Vec<_>>(), &template.fields);
        let kind = if layout.scope.is_empty() { TemplateKind::Data } else { TemplateKind::Options };
        prop_assert_eq!((template.scope, template.kind), (layout.scope.len(), kind));
    }
    let written: Vec<_> = layouts.iter().flat_map(|layout| &layout.records).collect();
    prop_assert_eq!(&decoded.records.iter().map(|record| &record.fields).collect::<Vec<_>>(), &written);
    prop_assert_eq!(finished.data_records as usize, written.len());
    prop_assert_eq!(finished.template_records as usize, layouts.len());
    Ok(())
}

#[test]
fn an_ipfix_message_reads_back_as_it_was_written() {
    proptest!(|(layouts in prop::collection::vec(any_layout(true), 1..5), domain: u32, sequence: u32)| {
        let mut out = vec![0xaa; 5];
        let header = Header {
            observation_domain_id: domain.into(), sequence_number: sequence.into(), ..Header::default()
        };
        let mut encoder = Encoder::ipfix(&mut out, &header);
        write(&mut encoder, &layouts);
        let finished = encoder.finish().unwrap();
        prop_assert_eq!(finished.length, out.len() - 5);
        let read = Message::read(&out[5..]).unwrap().0;
        prop_assert_eq!(usize::from(read.header().length.get()), finished.length);
        prop_assert_eq!(read.header().observation_domain_id.get(), domain);
        prop_assert_eq!(read.header().sequence_number.get(), sequence);
        check(&layouts, finished, &decode(&out[5..]))?;
    });
}

#[test]
fn a_v9_message_reads_back_as_it_was_written() {
    proptest!(|(layouts in prop::collection::vec(any_layout(false), 1..5), source: u32)| {
        let mut out = vec![0xaa; 3];
        let header = v9::Header { source_id: source.into(), ..v9::Header::default() };
        let mut encoder = Encoder::v9(&mut out, &header);
        write(&mut encoder, &layouts);
        let finished = encoder.finish().unwrap();
        let read = v9::Message::read(&out[3..]).unwrap();
        let count = u32::from(read.header().count.get());
        prop_assert_eq!(count, finished.data_records + finished.template_records);
        prop_assert!(read.sets().all(|set| set.unwrap().body.len() % 4 == 0));
        check(&layouts, finished, &decode(&out[3..]))?;
    });
}

#[test]
fn records_of_one_template_share_a_set_until_another_comes() {
    let mut out = Vec::new();
    let mut encoder = Encoder::ipfix(&mut out, &Header::default());
    encoder.record(256, &[1]).record(256, &[2]).record(257, &[3]).record(256, &[4]);
    encoder.finish().unwrap();
    let ids: Vec<_> =
        Message::read(&out).unwrap().0.sets().map(|set| set.unwrap()).map(|s| (s.id, s.body.len())).collect();
    assert_eq!(ids, [(256, 2), (257, 1), (256, 1)]);
}

#[test]
fn a_message_of_nothing_is_its_header() {
    let mut out = Vec::new();
    let encoder = Encoder::ipfix(&mut out, &Header::default());
    assert!(encoder.is_empty());
    assert_eq!(encoder.finish(), Ok(Finished { length: 16, data_records: 0, template_records: 0 }));
    assert_eq!(out, [0, 10, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_message_over_65535_bytes_is_taken_back() {
    let mut out = vec![7];
    let mut encoder = Encoder::ipfix(&mut out, &Header::default());
    for _ in 0..66 {
        encoder.record(256, &[1; 1000]);
    }
    let expected = "message.length: length 66020 is over its maximum of 65535 at byte 66020";
    assert_eq!(encoder.finish().unwrap_err().to_string(), expected);
    assert_eq!(out, [7]);
}

#[test]
fn what_a_protocol_cannot_say_is_refused() {
    let enterprise = [FieldSpecifier::of_enterprise(1, 2, 4)];
    let mut out = Vec::new();
    let mut encoder = Encoder::v9(&mut out, &v9::Header::default());
    encoder.template(256, &enterprise);
    assert_eq!(encoder.finish().unwrap_err().field, "field.enterprise");
    let mut encoder = Encoder::v9(&mut out, &v9::Header::default());
    encoder.withdraw_template(256);
    assert!(encoder.finish().is_err());
    let mut encoder = Encoder::ipfix(&mut out, &Header::default());
    encoder.template(256, &[FieldSpecifier::new(0x8001, 4)]);
    assert_eq!(encoder.finish().unwrap_err().field, "field.element");
    let mut encoder = Encoder::v9(&mut out, &v9::Header::default()).with_enterprises();
    encoder.template(256, &enterprise);
    assert_eq!(encoder.finish().unwrap().length, 20 + 4 + 4 + 8);
}

#[test]
fn a_v9_template_may_use_all_sixteen_bits_of_a_type() {
    let mut out = Vec::new();
    let mut encoder = Encoder::v9(&mut out, &v9::Header::default());
    encoder.template(256, &[FieldSpecifier::new(57_590, 4)]);
    encoder.finish().unwrap();
    assert_eq!(decode(&out).templates[0].fields, [FieldSpecifier::new(57_590, 4)]);
}

#[test]
fn withdrawals_read_back() {
    let mut out = Vec::new();
    let mut encoder = Encoder::ipfix(&mut out, &Header::default());
    encoder.withdraw_template(2).withdraw_template(300).withdraw_options_template(301);
    encoder.finish().unwrap();
    let decoded = decode(&out);
    assert_eq!((decoded.withdrawn, decoded.problems), (vec![2, 300, 301], vec![]));
}

#[test]
fn the_long_form_begins_at_255() {
    for (length, head) in [(0, &[0][..]), (254, &[254]), (255, &[255, 0, 255]), (65_535, &[255, 255, 255])] {
        let mut out = Vec::new();
        put_variable_length(&mut Writer::new(&mut out), &vec![1; length]).unwrap();
        assert_eq!((&out[..head.len()], out.len()), (head, head.len() + length));
    }
    assert!(put_variable_length(&mut Writer::new(&mut Vec::new()), &vec![1; 65_536]).is_err());
}
