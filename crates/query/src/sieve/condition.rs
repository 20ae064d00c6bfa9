//! What rows must satisfy, asked of as few cells as possible.
//!
//! A conjunction is asked side by side, first what reads the fewest bytes; each next side only of the rows that are left. A
//! condition on one column is asked of the column's dictionary, once for each of its entries, where that is less.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{
    BinaryExpr, Column as ColumnExpr, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use finderscope_store::index::Side;

use super::cells::{Cells, Kind};
use super::dictionary::Passing;
use super::group::Group;
use crate::address::{Prefix, octets};
use crate::functions::is_cidr_match;
use crate::pages::{Located, Stretches};

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    Any(Vec<Condition>),
    /// This is true.
    Is(Test),
}

/// An expression over some columns.
#[derive(Clone, Debug)]
pub(super) struct Test {
    expr: Arc<dyn PhysicalExpr>,
    /// The columns' places in the table.
    columns: Vec<usize>,
    /// These columns.
    schema: SchemaRef,
    /// Which entries of the column's dictionary pass, and whether a null does, once it was asked; of one row group.
    known: Option<Passing>,
    /// The same, where it is simple.
    quick: Option<Quick>,
    /// Where in the part the address is that is asked for, where that is known.
    at: Option<Arc<Stretches>>,
    /// Parts of the column's dictionary that were searched for it.
    searched: Vec<bool>,
}

/// What a byte string must be. A null is not.
#[derive(Clone, Debug)]
enum Quick {
    Same(Vec<u8>),
    Within(Prefix),
}

impl Quick {
    fn of(expr: &Arc<dyn PhysicalExpr>) -> Option<Self> {
        if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
            let (one, other) = (binary.left(), binary.right());
            let literal = if is_column(one) { literal(other) } else { literal(one).filter(|_| is_column(other)) };
            return match (binary.op(), literal?) {
                (Operator::Eq, ScalarValue::BinaryView(Some(cell))) => Prefix::of_cell(cell).map(Self::Within),
                (Operator::Eq, ScalarValue::Utf8View(Some(text))) => Some(Self::Same(text.clone().into_bytes())),
                _ => None,
            };
        }
        let call = expr.downcast_ref::<ScalarFunctionExpr>().filter(|call| is_cidr_match(call.fun()))?;
        match call.args() {
            [cell, prefix] if is_column(cell) => match literal(prefix)? {
                ScalarValue::Utf8View(Some(prefix)) | ScalarValue::Utf8(Some(prefix)) => {
                    Prefix::parse(prefix).map(Self::Within)
                }
                _ => None,
            },
            _ => None,
        }
    }

    #[inline]
    fn passes(&self, cell: &[u8]) -> bool {
        match self {
            Self::Same(wanted) => cell == wanted,
            Self::Within(prefix) => prefix.contains(cell),
        }
    }
}

fn is_column(expr: &Arc<dyn PhysicalExpr>) -> bool {
    expr.downcast_ref::<ColumnExpr>().is_some()
}

fn literal(expr: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    expr.downcast_ref::<Literal>().map(Literal::value)
}

impl Condition {
    /// The condition that `expr` is, on columns of the table. `bytes` says how large a column is.
    pub(super) fn new(expr: &Arc<dyn PhysicalExpr>, table: &Schema, bytes: &impl Fn(usize) -> i64) -> Result<Self> {
        for (op, make) in [(Operator::And, Self::All as fn(Vec<Self>) -> Self), (Operator::Or, Self::Any)] {
            let mut sides = Vec::new();
            split(expr, op, &mut sides);
            if sides.len() > 1 {
                let mut sides =
                    sides.into_iter().map(|side| Self::new(side, table, bytes)).collect::<Result<Vec<_>>>()?;
                // What may fail is asked in the order that was given, and after what cannot.
                sides.sort_by_cached_key(|side| side.cost(bytes));
                return Ok(make(sides));
            }
        }
        let mut columns: Vec<usize> =
            collect_columns(expr).iter().map(|column| table.index_of(column.name())).collect::<Result<_, _>>()?;
        columns.sort_unstable();
        let schema = Arc::new(table.project(&columns)?);
        let expr = reassign_expr_columns(Arc::clone(expr), &schema)?;
        let quick = Quick::of(&expr);
        Ok(Self::Is(Test { expr, columns, schema, known: None, quick, at: None, searched: Vec::new() }))
    }

