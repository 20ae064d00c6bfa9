//! What exporters told about themselves, gathered from `options` and `counters`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::facts::Fact;
use super::lookup::Directories;

/// An address as cells have it.
pub(super) type Octets = Box<[u8]>;

/// Who told: the exporter, the sFlow agent or the exporter again, and the domain.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Teller {
    pub(super) exporter: Octets,
    pub(super) sampler: Octets,
    pub(super) domain: u32,
}

/// What something is told of, as `options` spells it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Subject {
    Exporter,
    Interface(u64),
    Template(u64),
    Sampler(u64),
    Vrf(u64),
    Application(String),
}

impl Subject {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Some((what, number)) = text.split_once('=') else { return (text == "exporter").then_some(Self::Exporter) };
        Some(match what {
            "interface" => Self::Interface(number.parse().ok()?),
            "template" => Self::Template(number.parse().ok()?),
            "sampler" => Self::Sampler(number.parse().ok()?),
            "vrf" => Self::Vrf(number.parse().ok()?),
            "application" => Self::Application(number.to_owned()),
            _ => return None,
        })
    }
}

/// What tells an interface's name: interfaceName, sFlow's port name, and interfaceDescription.
pub(super) const INTERFACE_NAMES: [&str; 3] = ["interfaceName", "port_name", "interfaceDescription"];

/// What a port's counters say beside its name.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Port {
    pub(super) speed: Option<u64>,
    pub(super) kind: Option<u32>,
    pub(super) status: Option<u32>,
    pub(super) first_ns: i64,
    pub(super) last_ns: i64,
}

/// All that was told.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By element's name.
    pub(super) told: BTreeMap<(Teller, Subject), BTreeMap<String, Fact>>,
    /// Interfaces as their counters describe them, by exporter, agent and ifIndex.
    pub(super) ports: BTreeMap<(Octets, Octets, u32), Port>,
}

impl Facts {
    /// Takes in that `element` of a subject was told to be something.
    pub(super) fn tell(&mut self, mut teller: Teller, subject: Subject, element: &str, fact: Fact) {
        // Samplers and rates belong to a domain; interfaces, VRFs and applications are the exporter's.
        let is_rate = matches!(subject, Subject::Interface(_)) && !INTERFACE_NAMES.contains(&element);
        if !is_rate && !matches!(subject, Subject::Sampler(_) | Subject::Template(_) | Subject::Exporter) {
            teller.domain = 0;
        }
        let elements = self.told.entry((teller, subject)).or_default();
        match elements.get_mut(element) {
            Some(known) => known.merge(fact),
            None => _ = elements.insert(element.to_owned(), fact),
        }
    }
}

/// What is known, to be shared by all that look names up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(super) facts: Arc<Facts>,
    pub(super) directories: Arc<Directories>,
}

impl From<Facts> for Known {
    fn from(facts: Facts) -> Self {
        Self { directories: Arc::new(Directories::of(&facts)), facts: Arc::new(facts) }
    }
}
