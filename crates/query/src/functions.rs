//! Functions that questions have beyond the planner's own: prefixes, addresses, and scaling by the sampling rate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, BinaryViewArray, BinaryViewBuilder, BooleanArray, UInt32Array, UInt64Array, as_primitive_array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::cast::{as_binary_view_array, as_string_view_array};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::address::{Prefix, octets};
use crate::same::Same;

/// Every function that is registered by name.
pub(crate) fn all() -> [Arc<ScalarUDF>; 3] {
    [CIDR_MATCH.clone(), IP.clone(), SCALED.clone()]
}

static CIDR_MATCH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(CidrMatch::default().into()));
static IP: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(Ip::default().into()));
static SCALED: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(Scaled::default().into()));

/// Whether the address lies in the prefix, which is text.
pub(crate) fn cidr_match(address: Expr, prefix: Expr) -> Expr {
    CIDR_MATCH.call(vec![address, prefix])
}

/// Whether a function is [`cidr_match`].
pub(crate) fn is_cidr_match(function: &ScalarUDF) -> bool {
    function == CIDR_MATCH.as_ref()
}

/// A count times its sampling rate, times 1 where that is not known.
pub(crate) fn scaled(count: Expr, rate: Expr) -> Expr {
    SCALED.call(vec![count, rate])
}

/// An address out of text; null where it is none.
pub(crate) fn address(text: Expr) -> Expr {
    ScalarUDF::from(TryIp(Signature::exact(vec![DataType::Utf8View], Volatility::Immutable))).call(vec![text])
}

/// [`Ip`] for text that strangers sent.
#[derive(Debug, Eq, Hash, PartialEq)]
struct TryIp(Signature);

impl ScalarUDFImpl for TryIp {
    fn name(&self) -> &str {
        "try_ip"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let texts = ColumnarValue::values_to_arrays(&args.args)?;
        let [texts] = texts.as_slice() else { return exec_err!("try_ip takes one argument") };
        let mut cells = BinaryViewBuilder::with_capacity(texts.len());
        for text in as_string_view_array(texts)? {
            cells.append_option(text.and_then(|text| text.parse().ok()).map(octets));
        }
        Ok(ColumnarValue::Array(Arc::new(cells.finish())))
    }
}

/// `cidr_match(address, '10.0.0.0/8')`.
#[derive(Debug, Eq, Hash, PartialEq)]
struct CidrMatch {
    signature: Signature,
}

impl Default for CidrMatch {
    fn default() -> Self {
        let of = |address, prefix| TypeSignature::Exact(vec![address, prefix]);
        let signature = Signature::one_of(
            vec![of(DataType::BinaryView, DataType::Utf8View), of(DataType::Utf8View, DataType::Utf8View)],
            Volatility::Immutable,
        );
        Self { signature }
    }
}

impl ScalarUDFImpl for CidrMatch {
    fn name(&self) -> &str {
        "cidr_match"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [address, prefix] = two(args.args)?;
        let whole = matches!((&address, &prefix), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let cells = cells(&address.to_array(args.number_rows)?)?;
        let matched: BooleanArray = match prefix {
            ColumnarValue::Scalar(prefix) => match prefix.try_as_str().flatten() {
                Some(text) => lie_in(as_binary_view_array(&cells)?, parse_prefix(text)?),
                None => BooleanArray::new_null(args.number_rows),
            },
            ColumnarValue::Array(prefixes) => as_binary_view_array(&cells)?
                .iter()
                .zip(as_string_view_array(&prefixes)?)
                .map(|(cell, prefix)| prefix.map(parse_prefix).transpose().map(|prefix| Some(prefix?.contains(cell?))))
                .collect::<Result<_>>()?,
        };
        if whole {
            ScalarValue::try_from_array(&matched, 0).map(Into::into)
        } else {
            Ok(ColumnarValue::Array(Arc::new(matched)))
        }
    }
}

/// Whether the cells lie in the prefix: mostly one comparison a cell, of its length and first bytes together.
fn lie_in(cells: &BinaryViewArray, prefix: Prefix) -> BooleanArray {
    let (mask, expected, decides) = prefix.view();
    let views: &[u128] = cells.views();
    let bits = if decides {
        BooleanBuffer::collect_bool(views.len(), |row| views[row] as u64 & mask == expected)
    } else {
        BooleanBuffer::collect_bool(views.len(), |row| {
            views[row] as u64 & mask == expected && prefix.contains(cells.value(row))
        })
    };
    BooleanArray::new(bits, cells.nulls().cloned())
}

fn parse_prefix(text: &str) -> Result<Prefix> {
    Prefix::parse(text)
        .map_or_else(|| exec_err!("'{text}' is not an address or a prefix such as 10.0.0.0/8 or 2001:db8::/32"), Ok)
}

/// Addresses as cells; text is read.
fn cells(addresses: &ArrayRef) -> Result<ArrayRef> {
    if addresses.data_type() == &DataType::BinaryView {
        return Ok(Arc::clone(addresses));
    }
    let mut cells = BinaryViewBuilder::with_capacity(addresses.len());
    for text in as_string_view_array(addresses)? {
        match text.map(str::parse) {
            None => cells.append_null(),
            Some(Ok(address)) => cells.append_value(octets(address)),
            Some(Err(_)) => return exec_err!("'{}' is not an IP address", text.unwrap_or_default()),
        }
    }
    Ok(Arc::new(cells.finish()))
}

/// `ip('10.1.2.3')`: an address as cells hold it.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Ip {
    signature: Signature,
}

