//! All that is remembered of one exporter.

mod domains;
mod sources;

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

pub(crate) use self::domains::Domains;
pub(crate) use self::sources::Sources;
use crate::Protocol;
use crate::clock::Clock;
use crate::config::Limits;
use crate::duplicate::Duplicates;
use crate::learned::Learned;
use crate::ledger::Ledger;
use crate::sampling::Samplers;
use crate::sequence::{Sequence, SequenceCounts};
use crate::template::Templates;
use crate::waiting::Waiting;

/// Who an exporter is: what the transport vouches for, else its address.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) enum ExporterKey {
    Address(IpAddr),
    Identity(String),
}

/// A part of an exporter that numbers and describes its messages by itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub(crate) struct DomainKey {
    pub(crate) protocol: Protocol,
    /// Observation domain, source id, engine or sub-agent.
    pub(crate) id: u32,
    /// The sFlow agent.
    pub(crate) agent: Option<IpAddr>,
    /// The other end of the session, where templates belong to sessions.
    pub(crate) session: Option<SocketAddr>,
}

/// State of one exporter.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Exporter {
    pub(crate) key: ExporterKey,
    /// The address that it last used.
    pub(crate) address: IpAddr,
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
    pub(crate) ledger: Ledger,
    pub(crate) duplicates: Duplicates,
    pub(crate) waiting: Waiting,
    pub(crate) domains: Domains,
    /// Rates that were told for all of its domains.
    pub(crate) wide: Samplers,
    /// Elements that it described itself.
    pub(crate) learned: Learned,
    /// What domains that were forgotten had counted.
    pub(crate) forgotten: SequenceCounts,
    /// Whether the operator named it; told anew by the configuration at each start.
    #[serde(skip)]
    pub(crate) listed: bool,
    /// Where in the configuration it stands.
    #[serde(skip)]
    pub(crate) config: Option<usize>,
}

/// State of one domain of an exporter.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Domain {
    pub(crate) last_ns: i64,
    pub(crate) datagrams: u64,
    pub(crate) records: u64,
    /// Kept apart in the saved state, since plans are compiled anew.
    #[serde(skip)]
    pub(crate) templates: Templates,
    pub(crate) samplers: Samplers,
    pub(crate) sequence: Sequence,
    pub(crate) clock: Clock,
    /// When the exporter booted, where options data said so (element 160).
    pub(crate) boot_ns: Option<i64>,
    /// sFlow: sequences by kind of sample, class and index of the source.
    pub(crate) sources: Sources,
}

/// An sFlow data source: the kind of its samples (the sample's format, compact), its class and index.
pub(crate) type SourceKey = (u8, u32, u32);

/// What is known of an sFlow data source.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Source {
    pub(crate) sequence: Sequence,
    /// The agent's own count of samples that it had to leave out.
    pub(crate) drops: Option<u32>,
    /// How many those were since we know the source.
    pub(crate) dropped: u64,
}

impl Source {
    /// Takes note of the agent's drop counter; one that goes back has begun anew.
    pub(crate) fn observe_drops(&mut self, drops: u32) {
        let before = self.drops.replace(drops).unwrap_or(drops);
        let more = drops.wrapping_sub(before);
        if more < 1 << 31 {
            self.dropped += u64::from(more);
        }
    }
}

impl Exporter {
    pub(crate) fn new(key: ExporterKey, address: IpAddr, received_ns: i64) -> Self {
        Self {
            key,
            address,
            first_ns: received_ns,
            last_ns: received_ns,
            ledger: Ledger::default(),
            duplicates: Duplicates::default(),
            waiting: Waiting::default(),
            domains: Domains::default(),
            wide: Samplers::default(),
            learned: Learned::default(),
            forgotten: SequenceCounts::default(),
            listed: false,
            config: None,
        }
    }

    /// Templates of all domains.
    pub(crate) fn templates(&self) -> usize {
        self.domains.values().map(|domain| domain.templates.len()).sum()
    }

    /// Rates that are remembered, beside those for whole domains.
    pub(crate) fn samplers(&self) -> usize {
        self.wide.len() + self.domains.values().map(|domain| domain.samplers.len()).sum::<usize>()
    }

    /// Fields of the templates of all domains.
    pub(crate) fn template_fields(&self) -> usize {
        self.domains.values().map(|domain| domain.templates.fields()).sum()
    }

    /// Makes the domain known. Where there are too many, the idlest is forgotten; says how many template fields went with it.
    pub(crate) fn open_domain(&mut self, key: DomainKey, limits: &Limits) -> Forgotten {
        let mut forgotten = Forgotten::default();
        if self.domains.contains(&key) {
            return forgotten;
        }
        while self.domains.len() >= limits.domains_per_exporter.max(1) {
            let idlest = self.domains.iter().min_by_key(|(key, domain)| (domain.last_ns, **key)).map(|(key, _)| *key);
            let Some(idlest) = idlest else { break };
            self.ledger.notes.add("domains_per_exporter", 1);
            let sets = self.waiting.release_domain(idlest);
            self.ledger.sets.waiting -= sets.len() as u64;
            self.ledger.sets.expired.add("domain_forgotten", sets.len() as u64);
            forgotten.waiting_bytes += sets.iter().map(crate::waiting::WaitingSet::cost).sum::<usize>();
            if let Some(domain) = self.domains.remove(&idlest) {
                forgotten.template_fields += domain.templates.fields();
                self.forgotten.add(domain.sequence.counts);
            }
        }
        self.domains.open(key);
        forgotten
    }
}

/// What forgetting set free, for the totals.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forgotten {
    pub(crate) template_fields: usize,
    pub(crate) waiting_bytes: usize,
}
