//! Sets of both protocols, read as a collector would: templates are kept, data is walked by them.

use std::collections::HashMap;

use finderscope_wire::ipfix::{
    Dialect, Extent, RecordWalker, SetKind, Sets, TemplateRecord, TemplateRecords, float, ntp_micros_to_ns, ntp_to_ns,
    signed, unsigned,
};

/// The field lengths of each template.
pub type Cache = HashMap<u16, Vec<u16>>;

/// Reads all sets; a set that is cut must be the last.
pub fn read_sets(sets: Sets<'_>, dialect: Dialect, cache: &mut Cache) {
    let mut ended = false;
    for set in sets {
        assert!(!ended, "something follows the end");
        let Ok(set) = set else {
            ended = true;
            continue;
        };
        ended = matches!(set.extent, Extent::Cut(_));
        match set.kind(dialect) {
            SetKind::Templates(kind) => {
                TemplateRecords::new(set.body, dialect, kind).flatten().for_each(|record| learn(&record, cache));
            }
            SetKind::Data(id) => {
                if let Some(lengths) = cache.get(&id) {
                    walk(RecordWalker::new(set.body, lengths), lengths.len(), set.body.len());
                }
            }
            SetKind::Reserved(_) => {}
        }
    }
}

fn learn(record: &TemplateRecord<'_>, cache: &mut Cache) {
    assert_eq!(record.fields().count(), record.field_count);
    assert!(record.scope <= record.field_count);
    if record.withdrawal {
        cache.remove(&record.id);
        return;
    }
    assert!(record.id >= 256 && record.shortest() > 0);
    cache.insert(record.id, record.fields().map(|field| field.length).collect());
}

fn walk(mut walker: RecordWalker<'_, '_>, fields: usize, length: usize) {
    let mut walked = 0;
    for record in walker.by_ref().flatten() {
        assert_eq!(record.fields().count(), fields);
        assert!(!record.bytes().is_empty());
        walked += record.bytes().len();
        for field in record.fields() {
            let value = unsigned(field);
            assert_eq!(value.is_some(), signed(field).is_some());
            let _ = (float(field), value.map(|value| (ntp_to_ns(value), ntp_micros_to_ns(value))));
        }
    }
    assert!(walked + walker.rest().len() == length);
}
