//! Structured data (RFC 6313) and type records (RFC 5610): what is written is read back, and broken bytes are survived.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use finderscope_wire::ipfix::{
    BasicList, FieldSpecifier, ListRecords, ListSemantic, SubTemplateList, SubTemplateMultiList, TypeRecord, VARIABLE,
    put_basic_list, put_sub_template_list, put_sub_template_multi_list, put_variable_length,
};
use finderscope_wire::{Problem, Reader, Writer};

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes));
    bytes
}

/// Everything that can be read of bytes as each of the three lists; must come to an end on any bytes.
fn walk(bytes: &[u8]) -> usize {
    let reader = Reader::new(bytes);
    let values = BasicList::read(reader).map_or(0, |list| list.values().count());
    let parts = SubTemplateMultiList::read(reader).map_or(0, |list| list.parts().count());
    let records =
        SubTemplateList::read(reader).map_or(0, |list| ListRecords::new(list.records, &[2, VARIABLE]).count());
    values + parts + records
}

/// The interface list of RFC 6313's example in section 8.1: two values of egressInterface, all of them.
#[test]
fn a_basic_list_lies_as_the_rfc_draws_it() {
    let bytes = written(|writer| {
        let values = [&[0, 0, 0, 1][..], &[0, 0, 0, 4], &[0, 0, 0, 8]];
        put_basic_list(writer, ListSemantic::AllOf, FieldSpecifier::new(14, 4), &values).unwrap();
    });
    assert_eq!(bytes, [3, 0, 14, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 8]);
    let list = BasicList::read(Reader::new(&bytes)).unwrap();
    assert_eq!((list.semantic, list.field), (ListSemantic::AllOf, FieldSpecifier::new(14, 4)));
    let values: Vec<&[u8]> = list.values().map(Result::unwrap).collect();
    assert_eq!(values, [[0, 0, 0, 1], [0, 0, 0, 4], [0, 0, 0, 8]]);
}

#[test]
fn values_may_vary_in_length_and_be_an_enterprises() {
    let field = FieldSpecifier::of_enterprise(6871, 110, VARIABLE);
    let bytes = written(|writer| {
        put_basic_list(writer, ListSemantic::Ordered, field, &[b"GET", b"", &[b'x'; 300]]).unwrap();
    });
    assert_eq!(&bytes[..9], [4, 0x80, 110, 0xff, 0xff, 0, 0, 0x1a, 0xd7]);
    let list = BasicList::read(Reader::new(&bytes)).unwrap();
    assert_eq!(list.field, field);
    let lengths: Vec<usize> = list.values().map(|value| value.unwrap().len()).collect();
    assert_eq!(lengths, [3, 0, 300]);
}

#[test]
fn records_of_sub_templates_come_back() {
    let record = [1, 2, 3, b'a', b'b', b'c'];
    let bytes = written(|writer| put_sub_template_list(writer, ListSemantic::OneOrMoreOf, 258, &record));
    let list = SubTemplateList::read(Reader::new(&bytes)).unwrap();
    assert_eq!((list.semantic, list.template), (ListSemantic::OneOrMoreOf, 258));
    let records: Vec<Vec<&[u8]>> = ListRecords::new(list.records, &[2, VARIABLE]).map(Result::unwrap).collect();
    assert_eq!(records, [[&[1, 2][..], b"abc"]]);

    let bytes = written(|writer| {
        put_sub_template_multi_list(writer, ListSemantic::NoneOf, &[(300, &record), (301, &[])]).unwrap();
    });
    let list = SubTemplateMultiList::read(Reader::new(&bytes)).unwrap();
    let parts: Vec<(u16, &[u8])> = list.parts().map(|part| part.unwrap()).map(|(id, it)| (id, it.rest())).collect();
    assert_eq!(parts, [(300, &record[..]), (301, &[])]);
}

#[test]
fn a_record_of_zeros_in_a_list_is_a_record() {
    let records: Vec<_> = ListRecords::new(Reader::new(&[0, 0, 0, 0, 9]), &[1, 1]).collect();
    assert_eq!(records.len(), 2, "and the last byte is padding");
}