impl Default for Ip {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8View], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Ip {
    fn name(&self) -> &str {
        "ip"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.first() {
            Some(ColumnarValue::Array(texts)) => Ok(ColumnarValue::Array(cells(texts)?)),
            Some(ColumnarValue::Scalar(text)) => Ok(ScalarValue::try_from_array(&cells(&text.to_array()?)?, 0)?.into()),
            None => exec_err!("ip takes one argument"),
        }
    }
}

/// `scaled(bytes, sampling_rate)`, which stays at the largest number rather than wrap.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Scaled {
    signature: Signature,
}

impl Default for Scaled {
    fn default() -> Self {
        Self { signature: Signature::exact(vec![DataType::UInt64, DataType::UInt64], Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Scaled {
    fn name(&self) -> &str {
        "scaled"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [counts, rates] = arrays.as_slice() else { return exec_err!("scaled takes two arguments") };
        let counts = as_primitive_array::<UInt64Type>(counts);
        let rates = as_primitive_array::<UInt64Type>(rates);
        Ok(ColumnarValue::Array(Arc::new(scale(counts, rates))))
    }
}

fn scale(counts: &UInt64Array, rates: &UInt64Array) -> UInt64Array {
    let values = if rates.null_count() == 0 {
        counts.values().iter().zip(rates.values()).map(|(count, rate)| count.saturating_mul(*rate)).collect()
    } else {
        counts.values().iter().zip(rates).map(|(count, rate)| count.saturating_mul(rate.unwrap_or(1))).collect()
    };
    UInt64Array::new(values, counts.nulls().cloned())
}

/// The name of [`owned`].
pub(crate) const OWNED: &str = "owned";

/// Cells in memory of their own. Groups come out as slices of one large array, of which each counts as all of it where
/// memory is counted: sorting a year of minutes would seem to take gigabytes.
pub(crate) fn owned(cells: Expr) -> Expr {
    ScalarUDF::from(Owned(Signature::any(1, Volatility::Immutable))).call(vec![cells])
}

/// See [`owned`].
#[derive(Debug, Eq, Hash, PartialEq)]
struct Owned(Signature);

impl ScalarUDFImpl for Owned {
    fn name(&self) -> &str {
        OWNED
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().map_or_else(|| exec_err!("owned takes one argument"), Ok)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.first() {
            Some(ColumnarValue::Array(cells)) => {
                let all = UInt32Array::from_iter_values(0..cells.len() as u32);
                Ok(ColumnarValue::Array(take(cells.as_ref(), &all, None)?))
            }
            Some(scalar) => Ok(scalar.clone()),
            None => exec_err!("owned takes one argument"),
        }
    }
}

/// The name of [`noted`].
pub(crate) const NOTED: &str = "noted";

/// A volume that passes through unchanged, while it is noted whether any of it was sampled.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Noted {
    signature: Signature,
    sampled: Same<AtomicBool>,
}

/// The count, and in `sampled` whether any row of it has a rate beyond 1.
pub(crate) fn noted(count: Expr, rate: Expr, sampled: &Arc<AtomicBool>) -> Expr {
    let signature = Signature::exact(vec![DataType::UInt64, DataType::UInt64], Volatility::Immutable);
    ScalarUDF::from(Noted { signature, sampled: Same(Arc::clone(sampled)) }).call(vec![count, rate])
}

impl ScalarUDFImpl for Noted {
    fn name(&self) -> &str {
        NOTED
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [count, rate] = two(args.args)?;
        if !self.sampled.load(Ordering::Relaxed) {
            let rates = cast(&rate.to_array(args.number_rows)?, &DataType::UInt64)?;
            if as_primitive_array::<UInt64Type>(&rates).iter().flatten().any(|rate| rate > 1) {
                self.sampled.store(true, Ordering::Relaxed);
            }
        }
        Ok(count)
    }
}

fn two(args: Vec<ColumnarValue>) -> Result<[ColumnarValue; 2]> {
    args.try_into().or_else(|_| exec_err!("the function takes two arguments"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn cells_lie_in_a_prefix_as_one_by_one() {
        let texts = [
            "10.1.2.3",
            "10.1.2.4",
            "11.0.0.0",
            "0.0.0.0",
            "2001:db8::1",
            "2001:db8:8000::1",
            "a00::",
            "::",
            "a01:203::",
        ];
        let mut cells: Vec<Option<Vec<u8>>> = texts.iter().map(|text| Some(octets(text.parse().unwrap()))).collect();
        cells.extend([None, Some(vec![]), Some(vec![10]), Some(vec![10, 1, 2, 3, 4]), Some(vec![10; 12])]);
        let array: BinaryViewArray = cells.iter().map(Option::as_deref).collect();
        for address in texts {
            for length in 0..=if address.contains(':') { 128 } else { 32 } {
                let prefix = Prefix::parse(&format!("{address}/{length}")).unwrap();
                let expected: Vec<_> =
                    cells.iter().map(|cell| cell.as_ref().map(|cell| prefix.contains(cell))).collect();
                assert_eq!(lie_in(&array, prefix).iter().collect::<Vec<_>>(), expected, "{prefix}");
                let sliced = lie_in(&array.slice(1, 3), prefix);
                assert_eq!(sliced.iter().collect::<Vec<_>>(), expected[1..4], "{prefix}");
            }
        }
    }
}
