//! Structured data (RFC 6313) as JSON: lists of values, and of records of other templates.
//!
//! `{"semantic":"allOf","element":"bgpCommunity","values":[…]}` is a basicList,
//! `{"semantic":"allOf","template":258,"records":[{…}]}` a subTemplateList, and a subTemplateMultiList has `lists` of
//! template and records. What cannot be read is kept as `octets`, in hexadecimal. Lists nest to [`DEPTH_MAX`], and one
//! field's text is cut after [`TEXT_MAX`] bytes, where `"…"` stands for the rest; the brackets are closed all the same.

use std::fmt::Write;

use finderscope_flow::registry::{DataType, element};
use finderscope_flow::text::write_json_string;
use finderscope_wire::ipfix::{BasicList, ListRecords, ListSemantic, SubTemplateList, SubTemplateMultiList};
use finderscope_wire::{Reader, WireError};

use crate::learned::Learned;
use crate::plan::Named;
use crate::template::Templates;
use crate::text;

/// Lists in lists; real ones have two or three.
const DEPTH_MAX: usize = 8;
/// After so much text no further member of a list is written.
const TEXT_MAX: usize = 16_384;

/// What gives fields their meaning beyond their own template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meaning<'a> {
    /// Templates of the domain, for the records in lists.
    pub(crate) templates: Option<&'a Templates>,
    /// Elements that the exporter has described (RFC 5610).
    pub(crate) learned: &'a Learned,
}

impl<'a> Meaning<'a> {
    /// The field's name and type, where only the exporter knows them; else those of the registry.
    pub(crate) fn of<'n>(&self, named: &'n Named) -> (&'n str, Option<DataType>)
    where
        'a: 'n,
    {
        let learned = named.unknown.and_then(|(enterprise, element)| self.learned.get(enterprise, element));
        learned.map_or((&named.name, named.data_type), |known| (known.name.as_str(), Some(known.data_type)))
    }

    /// Appends the value in `bytes` of whatever type.
    pub(crate) fn put(&self, out: &mut String, data_type: Option<DataType>, bytes: &[u8]) {
        match data_type.filter(|&data_type| is_list(data_type)) {
            Some(list) => Printer { limit: out.len() + TEXT_MAX, out, meaning: *self, depth: 0 }.list(list, bytes),
            None => text::put(out, data_type, bytes),
        }
    }
}

const fn is_list(data_type: DataType) -> bool {
    matches!(data_type, DataType::BasicList | DataType::SubTemplateList | DataType::SubTemplateMultiList)
}

struct Printer<'o, 'a> {
    out: &'o mut String,
    limit: usize,
    meaning: Meaning<'a>,
    depth: usize,
}

impl Printer<'_, '_> {
    fn list(&mut self, data_type: DataType, bytes: &[u8]) {
        if self.depth == DEPTH_MAX {
            return self.octets_object(bytes);
        }
        self.depth += 1;
        let reader = Reader::new(bytes);
        let read = match data_type {
            DataType::BasicList => BasicList::read(reader).map(|list| self.basic(&list)),
            DataType::SubTemplateList => SubTemplateList::read(reader).map(|list| self.records_of(&list)),
            _ => SubTemplateMultiList::read(reader).map(|list| self.parts(&list)),
        };
        if read.is_err() {
            self.octets_object(bytes);
        }
        self.depth -= 1;
    }

    fn basic(&mut self, list: &BasicList<'_>) {
        let (enterprise, number) = (list.field.enterprise.unwrap_or(0), list.field.element);
        let known = element(Some(enterprise), number);
        let learned = if known.is_none() { self.meaning.learned.get(enterprise, number) } else { None };
        let data_type = known.map(|known| known.data_type).or(learned.map(|learned| learned.data_type));
        self.open(list.semantic);
        self.out.push_str("\"element\":");
        match (known, learned) {
            (Some(known), _) => self.string(known.name),
            (None, Some(learned)) => self.string(&learned.name),
            (None, None) => self.string(&format!("{enterprise}/{number}")),
        }
        self.out.push_str(",\"values\":");
        self.array(list.values(), |printer, value| printer.value(data_type, value));
        self.out.push('}');
    }

