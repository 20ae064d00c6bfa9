//! `[limits]` and `[templates]`: what senders can make us keep.

use serde::Deserialize;

use super::Size;

/// `[limits]`: each has a metric of its name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Exporters that are remembered; the idlest that is not listed goes first.
    pub exporters: Option<usize>,
    /// Templates of one exporter.
    pub templates_per_exporter: Option<usize>,
    /// Fields of one template.
    pub fields_per_template: Option<usize>,
    /// Bytes of data without a template, per exporter.
    pub waiting_per_exporter: Option<Size>,
    /// Bytes of data without a template, of all exporters.
    pub waiting: Option<Size>,
    /// Seconds that data waits for its template.
    pub waiting_seconds: Option<u64>,
}

/// `[templates]`
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Templates {
    /// What tells exporters' templates apart.
    pub scope: TemplateScope,
    /// Seconds after which an IPFIX template that was not sent again is forgotten; none by default.
    pub timeout_seconds: Option<u64>,
}

/// What a template belongs to, beside version and domain.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum TemplateScope {
    /// The exporter's address.
    #[default]
    Address,
    /// Its address and source port, as RFC 7011 has it.
    Port,
}
