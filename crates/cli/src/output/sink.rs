//! Batches in, lines or a file out.

use std::fs::File;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use finderscope_flow::text::Nulls;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::lines::{Lines, Style};
use super::{Cells, Format, OutputArgs, Table};

/// What takes an answer's batches.
pub enum Sink<'w> {
    /// JSON and CSV.
    Lines(Lines<'w>),
    /// A table of the answer's own columns.
    Table {
        /// Where its rows go.
        table: Table<'w>,
        /// How its cells look.
        cells: Cells,
    },
    /// One file.
    Parquet(ArrowWriter<File>),
}

impl<'w> Sink<'w> {
    /// A sink for batches of `schema`, in the format and at the place that was asked for.
    pub fn open(args: &OutputArgs, schema: &SchemaRef, nulls: Nulls, out: &'w mut dyn Write) -> anyhow::Result<Self> {
        Ok(match args.format {
            Format::Table => {
                let cells = Cells::new(schema, args.zone());
                Self::Table { table: Table::new(args.writer(out)?, cells.columns(schema)), cells }
            }
            Format::Json => Self::Lines(Lines::new(args.writer(out)?, schema, nulls, Style::Json)),
            Format::Csv => Self::Lines(Lines::new(args.writer(out)?, schema, nulls, Style::Csv)),
            Format::Parquet => {
                let compression = Compression::ZSTD(ZstdLevel::default());
                let properties = WriterProperties::builder().set_compression(compression).build();
                Self::Parquet(ArrowWriter::try_new(args.file()?, SchemaRef::clone(schema), Some(properties))?)
            }
        })
    }

    /// Takes rows.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        match self {
            Self::Lines(lines) => lines.write(batch),
            Self::Table { table, cells } => {
                for row in cells.rows(batch)? {
                    table.push(row)?;
                }
                Ok(())
            }
            Self::Parquet(writer) => Ok(writer.write(batch)?),
        }
    }

    /// Writes what is left.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Lines(lines) => lines.finish(),
            Self::Table { table, .. } => table.finish().map(drop).map_err(Into::into),
            Self::Parquet(writer) => writer.close().map(drop).map_err(Into::into),
        }
    }
}
