//! Rows of one table, kept as columns while they come in.
//!
//! Who has rows to add writes runs of values into the columns that it knows, and then says how many
//! rows that was ([`Builder::advance`]). A column that was not written falls behind, and catches up
//! with one run of nulls when it is next written or when the batch is closed. So a builder belongs to
//! a thread and a table, not to a template, and what a record lacks costs nothing.

mod addresses;
mod fixed;
mod validity;
mod values;
mod variable;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};

pub use addresses::Addresses;
pub use fixed::Fixed;
pub use variable::{Bytes, Lists, Maps};

use self::values::Values;
use crate::{Column, Table};

/// Rows after which a batch should be closed.
pub const BATCH_ROWS: usize = 16_384;
/// Bytes of variable length after which a batch should be closed, whatever its rows.
pub const BATCH_BYTES: usize = 16 << 20;
/// Rows that a column makes room for: a batch's, and those of the datagram that filled it.
const BATCH_ROOM: usize = BATCH_ROWS + 1_024;
/// Rows of a batch for which each step is checked where checks are on; later errors show when it is closed.
const CHECKED_ROWS: usize = 1_024;

/// Rows of one table, column by column.
#[derive(Debug)]
pub struct Builder {
    table: Table,
    rows: usize,
    columns: Vec<Values>,
    /// Those of `columns` whose cells have no fixed width: asked for their size after each datagram.
    variable: Vec<usize>,
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident $variant:ident $type:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// The column has caught up with the rows so far; write one value for each row to come.
        ///
        /// # Panics
        /// Where the column is of another kind, which is an error of the program.
        pub fn $name(&mut self, column: Column) -> &mut $type {
            let rows = self.rows;
            match &mut self.columns[column as usize] {
                Values::$variant(values) => {
                    values.catch_up(rows);
                    values
                }
                other => panic!("column {} is {}, not {}", column.name(), other.name(), stringify!($name)),
            }
        }
    )*};
}

impl Builder {
    /// No rows of `table`.
    pub fn new(table: Table) -> Self {
        let variable = table.columns().iter().filter(|column| Values::is_variable(column.kind()));
        Self {
            table,
            rows: 0,
            columns: Column::ALL.iter().map(|column| Values::new(column.kind())).collect(),
            variable: variable.map(|&column| column as usize).collect(),
        }
    }

    /// The table that the rows are for.
    pub const fn table(&self) -> Table {
        self.table
    }

    /// How many rows are in it.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether it holds no rows.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether it is time to close it.
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.variable.iter().any(|&at| self.columns[at].variable_bytes() >= BATCH_BYTES)
    }

    accessors! {
        /// A column of [`crate::Kind::U8`].
        u8 U8 Fixed<u8>;
        /// A column of [`crate::Kind::U16`].
        u16 U16 Fixed<u16>;
        /// A column of [`crate::Kind::U32`].
        u32 U32 Fixed<u32>;
        /// A column of [`crate::Kind::U64`] or [`crate::Kind::Mac`].
        u64 U64 Fixed<u64>;
        /// A column of [`crate::Kind::Time`].
        time Time Fixed<i64>;
        /// A column of [`crate::Kind::Address`].
        address Address Addresses;
        /// A column of [`crate::Kind::Text`]. Only UTF-8 may be pushed.
        text Text Bytes;
        /// A column of [`crate::Kind::Word`]: the word's place in its list.
        word Word Fixed<i32>;
        /// A column of [`crate::Kind::List`].
        list List Lists;
        /// A column of [`crate::Kind::Map`].
        map Map Maps;
    }

    /// Says that `rows` rows were written.
    pub fn advance(&mut self, rows: usize) {
        self.rows += rows;
        debug_assert!(
            self.rows > CHECKED_ROWS || self.columns.iter().all(|values| values.len() <= self.rows),
            "a column is ahead of its rows"
        );
    }

    /// Takes back a batch that it closed, when whoever wrote it down is done with it: memory that is warm, and known to the
    /// system, is filled again. Buffers that somebody else still holds are left to them.
    pub fn recycle(&mut self, batch: RecordBatch) {
        if !Arc::ptr_eq(batch.schema_ref(), &self.table.schema()) {
            return;
        }
        let (_, arrays, _) = batch.into_parts();
        for (&column, array) in self.table.columns().iter().zip(arrays) {
            self.columns[column as usize].reclaim(array);
        }
    }

    /// Closes the batch: all rows so far, over the table's schema. The builder is empty afterwards.
    pub fn finish(&mut self) -> RecordBatch {
        let rows = std::mem::take(&mut self.rows);
        let arrays: Vec<ArrayRef> = self
            .table
            .columns()
            .iter()
            .map(|&column| self.columns[column as usize].finish(column.kind(), rows))
            .collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.table.schema()), arrays, &options)
            .expect("every column was made by its kind and for all rows")
    }
}

