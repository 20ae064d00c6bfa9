//! Options data: what exporters say about themselves. Rows for people, and rates and boot times for us.

use finderscope_flow::Column;
use finderscope_wire::ipfix;

use crate::cells::Records;
use crate::context::Context;
use crate::exporter::{DomainKey, Exporter};
use crate::pass::Pass;
use crate::plan::{Named, put_scope};
use crate::sampling::Told;
use crate::text;
use crate::watch::OptionsEvent;

/// The scope's text stands in each of a record's rows; a long one must not be multiplied by a stranger.
const SCOPE_TEXT_MAX: usize = 1_024;
/// systemInitTimeMilliseconds.
const BOOT: u16 = 160;

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
    let limit = pass.shared.config.limits.samplers_per_exporter;
    for row in 0..records.len() {
        let room = exporter.domains.values().map(|domain| domain.samplers.len()).sum::<usize>() < limit;
        let domain = exporter.domains.entry(key).or_default();
        let mut told = Told::default();
        for field in fields {
            let Some(element) = field.element else { continue };
            let Some(value) = ipfix::unsigned(records.cell(row, field.field)) else { continue };
            told.element(element, value);
            if element == BOOT && value != 0 {
                domain.boot_ns = ipfix::millis_to_ns(value);
            }
        }
        if !domain.samplers.learn(&told, room) {
            exporter.ledger.notes.add("samplers_per_exporter", 1);
        }
        write_row(fields, template_id, records, row, context, pass);
    }
}

fn write_row(
    fields: &[Named],
    template_id: u16,
    records: &Records<'_>,
    row: usize,
    context: &Context,
    pass: &mut Pass<'_>,
) {
    let value = |field: &Named| {
        let mut value = String::new();
        text::put(&mut value, field.data_type, records.cell(row, field.field));
        value
    };
    let mut scope = String::new();
    for field in fields.iter().filter(|field| field.scope) {
        put_scope(&mut scope, &field.name, &value(field));
    }
    scope.truncate(scope.floor_char_boundary(SCOPE_TEXT_MAX));
    let values: Vec<(&str, String)> =
        fields.iter().filter(|field| !field.scope).map(|field| (field.name.as_str(), value(field))).collect();
    let builder = &mut pass.tables.options;
    context.write(builder, values.len());
    builder.u16(Column::OptionTemplateId).push_run(template_id, values.len());
    builder.text(Column::OptionScope).push_run(scope.as_bytes(), values.len());
    for (name, value) in &values {
        builder.text(Column::OptionElement).push(name.as_bytes());
        builder.text(Column::OptionValue).push(value.as_bytes());
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
