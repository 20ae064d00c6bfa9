//! Single comparisons as the planner has them.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{BinaryExpr, Expr, cast, col, lit, when};
use datafusion::scalar::ScalarValue;

use super::node::{Comparison, Node};
use crate::address::{Prefix, octets};
use crate::functions::cidr_match;

pub(super) fn is(left: Expr, comparison: Comparison, right: Expr) -> Node {
    Node::Is(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), comparison.operator(), Box::new(right))))
}

/// A comparison; "is not" is the opposite of "is", and so holds where there is no value.
pub(super) fn compared(left: Expr, comparison: Comparison, right: Expr) -> Node {
    match comparison {
        Comparison::Ne => opposite_if(true, is(left, Comparison::Eq, right)),
        comparison => is(left, comparison, right),
    }
}

pub(super) fn opposite_if(opposite: bool, node: Node) -> Node {
    if opposite { Node::Not(Box::new(node)) } else { node }
}

/// Whether the address is one of these, or in one of them.
pub(super) fn any_of(column: &'static str, prefixes: &[Prefix]) -> Node {
    let single = |prefix: &Prefix| prefix.single().map(|address| lit(ScalarValue::BinaryView(Some(octets(address)))));
    let singles: Vec<Expr> = prefixes.iter().filter_map(single).collect();
    let wide = prefixes.iter().filter(|prefix| prefix.single().is_none());
    let mut nodes: Vec<Node> = wide.map(|prefix| Node::Is(in_prefix(column, &prefix.to_string()))).collect();
    match singles.as_slice() {
        [] => {}
        [one] => nodes.push(is(col(column), Comparison::Eq, one.clone())),
        _ => nodes.push(Node::Is(col(column).in_list(singles, false))),
    }
    Node::Any(nodes)
}

fn in_prefix(column: &str, prefix: &str) -> Expr {
    cidr_match(col(column), lit(ScalarValue::Utf8View(Some(prefix.to_owned()))))
}

pub(super) fn family(all: &str) -> Node {
    Node::Any(vec![Node::Is(in_prefix("src_addr", all)), Node::Is(in_prefix("dst_addr", all))])
}

pub(super) fn duration_ns() -> Expr {
    let ns = |column| cast(col(column), DataType::Int64);
    ns("time_flow_end_ns") - ns("time_flow_start_ns")
}

/// How much a second; 0 where the flow has no duration, as nfdump has it.
pub(super) fn rate(volume: Expr, per_ns: f64) -> Expr {
    ratio(cast(volume, DataType::Float64) * lit(per_ns), duration_ns())
}

/// One over the other; 0 where that is nothing.
pub(super) fn ratio(over: Expr, under: Expr) -> Expr {
    let under = cast(under, DataType::Float64);
    let some =
        Expr::BinaryExpr(BinaryExpr::new(Box::new(under.clone()), Comparison::Gt.operator(), Box::new(lit(0.0))));
    when(some, cast(over, DataType::Float64) / under).otherwise(lit(0.0)).unwrap_or_else(|_| lit(0.0))
}
