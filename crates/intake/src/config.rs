//! What the operator says: who may send, what is known about exporters, and how much strangers may make us keep.

use std::net::IpAddr;

use crate::mapping::MapRule;

/// How datagrams are taken.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What templates belong to, beside exporter, version and domain.
    pub template_scope: TemplateScope,
    /// After how long an IPFIX template over UDP that was not sent again is forgotten; never by default, since many
    /// exporters refresh late. NetFlow v9 templates do not expire.
    pub template_timeout_ns: Option<i64>,
    /// Who may send.
    pub senders: Senders,
    /// What is known about single exporters or networks of them; the first that fits counts.
    pub exporters: Vec<ExporterConfig>,
    /// What is known about elements, before the program's own tables.
    pub maps: Vec<MapRule>,
    /// What strangers may make us keep.
    pub limits: Limits,
}

/// What a template belongs to, beside exporter, version and domain.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TemplateScope {
    /// Nothing else: exporters change their port, and some send templates from another one than data.
    #[default]
    Address,
    /// The source port too, as the standard has it (RFC 7011 section 8).
    Port,
}

/// Who may send.
#[derive(Clone, Debug, Default)]
pub struct Senders {
    /// Whether everybody who is not listed is refused.
    pub require: bool,
    /// Networks whose exporters are listed. Those of [`Config::exporters`] are, too.
    pub allow: Vec<Network>,
}

/// What the operator knows about one exporter, or about all of a network.
#[derive(Clone, Debug)]
pub struct ExporterConfig {
    /// Which.
    pub network: Network,
    /// A name for people.
    pub name: Option<String>,
    /// The sampling rate, whatever the exporter says.
    pub sampling_rate: Option<u64>,
    /// The sampling rate while the exporter says none.
    pub assumed_sampling_rate: Option<u64>,
    /// Whether its NetFlow v9 templates have enterprise numbers, as in IPFIX.
    pub v9_enterprise: bool,
}

impl ExporterConfig {
    /// Nothing but that the exporter is known.
    pub const fn new(network: Network) -> Self {
        Self { network, name: None, sampling_rate: None, assumed_sampling_rate: None, v9_enterprise: false }
    }
}

/// An address with a prefix length.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    /// Any address in it.
    pub address: IpAddr,
    /// Bits that count.
    pub prefix: u8,
}

impl Network {
    /// One address.
    pub const fn host(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }

    /// Whether `address` is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let difference = own.to_bits() ^ other.to_bits();
                difference.checked_shr(32 - u32::from(self.prefix.min(32))).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let difference = own.to_bits() ^ other.to_bits();
                difference.checked_shr(128 - u32::from(self.prefix.min(128))).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// What may be kept. Each limit that is reached is counted under its name among the notes of the exporter's ledger.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Exporters that are remembered. Beyond, the idlest that are not listed are forgotten.
    pub exporters: usize,
    /// Domains (observation domains, source ids, sub-agents, sessions) of one exporter. Beyond, the idlest is forgotten.
    pub domains_per_exporter: usize,
    /// Templates of one exporter. Beyond, new ones are refused.
    pub templates_per_exporter: usize,
    /// Fields of one template. Wider ones are refused.
    pub fields_per_template: usize,
    /// Fields of all templates of one exporter. Beyond, new ones are refused.
    pub template_fields_per_exporter: usize,
    /// Fields of all templates of exporters that are not listed. Beyond, new ones are refused.
    pub template_fields: usize,
    /// Samplers of one exporter. Beyond, new ones are not learned.
    pub samplers_per_exporter: usize,
    /// sFlow data sources of one exporter whose sequences are followed. Beyond, new ones are not.
    pub sources_per_exporter: usize,
    /// Datagrams of one exporter that a new one is compared with, at most 1,024.
    pub duplicate_window: usize,
    /// Bytes of data of one exporter that wait for templates. Beyond, the oldest is given up.
    pub waiting_bytes_per_exporter: usize,
    /// Bytes of data of all exporters that are not listed. Beyond, the exporter's own oldest is given up.
    pub waiting_bytes: usize,
    /// How long data waits: as long as the slowest usual refresh of templates.
    pub waiting_age_ns: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            exporters: 20_000,
            domains_per_exporter: 1_024,
            templates_per_exporter: 4_096,
            fields_per_template: 512,
            template_fields_per_exporter: 1 << 17,
            template_fields: 1 << 22,
            samplers_per_exporter: 4_096,
            sources_per_exporter: 16_384,
            duplicate_window: 1_024,
            waiting_bytes_per_exporter: 1 << 20,
            waiting_bytes: 256 << 20,
            waiting_age_ns: 30 * 60 * 1_000_000_000,
        }
    }
}

impl Config {
    /// What is known about the exporter at `address`.
    pub(crate) fn exporter(&self, address: IpAddr) -> Option<&ExporterConfig> {
        self.exporters.iter().find(|exporter| exporter.network.contains(address))
    }

    /// Whether a sender that was never heard of is turned away.
    pub fn refuses(&self, address: IpAddr) -> bool {
        self.senders.require && !self.lists(address)
    }

    /// Whether the operator named the exporter at `address`, alone or within a network.
    pub(crate) fn lists(&self, address: IpAddr) -> bool {
        self.senders.allow.iter().any(|network| network.contains(address)) || self.exporter(address).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: &str, prefix: u8, inside: &[&str], outside: &[&str]) {
        let parse = |text: &str| text.parse::<IpAddr>().expect("an address");
        let network = Network { address: parse(network), prefix };
        assert!(inside.iter().all(|address| network.contains(parse(address))), "{network:?}");
        assert!(!outside.iter().any(|address| network.contains(parse(address))), "{network:?}");
    }

    #[test]
    fn networks_contain_what_shares_their_prefix() {
        check("10.1.2.3", 8, &["10.0.0.0", "10.255.255.255"], &["11.0.0.0", "::a00:1"]);
        check("10.1.2.3", 32, &["10.1.2.3"], &["10.1.2.2"]);
        check("0.0.0.0", 0, &["255.1.2.3"], &["::"]);
        check("2001:db8::", 32, &["2001:db8:ffff::1"], &["2001:db9::"]);
        check("::", 0, &["ffff::"], &["1.2.3.4"]);
    }
}
