//! Template sets: templates learned, replaced and taken back, as far as the limits allow.

use finderscope_wire::WireError;
use finderscope_wire::ipfix::{FieldSpecifier, TemplateKind, TemplateRecord, TemplateRecords};

use crate::context::Context;
use crate::exporter::{DomainKey, Exporter};
use crate::pass::Pass;
use crate::sets;
use crate::template::{Template, TemplateTimes};
use crate::watch::{TemplateChange, TemplateEvent};

/// In a withdrawal: all data templates, all options templates (RFC 7011 section 8.1).
const ALL_DATA: u16 = 2;
const ALL_OPTIONS: u16 = 3;

/// Takes in the records of a template set up to the first that is unsound, and says what is wrong with that.
pub(crate) fn templates(
    records: TemplateRecords<'_>,
    key: DomainKey,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<WireError> {
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => return Some(error),
        };
        let change = if record.withdrawal {
            withdraw(&record, key, exporter, pass)
        } else {
            learn(&record, key, context, exporter, pass)
        };
        tell(&record, change, key, pass);
        if matches!(change, TemplateChange::Learned | TemplateChange::Redefined) {
            sets::release(record.id, key, exporter, pass);
        }
    }
    None
}

fn learn(
    record: &TemplateRecord<'_>,
    key: DomainKey,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> TemplateChange {
    let now_ns = context.received_ns;
    let domain = exporter.domains.open(key);
    let known = domain.templates.get_mut(record.id);
    let mut times = TemplateTimes { first_ns: now_ns, last_ns: now_ns, redefined: 0 };
    let mut change = TemplateChange::Learned;
    if let Some(known) = known {
        if known.plan.layout.is(record) {
            known.times.last_ns = now_ns;
            return TemplateChange::Refreshed;
        }
        times.redefined = known.times.redefined + 1;
        change = TemplateChange::Redefined;
        exporter.ledger.notes.add("templates_redefined", 1);
        // From here on the id has another meaning, or none: nothing may be read by the old one.
        remove(record.id, key, exporter, pass);
    }
    if let Some(limit) = limit_reached(record, exporter, pass) {
        exporter.ledger.notes.add(limit, 1);
        return TemplateChange::Refused(limit);
    }
    let plan = pass.shared.plans.of(record);
    if !exporter.listed {
        pass.shared.template_fields += plan.fields.len();
    }
    exporter.domains.open(key).templates.insert(record.id, Template { plan, times });
    change
}

/// The limit that does not allow another template.
fn limit_reached(record: &TemplateRecord<'_>, exporter: &Exporter, pass: &Pass<'_>) -> Option<&'static str> {
    let limits = &pass.shared.config.limits;
    let fields = record.field_count;
    match () {
        () if fields > limits.fields_per_template => Some("fields_per_template"),
        () if exporter.templates() >= limits.templates_per_exporter => Some("templates_per_exporter"),
        () if exporter.template_fields() + fields > limits.template_fields_per_exporter => {
            Some("template_fields_per_exporter")
        }
        () if !exporter.listed && pass.shared.template_fields + fields > limits.template_fields => {
            Some("template_fields")
        }
        () => None,
    }
}

fn withdraw(
    record: &TemplateRecord<'_>,
    key: DomainKey,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> TemplateChange {
    let kind = match record.id {
        ALL_DATA => Some(TemplateKind::Data),
        ALL_OPTIONS => Some(TemplateKind::Options),
        _ => None,
    };
    let removed = match kind {
        None => remove(record.id, key, exporter, pass),
        Some(kind) => {
            let templates = &mut exporter.domains.open(key).templates;
            let before = templates.fields();
            let removed = templates.remove_kind(kind);
            let fields = before - templates.fields();
            give_back(fields, exporter, pass);
            removed
        }
    };
    exporter.ledger.notes.add("templates_withdrawn", removed as u64);
    TemplateChange::Withdrawn
}

fn remove(id: u16, key: DomainKey, exporter: &mut Exporter, pass: &mut Pass<'_>) -> usize {
    let removed = exporter.domains.open(key).templates.remove(id);
    give_back(removed.as_ref().map_or(0, |template| template.plan.fields.len()), exporter, pass);
    usize::from(removed.is_some())
}

/// Fields that are free again, for those that share room.
pub(crate) const fn give_back(fields: usize, exporter: &Exporter, pass: &mut Pass<'_>) {
    if !exporter.listed {
        pass.shared.template_fields = pass.shared.template_fields.saturating_sub(fields);
    }
}

fn tell(record: &TemplateRecord<'_>, change: TemplateChange, key: DomainKey, pass: &mut Pass<'_>) {
    let fields: Vec<FieldSpecifier> = record.fields().collect();
    let event = TemplateEvent {
        exporter: pass.address(),
        protocol: key.protocol,
        domain: key.id,
        id: record.id,
        kind: record.kind,
        change,
        scope: record.scope,
        fields: &fields,
    };
    pass.watch.template(&event);
    if let TemplateChange::Refused(limit) = change {
        pass.reason(limit, record.offset);
    }
}
