//! Rows as lines of JSON or CSV, made by several threads and written in their order.
//!
//! Making text of rows costs several times what reading them does. So, once an answer turns out to be long, pieces of
//! its batches go round to threads that each make text, and the texts are written in the same round.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle, available_parallelism};

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use finderscope_flow::text::{Nulls, RecordWriter};

/// Rows of a piece: a megabyte or two of text.
const PIECE_ROWS: usize = 1_024;
/// Rows before threads are worth their start.
const ALONE_ROWS: usize = 4 * PIECE_ROWS;
/// Pieces that wait at each thread.
const WAITING: usize = 2;

/// What lines look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// An object a line.
    Json,
    /// Fields with commas between, and a header.
    Csv,
}

/// Writes rows as lines.
pub struct Lines<'w> {
    out: Box<dyn Write + 'w>,
    scribe: Scribe,
    rows: usize,
    /// The text of the piece before, to be used again.
    text: Vec<u8>,
    team: Option<Team>,
}

impl<'w> Lines<'w> {
    /// Lines of batches of `schema`.
    pub fn new(out: Box<dyn Write + 'w>, schema: &SchemaRef, nulls: Nulls, style: Style) -> Self {
        let scribe = Scribe { schema: SchemaRef::clone(schema), nulls, style };
        let mut text = Vec::new();
        if style == Style::Csv {
            scribe.writer().write_csv_header(&mut text);
        }
        Self { out, scribe, rows: 0, text, team: None }
    }

    /// Takes rows.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        for first in (0..batch.num_rows()).step_by(PIECE_ROWS) {
            let piece = batch.slice(first, PIECE_ROWS.min(batch.num_rows() - first));
            self.rows += piece.num_rows();
            self.write_piece(piece)?;
        }
        Ok(())
    }

    fn write_piece(&mut self, piece: RecordBatch) -> anyhow::Result<()> {
        if self.rows <= ALONE_ROWS {
            self.scribe.write(&self.scribe.writer(), &piece, &mut self.text)?;
            return Ok(self.put()?);
        }
        let team = match &mut self.team {
            Some(team) => team,
            none => none.insert(Team::start(&self.scribe)?),
        };
        if let Some(text) = team.take_if_full()? {
            self.text = text;
            self.put()?;
        }
        let spare = std::mem::take(&mut self.text);
        self.team.as_mut().map_or(Ok(()), |team| team.give(piece, spare))
    }

    /// Writes the text, and keeps its room.
    fn put(&mut self) -> io::Result<()> {
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    /// Writes what is left.
    pub fn finish(mut self) -> anyhow::Result<()> {
        while let Some(text) = self.team.as_mut().map(Team::take).transpose()?.flatten() {
            self.text = text;
            self.put()?;
        }
        // What was never put: the header of no rows.
        self.put()?;
        Ok(self.out.flush()?)
    }
}

/// How rows become text.
#[derive(Clone, Debug)]
struct Scribe {
    schema: SchemaRef,
    nulls: Nulls,
    style: Style,
}

impl Scribe {
    fn writer(&self) -> RecordWriter {
        RecordWriter::new(&self.schema).with_nulls(self.nulls)
    }

    fn write(&self, writer: &RecordWriter, piece: &RecordBatch, text: &mut Vec<u8>) -> Result<(), ArrowError> {
        let rows = writer.rows(piece)?;
        match self.style {
            Style::Json => rows.write_json_lines(text),
            Style::Csv => rows.write_csv_lines(text),
        }
        Ok(())
    }
}

/// A piece, and room for its text.
type Job = (RecordBatch, Vec<u8>);
/// A piece's text.
type Done = Result<Vec<u8>, ArrowError>;

/// Threads that make text, in turn.
struct Team {
    members: Vec<Member>,
    /// Whose text comes next, of the pieces that were given and not taken.
    turns: VecDeque<usize>,
    next: usize,
}

