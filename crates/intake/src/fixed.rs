//! NetFlow's versions before 9: one header, one kind of record, a datagram is one set.
//!
//! All that their headers have in common is done here, for version 5 too ([`crate::netflow5`] writes its records by
//! itself, since nearly everybody sends them). Records of versions 1, 6, 7 and 8 are read by a plan like those of a
//! template: that is what a layout is which everybody knows.

use finderscope_wire::netflow::fixed::Message;
use finderscope_wire::netflow::v5::Sampling;
use finderscope_wire::netflow::{v1, v6, v7};
use finderscope_wire::{Problem, WireError};

use crate::context::Context;
use crate::exporter::{DomainKey, Exporter};
use crate::pass::Pass;
use crate::{Protocol, sets};

/// What a header says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) protocol: Protocol,
    /// Engine type and id; in version 8 the aggregation before them, since each has its own sequence.
    pub(crate) domain: u32,
    /// Records, as claimed.
    pub(crate) count: u16,
    pub(crate) uptime_ms: u32,
    pub(crate) export_ns: i64,
    /// Number of the first record.
    pub(crate) sequence: Option<u32>,
    pub(crate) sampling: Option<Sampling>,
}

/// Takes note of a header.
pub(crate) fn begin(head: &Head, exporter: &mut Exporter, pass: &mut Pass<'_>) -> (DomainKey, Context) {
    let key = pass.domain(head.protocol, head.domain, None);
    pass.open_domain(exporter, key);
    let state = exporter.domains.open(key);
    let received_ns = pass.delivery.received_ns;
    state.clock.observe(received_ns, head.export_ns);
    if let Some(sequence) = head.sequence {
        state.sequence.observe(sequence, Some(head.count.into()), Some(head.uptime_ms));
    }
    if let Some(sampling) = head.sampling {
        state.samplers.tell_header(sampling);
    }
    state.last_ns = received_ns;
    state.datagrams += 1;
    let context = Context {
        protocol: head.protocol,
        received_ns,
        export_ns: Some(head.export_ns),
        uptime_ms: Some(head.uptime_ms),
        exporter: pass.address(),
        sampler: pass.address(),
        domain: head.domain,
        sequence: head.sequence,
    };
    (key, context)
}

/// Decodes a datagram of version 1, 6, 7 or 8.
pub(crate) fn decode(message: &Message<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let (key, context) = begin(&head(message), exporter, pass);
    exporter.ledger.sets.received += 1;
    let Some(layout) = message.layout() else {
        exporter.ledger.sets.unknown.add(format!("aggregation {}", message.aggregation()), 1);
        pass.error(WireError::new("aggregation", 22, Problem::Value(message.aggregation().into())));
        return;
    };
    let plan = pass.shared.plans.fixed(layout);
    let walk = sets::records(&plan, 0, message.body(), key, &context, exporter, pass);
    sets::settle_set(walk.error.or(message.problem()), exporter, pass);
}

fn head(message: &Message<'_>) -> Head {
    let header = message.header();
    let engine = u32::from(header.engine_type) * 256 + u32::from(header.engine_id);
    let protocol = match message.version() {
        v1::VERSION => Protocol::NetflowV1,
        v6::VERSION => Protocol::NetflowV6,
        v7::VERSION => Protocol::NetflowV7,
        _ => Protocol::NetflowV8,
    };
    Head {
        protocol,
        domain: u32::from(message.aggregation()) << 16 | engine,
        count: message.count(),
        uptime_ms: header.uptime_ms,
        export_ns: header.export_ns(),
        sequence: (protocol != Protocol::NetflowV1).then_some(header.flow_sequence),
        sampling: matches!(protocol, Protocol::NetflowV6 | Protocol::NetflowV8).then(|| header.sampling()),
    }
}
