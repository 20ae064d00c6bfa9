//! Whole rows: a line of JSON, of CSV, or of `name=value`.
//!
//! A [`RecordWriter`] is made once per schema and [`Rows`] once per batch; a row then costs no allocation for its
//! cells (floating point and types that only Arrow can print excepted), and columns that are null in the whole
//! batch cost nothing.

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;

use super::cells::Cells;
use super::escape::{write_json_string, write_plain_text};

/// What becomes of a null in a JSON record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Nulls {
    /// The member is left out: `decode`, `flows`.
    #[default]
    Omit,
    /// The member is `null`: every record has the same members.
    Write,
}

/// Writes the rows of batches of one schema.
#[derive(Debug)]
pub struct RecordWriter {
    schema: SchemaRef,
    nulls: Nulls,
    names: Vec<Names>,
}

/// A column's name as each format has it before its value.
#[derive(Debug)]
struct Names {
    /// `,"name":`
    json: Vec<u8>,
    /// ` name=`
    text: Vec<u8>,
}

impl RecordWriter {
    /// Writes batches of `schema`, and leaves nulls out of JSON.
    pub fn new(schema: &SchemaRef) -> Self {
        let names = schema.fields().iter().map(|field| Names::new(field.name())).collect();
        Self { schema: SchemaRef::clone(schema), nulls: Nulls::default(), names }
    }

    /// The same with another treatment of nulls in JSON.
    pub fn with_nulls(self, nulls: Nulls) -> Self {
        Self { nulls, ..self }
    }

    /// The schema whose batches it takes.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The rows of a batch. Fails where the batch is of other columns, or of a type that cannot be printed.
    pub fn rows<'a>(&'a self, batch: &'a RecordBatch) -> Result<Rows<'a>, ArrowError> {
        if batch.num_columns() != self.names.len() {
            let message = format!("a batch of {} columns where {} are known", batch.num_columns(), self.names.len());
            return Err(ArrowError::SchemaError(message));
        }
        let columns = batch.columns().iter().zip(self.schema.fields()).zip(&self.names);
        let columns = columns.map(|((array, field), names)| Ok((names, Cells::new(array, field)?)));
        let columns: Vec<_> = columns.collect::<Result<_, ArrowError>>()?;
        let present = (0..columns.len()).filter(|&at| !columns[at].1.all_null()).collect();
        Ok(Rows { len: batch.num_rows(), nulls: self.nulls, columns, present })
    }

    /// Writes the line of column names that CSV begins with.
    pub fn write_csv_header(&self, out: &mut Vec<u8>) {
        let mut name = Vec::new();
        for (at, field) in self.schema.fields().iter().enumerate() {
            name.clear();
            write_plain_text(&mut name, field.name());
            if at > 0 {
                out.push(b',');
            }
            write_csv_field(out, &name);
        }
        out.push(b'\n');
    }
}

impl Names {
    fn new(name: &str) -> Self {
        let mut json = vec![b','];
        write_json_string(&mut json, name);
        json.push(b':');
        let mut text = vec![b' '];
        write_plain_text(&mut text, name);
        text.push(b'=');
        Self { json, text }
    }
}

/// The rows of one batch.
#[derive(Debug)]
pub struct Rows<'a> {
    len: usize,
    nulls: Nulls,
    columns: Vec<(&'a Names, Cells<'a>)>,
    /// The columns in which anything is.
    present: Vec<usize>,
}

impl Rows<'_> {
    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes a row as a JSON object on one line, with its line feed.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_json(&self, out: &mut Vec<u8>, row: usize) {
        self.write_json_object(out, row);
        out.push(b'\n');
    }

    /// Writes a row as a JSON object, without a line feed.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_json_object(&self, out: &mut Vec<u8>, row: usize) {
        let start = out.len();
        let mut member = |names: &Names, cells: &Cells<'_>| {
            out.extend_from_slice(&names.json);
            cells.write_json(out, row);
        };
        match self.nulls {
            Nulls::Omit => self.cells_of(row).for_each(|(names, cells)| member(names, cells)),
            Nulls::Write => self.columns.iter().for_each(|(names, cells)| member(names, cells)),
        }
        match out.get_mut(start) {
            // The first member's comma makes way for the brace.
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    /// Writes a row of CSV (RFC 4180) with its line feed. A null is an empty field, an empty text is `""`.
    ///
    /// Lines end in a line feed alone, as every tool that this is piped into expects.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_csv(&self, out: &mut Vec<u8>, row: usize) {
        for (at, (_, cells)) in self.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            if cells.is_null(row) {
                continue;
            }
            let start = out.len();
            cells.write_plain(out, row);
            quote_csv_field(out, start);
        }
        out.push(b'\n');
    }

    /// Writes a row for people, with its line feed: `name=value` with blanks between, nulls left out. Values
    /// with blanks or quotes are in quotes, in which quotes and backslashes have a backslash before them.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_text(&self, out: &mut Vec<u8>, row: usize) {
        let line = out.len();
        for (names, cells) in self.cells_of(row) {
            let name = if out.len() == line { &names.text[1..] } else { &names.text };
            out.extend_from_slice(name);
            let start = out.len();
            cells.write_plain(out, row);
            quote_text(out, start);
        }
        out.push(b'\n');
    }

    /// The columns whose cell in that row is not null.
    fn cells_of(&self, row: usize) -> impl Iterator<Item = &(&Names, Cells<'_>)> {
        self.present.iter().map(|&at| &self.columns[at]).filter(move |(_, cells)| !cells.is_null(row))
    }
}

/// Puts what was written since `start` in quotes where CSV needs them.
fn quote_csv_field(out: &mut Vec<u8>, start: usize) {
    if needs_csv_quotes(&out[start..]) {
        let field = out.split_off(start);
        write_csv_field(out, &field);
    }
}

fn needs_csv_quotes(field: &[u8]) -> bool {
    field.is_empty() || field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
}

fn write_csv_field(out: &mut Vec<u8>, field: &[u8]) {
    if !needs_csv_quotes(field) {
        return out.extend_from_slice(field);
    }
    out.push(b'"');
    for &byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Puts what was written since `start` in quotes where a reader could not tell where it ends.
fn quote_text(out: &mut Vec<u8>, start: usize) {
    let value = &out[start..];
    if !value.is_empty() && !value.iter().any(|byte| matches!(byte, b' ' | b'"')) {
        return;
    }
    let value = out.split_off(start);
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
