//! The short filter language, with nfdump's words.
//!
//! `src net 10.0.0.0/8 and dst port 443 and bytes > 1M`: conditions joined by `and`, `or`, `not` and parentheses. A
//! [`Filter`] is parsed once and becomes a condition of the same plans as SQL's.
//!
//! * Addresses, ports, systems, interfaces, MACs and VLANs without a direction mean either side.
//! * Volumes (`bytes`, `packets`, `bps`, `pps`, `bpp`) count the sampling rate in; k, M and G are decimal.
//! * A condition on a column that a row lacks is not met, and its opposite is: `not port 53` and `port != 53` keep ICMP.
//! * `flags SA` wants all of the flags set, `not flags SA` none of them, as nfdump has it; `flags = SA` just these.
//! * Every column may be compared by its name: `sampling_rate > 1`, `app = "dns"`.

mod build;
mod conditions;
mod lexer;
mod node;
mod numbers;
mod parser;
mod words;

use std::fmt;
use std::str::FromStr;

use datafusion::logical_expr::Expr;

use self::node::Node;
use crate::UserColumn;

/// A condition on flows.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    node: Node,
}

impl Filter {
    /// Reads a filter. Blank text lets everything pass.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_with(text, &[])
    }

    /// Reads a filter that may use columns which the user declared.
    pub fn parse_with(text: &str, user: &[UserColumn]) -> Result<Self, FilterError> {
        Ok(Self { text: text.to_owned(), node: parser::parse(text, user)? })
    }

    /// The condition as the planner has it; none where everything passes.
    pub(crate) fn condition(&self) -> Option<Expr> {
        match &self.node {
            Node::Always => None,
            node => Some(node.condition()),
        }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::parse(text)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A filter that cannot be read: where, and what was expected there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FilterError {
    text: String,
    at: usize,
    expected: String,
}

impl FilterError {
    fn new(text: &str, at: usize, expected: impl Into<String>) -> Self {
        Self { text: text.to_owned(), at, expected: expected.into() }
    }

    /// The byte of the filter at which it stopped making sense.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What would have made sense there.
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl fmt::Display for FilterError {
    /// Three lines: what was expected, the filter's line, and a caret under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.at).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        let indent = before.get(start..).unwrap_or_default().chars().count();
        write!(f, "filter: expected {}\n  {line}\n  {:indent$}^", self.expected, "")
    }
}

impl std::error::Error for FilterError {}
