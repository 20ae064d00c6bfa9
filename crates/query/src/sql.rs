//! SQL: what may be said, the operator `<<=`, and what a sum of sampled rows must be told.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{BinaryOperator, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::Error;
use crate::functions::{cidr_match, noted};

/// "Lies in, or is": PostgreSQL's word for it.
const CONTAINED: &str = "<<=";
/// "Contains, or is".
const CONTAINS: &str = ">>=";

/// Reads one statement that questions may ask.
pub(crate) fn parse(sql: &str) -> Result<Statement, Error> {
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|error| syntax(error.into()))?;
    let mut statements =
        Parser::new(&dialect).with_tokens_with_locations(join_operators(tokens)).parse_statements().map_err(syntax)?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => allow(&statement).map(|()| statement),
        (None, _) => Err(Error::Sql("the question is empty".to_owned())),
        (Some(_), false) => Err(Error::Sql("one statement a question, please".to_owned())),
    }
}

fn syntax(error: ParserError) -> Error {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => "the question is nested too deeply".to_owned(),
    };
    Error::Sql(format!("SQL: {text}"))
}

/// The dialect has no `<<=`; it sees `<<` and `=`. Where they touch, they are one operator.
fn join_operators(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let operator = match joined.last().map(|last| &last.token) {
            Some(Token::ShiftLeft) if token.token == Token::Eq => Some(CONTAINED),
            Some(Token::ShiftRight) if token.token == Token::Eq => Some(CONTAINS),
            _ => None,
        };
        match (operator, joined.last_mut()) {
            (Some(operator), Some(last)) => last.token = Token::CustomBinaryOperator(operator.to_owned()),
            _ => joined.push(token),
        }
    }
    joined
}

/// Only what reads.
fn allow(statement: &Statement) -> Result<(), Error> {
    match statement {
        Statement::Query(_)
        | Statement::ExplainTable { .. }
        | Statement::ShowTables { .. }
        | Statement::ShowColumns { .. } => Ok(()),
        Statement::Explain { analyze: false, statement, .. } => allow(statement),
        Statement::Explain { .. } => Err(Error::NotAllowed("EXPLAIN ANALYZE".to_owned())),
        other => Err(Error::NotAllowed(first_words(&other.to_string()))),
    }
}

/// The statement's name: its leading words in capitals.
fn first_words(statement: &str) -> String {
    let capitals = |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase());
    let words: Vec<&str> = statement.split_whitespace().take_while(capitals).take(2).collect();
    words.join(" ")
}

/// Plans `address <<= prefix` and `prefix >>= address`.
#[derive(Debug)]
pub(crate) struct Operators;

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        Ok(match &expr.op {
            BinaryOperator::Custom(op) if op == CONTAINED => PlannerResult::Planned(cidr_match(expr.left, expr.right)),
            BinaryOperator::Custom(op) if op == CONTAINS => PlannerResult::Planned(cidr_match(expr.right, expr.left)),
            _ => PlannerResult::Original(expr),
        })
    }
}

/// Volumes whose plain sum says too little where rows are sampled, and what to sum instead.
pub(crate) const UNSCALED: [(&str, &str); 2] = [("bytes", "bytes_scaled"), ("packets", "packets_scaled")];

/// Whether plain sums of the plan met sampled rows; known when the answer has been read.
#[derive(Debug, Default)]
pub(crate) struct PlainSums {
    /// In the order of [`UNSCALED`].
    pub(crate) sampled: [Arc<AtomicBool>; 2],
}

impl PlainSums {
    /// The plan, whose plain sums now note whether what they add up was sampled.
    pub(crate) fn watch(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Aggregate(aggregate) => self.watch_aggregate(aggregate),
            other => Ok(Transformed::no(other)),
        })?;
        Ok(plan.data)
    }

    fn watch_aggregate(&self, aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
        let Some(rate) = rate_column(&aggregate) else { return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))) };
        let plan = LogicalPlan::Aggregate(aggregate);
        let names = NamePreserver::new(&plan);
        let plan = plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let expr = expr.transform_up(|expr| Ok(self.watch_sum(expr, &rate)))?;
            Ok(expr.update_data(|expr| name.restore(expr)))
        })?;
        plan.map_data(LogicalPlan::recompute_schema)
    }

    fn watch_sum(&self, expr: Expr, rate: &Column) -> Transformed<Expr> {
        let Expr::AggregateFunction(mut sum) = expr else { return Transformed::no(expr) };
        let Some(sampled) = self.sampled_by(&sum, rate) else { return Transformed::no(Expr::AggregateFunction(sum)) };
        let count = sum.params.args.remove(0);
        sum.params.args.insert(0, noted(count, Expr::Column(rate.clone()), sampled));
        Transformed::yes(Expr::AggregateFunction(sum))
    }

    fn sampled_by(&self, sum: &AggregateFunction, rate: &Column) -> Option<&Arc<AtomicBool>> {
        let Some(Expr::Column(column)) = sum.params.args.first() else { return None };
        let plain = sum.func.name() == "sum" && column.relation == rate.relation;
        let place = UNSCALED.iter().position(|(name, _)| plain && *name == column.name)?;
        self.sampled.get(place)
    }
}

/// The sampling rate beside the volumes, where the aggregate's rows still have it.
fn rate_column(aggregate: &Aggregate) -> Option<Column> {
    aggregate.input.schema().columns().into_iter().find(|column| column.name == "sampling_rate")
}
