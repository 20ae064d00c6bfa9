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
use super::line::Member;

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
}

impl RecordWriter {
    /// Writes batches of `schema`, and leaves nulls out of JSON.
    pub fn new(schema: &SchemaRef) -> Self {
        Self { schema: SchemaRef::clone(schema), nulls: Nulls::default() }
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
        let fields = self.schema.fields();
        if batch.num_columns() != fields.len() {
            let message = format!("a batch of {} columns where {} are known", batch.num_columns(), fields.len());
            return Err(ArrowError::SchemaError(message));
        }
        let columns = batch.columns().iter().zip(fields);
        let columns = columns.map(|(array, field)| Ok((field.name().as_str(), Cells::new(array, field)?)));
        let columns = columns.collect::<Result<_, ArrowError>>()?;
        Ok(Rows { len: batch.num_rows(), nulls: self.nulls, columns, prepared: None })
    }

    /// Writes the line of column names that CSV begins with.
    pub fn write_csv_header(&self, out: &mut Vec<u8>) {
        for (at, field) in self.schema.fields().iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let start = out.len();
            write_plain_text(out, field.name());
            quote_csv_field(out, start);
        }
        out.push(b'\n');
    }
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Style {
    Json,
    Csv,
    Text,
}

impl Style {
    /// What stands before a column's values.
    pub(super) fn name(self, name: &str) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Json => {
                out.push(b',');
                write_json_string(&mut out, name);
                out.push(b':');
            }
            Self::Csv => out.push(b','),
            Self::Text => {
                out.push(b' ');
                write_plain_text(&mut out, name);
                out.push(b'=');
            }
        }
        out
    }

    /// Writes a value.
    pub(super) fn write(self, out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) {
        if self == Self::Json {
            return cells.write_json(out, row);
        }
        let start = out.len();
        cells.write_plain(out, row);
        if cells.is_bare() && out.len() > start {
            return;
        }
        if self == Self::Csv { quote_csv_field(out, start) } else { quote_text(out, start) }
    }
}

/// The rows of one batch.
#[derive(Debug)]
pub struct Rows<'a> {
    len: usize,
    nulls: Nulls,
    pub(super) columns: Vec<(&'a str, Cells<'a>)>,
    prepared: Option<Prepared>,
}

/// What writing in one style takes.
#[derive(Debug)]
struct Prepared {
    style: Style,
    pieces: Vec<Piece>,
}

/// A piece of every line.
#[derive(Debug)]
enum Piece {
    /// A column that appears, by its place.
    Column(usize, Member),
    /// Columns next to each other that are null in the whole batch: the same in every line.
    Nulls(Vec<u8>),
}

/// What becomes of a null in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OnNull {
    Skip,
    Name,
    Value,
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
    pub fn write_json(&mut self, out: &mut Vec<u8>, row: usize) {
        self.write_json_object(out, row);
        out.push(b'\n');
    }

    /// Writes a row as a JSON object, without a line feed.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_json_object(&mut self, out: &mut Vec<u8>, row: usize) {
        let on_null = self.on_null();
        let start = out.len();
        self.write_members(out, Style::Json, on_null, row);
        match out.get_mut(start) {
            // The first member's comma makes way for the brace.
            Some(comma) => *comma = b'{',
            None => out.push(b'{'),
        }
        out.push(b'}');
    }

    /// What becomes of a null in JSON.
    pub(super) const fn on_null(&self) -> OnNull {
        match self.nulls {
            Nulls::Omit => OnNull::Skip,
            Nulls::Write => OnNull::Value,
        }
    }

    /// Writes a row of CSV (RFC 4180) with its line feed. A null is an empty field, an empty text is `""`.
    ///
    /// Lines end in a line feed alone, as every tool that this is piped into expects.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_csv(&mut self, out: &mut Vec<u8>, row: usize) {
        let start = out.len();
        self.write_members(out, Style::Csv, OnNull::Name, row);
        out.push(b'\n');
        remove_separator(out, start);
    }

    /// Writes a row for people, with its line feed: `name=value` with blanks between, nulls left out. Values
    /// with blanks or quotes are in quotes, in which quotes and backslashes have a backslash before them.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn write_text(&mut self, out: &mut Vec<u8>, row: usize) {
        let start = out.len();
        self.write_members(out, Style::Text, OnNull::Skip, row);
        out.push(b'\n');
        remove_separator(out, start);
    }

    /// Writes a row's cells, each with what stands before it.
    fn write_members(&mut self, out: &mut Vec<u8>, style: Style, on_null: OnNull, row: usize) {
        if self.prepared.as_ref().is_none_or(|prepared| prepared.style != style) {
            self.prepared = Some(prepare(&self.columns, style, on_null));
        }
        for piece in self.prepared.iter_mut().flat_map(|prepared| &mut prepared.pieces) {
            match piece {
                Piece::Nulls(text) => out.extend_from_slice(text),
                Piece::Column(at, member) => write_member(out, member, &self.columns[*at].1, style, on_null, row),
            }
        }
    }
}

fn write_member(out: &mut Vec<u8>, member: &mut Member, cells: &Cells<'_>, style: Style, on_null: OnNull, row: usize) {
    match on_null {
        _ if !cells.is_null(row) => member.write(out, style, cells, row),
        OnNull::Skip => {}
        OnNull::Name => member.write_name(out),
        OnNull::Value => {
            member.write_name(out);
            out.extend_from_slice(b"null");
        }
    }
}

/// Takes away what separates columns from before the first one.
fn remove_separator(out: &mut Vec<u8>, start: usize) {
    if out[start] != b'\n' {
        out.remove(start);
    }
}

fn prepare(columns: &[(&str, Cells<'_>)], style: Style, on_null: OnNull) -> Prepared {
    let mut pieces = Vec::new();
    for (at, (name, cells)) in columns.iter().enumerate() {
        let name = style.name(name);
        if !cells.all_null() {
            pieces.push(Piece::Column(at, Member::new(name)));
        } else if on_null != OnNull::Skip {
            let null: &[u8] = if on_null == OnNull::Value { b"null" } else { b"" };
            match pieces.last_mut() {
                Some(Piece::Nulls(text)) => text.extend([name.as_slice(), null].concat()),
                _ => pieces.push(Piece::Nulls([name.as_slice(), null].concat())),
            }
        }
    }
    Prepared { style, pieces }
}

/// Puts what was written since `start` in quotes where CSV needs them.
fn quote_csv_field(out: &mut Vec<u8>, start: usize) {
    let field = &out[start..];
    if field.is_empty() || field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        quote(out, start, b"\"", b'"');
    }
}

/// Puts what was written since `start` in quotes where a reader could not tell where it ends.
fn quote_text(out: &mut Vec<u8>, start: usize) {
    let value = &out[start..];
    if value.is_empty() || value.iter().any(|byte| matches!(byte, b' ' | b'"')) {
        quote(out, start, b"\"\\", b'\\');
    }
}

/// Puts what was written since `start` in quotes, with `escape` before each byte of `special`.
fn quote(out: &mut Vec<u8>, start: usize, special: &[u8], escape: u8) {
    let text = out.split_off(start);
    out.push(b'"');
    for byte in text {
        if special.contains(&byte) {
            out.push(escape);
        }
        out.push(byte);
    }
    out.push(b'"');
}
