//! What can go wrong with a question, said so that who asked can mend it.

use std::time::Duration;

use datafusion::common::{Column, DataFusionError, SchemaError};

use finderscope_store::StoreError;

use crate::Options;
use crate::filter::FilterError;
use crate::names::Name;
use crate::nearest::nearest;
use crate::source::CONDITION;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The SQL does not parse, or does not make sense.
    #[error("{0}")]
    Sql(String),
    /// A column that no table of the question has.
    #[error("no column {name}{}", did_you_mean(nearest))]
    UnknownColumn {
        /// The name as it was asked for.
        name: String,
        /// Names that are nearly the same, nearest first.
        nearest: Vec<String>,
    },
    /// A table that is not there.
    #[error("no table {name}; there are {}", tables.join(", "))]
    UnknownTable {
        /// The name as it was asked for.
        name: String,
        /// All tables.
        tables: Vec<String>,
    },
    /// A function that is not there.
    #[error("no function {name}{}", did_you_mean(nearest))]
    UnknownFunction {
        /// The name as it was asked for.
        name: String,
        /// Names that are nearly the same, nearest first.
        nearest: Vec<String>,
    },
    /// A literal that is not what its column holds.
    #[error("'{literal}' is not {expected}")]
    Literal {
        /// The literal, as it was written.
        literal: String,
        /// What would have been right.
        expected: String,
    },
    /// A statement that questions may not contain.
    #[error("{0} is off: only SELECT, WITH, VALUES, EXPLAIN, DESCRIBE and SHOW TABLES are allowed")]
    NotAllowed(String),
    /// The filter does not parse.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The question needs more memory than it may have.
    #[error("the question needs more than the memory limit of {} (memory_limit); ask for less, or raise it", bytes(*limit))]
    Memory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The question needs more room on disk than it may have.
    #[error("the question needs more room for temporary files than the spill limit of {} (spill_limit); ask for less, or raise it or the memory limit", bytes(usize::try_from(*limit).unwrap_or(usize::MAX)))]
    Spill {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The question took longer than it may.
    #[error("no answer within the time limit of {} s (time_limit)", limit.as_secs_f64())]
    Time {
        /// The limit.
        limit: Duration,
    },
    /// The store's folder cannot be read.
    #[error(transparent)]
    Store(StoreError),
    /// Anything else that the planner or the disk said.
    #[error("{0}")]
    Engine(String),
}

impl Error {
    /// Whether the question itself was wrong, rather than the attempt to answer it.
    pub const fn is_wrong_question(&self) -> bool {
        matches!(
            self,
            Self::Sql(_)
                | Self::UnknownColumn { .. }
                | Self::UnknownTable { .. }
                | Self::UnknownFunction { .. }
                | Self::Literal { .. }
                | Self::NotAllowed(_)
                | Self::Filter(_)
        )
    }
}

fn did_you_mean(nearest: &[String]) -> String {
    match nearest {
        [] => String::new(),
        [one] => format!("; the nearest is {one}"),
        several => format!("; the nearest are {}", several.join(", ")),
    }
}

/// A number of bytes with a decimal unit, where it is a whole one.
fn bytes(count: usize) -> String {
    const UNITS: [(usize, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    UNITS
        .iter()
        .find(|(unit, _)| count >= *unit)
        .map_or_else(|| format!("{count} bytes"), |(unit, name)| format!("{:.1} {name}", count as f64 / *unit as f64))
}

impl Error {
    /// The planner's error as who asked understands it: one line, without the planner's words about itself.
    pub(crate) fn from_engine(error: DataFusionError, options: &Options) -> Self {
        match own(error) {
            Ok(own) => own,
            Err(error) => Self::translate(error.find_root(), options),
        }
    }

    fn translate(root: &DataFusionError, options: &Options) -> Self {
        match root {
            DataFusionError::ResourcesExhausted(problem) => match &options.spill {
                // The planner has one error for both limits.
                Some(spill) if problem.contains("used disk space") => Self::Spill { limit: spill.limit },
                _ => Self::Memory { limit: options.memory_limit },
            },
            DataFusionError::SchemaError(error, _) => match error.as_ref() {
                SchemaError::FieldNotFound { field, valid_fields } => {
                    let looked_up = Name::ALL.iter().map(|name| name.name());
                    let names = valid_fields.iter().map(Column::name).chain(looked_up);
                    Self::UnknownColumn { name: field.flat_name(), nearest: nearest(field.name(), names) }
                }
                other => Self::Sql(first_line(&other.to_string())),
            },
            DataFusionError::Plan(text) => Self::from_plan(text),
            DataFusionError::SQL(error, _) => Self::Sql(first_line(&error.to_string())),
            DataFusionError::NotImplemented(text) => Self::Sql(first_line(text)),
            other => Self::from_execution(&first_line(&other.strip_backtrace())),
        }
    }

    fn from_execution(text: &str) -> Self {
        if text.to_lowercase().replace(' ', "").contains("dividebyzero") {
            return Self::Sql("division by zero".to_owned());
        }
        match text.split_once(CONDITION) {
            Some((_, problem)) => Self::Sql(format!("a condition cannot be evaluated: {problem}")),
            None => Self::Engine(text.to_owned()),
        }
    }

    fn from_plan(text: &str) -> Self {
        let text = first_line(text);
        match text.strip_prefix("Invalid function '").and_then(|rest| rest.split_once('\'')) {
            Some((name, rest)) => {
                let suggested = rest.split('\'').nth(1).map(str::to_owned);
                Self::UnknownFunction { name: name.to_owned(), nearest: suggested.into_iter().collect() }
            }
            None => Self::Sql(text),
        }
    }
}

/// Our own error out of the planner's wrappings.
fn own(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => Ok(*own),
            Err(inner) => Err(DataFusionError::External(inner)),
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => own(*inner),
        other => Err(other),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
