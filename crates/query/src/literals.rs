//! Literals as people write them, turned into what cells hold.
//!
//! `src_addr = '10.1.2.3'` compares bytes with text. Before the planner coerces types, this pass finds text that is
//! compared with an address, a MAC address or a time, and reads it: four or sixteen bytes, a number, nanoseconds. What
//! cannot be read is an error that names the literal, rather than a comparison that is never true.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, Like};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Between, BinaryExpr, Case, Expr, ExprSchemable, LogicalPlan, Operator};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Error;
use crate::address::{Prefix, octets, parse_mac};
use crate::schema::KIND;

/// The plan with its literals read.
pub(crate) fn read_literals(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.transform_up_with_subqueries(|plan| {
        let schema = inputs_schema(&plan);
        let names = NamePreserver::new(&plan);
        let rewritten = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = expr.transform_up(|expr| rewrite(expr, schema.as_ref()))?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?;
        rewritten.map_data(LogicalPlan::recompute_schema)
    })?;
    Ok(plan.data)
}

fn inputs_schema(plan: &LogicalPlan) -> DFSchemaRef {
    match plan {
        LogicalPlan::TableScan(scan) => scan.projected_schema.clone(),
        _ => merge_schema(&plan.inputs()).into(),
    }
}

/// What text means beside an expression.
#[derive(Clone, Copy)]
enum Meaning {
    Address,
    Mac,
    Time,
}

impl Meaning {
    fn of(expr: &Expr, schema: &DFSchema) -> Option<Self> {
        if matches!(expr, Expr::Literal(..)) {
            return None;
        }
        let (_, field) = expr.to_field(schema).ok()?;
        match field.data_type() {
            DataType::BinaryView | DataType::Binary => Some(Self::Address),
            DataType::UInt64 if field.metadata().get(KIND).is_some_and(|kind| kind == "mac") => Some(Self::Mac),
            DataType::Timestamp(..) => Some(Self::Time),
            _ => None,
        }
    }

    fn read(self, text: &str) -> Result<ScalarValue, Error> {
        let (value, expected) = match self {
            Self::Address => (address(text), expected_address(text)),
            Self::Mac => {
                (parse_mac(text).map(|mac| ScalarValue::UInt64(Some(mac))), "a MAC address such as 00:11:22:33:44:55")
            }
            Self::Time => (
                parse_time(text).map(|ns| ScalarValue::TimestampNanosecond(Some(ns), Some("UTC".into()))),
                "a time such as 2026-05-01 12:00 or 2026-05-01T10:00:00Z",
            ),
        };
        value.ok_or_else(|| Error::Literal { literal: text.to_owned(), expected: expected.to_owned() })
    }
}

fn address(text: &str) -> Option<ScalarValue> {
    Some(ScalarValue::BinaryView(Some(octets(text.parse().ok()?))))
}

fn expected_address(text: &str) -> &'static str {
    if Prefix::parse(text).is_some() {
        "a single address; a prefix is matched with <<="
    } else {
        "an IP address such as 10.1.2.3 or 2001:db8::1"
    }
}

/// A time with its offset, or without one in local time; nanoseconds since 1970 UTC.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    let timestamp = match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => timestamp,
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::system()).ok()?.timestamp(),
    };
    i64::try_from(timestamp.as_nanosecond()).ok()
}

fn rewrite(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::BinaryExpr(binary) if compares(binary.op) => rewrite_comparison(binary, schema),
        Expr::InList(InList { expr, list, negated }) => match Meaning::of(&expr, schema) {
            Some(meaning) => {
                let list = list.into_iter().map(|item| literal(item, meaning)).collect::<Result<_>>()?;
                Ok(Transformed::yes(Expr::InList(InList { expr, list, negated })))
            }
            None => Ok(Transformed::no(Expr::InList(InList { expr, list, negated }))),
        },
        Expr::Between(Between { expr, negated, low, high }) => match Meaning::of(&expr, schema) {
            Some(meaning) => {
                let (low, high) = (literal(*low, meaning)?.into(), literal(*high, meaning)?.into());
                Ok(Transformed::yes(Expr::Between(Between { expr, negated, low, high })))
            }
            None => Ok(Transformed::no(Expr::Between(Between { expr, negated, low, high }))),
        },
        Expr::Case(case) => rewrite_case(case, schema),
        Expr::Like(like) => refuse_like(like, schema),
        other => Ok(Transformed::no(other)),
    }
}

const fn compares(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn rewrite_comparison(binary: BinaryExpr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let BinaryExpr { left, op, right } = binary;
    let (left, right, changed) = match (Meaning::of(&left, schema), Meaning::of(&right, schema)) {
        (Some(meaning), None) => (left, literal(*right, meaning)?.into(), true),
        (None, Some(meaning)) => (literal(*left, meaning)?.into(), right, true),
        _ => (left, right, false),
    };
    let expr = Expr::BinaryExpr(BinaryExpr { left, op, right });
    Ok(if changed { Transformed::yes(expr) } else { Transformed::no(expr) })
}

fn rewrite_case(case: Case, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(meaning) = case.expr.as_ref().and_then(|expr| Meaning::of(expr, schema)) else {
        return Ok(Transformed::no(Expr::Case(case)));
    };
    let branches = case.when_then_expr.into_iter().map(|(when, then)| Ok((literal(*when, meaning)?.into(), then)));
    let when_then_expr = branches.collect::<Result<_>>()?;
    Ok(Transformed::yes(Expr::Case(Case { when_then_expr, ..case })))
}

/// A pattern would be compared with an address's bytes, and never be found.
fn refuse_like(like: Like, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if let (Some(Meaning::Address | Meaning::Mac), Some(text)) = (Meaning::of(&like.expr, schema), text(&like.pattern))
    {
        let expected = "something that addresses can be LIKE; match a prefix with <<=".to_owned();
        return Err(external(Error::Literal { literal: text.to_owned(), expected }));
    }
    Ok(Transformed::no(Expr::Like(like)))
}

/// The literal as `meaning` has it; other expressions as they are.
fn literal(expr: Expr, meaning: Meaning) -> Result<Expr> {
    match text(&expr) {
        Some(text) => Ok(Expr::Literal(meaning.read(text).map_err(external)?, None)),
        None => Ok(expr),
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// Our own error, carried through the planner.
pub(crate) fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
