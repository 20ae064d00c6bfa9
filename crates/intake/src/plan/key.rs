//! What a field is, whatever the dialect it is said in.
//!
//! The other direction of a biflow is told in several ways: under an enterprise of its own (RFC 5103 section 6.1), under
//! the exporter's by a bit of the number (CERT), by numbers that a vendor chose, or by nProbe's use of the counters
//! behind the device. All become one [`Key`], so that plans know of directions and not of dialects.

use finderscope_flow::registry::{self, REVERSE_ENTERPRISE};
use finderscope_wire::ipfix::{Dialect, FieldSpecifier};

/// nProbe's elements in NetFlow v9 begin here, and have these numbers under its enterprise in IPFIX.
const NPROBE_V9_BASE: u16 = 57_472;
pub(super) const NPROBE: u32 = 35_632;
const CERT: u32 = 6_871;
/// In CERT's numbers: the other direction.
const CERT_REVERSE: u16 = 0x4000;
const IXIA: u32 = 3_054;

/// What a field is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Key {
    /// 0 for IANA's and NetFlow v9's.
    pub(super) enterprise: u32,
    pub(super) element: u16,
    pub(super) direction: Direction,
}

/// Which way of a biflow a field speaks of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Direction {
    Forward,
    Reverse,
}

/// Whose the element is, and its number there: nProbe's in NetFlow v9 are those of its enterprise.
pub(super) fn number(specifier: FieldSpecifier, dialect: Dialect) -> (u32, u16) {
    match (specifier.enterprise, specifier.element) {
        (None, element @ NPROBE_V9_BASE..) if dialect.is_v9() => (NPROBE, element - NPROBE_V9_BASE),
        (enterprise, element) => (enterprise.unwrap_or(0), element),
    }
}

impl Key {
    /// What `specifier` is among its `fields`.
    pub(super) fn of(specifier: FieldSpecifier, dialect: Dialect, is_nprobe: bool) -> Self {
        let forward = |enterprise, element| Self { enterprise, element, direction: Direction::Forward };
        let reverse = |enterprise, element| Self { enterprise, element, direction: Direction::Reverse };
        match number(specifier, dialect) {
            (REVERSE_ENTERPRISE, element) => reverse(0, element),
            // Before RFC 5103 CERT had numbers of its own for what is now reversed.
            (CERT, 12) => reverse(0, 85),
            (CERT, 13) => reverse(0, 86),
            (CERT, 16) => reverse(CERT, 14),
            (CERT, 17) => reverse(CERT, 15),
            (CERT, 20) => reverse(0, 184),
            (CERT, 29) => reverse(0, 58),
            (CERT, element) if is_reverse_of_cert(element) => reverse(CERT, element & !CERT_REVERSE),
            (IXIA, 176) => reverse(0, 1),
            (IXIA, 177) => reverse(0, 2),
            // What IANA has as counters behind the device, nProbe has as those of the way back.
            (0, 23) if is_nprobe => reverse(0, 1),
            (0, 24) if is_nprobe => reverse(0, 2),
            (enterprise, element) => forward(enterprise, element),
        }
    }
}

fn is_reverse_of_cert(element: u16) -> bool {
    element & CERT_REVERSE != 0 && registry::element(Some(CERT), element).is_some()
}

/// Whether some field is nProbe's own: then it was nProbe that sent the others.
pub(super) fn is_nprobe(fields: &[FieldSpecifier], dialect: Dialect) -> bool {
    fields.iter().any(|&field| number(field, dialect).0 == NPROBE)
}
