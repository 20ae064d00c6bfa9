//! What a batch's bytes and packets add up to, as they are and times their sampling rates.
//!
//! Numbers are added in 64 bits wherever their bits say that this cannot overflow, which is nearly always.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::UInt64Type;
use finderscope_flow::Column;

use crate::Sums;

/// So many numbers are added before the sum is looked at.
const AT_ONCE: usize = 1 << 16;
/// Bits that each of them may have, so that their sum has 64 at the most.
const BITS: u32 = 48;

impl Sums {
    /// With a batch's rows; `None` where a sum, or one row's product, is beyond 64 bits.
    pub(crate) fn plus(mut self, batch: &RecordBatch) -> Option<Self> {
        let column = |column: Column| batch.column_by_name(column.name());
        let rate = column(Column::SamplingRate)?;
        let bytes = scaled(column(Column::Bytes)?, rate)?;
        let packets = scaled(column(Column::Packets)?, rate)?;
        let fields = [
            (&mut self.bytes, bytes.plain),
            (&mut self.packets, packets.plain),
            (&mut self.bytes_scaled, bytes.scaled),
            (&mut self.packets_scaled, packets.scaled),
            (&mut self.bytes_assumed, bytes.assumed),
            (&mut self.packets_assumed, packets.assumed),
        ];
        for (field, more) in fields {
            *field = field.checked_add(more)?;
        }
        Some(self)
    }
}

/// A column's sums.
#[derive(Default)]
struct Scaled {
    plain: u64,
    scaled: u64,
    assumed: u64,
}

fn scaled(values: &ArrayRef, rates: &ArrayRef) -> Option<Scaled> {
    let (values, rates) = (values.as_primitive::<UInt64Type>(), rates.as_primitive::<UInt64Type>());
    if values.null_count() == values.len() {
        return Some(Scaled::default());
    }
    if values.null_count() > 0 {
        return one_by_one(values, rates);
    }
    let (mut plain, mut scaled, mut assumed) = (0, 0, 0);
    for (start, end, known) in runs(rates.nulls(), rates.len()) {
        let some = &values.values()[start..end];
        let sum = sum(some);
        plain += sum;
        if known {
            scaled += products(some, &rates.values()[start..end])?;
        } else {
            (scaled, assumed) = (scaled + sum, assumed + sum);
        }
    }
    whole([plain, scaled, assumed])
}

fn whole(sums: [u128; 3]) -> Option<Scaled> {
    let [plain, scaled, assumed] = sums.map(|sum| u64::try_from(sum).ok());
    Some(Scaled { plain: plain?, scaled: scaled?, assumed: assumed? })
}

/// All rows in runs: start, end, and whether the cells are there.
fn runs(nulls: Option<&NullBuffer>, rows: usize) -> Vec<(usize, usize, bool)> {
    let Some(nulls) = nulls else { return vec![(0, rows, true)] };
    if nulls.null_count() == rows {
        return vec![(0, rows, false)];
    }
    let (mut runs, mut done) = (Vec::new(), 0);
    for (start, end) in nulls.valid_slices() {
        runs.extend((done < start).then_some((done, start, false)));
        runs.push((start, end, true));
        done = end;
    }
    runs.extend((done < rows).then_some((done, rows, false)));
    runs
}

fn sum(values: &[u64]) -> u128 {
    let some = values.chunks(AT_ONCE).map(|values| {
        if bits(values) <= BITS {
            u128::from(values.iter().sum::<u64>())
        } else {
            values.iter().map(|&value| u128::from(value)).sum()
        }
    });
    some.sum()
}

/// The sum of values times rates; `None` where one product is beyond 64 bits.
fn products(values: &[u64], rates: &[u64]) -> Option<u128> {
    let mut total = 0;
    for (values, rates) in values.chunks(AT_ONCE).zip(rates.chunks(AT_ONCE)) {
        let pairs = values.iter().zip(rates);
        if bits(values) + bits(rates) <= BITS {
            total += u128::from(pairs.map(|(value, rate)| value * rate).sum::<u64>());
        } else {
            for (value, &rate) in pairs {
                total += u128::from(value.checked_mul(rate)?);
            }
        }
    }
    Some(total)
}

/// The most bits that one of them has.
fn bits(values: &[u64]) -> u32 {
    u64::BITS - values.iter().fold(0, |bits, value| bits | value).leading_zeros()
}

fn one_by_one(values: &UInt64Array, rates: &UInt64Array) -> Option<Scaled> {
    let (mut plain, mut scaled, mut assumed) = (0u128, 0u128, 0u128);
    for (value, rate) in values.iter().zip(rates) {
        let value = value.unwrap_or(0);
        plain += u128::from(value);
        scaled += u128::from(value.checked_mul(rate.unwrap_or(1))?);
        assumed += u128::from(if rate.is_none() { value } else { 0 });
    }
    whole([plain, scaled, assumed])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn check(values: Vec<Option<u64>>, rates: Vec<Option<u64>>) -> Result<(), TestCaseError> {
        let (values, rates) = (UInt64Array::from(values), UInt64Array::from(rates));
        let plain = one_by_one(&values, &rates).map(|sums| (sums.plain, sums.scaled, sums.assumed));
        let (values, rates): (ArrayRef, ArrayRef) = (Arc::new(values), Arc::new(rates));
        let fast = scaled(&values, &rates).map(|sums| (sums.plain, sums.scaled, sums.assumed));
        prop_assert_eq!(fast, plain);
        Ok(())
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![8 => 0..1u64 << 20, 2 => 0..1u64 << 34, 1 => any::<u64>()]
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_plain_loop(
            rows in prop::collection::vec((number(), prop::option::of(number()), any::<bool>()), 0..50),
            nulls in any::<bool>(),
        ) {
            let values = rows.iter().map(|&(value, _, there)| (there || !nulls).then_some(value)).collect();
            check(values, rows.iter().map(|row| row.1).collect())?;
        }

        #[test]
        fn sums_of_small_numbers_are_those_of_the_plain_loop(
            rows in prop::collection::vec((0..1u64 << 30, 1..1u64 << 17, 0..4u8), 0..300),
        ) {
            let rates = rows.iter().map(|&(_, rate, known)| (known > 0).then_some(rate)).collect();
            check(rows.iter().map(|row| Some(row.0)).collect(), rates)?;
        }
    }
}
