//! The rows of a row group that satisfy the condition, as batches.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::physical_expr::projection::Projector;
use datafusion_datasource::morsel::Morsel;
use futures::StreamExt;
use futures::stream::BoxStream;

use super::cells::Cells;
use super::condition::Condition;
use super::group::Group;
use super::stock::Stock;

/// What becomes of rows.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) batch_rows: usize,
    pub(super) projector: Projector,
    pub(super) output: SchemaRef,
    /// The table's columns that the answer is made of.
    pub(super) columns: Vec<usize>,
    /// These columns.
    pub(super) schema: SchemaRef,
}

/// What is left of a row group.
pub(super) struct Rows {
    group: Group,
    /// None where all rows are known to satisfy it.
    condition: Option<Condition>,
    /// Where pages begin, and the group's end.
    starts: Vec<usize>,
    pages: VecDeque<usize>,
    target: Arc<Target>,
    /// Lists, maps and text, where the file has any.
    stock: Option<Arc<Stock>>,
    /// The rows that wait to be a batch, and their cells.
    found: Vec<u32>,
    cells: Vec<Option<Cells>>,
    failed: bool,
}

impl Rows {
    pub(super) fn new(
        mut group: Group,
        condition: Option<Condition>,
        starts: Vec<usize>,
        pages: Vec<usize>,
        target: Arc<Target>,
        stock: Option<Arc<Stock>>,
    ) -> Self {
        let cells = target.columns.iter().map(|column| group.kind(*column).map(Cells::new)).collect();
        group.expect(pages.iter().map(|&page| starts[page + 1] - starts[page]).sum());
        let pages = pages.into();
        Self { group, condition, starts, pages, target, stock, found: Vec::new(), cells, failed: false }
    }

    /// Takes what is wanted of a page.
    fn page(&mut self, page: usize) -> Result<()> {
        let start = self.starts[page];
        let count = self.starts[page + 1] - start;
        let mut rows: Vec<u32> = (0..count as u32).collect();
        self.group.enter(start..start + count);
        if let Some(condition) = &mut self.condition {
            condition.sift(&mut self.group, page, &mut rows)?;
        }
        self.group.expect(self.group.rows_left().saturating_sub(count));
        if rows.is_empty() {
            return Ok(());
        }
        for (column, cells) in self.target.columns.iter().zip(&mut self.cells) {
            if let Some(cells) = cells {
                self.group.column(*column)?.add(page, &rows, cells)?;
            }
        }
        self.found.extend(rows.iter().map(|row| row + start as u32));
        Ok(())
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let found = std::mem::take(&mut self.found);
        let mut stock = match &self.stock {
            Some(stock) => stock.read(&self.group, &found)?,
            None => Default::default(),
        };
        let schema = Arc::clone(&self.target.schema);
        let mut arrays = Vec::with_capacity(self.cells.len());
        for ((column, cells), field) in self.target.columns.iter().zip(&mut self.cells).zip(schema.fields()) {
            arrays.push(match cells {
                Some(cells) => cells.finish()?,
                None => stock.remove(column).unwrap_or_else(|| new_null_array(field.data_type(), found.len())),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(found.len()));
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        let (_, arrays, _) = self.target.projector.project_batch(&batch)?.into_parts();
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.target.output), arrays, &options)?)
    }

    fn next(mut self: Box<Self>) -> Option<(Result<RecordBatch>, Box<Self>)> {
        while !self.failed {
            let Some(page) = self.pages.pop_front() else {
                if self.found.is_empty() {
                    return None;
                }
                return Some((self.batch(), self));
            };
            if let Err(error) = self.page(page) {
                self.failed = true;
                return Some((Err(error), self));
            }
            if self.found.len() >= self.target.batch_rows {
                return Some((self.batch(), self));
            }
        }
        None
    }
}

impl Morsel for Rows {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        futures::stream::unfold(self, |rows| std::future::ready(rows.next())).boxed()
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("pages", &self.pages).finish_non_exhaustive()
    }
}