    fn records_of(&mut self, list: &SubTemplateList<'_>) {
        self.open(list.semantic);
        self.records(list.template, list.records);
        self.out.push('}');
    }

    fn parts(&mut self, list: &SubTemplateMultiList<'_>) {
        self.open(list.semantic);
        self.out.push_str("\"lists\":");
        self.array(list.parts(), |printer, (template, records)| {
            printer.out.push('{');
            printer.records(template, records);
            printer.out.push('}');
        });
        self.out.push('}');
    }

    /// `"template":…,"records":[…]`, or the bytes where the template is not known.
    fn records(&mut self, template: u16, records: Reader<'_>) {
        let _ = write!(self.out, "\"template\":{template},");
        let Some(known) = self.meaning.templates.and_then(|templates| templates.get(template)) else {
            return self.octets(records.rest());
        };
        let fields = known.plan.named();
        let lengths: Vec<u16> = fields.iter().map(|named| named.field.length).collect();
        self.out.push_str("\"records\":");
        self.array(ListRecords::new(records, &lengths), |printer, record| printer.record(fields, &record));
    }

    fn record(&mut self, fields: &[Named], record: &[&[u8]]) {
        self.out.push('{');
        let mut first = true;
        for (named, bytes) in fields.iter().zip(record).filter(|(_, bytes)| !bytes.is_empty()) {
            if !std::mem::take(&mut first) {
                self.out.push(',');
            }
            if self.out.len() > self.limit {
                self.out.push_str("\"…\":\"…\"");
                break;
            }
            let meaning = self.meaning;
            let (name, data_type) = meaning.of(named);
            self.string(name);
            self.out.push(':');
            self.value(data_type, bytes);
        }
        self.out.push('}');
    }

    fn value(&mut self, data_type: Option<DataType>, bytes: &[u8]) {
        if let Some(list) = data_type.filter(|&data_type| is_list(data_type)) {
            return self.list(list, bytes);
        }
        let mut value = String::new();
        text::put(&mut value, data_type, bytes);
        if data_type.is_some_and(DataType::is_number) && is_json_number(&value) && bytes.len() <= 8 {
            self.out.push_str(&value);
        } else {
            self.string(&value);
        }
    }

    /// The members that could be read, `…` for those that there is no room for, and the error at the end.
    fn array<T>(&mut self, members: impl Iterator<Item = Result<T, WireError>>, mut put: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for (at, member) in members.enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            match member {
                _ if self.out.len() > self.limit => {
                    self.out.push_str("\"…\"");
                    break;
                }
                Ok(member) => put(self, member),
                Err(error) => self.string(&format!("malformed: {}", error.reason())),
            }
        }
        self.out.push(']');
    }

    fn open(&mut self, semantic: ListSemantic) {
        let _ = write!(self.out, "{{\"semantic\":\"{}\",", semantic.name());
    }

    fn octets_object(&mut self, bytes: &[u8]) {
        self.out.push('{');
        self.octets(bytes);
        self.out.push('}');
    }

    fn octets(&mut self, bytes: &[u8]) {
        let mut hex = String::new();
        text::put(&mut hex, None, bytes);
        self.out.push_str("\"octets\":");
        self.string(&hex);
    }

    fn string(&mut self, value: &str) {
        let mut json = Vec::with_capacity(value.len() + 2);
        write_json_string(&mut json, value);
        self.out.push_str(&String::from_utf8_lossy(&json));
    }
}

/// Numbers that are none, such as infinity or what did not fit its type, are text.
fn is_json_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && text.bytes().any(|byte| byte.is_ascii_digit())
}
