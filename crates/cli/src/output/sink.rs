//! Batches in, lines or a file out.

use std::fs::File;
use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use finderscope_flow::text::{Nulls, RecordWriter};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

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
            Format::Json => Self::Lines(Lines::new(args.writer(out)?, schema, nulls, false)),
            Format::Csv => Self::Lines(Lines::new(args.writer(out)?, schema, nulls, true)),
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

/// Rows as lines of JSON or CSV.
pub struct Lines<'w> {
    out: Box<dyn Write + 'w>,
    rows: RecordWriter,
    csv: bool,
    buffer: Vec<u8>,
}

impl<'w> Lines<'w> {
    fn new(out: Box<dyn Write + 'w>, schema: &SchemaRef, nulls: Nulls, csv: bool) -> Self {
        let rows = RecordWriter::new(schema).with_nulls(nulls);
        let mut buffer = Vec::new();
        if csv {
            rows.write_csv_header(&mut buffer);
        }
        Self { out, rows, csv, buffer }
    }

    fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let mut rows = self.rows.rows(batch)?;
        for row in 0..batch.num_rows() {
            match self.csv {
                true => rows.write_csv(&mut self.buffer, row),
                false => rows.write_json(&mut self.buffer, row),
            }
            if self.buffer.len() >= 1 << 16 {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.out.write_all(&self.buffer)?;
        Ok(self.out.flush()?)
    }
}
