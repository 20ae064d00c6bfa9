//! Options data: what exporters say about themselves. Rows for people, and rates and boot times for us.

use finderscope_flow::Column;
use finderscope_wire::ipfix::{self, ScopeKind};

use crate::cells::Records;
use crate::context::Context;
use crate::exporter::{DomainKey, Exporter};
use crate::learned::TypeRecord;
use crate::pass::Pass;
use crate::plan::{Named, put, put_scope};
use crate::sampling::Told;
use crate::structured::Meaning;
use crate::subject::Subjects;
use crate::watch::OptionsEvent;

/// The scope's text stands in each of a record's rows; a long one must not be multiplied by a stranger.
const SCOPE_TEXT_MAX: usize = 1_024;
/// systemInitTimeMilliseconds.
const BOOT: u16 = 160;
/// observationDomainId.
const DOMAIN: u16 = 149;
/// exporterIPv4Address, exporterIPv6Address, exportingProcessId: as scopes, the whole exporter.
const EXPORTER: [u16; 3] = [130, 131, 144];

/// Takes in options records, and writes one row for each element of each.
pub(crate) fn write(
    fields: &[Named],
    template_id: u16,
    records: &Records<'_>,
    key: DomainKey,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) {
    let subjects = Subjects::of(fields);
    for row in 0..records.len() {
        learn(fields, records, row, key, exporter, pass);
        let templates = exporter.domains.get(&key).map(|domain| &domain.templates);
        let meaning = Meaning { templates, learned: &exporter.learned };
        write_row(fields, &subjects, template_id, &meaning, (records, row), context, pass);
    }
}

/// What a record tells us of sampling and of the exporter's clock.
fn learn(
    fields: &[Named],
    records: &Records<'_>,
    row: usize,
    key: DomainKey,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) {
    let (mut told, mut place, mut described) = (Told::default(), Place::default(), TypeRecord::default());
    for field in fields {
        let bytes = records.cell(row, field.field);
        place.scope(field, bytes, &mut told);
        let Some(element) = field.element else { continue };
        told.element(element, bytes);
        described.field(element, bytes);
        if element == BOOT
            && let Some(millis @ 1..) = ipfix::unsigned(bytes)
        {
            exporter.domains.open(key).boot_ns = ipfix::millis_to_ns(millis);
        }
    }
    if !exporter.learned.learn(&described) {
        exporter.ledger.notes.add("elements_described", 1);
    }
    if told.rate().is_none() && told.sequence().is_none() {
        return;
    }
    let room = exporter.samplers() < pass.shared.config.limits.samplers_per_exporter;
    let mut kept = true;
    // What is told of another domain is kept for it where it is known; else where it was told.
    let other = DomainKey { id: place.domain.unwrap_or(key.id), ..key };
    let key = if exporter.domains.contains(&other) { other } else { key };
    kept &= exporter.domains.open(key).samplers.learn(&told, room);
    if place.wide {
        kept &= exporter.wide.learn(&told, room);
    }
    if !kept {
        exporter.ledger.notes.add("samplers_per_exporter", 1);
    }
}

/// What of the exporter a record is about.
#[derive(Default)]
struct Place {
    /// All of it.
    wide: bool,
    domain: Option<u32>,
}

impl Place {
    fn scope(&mut self, field: &Named, bytes: &[u8], told: &mut Told) {
        let number = ipfix::unsigned(bytes);
        match (field.v9_scope, field.element, number) {
            (Some(ScopeKind::System), ..) => self.wide = true,
            (Some(ScopeKind::Interface), _, Some(index)) => told.interface(index),
            (Some(ScopeKind::Template), _, Some(id)) => told.template(id),
            (None, Some(element), _) if field.scope && EXPORTER.contains(&element) => self.wide = true,
            (None, Some(DOMAIN), Some(id)) if field.scope => self.domain = u32::try_from(id).ok(),
            _ => {}
        }
    }
}

fn write_row(
    fields: &[Named],
    subjects: &Subjects,
    template_id: u16,
    meaning: &Meaning<'_>,
    (records, row): (&Records<'_>, usize),
    context: &Context,
    pass: &mut Pass<'_>,
) {
    let value = |field: &Named| {
        let (mut value, (_, data_type)) = (String::new(), meaning.of(field));
        put(&mut value, field.element, data_type, records.cell(row, field.field), meaning);
        value
    };
    let mut scope = String::new();
    for field in fields.iter().filter(|field| field.scope) {
        put_scope(&mut scope, meaning.of(field).0, &value(field));
    }
    scope.truncate(scope.floor_char_boundary(SCOPE_TEXT_MAX));
    let values: Vec<(&str, String)> =
        fields.iter().filter(|field| !field.scope).map(|field| (meaning.of(field).0, value(field))).collect();
    let builder = &mut pass.tables.options;
    context.write(builder, values.len());
    builder.u16(Column::OptionTemplateId).push_run(template_id, values.len());
    builder.text(Column::OptionScope).push_run(scope.as_bytes(), values.len());
    for (name, value) in &values {
        builder.text(Column::OptionElement).push(name.as_bytes());
        builder.text(Column::OptionValue).push(value.as_bytes());
    }
    let mut subject = String::new();
    for field in fields.iter().filter(|field| !field.scope) {
        subject.clear();
        subjects.put(&mut subject, field.element, records, row);
        let subject = (!subject.is_empty()).then_some(subject.as_bytes());
        builder.text(Column::OptionSubject).push_option(subject);
    }
    builder.advance(values.len());
    pass.watch.options(&OptionsEvent {
        exporter: context.exporter,
        protocol: context.protocol,
        domain: context.domain,
        template_id,
        scope: &scope,
        values: &values,
    });
}