#[test]
fn every_shorter_prefix_is_refused_or_gives_what_was_whole_before() {
    let values: [&[u8]; 3] = [b"one", b"two", b"three"];
    let bytes = written(|writer| {
        put_basic_list(writer, ListSemantic::AllOf, FieldSpecifier::new(82, VARIABLE), &values).unwrap();
    });
    for length in 0..bytes.len() {
        let Ok(list) = BasicList::read(Reader::new(&bytes[..length])) else {
            assert!(length < 5);
            continue;
        };
        let (whole, broken): (Vec<_>, Vec<_>) = list.values().partition(Result::is_ok);
        let ends = [5, 9, 13, 19];
        let expected = ends.iter().filter(|&&end| end > 5 && end <= length).count();
        assert_eq!(whole.len(), expected, "{length}");
        assert_eq!(broken.len(), usize::from(!ends.contains(&length)), "{length}");
    }
    let parts: [(u16, &[u8]); 2] = [(256, &[1, 2, 3, 4]), (257, &[5])];
    let bytes = written(|writer| put_sub_template_multi_list(writer, ListSemantic::AllOf, &parts).unwrap());
    for length in 1..bytes.len() {
        let list = SubTemplateMultiList::read(Reader::new(&bytes[..length])).unwrap();
        let whole = list.parts().filter(Result::is_ok).count();
        assert_eq!(whole, usize::from(length >= 9), "{length}");
        assert_eq!(list.parts().any(|part| part.is_err()), !matches!(length, 1 | 9), "{length}");
    }
}

#[test]
fn every_changed_byte_is_survived() {
    let lists = [
        written(|writer| {
            let field = FieldSpecifier::of_enterprise(9, 1, VARIABLE);
            put_basic_list(writer, ListSemantic::AllOf, field, &[b"a", b"bc"]).unwrap();
        }),
        written(|writer| put_sub_template_list(writer, ListSemantic::AllOf, 256, &[1, 2, 1, 7, 3, 4, 0])),
        written(|writer| {
            put_sub_template_multi_list(writer, ListSemantic::AllOf, &[(256, &[1, 2, 0]), (257, &[4])]).unwrap();
        }),
    ];
    for bytes in lists {
        for at in 0..bytes.len() {
            for value in 0..=u8::MAX {
                let mut changed = bytes.clone();
                changed[at] = value;
                assert!(walk(&changed) <= 3 * changed.len());
            }
        }
    }
}

#[test]
fn what_cannot_be_a_list_is_refused() {
    let zero = BasicList::read(Reader::new(&[3, 0, 14, 0, 0, 1])).unwrap_err();
    assert_eq!((zero.field, zero.problem), ("list.element_length", Problem::ZeroLength));
    assert_eq!(BasicList::read(Reader::new(&[3, 0, 14, 0, 0])).unwrap().values().count(), 0);
    let short = SubTemplateMultiList::read(Reader::new(&[3, 1, 0, 0, 3])).unwrap().parts().next().unwrap().unwrap_err();
    assert_eq!(
        (short.field, short.offset, short.problem),
        ("list.length", 3, Problem::TooShort { length: 3, minimum: 4 })
    );
    assert_eq!(ListRecords::new(Reader::new(&[1, 2]), &[]).count(), 0);
}

#[test]
fn what_does_not_fit_is_not_written() {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes);
    let list = put_basic_list(&mut writer, ListSemantic::AllOf, FieldSpecifier::new(14, 4), &[&[1, 2]]);
    assert_eq!(list.unwrap_err().field, "list.element");
    let list = put_basic_list(&mut writer, ListSemantic::AllOf, FieldSpecifier::new(0x8001, 4), &[]);
    assert_eq!(list.unwrap_err().field, "field.element");
    let long = vec![0; 65_536];
    assert!(put_sub_template_multi_list(&mut writer, ListSemantic::AllOf, &[(256, &long)]).is_err());
    assert!(put_variable_length(&mut writer, &long).is_err());
}

#[test]
fn semantics_have_the_numbers_of_the_rfc() {
    for (number, name) in
        [(0, "noneOf"), (1, "exactlyOneOf"), (2, "oneOrMoreOf"), (3, "allOf"), (4, "ordered"), (255, "undefined")]
    {
        let semantic = ListSemantic::from_number(number);
        assert_eq!((semantic.number(), semantic.name()), (number, name));
    }
    assert_eq!(ListSemantic::from_number(77), ListSemantic::Other(77));
    assert_eq!((ListSemantic::Other(77).number(), ListSemantic::Other(77).name()), (77, "unassigned"));
}

#[test]
fn a_type_record_lies_in_the_order_of_its_template() {
    let record = TypeRecord {
        enterprise: 32_473,
        element: 7,
        data_type: 3,
        semantics: 4,
        units: 2,
        range_begin: 1,
        range_end: 9,
        name: "shoeSize",
        description: "",
    };
    let bytes = written(|writer| record.encode(writer).unwrap());
    let mut expected = vec![0, 0, 0x7e, 0xd9, 0, 7, 3, 4, 0, 2];
    expected.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 8]);
    expected.extend(b"shoeSize\0");
    assert_eq!(bytes, expected);
    let fixed = TypeRecord::SCOPE.iter().chain(&TypeRecord::OPTIONS).filter(|field| field.length != VARIABLE);
    assert_eq!(fixed.map(|field| usize::from(field.length)).sum::<usize>() + 1 + 8 + 1, bytes.len());
}
