//! Numbers as a filter writes them.

use datafusion::logical_expr::{Expr, lit};
use finderscope_flow::Kind as CellKind;

/// A number, decimal or `0x…`, with k, M or G.
pub(super) fn number(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'));
    }
    let (digits, unit) = match text.chars().last()?.to_ascii_lowercase() {
        'k' => (text.get(..text.len() - 1)?, 1_000),
        'm' => (text.get(..text.len() - 1)?, 1_000_000),
        'g' => (text.get(..text.len() - 1)?, 1_000_000_000),
        't' => (text.get(..text.len() - 1)?, 1_000_000_000_000),
        _ => (text, 1),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let sound = !whole.is_empty() && (whole.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit());
    let fraction = sound.then(|| scaled_fraction(fraction, unit)).flatten()?;
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(fraction)
}

/// What the digits behind the point are of a unit, where that is a whole number.
fn scaled_fraction(digits: &str, unit: u64) -> Option<u64> {
    if digits.is_empty() {
        return Some(0);
    }
    let scale = 10_u64.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let exact = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (exact % scale == 0).then_some(exact / scale)
}

pub(super) const fn largest(kind: CellKind) -> u64 {
    match kind {
        CellKind::U8 => u8::MAX as u64,
        CellKind::U16 => u16::MAX as u64,
        CellKind::U32 => u32::MAX as u64,
        _ => u64::MAX,
    }
}

/// The number as the column's type has it.
pub(super) fn literal(kind: CellKind, value: u64) -> Option<Expr> {
    Some(match kind {
        CellKind::U8 => lit(u8::try_from(value).ok()?),
        CellKind::U16 => lit(u16::try_from(value).ok()?),
        CellKind::U32 => lit(u32::try_from(value).ok()?),
        _ => lit(value),
    })
}
