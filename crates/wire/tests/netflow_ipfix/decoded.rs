//! A plain decoder over the views: what a test compares, and the shortest use of the whole interface.

use std::collections::HashMap;

use finderscope_wire::ipfix::{
    Dialect, FieldSpecifier, RecordWalker, SetKind, Sets, TemplateKind, TemplateRecords, messages,
};
use finderscope_wire::netflow::{v5, v9, version};
use finderscope_wire::{Reader, WireError};

/// Everything that was in a datagram.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) templates: Vec<Template>,
    pub(crate) withdrawn: Vec<u16>,
    pub(crate) records: Vec<Record>,
    pub(crate) without_template: usize,
    pub(crate) problems: Vec<WireError>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Template {
    pub(crate) id: u16,
    pub(crate) kind: TemplateKind,
    pub(crate) scope: usize,
    pub(crate) fields: Vec<FieldSpecifier>,
    /// Where the record ends, counted from the start of the datagram.
    pub(crate) end: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) template: u16,
    pub(crate) fields: Vec<Vec<u8>>,
    /// Where the record ends, counted from the start of the datagram.
    pub(crate) end: usize,
}

/// The templates of one exporter: the lengths of their fields, by domain and id.
#[derive(Debug, Default)]
pub(crate) struct Cache(HashMap<(u32, u16), Vec<u16>>);

impl Cache {
    /// Decodes a datagram of any version, learning its templates.
    pub(crate) fn decode(&mut self, datagram: &[u8]) -> Decoded {
        let mut decoded = Decoded::default();
        match version(datagram) {
            Some(v5::VERSION) => decode_v5(datagram, &mut decoded),
            Some(v9::VERSION) => {
                for message in v9::messages(datagram) {
                    match message {
                        Ok(message) => {
                            let domain = message.header().source_id.get();
                            self.sets(message.sets(), Dialect::V9, domain, &mut decoded);
                        }
                        Err(error) => decoded.problems.push(error),
                    }
                }
            }
            _ => self.decode_ipfix(datagram, &mut decoded),
        }
        decoded
    }

    fn decode_ipfix(&mut self, datagram: &[u8], decoded: &mut Decoded) {
        for message in messages(datagram) {
            match message {
                Ok(message) => {
                    decoded.problems.extend(message.extent().problem());
                    let domain = message.header().observation_domain_id.get();
                    self.sets(message.sets(), Dialect::Ipfix, domain, decoded);
                }
                Err(error) => decoded.problems.push(error),
            }
        }
    }

    pub(crate) fn sets(&mut self, sets: Sets<'_>, dialect: Dialect, domain: u32, decoded: &mut Decoded) {
        for set in sets {
            match set {
                Ok(set) => {
                    decoded.problems.extend(set.extent.problem());
                    match set.kind(dialect) {
                        SetKind::Templates(kind) => {
                            self.learn(domain, TemplateRecords::new(set.body, dialect, kind), set.body, decoded);
                        }
                        SetKind::Data(id) => self.records((domain, id), set.body, decoded),
                        SetKind::Reserved(_) => {}
                    }
                }
                Err(error) => decoded.problems.push(error),
            }
        }
    }

    fn learn(&mut self, domain: u32, records: TemplateRecords<'_>, body: Reader<'_>, decoded: &mut Decoded) {
        for record in records {
            match record {
                Ok(record) if record.withdrawal => {
                    self.0.remove(&(domain, record.id));
                    decoded.withdrawn.push(record.id);
                }
                Ok(record) => {
                    let fields: Vec<_> = record.fields().collect();
                    assert_eq!(fields.len(), record.field_count);
                    self.0.insert((domain, record.id), fields.iter().map(|field| field.length).collect());
                    let head = record.bytes().as_ptr_range();
                    let end = body.offset() + head.end as usize - body.rest().as_ptr() as usize;
                    decoded.templates.push(Template {
                        id: record.id,
                        kind: record.kind,
                        scope: record.scope,
                        fields,
                        end,
                    });
                }
                Err(error) => decoded.problems.push(error),
            }
        }
    }

    fn records(&mut self, id: (u32, u16), body: Reader<'_>, decoded: &mut Decoded) {
        let Some(lengths) = self.0.get(&id) else {
            decoded.without_template += 1;
            return;
        };
        for record in RecordWalker::new(body, lengths) {
            match record {
                Ok(record) => decoded.records.push(Record {
                    template: id.1,
                    fields: record.fields().map(<[u8]>::to_vec).collect(),
                    end: record.offset() + record.bytes().len(),
                }),
                Err(error) => decoded.problems.push(error),
            }
        }
    }
}

fn decode_v5(datagram: &[u8], decoded: &mut Decoded) {
    match v5::Message::read(datagram) {
        Ok(message) => {
            decoded.problems.extend(message.problem());
            for (index, record) in message.records().iter().enumerate() {
                let end = size_of::<v5::Header>() + (index + 1) * size_of::<v5::Record>();
                decoded.records.push(Record { template: 0, fields: vec![record.source.to_vec()], end });
            }
        }
        Err(error) => decoded.problems.push(error),
    }
}

/// Decodes one datagram without any templates from before.
pub(crate) fn decode(datagram: &[u8]) -> Decoded {
    Cache::default().decode(datagram)
}
