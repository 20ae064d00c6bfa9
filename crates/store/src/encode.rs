//! Rows into Parquet, with the pages of the usual columns made by hand.
//!
//! The stock writer takes 400 ns and more for a flow. Most of that is spent on looking: for repetitions by its
//! dictionaries, for the smallest and largest values, for matches by the compressor. What flows look like is known, so
//! here it is looked for once or not at all:
//!
//! * **Cut parts** are to be cheap. Each batch is a row group, and each of its columns one page. Numbers become streams
//!   of their bytes ([`numbers`]), addresses lengths and bytes ([`lengths`]), and what repeats from row to row runs of places in a
//!   dictionary ([`indices`]). Compression is LZ4's format with runs as its only matches ([`lz4`]). See [`cut`].
//! * **Merged parts** are to be small. Rows come in pages of the same rows in every column. A chunk's first page is
//!   encoded both ways, as a dictionary and directly, and the smaller is kept to; zstd does the rest. See [`merged`].
//!
//! Lists, maps and text go through Parquet's own writer ([`stock`]); headers, footers and offset indexes are written
//! by its public parts ([`chunk`]), so that the file's structure is theirs.

mod body;
mod chunk;
mod cut;
mod frames;
mod group;
mod indices;
mod interner;
mod layout;
mod lengths;
mod lz4;
mod merged;
mod numbers;
mod out;
mod pages;
mod shelf;
mod statistics;
mod stock;
mod strings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use finderscope_flow::Table;
use parquet::errors::Result;
use parquet::file::metadata::{
    FileMetaData, KeyValue, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::writer::TrackedWrite;

use self::body::Body;
use self::chunk::{Press, Sink};
use self::group::Group;
use self::layout::{Layout, layout};
use self::merged::Merged;
use self::out::Out;
use self::shelf::Shelf;
use crate::settings::{CREATED_BY, Encoding};

const MAGIC: &[u8] = b"PAR1";
/// Rows of a cut part's row group at the most. Batches have an eighth of that, and a few rows more.
const CUT_ROWS: usize = 1 << 17;

/// One file of a table's rows, while they are added.
pub struct PartWriter {
    layout: &'static Layout,
    sink: Sink,
    out: Out,
    tools: Tools,
    /// Rows of a merged part that are no row group yet; a cut part has none.
    merged: Option<Merged>,
    groups: Vec<RowGroupMetaData>,
    indexes: Vec<Vec<OffsetIndexMetaData>>,
}

/// What is used again for each page.
struct Tools {
    press: Press,
    body: Body,
    shelf: Shelf,
}

impl fmt::Debug for PartWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartWriter").field("row_groups", &self.groups.len()).finish_non_exhaustive()
    }
}

impl PartWriter {
    /// Begins a file.
    pub fn new(file: Arc<File>, table: Table, encoding: Encoding) -> Result<Self> {
        let layout = layout(table, encoding);
        let out = Out::new(file);
        let mut sink = TrackedWrite::new(out.clone());
        sink.write_all(MAGIC)?;
        Ok(Self {
            layout,
            sink,
            out,
            tools: Tools { press: Press::new()?, body: Body::default(), shelf: Shelf::default() },
            merged: (encoding == Encoding::Merged).then(Merged::new),
            groups: Vec::new(),
            indexes: Vec::new(),
        })
    }

    /// Lets what waits for the end of its row group do so in `scratch`, which nobody else uses, instead of in memory.
    pub fn wait_in(&mut self, scratch: File) {
        self.tools.shelf.use_file(scratch);
    }

    /// Adds rows, which have the table's schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.merged.is_none() {
            return self.write_cut(batch);
        }
        let mut done = 0;
        while done < batch.num_rows() {
            let merged = self.merged.as_mut().expect("it is there for the whole of a merged part");
            done += merged.write(batch, done, self.layout, &mut self.tools)?;
            if merged.is_full() {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn write_cut(&mut self, batch: &RecordBatch) -> Result<()> {
        for from in (0..batch.num_rows()).step_by(CUT_ROWS) {
            let rows = CUT_ROWS.min(batch.num_rows() - from);
            let at = self.sink.bytes_written();
            let group = cut::group(&batch.slice(from, rows), self.layout, &mut self.sink, &mut self.tools)?;
            self.add(group, rows, at)?;
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        let Some(merged) = &mut self.merged else { return Ok(()) };
        let at = self.sink.bytes_written();
        if let Some((group, rows)) = merged.finish(self.layout, &mut self.sink, &mut self.tools)? {
            self.add(group, rows, at)?;
        }
        Ok(())
    }

    fn add(&mut self, mut group: Group, rows: usize, at: usize) -> Result<()> {
        if self.merged.is_some() {
            self.indexes.push(std::mem::take(&mut group.pages));
        }
        self.groups.push(group.finish(&self.layout.schema, rows, self.groups.len(), at)?);
        Ok(())
    }

    /// Writes what is left, and the footer with one more entry.
    pub fn finish(mut self, entry: KeyValue) -> Result<()> {
        self.end_group()?;
        let rows = self.groups.iter().map(RowGroupMetaData::num_rows).sum();
        let file = FileMetaData::new(
            1,
            rows,
            Some(CREATED_BY.to_owned()),
            Some(self.layout.told.iter().cloned().chain([entry]).collect()),
            self.layout.schema.clone(),
            Some(self.layout.orders.clone()),
        );
        let builder = ParquetMetaDataBuilder::new(file).set_row_groups(self.groups);
        let metadata = builder.set_offset_index(self.merged.is_some().then_some(self.indexes)).build();
        ParquetMetaDataWriter::new_with_tracked(self.sink, &metadata).finish()?;
        Ok(self.out.finish()?)
    }
}
