//! `decode --stats`: how much of what there was, as one JSON object.

use std::collections::BTreeMap;
use std::io::Write;

use arrow::array::AsArray;
use arrow::datatypes::Int32Type;
use finderscope_flow::builder::BATCH_ROWS;
use finderscope_flow::{Biflow, Builder, FlowType, Tables};
use finderscope_intake::{ErrorEvent, Intake, Ledger, OptionsEvent, SampleKind, TemplateEvent, Trouble, Watch};
use finderscope_transport::capture::Counts;
use serde::Serialize;

/// Records as exporters sent them: a two-way record is one.
#[derive(Debug, Default, Serialize)]
pub(super) struct Stats {
    /// Of captures.
    frames: u64,
    frames_skipped: BTreeMap<&'static str, u64>,
    stream_gaps: u64,
    datagrams: u64,
    flows: u64,
    options: u64,
    templates: u64,
    flow_samples: u64,
    counter_samples: u64,
    drops: u64,
    events: u64,
    waiting: u64,
    errors: BTreeMap<String, u64>,
    by_protocol: BTreeMap<&'static str, Protocol>,
}

#[derive(Debug, Default, Serialize)]
struct Protocol {
    datagrams: u64,
    records: u64,
    templates: u64,
}

impl Watch for Stats {
    fn template(&mut self, event: &TemplateEvent<'_>) {
        self.templates += 1;
        self.by_protocol.entry(event.protocol.flow_type().word()).or_default().templates += 1;
    }

    fn options(&mut self, _: &OptionsEvent<'_>) {
        self.options += 1;
    }

    fn sample(&mut self, kind: SampleKind) {
        match kind {
            SampleKind::Flow => self.flow_samples += 1,
            SampleKind::Counters => self.counter_samples += 1,
            SampleKind::Discarded => self.drops += 1,
        }
    }

    fn error(&mut self, event: &ErrorEvent) {
        let reason = match event.error {
            Trouble::Wire(error) => error.reason(),
            Trouble::Reason(reason) => reason,
        };
        *self.errors.entry(reason.to_owned()).or_default() += 1;
    }
}

impl Stats {
    /// Counts rows once there are many, and throws them away.
    pub(super) fn count(&mut self, tables: &mut Tables) {
        if tables.rows() >= BATCH_ROWS {
            self.count_all(tables);
        }
    }

    fn count_all(&mut self, tables: &mut Tables) {
        self.flows += records(&mut tables.flows);
        self.events += records(&mut tables.events);
        for rest in [&mut tables.counters, &mut tables.drops, &mut tables.options] {
            rest.finish();
        }
    }

    /// Writes the object.
    pub(super) fn write(
        mut self,
        intake: &Intake,
        frames: &Counts,
        tables: &mut Tables,
        out: &mut impl Write,
    ) -> anyhow::Result<()> {
        self.count_all(tables);
        self.frames = frames.frames;
        self.frames_skipped = frames.skipped.iter().map(|(reason, count)| (reason.name(), count)).collect();
        self.stream_gaps = frames.stream_gaps;
        self.finish(intake);
        serde_json::to_writer(&mut *out, &self)?;
        out.write_all(b"\n")?;
        Ok(())
    }

    fn finish(&mut self, intake: &Intake) {
        let Ledger { datagrams, sets, .. } = intake.totals();
        self.datagrams = datagrams.received;
        self.waiting = sets.waiting;
        for exporter in intake.ledger() {
            for domain in &exporter.domains {
                let protocol = self.by_protocol.entry(domain.protocol.flow_type().word()).or_default();
                protocol.datagrams += domain.datagrams;
                protocol.records += domain.records;
            }
        }
    }
}

/// Records of flows: not the reverse rows of two-way records, and not sFlow's samples, which are counted as such.
fn records(builder: &mut Builder) -> u64 {
    let batch = builder.finish();
    let words = |name| batch.column_by_name(name).and_then(|column| column.as_dictionary_opt::<Int32Type>());
    let (Some(types), Some(biflow)) = (words("type"), words("biflow")) else { return 0 };
    let samples = [FlowType::Sflow2, FlowType::Sflow4, FlowType::Sflow5].map(|version| Some(version as usize));
    let is_sample = |row| samples.contains(&types.key(row));
    let is_reverse = |row| biflow.key(row) == Some(Biflow::Reverse as usize);
    (0..batch.num_rows()).filter(|&row| !is_sample(row) && !is_reverse(row)).count() as u64
}
