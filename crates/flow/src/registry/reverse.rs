//! Reverse information elements (RFC 5103 section 6.1): IANA's number under an enterprise of its own.

use std::sync::LazyLock;

use super::element::Element;
use super::generated::IANA;

/// The private enterprise number under which an IANA element means the other direction of a biflow.
pub const REVERSE_ENTERPRISE: u32 = 29305;

/// Every reverse element, by number. Their names are made once and kept.
pub(super) fn all() -> &'static [Element] {
    static ALL: LazyLock<Vec<Element>> =
        LazyLock::new(|| IANA.iter().filter(|element| is_reversible(element)).map(reversed).collect());
    &ALL
}

pub(super) fn element(id: u16) -> Option<&'static Element> {
    let all = all();
    all.binary_search_by_key(&id, |element| element.id).ok().map(|at| &all[at])
}

fn reversed(forward: &Element) -> Element {
    let (first, rest) = forward.name.split_at(1);
    Element {
        enterprise: REVERSE_ENTERPRISE,
        name: String::leak(format!("reverse{}{rest}", first.to_ascii_uppercase())),
        column_name: String::leak(format!("reverse_{}", forward.column_name)),
        ..forward.clone()
    }
}

/// What describes the biflow as a whole, structures it, or pads it has no reverse. The RFC also leaves out what
/// describes exporter and metering process; those are found all the same, since a name says more than a number.
const WHOLE: [u16; 9] = [
    137, // commonPropertiesId
    145, // templateId
    148, // flowId
    149, // observationDomainId
    210, // paddingOctets
    239, // biflowDirection
    291, // basicList
    292, // subTemplateList
    293, // subTemplateMultiList
];

fn is_reversible(element: &Element) -> bool {
    !WHOLE.contains(&element.id)
}
