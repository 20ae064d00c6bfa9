//! Records as lines: text, JSON or CSV.

use std::io::Write;

use finderscope_flow::text::{RecordWriter, plain_text};
use finderscope_flow::{Table, Tables};
use finderscope_intake::{ErrorEvent, OptionsEvent, TemplateChange, TemplateEvent, Watch};
use finderscope_wire::ipfix::{FieldSpecifier, TemplateKind, VARIABLE};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Format;

/// Prints what a datagram brought: templates, options and errors first, then rows.
pub(super) struct Printer {
    format: Format,
    writers: Vec<(Table, RecordWriter)>,
    events: Vec<Event>,
    line: Vec<u8>,
    headed: bool,
}

/// What is no row: a template, an options record, an error. Its members are printed in this order.
struct Event {
    record: &'static str,
    members: Vec<(&'static str, Value)>,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = ("record", Value::from(self.record));
        serializer.collect_map(std::iter::once(&record).chain(&self.members).map(|(name, value)| (name, value)))
    }
}

/// What a row is called in `record`.
const fn record(table: Table) -> &'static str {
    match table {
        Table::Flows => "flow",
        Table::Counters => "counters",
        Table::Drops => "drop",
        Table::Events => "event",
        Table::Options => "options",
    }
}

impl Printer {
    pub(super) fn new(format: Format) -> Self {
        // Options are printed a record at a time, as the onlooker sees them, not an element at a time.
        let tables = [Table::Flows, Table::Counters, Table::Drops, Table::Events];
        let writers = tables.map(|table| (table, RecordWriter::new(&table.schema())));
        Self { format, writers: writers.into(), events: Vec::new(), line: Vec::new(), headed: false }
    }

    /// Prints and empties everything.
    pub(super) fn print(&mut self, tables: &mut Tables, out: &mut impl Write) -> anyhow::Result<()> {
        let events = std::mem::take(&mut self.events);
        for event in &events {
            self.event(event, out)?;
        }
        for (table, writer) in &self.writers {
            let builder = tables.of(*table);
            if builder.is_empty() || (self.format == Format::Csv && *table != Table::Flows) {
                if !builder.is_empty() {
                    builder.finish();
                }
                continue;
            }
            let batch = builder.finish();
            let mut rows = writer.rows(&batch)?;
            if self.format == Format::Csv && !std::mem::replace(&mut self.headed, true) {
                self.line.clear();
                writer.write_csv_header(&mut self.line);
                out.write_all(&self.line)?;
            }
            for row in 0..rows.len() {
                self.line.clear();
                match self.format {
                    Format::Json => {
                        self.line.extend_from_slice(b"{\"record\":\"");
                        self.line.extend_from_slice(record(*table).as_bytes());
                        self.line.push(b'"');
                        let brace = self.line.len();
                        rows.write_json(&mut self.line, row);
                        // Every row has its receive time, so there is a member behind the brace.
                        self.line[brace] = b',';
                    }
                    Format::Csv => rows.write_csv(&mut self.line, row),
                    Format::Text => {
                        self.line.extend_from_slice(record(*table).as_bytes());
                        self.line.push(b' ');
                        rows.write_text(&mut self.line, row);
                    }
                }
                out.write_all(&self.line)?;
            }
        }
        if !tables.options.is_empty() {
            tables.options.finish();
        }
        Ok(())
    }

    fn event(&self, event: &Event, out: &mut impl Write) -> anyhow::Result<()> {
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut *out, event)?;
                out.write_all(b"\n")?;
            }
            Format::Text => {
                let mut line = event.record.to_owned();
                for (name, value) in &event.members {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    line.push_str(&format!(" {name}={}", plain_text(&text)));
                }
                writeln!(out, "{line}")?;
            }
            Format::Csv => {}
        }
        Ok(())
    }
}

impl Watch for Printer {
    fn template(&mut self, event: &TemplateEvent<'_>) {
        let change = match event.change {
            TemplateChange::Learned => "learned",
            TemplateChange::Refreshed => "refreshed",
            TemplateChange::Redefined => "redefined",
            TemplateChange::Withdrawn => "withdrawn",
            TemplateChange::Refused(_) => "refused",
        };
        let kind = match event.kind {
            TemplateKind::Data => "data",
            TemplateKind::Options => "options",
        };
        let fields: Vec<String> = event.fields.iter().enumerate().map(|(at, it)| field(event, at, it)).collect();
        let mut members = vec![
            ("type", event.protocol.flow_type().word().into()),
            ("exporter_address", event.exporter.to_string().into()),
            ("observation_domain_id", event.domain.into()),
            ("template_id", event.id.into()),
            ("kind", kind.into()),
            ("change", change.into()),
            ("fields", fields.into()),
        ];
        if event.kind == TemplateKind::Options {
            members.push(("scope_fields", event.scope.into()));
        }
        if let TemplateChange::Refused(limit) = event.change {
            members.push(("limit", limit.into()));
        }
        self.events.push(Event { record: "template", members });
    }

    fn options(&mut self, event: &OptionsEvent<'_>) {
        let values: serde_json::Map<String, Value> =
            event.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
        let members = vec![
            ("type", event.protocol.flow_type().word().into()),
            ("exporter_address", event.exporter.to_string().into()),
            ("observation_domain_id", event.domain.into()),
            ("template_id", event.template_id.into()),
            ("scope", event.scope.into()),
            ("values", values.into()),
        ];
        self.events.push(Event { record: "options", members });
    }

    fn error(&mut self, event: &ErrorEvent) {
        let members = vec![
            ("exporter_address", event.exporter.to_string().into()),
            ("offset", event.offset.into()),
            ("error", event.error.to_string().into()),
        ];
        self.events.push(Event { record: "error", members });
    }
}

/// A field as `name/length`, or `pen/id/length` where it has no name.
fn field(event: &TemplateEvent<'_>, at: usize, field: &FieldSpecifier) -> String {
    let name = finderscope_intake::field_name(event.protocol, *field, at < event.scope);
    match field.length {
        VARIABLE => format!("{name}/variable"),
        length => format!("{name}/{length}"),
    }
}
