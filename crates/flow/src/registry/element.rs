//! One information element, and looking one up by number or name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::generated::{ENTERPRISE, IANA, NETFLOW9};
use super::reverse;
use super::types::{DataType, Semantics, Units};

/// An information element (RFC 7012): what a field of a template may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Element {
    /// Its number, without the enterprise bit.
    pub id: u16,
    /// Whose number it is: a private enterprise number, or 0 for IANA.
    pub enterprise: u32,
    /// Its name as the registry spells it: `sourceIPv4Address`.
    pub name: &'static str,
    /// Its name in the manner of columns: `source_ipv4_address`.
    pub column_name: &'static str,
    /// How its values are encoded.
    pub data_type: DataType,
    /// What kind of quantity it is.
    pub semantics: Semantics,
    /// What it counts.
    pub units: Units,
}

/// A row of the generated tables.
pub(super) const fn e(
    enterprise: u32,
    id: u16,
    name: &'static str,
    column_name: &'static str,
    data_type: DataType,
    semantics: Semantics,
    units: Units,
) -> Element {
    Element { id, enterprise, name, column_name, data_type, semantics, units }
}

/// One more than the highest number that IANA has given out.
const IANA_END: usize = IANA[IANA.len() - 1].id as usize + 1;

/// No element has this number.
const NONE: u16 = u16::MAX;

/// Where each number stands in [`IANA`].
static INDEX: [u16; IANA_END] = index();

const fn index() -> [u16; IANA_END] {
    let mut index = [NONE; IANA_END];
    let mut at = 0;
    while at < IANA.len() {
        index[IANA[at].id as usize] = at as u16;
        at += 1;
    }
    index
}

/// The element of that number. `enterprise` is the private enterprise number of the field, if it has one;
/// NetFlow v9's field types below 128 are IANA's numbers, and those that IPFIX never took over are found under theirs.
///
/// Under [`super::REVERSE_ENTERPRISE`] an IANA element is found as its reverse (RFC 5103).
pub fn element(enterprise: Option<u32>, id: u16) -> Option<&'static Element> {
    match enterprise {
        None | Some(0) => iana(id).or_else(|| netflow9(id)),
        Some(super::REVERSE_ENTERPRISE) => reverse::element(id),
        Some(enterprise) => {
            let at = ENTERPRISE.binary_search_by_key(&(enterprise, id), |element| (element.enterprise, element.id));
            at.ok().map(|at| &ENTERPRISE[at])
        }
    }
}

pub(super) fn iana(id: u16) -> Option<&'static Element> {
    let &at = INDEX.get(usize::from(id))?;
    IANA.get(usize::from(at))
}

/// NetFlow v9's field type of that number, where IANA has no element.
fn netflow9(id: u16) -> Option<&'static Element> {
    NETFLOW9.binary_search_by_key(&id, |element| element.id).ok().map(|at| &NETFLOW9[at])
}

/// The element of that name, spelled as in the registry or as a column.
pub fn by_name(name: &str) -> Option<&'static Element> {
    static NAMES: LazyLock<HashMap<&'static str, &'static Element>> = LazyLock::new(|| {
        // What comes later replaces what came before: IANA's own names win over an enterprise's.
        let all = reverse::all().iter().chain(&ENTERPRISE).chain(&NETFLOW9).chain(&IANA);
        all.flat_map(|element| [(element.column_name, element), (element.name, element)]).collect()
    });
    NAMES.get(name).copied()
}

/// IANA's elements, NetFlow v9's own, and those of the enterprises that are known, each by number; without reverses.
pub fn elements() -> impl Iterator<Item = &'static Element> {
    IANA.iter().chain(&NETFLOW9).chain(&ENTERPRISE)
}
