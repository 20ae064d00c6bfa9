//! What can be wrong with bytes off the network: which field, at which byte, and how.

/// A field that could not be read.
///
/// Prints as `set.length: length 3 is under its minimum of 4 at byte 18`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field}: {problem} at byte {offset}")]
pub struct WireError {
    /// The field, as its specification spells it.
    pub field: &'static str,
    /// The field's first byte, counted from the start of the datagram.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The ways in which a field can be wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The bytes end inside the field.
    #[error("needs {needed} bytes, {left} are left")]
    Truncated {
        /// Bytes that the field takes.
        needed: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// A length or count says less than its own format allows.
    #[error("length {length} is under its minimum of {minimum}")]
    TooShort {
        /// What it says.
        length: usize,
        /// The least that makes sense.
        minimum: usize,
    },
    /// A length or count says more than its surroundings hold.
    #[error("length {length} is over its maximum of {maximum}")]
    TooLong {
        /// What it says.
        length: usize,
        /// The most that makes sense.
        maximum: usize,
    },
    /// A version number that no decoder here takes.
    #[error("version {0} is not known")]
    Version(u32),
    /// A value that its specification forbids.
    #[error("value {0} is not allowed")]
    Value(u64),
    /// A record without any bytes would repeat for ever.
    #[error("a record has no length")]
    ZeroLength,
    /// The same structure inside itself, deeper than anything real.
    #[error("nested deeper than {0}")]
    TooDeep(usize),
}

impl WireError {
    /// An error at `offset`.
    pub const fn new(field: &'static str, offset: usize, problem: Problem) -> Self {
        Self { field, offset, problem }
    }

    /// A stable name with few values, for counters and metric labels.
    pub const fn reason(&self) -> &'static str {
        match self.problem {
            Problem::Truncated { .. } => "truncated",
            Problem::TooShort { .. } => "too_short",
            Problem::TooLong { .. } => "too_long",
            Problem::Version(_) => "version",
            Problem::Value(_) => "value",
            Problem::ZeroLength => "zero_length",
            Problem::TooDeep(_) => "too_deep",
        }
    }
}
