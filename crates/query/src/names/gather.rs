//! Gathering what was told out of the store.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{TimestampNanosecondType, UInt32Type, UInt64Type};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::execution::SessionState;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use super::facts::Fact;
use super::known::{Facts, Known, Octets, Port, Subject, Teller};

/// Each value that was told of a subject, and when first and last.
const OPTIONS: &str = "select exporter_address, sampler_address, observation_domain_id, subject, element, value, \
    min(time_received_ns), max(time_received_ns) from options where subject is not null group by 1, 2, 3, 4, 5, 6";

/// sFlow's port names.
const PORT_NAMES: &str = "select exporter_address, sampler_address, if_index, extra['name'], \
    min(time_received_ns), max(time_received_ns) from counters \
    where structure = 'port_name' and if_index is not null group by 1, 2, 3, 4";

/// What sFlow's counters say of interfaces beside their name.
const PORTS: &str = "select exporter_address, sampler_address, if_index, \
    last_value(if_speed order by time_received_ns), last_value(if_type order by time_received_ns), \
    last_value(if_status order by time_received_ns), min(time_received_ns), max(time_received_ns) from counters \
    where structure = 'if_counters' and if_index is not null group by 1, 2, 3";

impl Known {
    /// Asks the tables `options` and `counters` that `state` has. Interfaces' speeds only where they are wanted: there are
    /// many counters.
    pub(crate) async fn gather(state: &SessionState, with_ports: bool) -> Result<Self> {
        let mut facts = Facts::default();
        each(state, OPTIONS, &mut |batch| facts.add_options(batch)).await?;
        each(state, PORT_NAMES, &mut |batch| facts.add_port_names(batch)).await?;
        if with_ports {
            each(state, PORTS, &mut |batch| facts.add_ports(batch)).await?;
        }
        Ok(facts.into())
    }
}

async fn each(
    state: &SessionState,
    question: &str,
    take: &mut (dyn FnMut(&RecordBatch) -> Option<()> + Send),
) -> Result<()> {
    let plan = state.create_logical_plan(question).await?;
    let plan: Arc<dyn ExecutionPlan> = state.create_physical_plan(&plan).await?;
    let mut batches = execute_stream(plan, state.task_ctx())?;
    while let Some(batch) = batches.next().await {
        take(&batch?).ok_or_else(|| internal_datafusion_err!("names came in other types than they were asked for"))?;
    }
    Ok(())
}

impl Facts {
    fn add_options(&mut self, batch: &RecordBatch) -> Option<()> {
        let columns = Columns(batch);
        for row in 0..batch.num_rows() {
            let Some(subject) = columns.text(3, row)?.and_then(Subject::parse) else { continue };
            let (Some(element), Some(value)) = (columns.text(4, row)?, columns.text(5, row)?) else { continue };
            let teller = Teller {
                exporter: columns.octets(0, row)?,
                sampler: columns.octets(1, row)?,
                domain: columns.u32(2, row)?.unwrap_or_default(),
            };
            if !value.is_empty() {
                let fact = Fact::new(value.to_owned(), columns.time(6, row)?, columns.time(7, row)?);
                self.tell(teller, subject, element, fact);
            }
        }
        Some(())
    }

    fn add_port_names(&mut self, batch: &RecordBatch) -> Option<()> {
        let columns = Columns(batch);
        for row in 0..batch.num_rows() {
            let (Some(index), Some(name)) = (columns.u32(2, row)?, columns.text(3, row)?) else { continue };
            let teller = Teller { exporter: columns.octets(0, row)?, sampler: columns.octets(1, row)?, domain: 0 };
            if !name.is_empty() {
                let fact = Fact::new(name.to_owned(), columns.time(4, row)?, columns.time(5, row)?);
                self.tell(teller, Subject::Interface(index.into()), "port_name", fact);
            }
        }
        Some(())
    }

    fn add_ports(&mut self, batch: &RecordBatch) -> Option<()> {
        let columns = Columns(batch);
        for row in 0..batch.num_rows() {
            let Some(index) = columns.u32(2, row)? else { continue };
            let port = Port {
                speed: columns.u64(3, row)?,
                kind: columns.u32(4, row)?,
                status: columns.u32(5, row)?,
                first_ns: columns.time(6, row)?,
                last_ns: columns.time(7, row)?,
            };
            self.ports.insert((columns.octets(0, row)?, columns.octets(1, row)?, index), port);
        }
        Some(())
    }
}

/// Cells of a batch by place; the outer none where a column is not of the type.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn text(&self, column: usize, row: usize) -> Option<Option<&str>> {
        let cells = self.0.column(column);
        let cell = match cells.as_string_view_opt() {
            Some(cells) => cells.value(row),
            None => cells.as_string_opt::<i32>()?.value(row),
        };
        Some(cells.is_valid(row).then_some(cell))
    }

    fn octets(&self, column: usize, row: usize) -> Option<Octets> {
        Some(self.0.column(column).as_binary_view_opt()?.value(row).into())
    }

    fn u32(&self, column: usize, row: usize) -> Option<Option<u32>> {
        let cells = self.0.column(column).as_primitive_opt::<UInt32Type>()?;
        Some(cells.is_valid(row).then(|| cells.value(row)))
    }

    fn u64(&self, column: usize, row: usize) -> Option<Option<u64>> {
        let cells = self.0.column(column).as_primitive_opt::<UInt64Type>()?;
        Some(cells.is_valid(row).then(|| cells.value(row)))
    }

    fn time(&self, column: usize, row: usize) -> Option<i64> {
        Some(self.0.column(column).as_primitive_opt::<TimestampNanosecondType>()?.value(row))
    }
}
