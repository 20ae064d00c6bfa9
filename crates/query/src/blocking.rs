//! The same questions for callers without a runtime of their own, such as commands.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tokio::runtime::{Builder, Runtime};

use crate::{Answer, Database, Error, FlowsQuestion, Progress, SeriesQuestion, Top, TopQuestion, Warning, Window};

/// A database with threads of its own.
#[derive(Debug)]
pub struct BlockingDatabase {
    database: Database,
    runtime: Arc<Runtime>,
}

impl BlockingDatabase {
    /// Starts as many threads as the database's questions are cut for.
    pub fn new(database: Database) -> Result<Self, Error> {
        let threads = database.options().threads.max(1);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(|error| Error::Engine(format!("starting threads: {error}")))?;
        Ok(Self { database, runtime: Arc::new(runtime) })
    }

    /// See [`Database::sql`].
    pub fn sql(&self, question: &str, window: &Window) -> Result<BlockingAnswer, Error> {
        self.runtime.block_on(self.database.sql(question, window)).map(|answer| self.blocking(answer))
    }

    /// See [`Database::flows`].
    pub fn flows(&self, question: &FlowsQuestion) -> Result<BlockingAnswer, Error> {
        self.runtime.block_on(self.database.flows(question)).map(|answer| self.blocking(answer))
    }

    /// See [`Database::top`].
    pub fn top(&self, question: &TopQuestion) -> Result<Top, Error> {
        self.runtime.block_on(self.database.top(question))
    }

    /// See [`Database::series`].
    pub fn series(&self, question: &SeriesQuestion) -> Result<BlockingAnswer, Error> {
        self.runtime.block_on(self.database.series(question)).map(|answer| self.blocking(answer))
    }

    fn blocking(&self, answer: Answer) -> BlockingAnswer {
        BlockingAnswer { answer, runtime: Arc::clone(&self.runtime) }
    }
}

/// An answer whose batches are waited for.
#[derive(Debug)]
pub struct BlockingAnswer {
    answer: Answer,
    runtime: Arc<Runtime>,
}

impl BlockingAnswer {
    /// The answer's columns.
    pub const fn schema(&self) -> &SchemaRef {
        self.answer.schema()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.answer.progress()
    }

    /// What must be said about it. Complete once the last row has come.
    pub fn warnings(&self) -> Vec<Warning> {
        self.answer.warnings()
    }

    /// Writes all rows as one Parquet file, and says how many there were.
    pub fn write_parquet(&mut self, out: impl std::io::Write + Send) -> Result<u64, Error> {
        self.runtime.block_on(crate::write_parquet(&mut self.answer, out))
    }
}

impl Iterator for BlockingAnswer {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.answer.next())
    }
}
