//! Conditions joined, and what the planner gets for them.

use datafusion::logical_expr::{Expr, Operator, bitwise_and, col, lit};

/// How a value is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    /// The planner's operator.
    pub(super) const fn operator(self) -> Operator {
        match self {
            Self::Eq => Operator::Eq,
            Self::Ne => Operator::NotEq,
            Self::Lt => Operator::Lt,
            Self::Le => Operator::LtEq,
            Self::Gt => Operator::Gt,
            Self::Ge => Operator::GtEq,
        }
    }
}

/// A filter, or a piece of one.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Everything passes.
    Always,
    /// All of them hold.
    All(Vec<Node>),
    /// One of them holds.
    Any(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// One comparison.
    Is(Expr),
    /// All of these TCP flags are set.
    Flags(u16),
}

impl Node {
    /// What the planner gets.
    ///
    /// In SQL the opposite of "unknown" is unknown; here a row that lacks a column does not meet its condition, and so
    /// meets the opposite.
    pub(super) fn condition(&self) -> Expr {
        match self {
            Self::Always => lit(true),
            Self::All(nodes) => join(nodes, Expr::and),
            Self::Any(nodes) => join(nodes, Expr::or),
            Self::Not(node) => match node.as_ref() {
                Self::Flags(flags) => Expr::IsNotTrue(Box::new(set(*flags).not_eq(lit(0_u16)))),
                node => Expr::IsNotTrue(Box::new(node.condition())),
            },
            Self::Is(expr) => expr.clone(),
            Self::Flags(flags) => set(*flags).eq(lit(*flags)),
        }
    }
}

/// Which of these flags are set.
fn set(flags: u16) -> Expr {
    bitwise_and(col("tcp_flags"), lit(flags))
}

/// Joins by halves, so that a list of thousands does not become a tree as deep.
fn join(nodes: &[Node], by: fn(Expr, Expr) -> Expr) -> Expr {
    match nodes {
        [] => lit(true),
        [node] => node.condition(),
        nodes => {
            let (left, right) = nodes.split_at(nodes.len() / 2);
            by(join(left, by), join(right, by))
        }
    }
}