    /// Notes where addresses are that it asks for.
    pub(super) fn locate(&mut self, located: &[Located]) {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter_mut().for_each(|side| side.locate(located)),
            Self::Is(test) => test.locate(located),
        }
    }

    /// The columns that it is about.
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter().flat_map(Self::columns).collect(),
            Self::Is(test) => test.columns.clone(),
        }
    }

    fn cost(&self, bytes: &impl Fn(usize) -> i64) -> i64 {
        if self.is_safe() { self.columns().into_iter().map(bytes).sum() } else { i64::MAX }
    }

    /// Whether asking it can go wrong for no row at all.
    fn is_safe(&self) -> bool {
        match self {
            Self::All(sides) | Self::Any(sides) => sides.iter().all(Self::is_safe),
            Self::Is(test) => is_safe(&test.expr),
        }
    }

    /// Keeps those rows of a page that satisfy it.
    pub(super) fn sift(&mut self, group: &mut Group, page: usize, rows: &mut Vec<u32>) -> Result<()> {
        match self {
            Self::All(sides) => sides.iter_mut().try_for_each(|side| side.sift(group, page, rows)),
            Self::Any(sides) => {
                let (mut left, mut passed) = (std::mem::take(rows), Vec::new());
                for side in sides {
                    let mut found = left.clone();
                    side.sift(group, page, &mut found)?;
                    let mut next = found.iter().peekable();
                    left.retain(|row| next.next_if_eq(&row).is_none());
                    passed.extend(found);
                }
                passed.sort_unstable();
                *rows = passed;
                Ok(())
            }
            Self::Is(test) => test.sift(group, page, rows),
        }
    }
}

/// Sides of a chain of one operator.
fn split<'a>(expr: &'a Arc<dyn PhysicalExpr>, op: Operator, sides: &mut Vec<&'a Arc<dyn PhysicalExpr>>) {
    match expr.downcast_ref::<BinaryExpr>() {
        Some(binary) if *binary.op() == op => {
            split(binary.left(), op, sides);
            split(binary.right(), op, sides);
        }
        _ => sides.push(expr),
    }
}

fn is_safe(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let mut safe = true;
    let seen = expr.apply(|expr| {
        safe &= match expr.downcast_ref::<BinaryExpr>() {
            Some(binary) => binary.op().supports_propagation() || matches!(binary.op(), Operator::And | Operator::Or),
            None => {
                expr.downcast_ref::<ColumnExpr>().is_some()
                    || expr.downcast_ref::<Literal>().is_some()
                    || expr.downcast_ref::<InListExpr>().is_some()
                    || expr.downcast_ref::<IsNullExpr>().is_some()
                    || expr.downcast_ref::<IsNotNullExpr>().is_some()
                    || expr.downcast_ref::<NotExpr>().is_some()
                    || expr.downcast_ref::<ScalarFunctionExpr>().is_some_and(|call| is_cidr_match(call.fun()))
            }
        };
        Ok(TreeNodeRecursion::Continue)
    });
    seen.is_ok() && safe
}

impl Test {
    fn locate(&mut self, located: &[Located]) {
        let (Some(Quick::Within(prefix)), [field]) = (&self.quick, &self.schema.fields()[..]) else { return };
        let side = match field.name().as_str() {
            "src_addr" => Side::Source,
            "dst_addr" => Side::Destination,
            _ => return,
        };
        let (first, last) = prefix.ends();
        let range = (octets(first), octets(last));
        let known = located.iter().find(|located| located.side == side && located.range == range);
        self.at = known.map(|located| Arc::clone(&located.at));
    }

