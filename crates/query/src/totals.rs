//! Answers from totals: what aggregates over flows can be had without the rows.
//!
//! [`rewrite`] looks at a plan's aggregates. Where the groups, the conditions and the sums of one fit a dimension of the
//! store's totals ([`finderscope_store::totals`]), its input becomes the union of two: the totals of all parts that lie
//! wholly in the time asked for, and the rows of all other parts. All else goes to the planner as it is. The answer is
//! the same either way, to the names and types of its columns.
//!
//! * [`shape`] finds out what an aggregate asks for, in terms of stored columns.
//! * [`conditions`] tells times of receiving from conditions on a dimension's own columns.
//! * [`cover`] chooses files, and what they spare.
//! * [`table`] reads them.

mod conditions;
mod cover;
mod rewrite;
mod shape;
mod table;

pub(crate) use rewrite::rewrite;