/// An array of one value, made for a batch and shared by the next ones.
#[derive(Debug)]
struct Constant<T> {
    value: T,
    array: ArrayRef,
}

impl<T: Copy + PartialEq> Constant<T> {
    /// So many cells of `value`: of the array that is known, else of one that `make` makes, a little longer than it need be.
    fn slice(known: &mut Option<Self>, value: T, cells: usize, make: impl FnOnce(usize) -> ArrayRef) -> ArrayRef {
        if let Some(known) = known
            && known.value == value
            && known.array.len() >= cells
        {
            return known.array.slice(0, cells);
        }
        let array = make(cells + cells / 64);
        let slice = array.slice(0, cells);
        *known = Some(Self { value, array });
        slice
    }
}

/// Keeps a buffer for the batch that is being filled, where that has none yet, or for the next one. There is no third: so
/// a column never holds more than it needs while one batch is filled and another is written.
fn keep<T>(mut buffer: Vec<T>, now: &mut Vec<T>, next: &mut Vec<T>) {
    /// A column of long addresses, and whatever else was not closed in time.
    const CELLS_MAX: usize = 8 * BATCH_ROOM;
    buffer.clear();
    if buffer.capacity() > CELLS_MAX {
        return;
    }
    if now.capacity() == 0 {
        *now = buffer;
    } else if next.capacity() < buffer.capacity() {
        *next = buffer;
    }
}

/// A batch's bytes are bounded far below what 31 bits can count: it is closed at [`BATCH_BYTES`], and one datagram adds
/// some megabytes at the most.
fn offset(length: usize) -> i32 {
    i32::try_from(length).expect("a batch is closed long before it holds 2 GiB")
}

/// One builder per table; what a thread that decodes datagrams fills.
#[derive(Debug)]
pub struct Tables {
    /// Traffic.
    pub flows: Builder,
    /// sFlow counters.
    pub counters: Builder,
    /// Discarded packets.
    pub drops: Builder,
    /// Records without counters.
    pub events: Builder,
    /// Options data.
    pub options: Builder,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            flows: Builder::new(Table::Flows),
            counters: Builder::new(Table::Counters),
            drops: Builder::new(Table::Drops),
            events: Builder::new(Table::Events),
            options: Builder::new(Table::Options),
        }
    }
}

impl Tables {
    /// The builder of `table`.
    pub const fn of(&mut self, table: Table) -> &mut Builder {
        match table {
            Table::Flows => &mut self.flows,
            Table::Counters => &mut self.counters,
            Table::Drops => &mut self.drops,
            Table::Events => &mut self.events,
            Table::Options => &mut self.options,
        }
    }

    /// All builders.
    pub const fn all(&mut self) -> [&mut Builder; 5] {
        [&mut self.flows, &mut self.counters, &mut self.drops, &mut self.events, &mut self.options]
    }

    /// Rows in all of them.
    pub const fn rows(&self) -> usize {
        self.flows.rows() + self.counters.rows() + self.drops.rows() + self.events.rows() + self.options.rows()
    }
}