    fn sift(&mut self, group: &mut Group, page: usize, rows: &mut Vec<u32>) -> Result<()> {
        if self.at.as_ref().is_some_and(|at| !group.is_in(at)) {
            rows.clear();
        }
        if rows.is_empty() {
            return Ok(());
        }
        if let [column] = self.columns[..]
            && self.search(group, column, page)?
        {
            rows.clear();
            return Ok(());
        }
        if let [column] = self.columns[..]
            && group.column(column)?.page(page)?.in_dictionary()
            && self.know(group, column)?
            && let Some(known) = &self.known
        {
            group.column(column)?.page(page)?.retain(rows, known);
            return Ok(());
        }
        let mut arrays = Vec::with_capacity(self.columns.len());
        for &column in &self.columns {
            let column = group.column(column)?;
            let mut cells = Cells::new(column.kind().clone());
            column.add(page, rows, &mut cells)?;
            arrays.push(cells.finish()?);
        }
        let passed = self.ask(arrays, rows.len())?;
        *rows = passed.set_indices().map(|at| rows[at]).collect();
        Ok(())
    }

    /// Looks for the one address that is asked for in a dictionary of many parts, and says whether the page does not have it.
    ///
    /// A dictionary has values in the order in which they first occur: what is new in a page is among the last that the page refers
    /// to. So the parts are searched from those on to the first.
    fn search(&mut self, group: &mut Group, column: usize, page: usize) -> Result<bool> {
        let Some(Quick::Within(prefix)) = &self.quick else { return Ok(false) };
        if self.known.is_some() || self.at.is_none() || prefix.single().is_none() {
            return Ok(false);
        }
        let prefix = *prefix;
        let column = group.column(column)?;
        let highest = column.page(page)?.highest();
        let (Some(highest), Some(dictionary)) = (highest, column.dictionary()) else { return Ok(false) };
        if dictionary.parts() < 2 {
            return Ok(false);
        }
        self.searched.resize(dictionary.parts(), false);
        for part in (0..=dictionary.part_of(highest).min(dictionary.parts() - 1)).rev() {
            if std::mem::replace(&mut self.searched[part], true) {
                continue;
            }
            if let Some(place) = dictionary.find(part, |cell| prefix.contains(cell))? {
                self.known = Some(Passing::One(place));
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Asks of the dictionary, where it is no larger than what is left to be asked.
    fn know(&mut self, group: &mut Group, column: usize) -> Result<bool> {
        if self.known.is_some() {
            return Ok(true);
        }
        let left = group.rows_left();
        let column = group.column(column)?;
        let strings = matches!(column.kind(), Kind::Strings(_));
        if let (Some(dictionary), Some(quick), true) = (column.dictionary(), &self.quick, strings) {
            let mut passed = dictionary.passing(|cell| quick.passes(cell))?;
            passed.push(false);
            self.known = Some(Passing::new(passed));
            return Ok(true);
        }
        let cells = match column.dictionary() {
            Some(dictionary) if dictionary.len() <= left => dictionary.array()?,
            Some(_) => return Ok(false),
            None => {
                let mut cells = Cells::new(column.kind().clone());
                cells.add_nulls(1);
                cells.finish()?
            }
        };
        let count = cells.len();
        // An entry may be of rows that are not asked for: where it fails, rows are asked.
        let Ok(passed) = self.ask(vec![cells], count) else { return Ok(false) };
        self.known = Some(Passing::new(passed.iter().collect()));
        Ok(true)
    }

    /// Which of the cells pass.
    fn ask(&self, cells: Vec<ArrayRef>, count: usize) -> Result<BooleanBuffer> {
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), cells, &options)?;
        let passed = self.expr.evaluate(&batch)?.into_array(count)?;
        let passed = passed.as_boolean();
        Ok(if passed.null_count() == 0 {
            passed.values().clone()
        } else {
            prep_null_mask_filter(passed).values().clone()
        })
    }
}
