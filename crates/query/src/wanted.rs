//! Which addresses rows must have to satisfy a condition, and so which pages of an indexed part may hold such rows.
//!
//! Only what the condition *demands* counts: a conjunction by any of its sides, a disjunction only where each of its
//! sides demands something. `host 10.1.2.3` is such a disjunction of source and destination.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use finderscope_store::DiskError;
use finderscope_store::index::{Index, Side};

use crate::address::{Prefix, octets};
use crate::functions;
use crate::pages::{Located, Stretches};

/// Addresses beyond which it is quicker to read than to look each up.
const RANGES_MAX: usize = 1_000;

/// What addresses rows must have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// This side's lies in one of these ranges.
    In(Side, Vec<Range>),
    /// All of these.
    All(Vec<Wanted>),
    /// One of these.
    Any(Vec<Wanted>),
}

/// Addresses from the first to the last, which are of one length.
type Range = (Vec<u8>, Vec<u8>);

impl Wanted {
    /// What rows must have that satisfy all of the conditions; none where any addresses will do.
    pub(crate) fn by<'a>(conditions: impl IntoIterator<Item = &'a Expr>) -> Option<Self> {
        all(conditions.into_iter().filter_map(wanted).collect())
    }

    /// The pages that may hold such rows, rising. `located` takes where each range of addresses is.
    pub(crate) fn pages(&self, index: &Index, located: &mut Vec<Located>) -> Result<Vec<u32>, DiskError> {
        match self {
            Self::In(side, ranges) => {
                let mut found = Vec::new();
                for range in ranges {
                    let numbers = index.pages(*side, &range.0, &range.1)?;
                    found = union(&found, &numbers);
                    let at = Arc::new(Stretches { rows: index.page_rows(), numbers });
                    located.push(Located { side: *side, range: range.clone(), at });
                }
                Ok(found)
            }
            Self::All(all) => {
                let mut sets = all.iter().map(|wanted| wanted.pages(index, located)).collect::<Result<Vec<_>, _>>()?;
                let mut found = sets.pop().unwrap_or_default();
                sets.iter().for_each(|set| found.retain(|page| set.binary_search(page).is_ok()));
                Ok(found)
            }
            Self::Any(any) => {
                any.iter().try_fold(Vec::new(), |found, one| Ok(union(&found, &one.pages(index, located)?)))
            }
        }
    }
}

fn union(one: &[u32], other: &[u32]) -> Vec<u32> {
    let mut both = [one, other].concat();
    both.sort_unstable();
    both.dedup();
    both
}

fn all(mut wanted: Vec<Wanted>) -> Option<Wanted> {
    match wanted.len() {
        0 | 1 => wanted.pop(),
        _ => Some(Wanted::All(wanted)),
    }
}

fn wanted(condition: &Expr) -> Option<Wanted> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            all([left, right].into_iter().filter_map(|side| wanted(side)).collect())
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Some(Wanted::Any(vec![wanted(left)?, wanted(right)?]))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            let side = side(left).or_else(|| side(right))?;
            single(side, [address(left).or_else(|| address(right))?])
        }
        Expr::InList(InList { expr, list, negated: false }) if list.len() <= RANGES_MAX => {
            single(side(expr)?, list.iter().map(address).collect::<Option<Vec<_>>>()?)
        }
        Expr::ScalarFunction(function) if functions::is_cidr_match(&function.func) => match function.args.as_slice() {
            [cell, prefix] => within(side(cell)?, prefix),
            _ => None,
        },
        Expr::Alias(alias) => wanted(&alias.expr),
        _ => None,
    }
}

fn single(side: Side, addresses: impl IntoIterator<Item = Vec<u8>>) -> Option<Wanted> {
    Some(Wanted::In(side, addresses.into_iter().map(|address| (address.clone(), address)).collect()))
}

fn within(side: Side, prefix: &Expr) -> Option<Wanted> {
    let Expr::Literal(text, _) = prefix else { return None };
    let (first, last) = Prefix::parse(text.try_as_str().flatten()?)?.ends();
    Some(Wanted::In(side, vec![(octets(first), octets(last))]))
}

fn side(expr: &Expr) -> Option<Side> {
    match expr {
        Expr::Column(column) if column.name == "src_addr" => Some(Side::Source),
        Expr::Column(column) if column.name == "dst_addr" => Some(Side::Destination),
        _ => None,
    }
}

/// An address that is known when the question is planned.
fn address(expr: &Expr) -> Option<Vec<u8>> {
    match expr {
        Expr::Literal(ScalarValue::Binary(bytes) | ScalarValue::BinaryView(bytes), _) => bytes.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use datafusion::logical_expr::{col, lit};

    use super::*;
    use crate::Filter;

    fn of(filter: &str) -> Option<Wanted> {
        Wanted::by([&Filter::parse(filter).unwrap().condition().unwrap()])
    }

    fn range(first: [u8; 4], last: [u8; 4]) -> Vec<Range> {
        vec![(first.to_vec(), last.to_vec())]
    }

    #[test]
    fn a_host_is_wanted_on_either_side() {
        let here = range([10, 1, 2, 3], [10, 1, 2, 3]);
        let both = [Side::Source, Side::Destination].map(|side| Wanted::In(side, here.clone()));
        assert_eq!(of("host 10.1.2.3"), Some(Wanted::Any(both.to_vec())));
        assert_eq!(of("src and dst ip 10.1.2.3"), Some(Wanted::All(both.to_vec())));
        assert_eq!(of("src ip 10.1.2.3 and port 53"), Some(both[0].clone()));
    }

    #[test]
    fn a_prefix_is_a_range_of_its_family() {
        let net = Wanted::In(Side::Source, range([10, 1, 0, 0], [10, 1, 255, 255]));
        assert_eq!(of("src net 10.1.2.3/16"), Some(net));
        let Some(Wanted::In(_, six)) = of("dst net 2001:db8::/32") else { panic!("a range") };
        assert_eq!(six[0].0[..6], [0x20, 1, 0xd, 0xb8, 0, 0]);
        assert_eq!(six[0].1[..6], [0x20, 1, 0xd, 0xb8, 0xff, 0xff]);
    }

    #[test]
    fn what_does_not_demand_an_address_demands_none() {
        for filter in
            ["port 53", "not host 10.1.2.3", "host 10.1.2.3 or port 53", "src ip != 10.1.2.3", "next ip 10.1.2.3"]
        {
            assert_eq!(of(filter), None, "{filter}");
        }
        let more = col("src_addr").gt(lit(ScalarValue::BinaryView(Some(vec![10, 0, 0, 1]))));
        assert_eq!(Wanted::by([&more]), None);
    }

    #[test]
    fn lists_are_wanted_one_by_one() {
        let Some(Wanted::In(Side::Source, list)) = of("src ip in [ 10.0.0.1 10.0.0.2 2001:db8::1 ]") else {
            panic!("a list")
        };
        assert_eq!(list.iter().map(|range| range.0.len()).collect::<Vec<_>>(), [4, 4, 16]);
    }
}
