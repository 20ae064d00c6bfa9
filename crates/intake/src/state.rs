//! The state that a restart needs: all that decides how the next delivery is decoded, and the books.
//!
//! Written with a position of the journal, it makes a replay from there end as the live run did. A first byte tells
//! the layout, so that another version refuses it instead of misreading it.

use finderscope_wire::ipfix::{Dialect, FieldSpecifier, SetKind, TemplateKind, TemplateRecords};
use finderscope_wire::{Reader, Writer};
use serde::{Deserialize, Serialize};

use crate::Intake;
use crate::config::Config;
use crate::exporter::{DomainKey, Exporter};
use crate::exporters::Exporters;
use crate::ledger::Ledger;
use crate::plan::Plan;
use crate::template::{Layout, Template, TemplateTimes};

/// The layout of what follows; another layout gets another number.
const VERSION: u8 = 3;

/// Why a saved state cannot be used. Without it, exporters have to send their templates again.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// Another version of this program wrote it.
    #[error("another version of this program wrote it (layout {0}, this one reads {VERSION})")]
    Version(u8),
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(#[from] postcard::Error),
}

/// Written of what is borrowed (`&Exporter`, …), read as what is owned.
#[derive(Deserialize, Serialize)]
struct Saved<E, L, T> {
    exporters: Vec<SavedExporter<E, T>>,
    forgotten: L,
    strangers: L,
    next_sweep_ns: i64,
}

#[derive(Deserialize, Serialize)]
struct SavedExporter<E, T> {
    exporter: E,
    templates: Vec<SavedTemplate<T>>,
}

#[derive(Deserialize, Serialize)]
struct SavedTemplate<T> {
    domain: DomainKey,
    id: u16,
    layout: T,
    times: TemplateTimes,
}

impl Intake {
    /// Everything that a restart needs.
    pub fn state(&self) -> Vec<u8> {
        let exporters = self.exporters.iter().map(|exporter| {
            let templates = exporter.domains.iter().flat_map(|(&domain, state)| {
                state.templates.iter().map(move |(id, template)| SavedTemplate {
                    domain,
                    id,
                    layout: &template.plan.layout,
                    times: template.times,
                })
            });
            SavedExporter { exporter, templates: templates.collect() }
        });
        let saved = Saved {
            exporters: exporters.collect(),
            forgotten: &self.exporters.forgotten,
            strangers: &self.strangers,
            next_sweep_ns: self.next_sweep_ns,
        };
        let state = postcard::to_extend(&saved, vec![VERSION]).expect("a vector takes all that is written");
        self.state_written();
        state
    }

    /// Goes on from a saved state. Rows that were in memory when it was written count as stored: a state is only used
    /// with a cut at or after it, and what came between is replayed.
    pub fn restore(config: Config, state: &[u8]) -> Result<Self, StateError> {
        let (&version, rest) = state.split_first().ok_or(StateError::Empty)?;
        if version != VERSION {
            return Err(StateError::Version(version));
        }
        let saved: Saved<Exporter, Ledger, Layout> = postcard::from_bytes(rest)?;
        let mut intake = Self::new(config);
        intake.exporters = Exporters::default();
        intake.exporters.forgotten = saved.forgotten;
        intake.strangers = saved.strangers;
        intake.next_sweep_ns = saved.next_sweep_ns;
        for SavedExporter { mut exporter, templates } in saved.exporters {
            for template in templates {
                intake.restore_template(&mut exporter, template);
            }
            let (waiting_bytes, fields) = (exporter.waiting.bytes(), exporter.template_fields());
            let at = intake.exporters.insert(exporter, &intake.shared.config);
            // The configuration may have changed, and with it who shares room.
            if intake.exporters.get_mut(at).is_some_and(|exporter| !exporter.listed) {
                intake.shared.waiting_bytes += waiting_bytes;
                intake.shared.template_fields += fields;
            }
        }
        intake.cut();
        intake.state_written();
        Ok(intake)
    }

    fn restore_template(&mut self, exporter: &mut Exporter, saved: SavedTemplate<Layout>) {
        let Some(fields) = fields(&saved.layout) else { return };
        let Some(domain) = exporter.domains.get_mut(&saved.domain) else { return };
        let plan: std::sync::Arc<Plan> = self.shared.plans.restored(saved.layout, fields);
        domain.templates.insert(saved.id, Template { plan, times: saved.times });
    }
}

/// Reads a layout as if it came in a template set, so that nothing can come of a damaged state that the wire could not send.
fn fields(layout: &Layout) -> Option<Vec<FieldSpecifier>> {
    let dialect: Dialect = layout.dialect.into();
    let kind = if layout.options { TemplateKind::Options } else { TemplateKind::Data };
    let scope_bytes = usize::from(layout.scope) * 4;
    let mut bytes = Vec::with_capacity(layout.specifiers.len() + 8);
    let mut writer = Writer::new(&mut bytes);
    writer.u16(256);
    match (dialect.is_v9(), kind) {
        (true, TemplateKind::Options) => {
            let options = layout.specifiers.len().checked_sub(scope_bytes)?;
            writer.u16(u16::try_from(scope_bytes).ok()?).u16(u16::try_from(options).ok()?);
        }
        (_, TemplateKind::Data) => _ = writer.u16(count(layout, dialect)?),
        (false, TemplateKind::Options) => _ = writer.u16(count(layout, dialect)?).u16(layout.scope),
    }
    writer.bytes(&layout.specifiers);
    debug_assert!(matches!(dialect.set_kind(256), SetKind::Data(_)));
    let record = TemplateRecords::new(Reader::new(&bytes), dialect, kind).next()?.ok()?;
    layout.is(&record).then(|| record.fields().collect())
}

/// How many fields there are: each has four bytes, and four more with an enterprise.
fn count(layout: &Layout, dialect: Dialect) -> Option<u16> {
    let (mut rest, mut count) = (layout.specifiers.as_slice(), 0_u16);
    while let Some((first, _)) = rest.split_first() {
        let enterprise = *first & 0x80 != 0 && dialect != Dialect::V9;
        rest = rest.get(if enterprise { 8 } else { 4 }..)?;
        count = count.checked_add(1)?;
    }
    Some(count)
}
