//! What is known of an exporter, for people and metrics.

use std::net::{IpAddr, SocketAddr};

use finderscope_flow::SamplingSource;

use crate::Protocol;
use crate::config::Config;
use crate::exporter::{Domain, DomainKey, Exporter, ExporterKey};
use crate::ledger::Ledger;
use crate::sampling::{About, assumed, overridden, said};
use crate::sequence::SequenceCounts;

/// An exporter.
#[derive(Clone, Debug, PartialEq)]
pub struct ExporterStatus {
    /// The address that it last used.
    pub address: IpAddr,
    /// Whom the transport vouches for, where it does.
    pub identity: Option<String>,
    /// What the operator calls it.
    pub name: Option<String>,
    /// Whether the operator named it.
    pub listed: bool,
    /// When its first datagram came.
    pub first_ns: i64,
    /// When its last datagram came.
    pub last_ns: i64,
    /// Its observation domains, source ids, engines and sub-agents.
    pub domains: Vec<DomainStatus>,
    /// Bytes of data that waits for templates.
    pub waiting_bytes: usize,
    /// What sequences told that are no longer followed.
    pub forgotten: SequenceCounts,
    /// What became of everything that it sent.
    pub ledger: Ledger,
}

impl ExporterStatus {
    /// The protocols that it speaks.
    pub fn protocols(&self) -> impl Iterator<Item = Protocol> {
        Protocol::ALL.into_iter().filter(|protocol| self.domains.iter().any(|domain| domain.protocol == *protocol))
    }

    /// How many templates are known.
    pub fn templates(&self) -> usize {
        self.domains.iter().map(|domain| domain.templates).sum()
    }

    /// What its sequences of datagrams, flows or records told, in their own units.
    pub fn lost(&self) -> u64 {
        self.forgotten.lost + self.domains.iter().map(|domain| domain.sequence.lost).sum::<u64>()
    }
}

/// A part of an exporter that numbers and describes its messages by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainStatus {
    /// What it speaks.
    pub protocol: Protocol,
    /// Observation domain, source id, engine or sub-agent.
    pub id: u32,
    /// The sFlow agent.
    pub agent: Option<IpAddr>,
    /// The other end of its session, where templates belong to one.
    pub session: Option<SocketAddr>,
    /// When its last datagram came.
    pub last_ns: i64,
    /// Datagrams, or messages, that were decoded.
    pub datagrams: u64,
    /// Data records of flows that were decoded.
    pub records: u64,
    /// Templates that are known.
    pub templates: usize,
    /// How often ids got another meaning; where that goes on, two exporters share an address and a domain.
    pub templates_redefined: u64,
    /// By how much receive times are over the exporter's clock: the median of its last datagrams.
    pub clock_offset_ns: Option<i64>,
    /// What the sequence told: flows for v5, datagrams for v9 and sFlow, data records for IPFIX.
    pub sequence: SequenceCounts,
    /// What sFlow sources' sequences told: samples.
    pub samples: SequenceCounts,
    /// Samples that the sFlow agent says it had to leave out.
    pub samples_dropped: u64,
    /// Sampling rates.
    pub samplers: Vec<SamplerStatus>,
}

/// A sampling rate that is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SamplerStatus {
    /// The sampler's or selector's number; none where the rate is not of one.
    pub id: Option<u64>,
    /// The interface, where the rate is for its flows alone.
    pub interface: Option<u64>,
    /// The template, where the rate is for its flows alone.
    pub template: Option<u16>,
    /// One in how many packets.
    pub rate: u64,
    /// How it is known.
    pub source: SamplingSource,
}

pub(crate) fn of(exporter: &Exporter, config: &Config) -> ExporterStatus {
    let known = exporter.config.and_then(|at| config.exporters.get(at));
    let identity = match &exporter.key {
        ExporterKey::Identity(name) => Some(name.clone()),
        ExporterKey::Address(_) => None,
    };
    let operator = overridden(known).or_else(|| assumed(known));
    let operator = operator.map(|rate| sampler(About::All, rate));
    ExporterStatus {
        address: exporter.address,
        identity,
        name: known.and_then(|known| known.name.clone()),
        listed: exporter.listed,
        first_ns: exporter.first_ns,
        last_ns: exporter.last_ns,
        domains: exporter.domains.iter().map(|(key, state)| domain(key, state, operator)).collect(),
        waiting_bytes: exporter.waiting.bytes(),
        forgotten: exporter.forgotten,
        ledger: exporter.ledger.clone(),
    }
}

fn domain(key: &DomainKey, state: &Domain, operator: Option<SamplerStatus>) -> DomainStatus {
    let mut samples = SequenceCounts::default();
    for source in state.sources.values() {
        samples.add(source.sequence.counts);
    }
    let told = state.samplers.iter().map(|(about, rate)| sampler(about, said(rate)));
    let header = state.samplers.header().map(|rate| sampler(About::All, rate));
    let told = header.into_iter().chain(told);
    let overridden = operator.filter(|sampler| sampler.source == SamplingSource::Override);
    let samplers = match overridden {
        Some(sampler) => vec![sampler],
        None => told.chain(operator).collect(),
    };
    DomainStatus {
        protocol: key.protocol,
        id: key.id,
        agent: key.agent,
        session: key.session,
        last_ns: state.last_ns,
        datagrams: state.datagrams,
        records: state.records,
        templates: state.templates.len(),
        templates_redefined: state.templates.iter().map(|(_, template)| template.times.redefined).sum(),
        clock_offset_ns: state.clock.offset_ns(),
        sequence: state.sequence.counts,
        samples,
        samples_dropped: state.sources.values().map(|source| source.dropped).sum(),
        samplers,
    }
}

fn sampler(about: About, (rate, source): (u64, SamplingSource)) -> SamplerStatus {
    let mut status = SamplerStatus { id: None, interface: None, template: None, rate, source };
    match about {
        About::All => {}
        About::Template(id) => status.template = Some(id),
        About::Interface(index) => status.interface = Some(index),
        About::Selector(id) => status.id = Some(id),
    }
    status
}
