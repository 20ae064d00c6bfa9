//! What an options record is about: the interface, sampler, VRF or application whose name or rate it tells.
//!
//! Some exporters name it in the scope, others beside the system's scope as a value like others (Cisco's interface,
//! sampler, VRF and application tables). Rows of options carry it in one spelling, so that names can be looked up.

use std::fmt::Write;

use finderscope_wire::ipfix::{self, ScopeKind};

use crate::cells::{Field, Records};
use crate::plan::{Named, put_application};

/// The fields of an options template that say what its records are about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Subjects {
    interface: Option<Field>,
    template: Option<Field>,
    sampler: Option<Field>,
    vrf: Option<Field>,
    application: Option<Field>,
}

/// What an element tells of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Interface,
    Sampling,
    Vrf,
    Application,
}

impl Kind {
    const fn of(element: u16) -> Option<Self> {
        Some(match element {
            82 | 83 => Self::Interface,
            34 | 35 | 49 | 50 | 84 | 304..=311 | 329..=332 | 335 => Self::Sampling,
            236 => Self::Vrf,
            94 | 96 | 372..=374 => Self::Application,
            _ => return None,
        })
    }
}

impl Subjects {
    pub(crate) fn of(fields: &[Named]) -> Self {
        let element = |number: u16| fields.iter().find(|named| named.element == Some(number)).map(|named| named.field);
        let first = |numbers: &[u16]| numbers.iter().find_map(|&number| element(number));
        let v9_scope = |kind| fields.iter().find(|named| named.v9_scope == Some(kind)).map(|named| named.field);
        Self {
            interface: v9_scope(ScopeKind::Interface).or_else(|| first(&[10, 252, 14, 253])),
            template: v9_scope(ScopeKind::Template).or_else(|| element(145)),
            sampler: first(&[302, 48]),
            vrf: first(&[234, 235]),
            application: element(95),
        }
    }

    /// Appends what a record's `element` is said of; nothing where that has no number.
    pub(crate) fn put(&self, out: &mut String, element: Option<u16>, records: &Records<'_>, row: usize) {
        let number = |field: Option<Field>| field.and_then(|field| ipfix::unsigned(records.cell(row, field)));
        let of = |word, field| number(field).map(|number| (word, number));
        let subject = match element.and_then(Kind::of) {
            Some(Kind::Interface) => of("interface", self.interface),
            Some(Kind::Vrf) => of("vrf", self.vrf),
            Some(Kind::Sampling) => {
                let narrow = of("sampler", self.sampler).or_else(|| of("interface", self.interface));
                match narrow.or_else(|| of("template", self.template)) {
                    None => return out.push_str("exporter"),
                    about => about,
                }
            }
            Some(Kind::Application) => {
                if let Some(field) = self.application {
                    out.push_str("application=");
                    put_application(out, records.cell(row, field));
                }
                None
            }
            None => None,
        };
        if let Some((word, number)) = subject {
            // Writing into a String cannot fail.
            let _ = write!(out, "{word}={number}");
        }
    }
}
