//! A row group of a merged part, page by page.
//!
//! Pages hold [`PAGE_ROWS`] rows of whatever batches they came in. They are compressed at once and wait for the group's
//! end ([`super::shelf`]), since a dictionary goes before them; what waits is bounded by [`ROW_GROUP_ROWS`] and [`ROW_GROUP_BYTES`].

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::{TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use finderscope_flow::Kind;
use parquet::errors::Result;

use super::Tools;
use super::chunk::Sink;
use super::group::Group;
use super::layout::{Field, Layout};
use crate::settings::{PAGE_ROWS, ROW_GROUP_BYTES, ROW_GROUP_ROWS};
use columns::{Addresses, Numbers, Rare, Words};

mod adaptive;
mod columns;

/// The rows that are no row group yet.
pub(super) struct Merged {
    columns: Vec<Column>,
    rows: usize,
    /// Less than a page.
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
}

/// A column's pages so far.
enum Column {
    U8(Numbers<UInt8Type>),
    U16(Numbers<UInt16Type>),
    U32(Numbers<UInt32Type>),
    U64(Numbers<UInt64Type>),
    Time(Numbers<TimestampNanosecondType>),
    Address(Addresses),
    Word(Words),
    Stock(Rare),
}

macro_rules! each {
    ($self:expr, $column:ident => $body:expr) => {
        match $self {
            Column::U8($column) => $body,
            Column::U16($column) => $body,
            Column::U32($column) => $body,
            Column::U64($column) => $body,
            Column::Time($column) => $body,
            Column::Address($column) => $body,
            Column::Word($column) => $body,
            Column::Stock($column) => $body,
        }
    };
}

impl Merged {
    pub(super) const fn new() -> Self {
        Self { columns: Vec::new(), rows: 0, waiting: Vec::new(), waiting_rows: 0 }
    }

    /// Takes rows from `from` on, up to a page's end, and says how many.
    pub(super) fn write(
        &mut self,
        batch: &RecordBatch,
        from: usize,
        layout: &Layout,
        tools: &mut Tools,
    ) -> Result<usize> {
        let rows = (batch.num_rows() - from).min(PAGE_ROWS - self.waiting_rows);
        self.waiting.push(batch.slice(from, rows));
        self.waiting_rows += rows;
        if self.waiting_rows == PAGE_ROWS {
            self.page(layout, tools)?;
        }
        Ok(rows)
    }

    /// Whether the row group has all the rows or bytes that one may have.
    pub(super) fn is_full(&self) -> bool {
        let bytes = || self.columns.iter().map(|column| each!(column, column => column.memory())).sum::<usize>();
        self.waiting_rows == 0 && (self.rows >= ROW_GROUP_ROWS || bytes() >= ROW_GROUP_BYTES)
    }

    /// Encodes the rows that wait as a page.
    fn page(&mut self, layout: &Layout, tools: &mut Tools) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting_rows);
        if rows == 0 {
            return Ok(());
        }
        self.rows += rows;
        if self.columns.is_empty() {
            self.columns = layout.fields.iter().map(Column::new).collect();
        }
        for (at, (column, field)) in self.columns.iter_mut().zip(&layout.fields).enumerate() {
            let pieces = self.waiting.iter().map(|batch| batch.column(at));
            if pieces.clone().all(|piece| piece.null_count() == piece.len()) && column.nulls(rows) {
                continue;
            }
            match &pieces.map(AsRef::as_ref).collect::<Vec<_>>()[..] {
                [_] => column.page(self.waiting[0].column(at), field, tools)?,
                pieces => column.page(&concat(pieces)?, field, tools)?,
            }
        }
        self.waiting.clear();
        Ok(())
    }

    /// Writes the row group, where there are rows for one.
    pub(super) fn finish(
        &mut self,
        layout: &Layout,
        sink: &mut Sink,
        tools: &mut Tools,
    ) -> Result<Option<(Group, usize)>> {
        self.page(layout, tools)?;
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return Ok(None);
        }
        let mut group = Group::default();
        for (column, field) in self.columns.drain(..).zip(&layout.fields) {
            column.finish(field, sink, tools, &mut group)?;
        }
        tools.shelf.clear();
        Ok(Some((group, rows)))
    }
}

impl Column {
    fn new(field: &Field) -> Self {
        match field.kind {
            Kind::U8 => Self::U8(Numbers::default()),
            Kind::U16 => Self::U16(Numbers::default()),
            Kind::U32 => Self::U32(Numbers::default()),
            Kind::U64 | Kind::Mac => Self::U64(Numbers::default()),
            Kind::Time => Self::Time(Numbers::default()),
            Kind::Address => Self::Address(Addresses::default()),
            Kind::Word(_) => Self::Word(Words::default()),
            Kind::Text | Kind::List | Kind::Map => Self::Stock(Rare::default()),
        }
    }

    /// Takes a page of nulls; false once there were values, and it is to be encoded as any other.
    fn nulls(&mut self, rows: usize) -> bool {
        each!(self, column => column.nulls(rows))
    }

    fn page(&mut self, array: &ArrayRef, field: &Field, tools: &mut Tools) -> Result<()> {
        match self {
            Self::U8(column) => column.page(array.as_primitive(), field, tools),
            Self::U16(column) => column.page(array.as_primitive(), field, tools),
            Self::U32(column) => column.page(array.as_primitive(), field, tools),
            Self::U64(column) => column.page(array.as_primitive(), field, tools),
            Self::Time(column) => column.page(array.as_primitive(), field, tools),
            Self::Address(column) => column.page(array.as_binary(), field, tools),
            Self::Word(column) => column.page(array.as_dictionary(), field, tools),
            Self::Stock(column) => column.page(array, field),
        }
    }

    fn finish(self, field: &Field, sink: &mut Sink, tools: &mut Tools, group: &mut Group) -> Result<()> {
        if let Self::Stock(column) = self {
            return column.finish(field, sink, tools, group);
        }
        group.add(match self {
            Self::U8(column) => column.finish(field, sink, tools)?,
            Self::U16(column) => column.finish(field, sink, tools)?,
            Self::U32(column) => column.finish(field, sink, tools)?,
            Self::U64(column) => column.finish(field, sink, tools)?,
            Self::Time(column) => column.finish(field, sink, tools)?,
            Self::Address(column) => column.finish(field, sink, tools)?,
            Self::Word(column) => column.finish(field, sink, tools)?,
            Self::Stock(_) => return Ok(()),
        });
        Ok(())
    }
}
