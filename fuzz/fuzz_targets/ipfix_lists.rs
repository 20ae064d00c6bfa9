//! Structured data: lists of every kind, in each other, are read, and what was sound reads the same when written again.
//!
//! The first byte says how many field lengths, of two bytes each, stand before the list: those of its records.

#![no_main]

use finderscope_wire::ipfix::{
    BasicList, ListRecords, SubTemplateList, SubTemplateMultiList, put_basic_list, put_sub_template_list,
    put_sub_template_multi_list,
};
use finderscope_wire::{Reader, Writer};
use libfuzzer_sys::fuzz_target;

/// Lists in lists.
const DEPTH_MAX: usize = 3;

fuzz_target!(|input: &[u8]| {
    let Some((count, rest)) = input.split_first() else { return };
    let (lengths, list) = rest.split_at((usize::from(*count & 15) * 2).min(rest.len()));
    let lengths: Vec<u16> = lengths.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    read(list, &lengths, DEPTH_MAX);
});

fn read(list: &[u8], lengths: &[u16], depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    basic(list, lengths, depth);
    if let Ok(one) = SubTemplateList::read(Reader::new(list)) {
        let mut out = Vec::new();
        put_sub_template_list(&mut Writer::new(&mut out), one.semantic, one.template, one.records.rest());
        assert_eq!(out, list);
        records(one.records, lengths, depth);
    }
    if let Ok(several) = SubTemplateMultiList::read(Reader::new(list)) {
        let parts: Vec<_> = several.parts().collect();
        parts.iter().flatten().for_each(|(_, part)| records(*part, lengths, depth));
        if let Ok(parts) = parts.into_iter().collect::<Result<Vec<_>, _>>() {
            let parts: Vec<_> = parts.iter().map(|(template, part)| (*template, part.rest())).collect();
            let mut out = Vec::new();
            put_sub_template_multi_list(&mut Writer::new(&mut out), several.semantic, &parts)
                .expect("they were shorter");
            assert_eq!(out, list);
        }
    }
}

fn basic(list: &[u8], lengths: &[u16], depth: usize) {
    let Ok(basic) = BasicList::read(Reader::new(list)) else { return };
    basic.values().flatten().for_each(|value| read(value, lengths, depth));
    let Ok(values) = basic.values().collect::<Result<Vec<_>, _>>() else { return };
    let mut out = Vec::new();
    put_basic_list(&mut Writer::new(&mut out), basic.semantic, basic.field, &values).expect("it was read");
    let again = BasicList::read(Reader::new(&out)).expect("it was just written");
    assert_eq!((again.semantic, again.field), (basic.semantic, basic.field));
    assert!(again.values().flatten().eq(values));
}

fn records(bytes: Reader<'_>, lengths: &[u16], depth: usize) {
    let mut taken = 0;
    for record in ListRecords::new(bytes, lengths).flatten() {
        assert_eq!(record.len(), lengths.len());
        taken += record.iter().map(|field| field.len()).sum::<usize>();
        record.iter().for_each(|field| read(field, lengths, depth));
    }
    assert!(taken <= bytes.len());
}
