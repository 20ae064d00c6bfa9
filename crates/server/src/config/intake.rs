//! What of the configuration concerns the decoder, in its own words.

use finderscope_intake as intake;

use super::{Config, Exporter, Limits, Network, TemplateScope};

const SECOND_NS: i64 = 1_000_000_000;

impl Config {
    /// The decoder's configuration.
    pub fn intake(&self) -> intake::Config {
        intake::Config {
            template_scope: match self.templates.scope {
                TemplateScope::Address => intake::TemplateScope::Address,
                TemplateScope::Port => intake::TemplateScope::Port,
            },
            template_timeout_ns: self.templates.timeout_seconds.map(nanoseconds),
            senders: intake::Senders {
                require: self.senders.require,
                allow: self.senders.allow.iter().map(network).collect(),
            },
            exporters: self.exporters.iter().map(exporter).collect(),
            maps: self.rules(),
            limits: limits(&self.limits),
        }
    }
}

fn network(network: &Network) -> intake::Network {
    intake::Network { address: network.address, prefix: network.prefix }
}

fn exporter(exporter: &Exporter) -> intake::ExporterConfig {
    intake::ExporterConfig {
        name: exporter.name.clone(),
        sampling_rate: exporter.sampling_rate,
        assumed_sampling_rate: exporter.assumed_sampling_rate,
        v9_enterprise: exporter.v9_enterprise_numbers,
        ..intake::ExporterConfig::new(network(&exporter.address))
    }
}

fn limits(limits: &Limits) -> intake::Limits {
    let defaults = intake::Limits::default();
    intake::Limits {
        exporters: limits.exporters.unwrap_or(defaults.exporters),
        templates_per_exporter: limits.templates_per_exporter.unwrap_or(defaults.templates_per_exporter),
        fields_per_template: limits.fields_per_template.unwrap_or(defaults.fields_per_template),
        waiting_bytes_per_exporter: limits
            .waiting_per_exporter
            .map_or(defaults.waiting_bytes_per_exporter, |size| size.bytes()),
        waiting_bytes: limits.waiting.map_or(defaults.waiting_bytes, |size| size.bytes()),
        waiting_age_ns: limits.waiting_seconds.map_or(defaults.waiting_age_ns, nanoseconds),
        ..defaults
    }
}

fn nanoseconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(SECOND_NS)
}
