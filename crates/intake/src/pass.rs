//! What one delivery is decoded with.

use std::net::IpAddr;

use finderscope_flow::Tables;
use finderscope_wire::WireError;
use finderscope_wire::delivery::{Delivery, Scheme};

use crate::Protocol;
use crate::cells::Spans;
use crate::config::{Config, TemplateScope};
use crate::exporter::{DomainKey, Exporter, Forgotten};
use crate::plan::{Buffers, Plans};
use crate::watch::{ErrorEvent, Trouble, Watch};

/// What all exporters share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) plans: Plans,
    pub(crate) buffers: Buffers,
    pub(crate) spans: Spans,
    /// Bytes of data that waits for templates, of exporters that are not listed.
    pub(crate) waiting_bytes: usize,
    /// Fields of the templates of exporters that are not listed.
    pub(crate) template_fields: usize,
}

impl Shared {
    /// What one that is not listed no longer takes.
    pub(crate) const fn give_back(&mut self, forgotten: Forgotten) {
        self.waiting_bytes = self.waiting_bytes.saturating_sub(forgotten.waiting_bytes);
        self.template_fields = self.template_fields.saturating_sub(forgotten.template_fields);
    }
}

/// One delivery on its way.
pub(crate) struct Pass<'a> {
    pub(crate) delivery: &'a Delivery<'a>,
    pub(crate) shared: &'a mut Shared,
    pub(crate) tables: &'a mut Tables,
    pub(crate) watch: &'a mut dyn Watch,
}

impl Pass<'_> {
    /// Writes the rows that wait.
    pub(crate) fn settle(&mut self) {
        if let Some(samples) = &mut self.shared.buffers.samples {
            samples.write(&mut self.tables.flows);
        }
    }

    /// The source of the datagram.
    pub(crate) fn address(&self) -> IpAddr {
        self.delivery.source.ip()
    }

    /// The domain `id` of this delivery's exporter; templates on streams belong to their session (RFC 7011 section 8).
    pub(crate) fn domain(&self, protocol: Protocol, id: u32, agent: Option<IpAddr>) -> DomainKey {
        let stream = matches!(self.delivery.listener.scheme, Scheme::Tcp | Scheme::Tls | Scheme::Sctp);
        let by_port = self.shared.config.template_scope == TemplateScope::Port;
        DomainKey { protocol, id, agent, session: (stream || by_port).then_some(self.delivery.source) }
    }

    /// Makes a domain of the exporter known, and room for it.
    pub(crate) fn open_domain(&mut self, exporter: &mut Exporter, key: DomainKey) {
        let forgotten = exporter.open_domain(key, &self.shared.config.limits);
        if !exporter.listed {
            self.shared.give_back(forgotten);
        }
    }

    /// Tells the onlooker what could not be read.
    pub(crate) fn error(&mut self, error: WireError) {
        let exporter = self.address();
        self.watch.error(&ErrorEvent { exporter, error: Trouble::Wire(error), offset: error.offset });
    }

    /// Tells the onlooker what was not wanted, and where it stood.
    pub(crate) fn reason(&mut self, reason: &'static str, offset: usize) {
        let exporter = self.address();
        self.watch.error(&ErrorEvent { exporter, error: Trouble::Reason(reason), offset });
    }
}