struct Member {
    /// None once no more comes.
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Team {
    fn start(scribe: &Scribe) -> anyhow::Result<Self> {
        let threads = available_parallelism().map_or(1, std::num::NonZero::get);
        let members = (0..threads).map(|_| Member::start(scribe.clone())).collect::<io::Result<_>>();
        Ok(Self { members: members.context("cannot start threads")?, turns: VecDeque::new(), next: 0 })
    }

    fn give(&mut self, piece: RecordBatch, spare: Vec<u8>) -> anyhow::Result<()> {
        let jobs = self.members[self.next].jobs.as_ref();
        jobs.and_then(|jobs| jobs.send((piece, spare)).ok()).context("a thread that makes text ended early")?;
        self.turns.push_back(self.next);
        self.next = (self.next + 1) % self.members.len();
        Ok(())
    }

    /// The oldest text, where as much waits as may.
    fn take_if_full(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        if self.turns.len() < WAITING * self.members.len() { Ok(None) } else { self.take() }
    }

    /// The oldest text; none when all is taken.
    fn take(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(member) = self.turns.pop_front() else { return Ok(None) };
        let text = self.members[member].done.recv().context("a thread that makes text ended early")?;
        Ok(Some(text?))
    }
}

impl Member {
    fn start(scribe: Scribe) -> io::Result<Self> {
        let (jobs, given) = sync_channel::<Job>(WAITING);
        let (finished, done) = sync_channel::<Done>(WAITING);
        let work = move || {
            let writer = scribe.writer();
            for (piece, mut text) in given {
                let written = scribe.write(&writer, &piece, &mut text).map(|()| text);
                // Nobody is there when the answer is given up.
                if finished.send(written).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("lines".to_owned()).spawn(work)?;
        Ok(Self { jobs: Some(jobs), done, thread: Some(thread) })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(self.jobs.take());
        // What it made is let go, so that it does not wait for room.
        while self.done.recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::io::Write;
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
    use finderscope_flow::text::{Nulls, RecordWriter};

    use super::{Lines, PIECE_ROWS, Style};

    fn batch(first: u64, rows: u64) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(first..first + rows));
        let words: ArrayRef = Arc::new(StringArray::from_iter((0..rows).map(|row| (row % 3 > 0).then_some("a,b"))));
        RecordBatch::try_from_iter([("n", numbers), ("word", words)]).unwrap()
    }

    #[test]
    fn many_threads_write_what_one_would() {
        let rows = PIECE_ROWS as u64;
        let batches = [batch(0, 10), batch(10, 0), batch(10, 20 * rows + 7), batch(9, 1), batch(3, 5 * rows)];
        for style in [Style::Json, Style::Csv] {
            let mut plain = Vec::new();
            let writer = RecordWriter::new(&batches[0].schema()).with_nulls(Nulls::Write);
            if style == Style::Csv {
                writer.write_csv_header(&mut plain);
            }
            for batch in &batches {
                let mut rows = writer.rows(batch).unwrap();
                for row in 0..batch.num_rows() {
                    match style {
                        Style::Json => rows.write_json(&mut plain, row),
                        Style::Csv => rows.write_csv(&mut plain, row),
                    }
                }
            }
            let mut out = Vec::new();
            let mut lines = Lines::new(Box::new(&mut out), &batches[0].schema(), Nulls::Write, style);
            batches.iter().for_each(|batch| lines.write(batch).unwrap());
            lines.finish().unwrap();
            assert!(out == plain, "{style:?}");
        }
    }

    #[test]
    fn a_header_is_written_also_where_no_row_comes() {
        let mut out = Vec::new();
        Lines::new(Box::new(&mut out), &batch(0, 0).schema(), Nulls::Omit, Style::Csv).finish().unwrap();
        assert_eq!(out, b"n,word\n");
    }

    #[test]
    fn a_place_that_takes_no_more_ends_it_without_waiting() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut lines = Lines::new(Box::new(Full), &batch(0, 0).schema(), Nulls::Omit, Style::Json);
        lines.rows = super::ALONE_ROWS;
        assert!(lines.write(&batch(0, 30 * PIECE_ROWS as u64)).is_err());
    }
}
