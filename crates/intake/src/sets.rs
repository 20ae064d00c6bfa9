//! NetFlow v9 and IPFIX: sets of templates, of data, and of what nobody knows.

use std::sync::Arc;

use finderscope_wire::ipfix::{self, Dialect, Extent, Set, SetKind, Sets, TemplateRecords};
use finderscope_wire::netflow::v9;
use finderscope_wire::{Reader, WireError};

use crate::cells::{self, Records, Walk};
use crate::context::Context;
use crate::exporter::{DomainKey, Exporter};
use crate::options;
use crate::pass::{Pass, Shared};
use crate::plan::{Frame, Plan, Rows, Work};
use crate::sampling::Lookup;
use crate::structured::Meaning;
use crate::template::Template;
use crate::waiting::WaitingSet;
use crate::{Protocol, learn};

/// Decodes the NetFlow v9 messages of a datagram: mostly one. The first has a sound header.
pub(crate) fn netflow9(datagram: &[u8], exporter: &mut Exporter, pass: &mut Pass<'_>) {
    for message in v9::messages(datagram) {
        match message {
            Ok(message) => netflow9_message(&message, exporter, pass),
            Err(error) => broken_set(error, exporter, pass),
        }
    }
}

fn netflow9_message(message: &v9::Message<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let header = message.header();
    let key = pass.domain(Protocol::NetflowV9, header.source_id.get(), None);
    let (sequence, uptime_ms) = (header.sequence_number.get(), header.uptime_ms.get());
    let context = context(pass, Protocol::NetflowV9, header.export_ns(), Some(uptime_ms), key.id, sequence);
    let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
    let enterprise = config.is_some_and(|config| config.v9_enterprise);
    let dialect = if enterprise { Dialect::V9Enterprise } else { Dialect::V9 };
    begin(&context, key, exporter, pass);
    sets(message.sets(), dialect, key, &context, exporter, pass);
    let domain = exporter.domains.open(key);
    domain.sequence.observe(sequence, Some(1), Some(uptime_ms));
}

/// Decodes the IPFIX messages of a datagram: mostly one. The first has a sound header.
pub(crate) fn ipfix(datagram: &[u8], exporter: &mut Exporter, pass: &mut Pass<'_>) {
    for message in ipfix::messages(datagram) {
        match message {
            Ok(message) => ipfix_message(&message, exporter, pass),
            Err(error) => broken_set(error, exporter, pass),
        }
    }
}

fn ipfix_message(message: &ipfix::Message<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let header = message.header();
    let (domain, sequence) = (header.observation_domain_id.get(), header.sequence_number.get());
    let key = pass.domain(Protocol::Ipfix, domain, None);
    let context = context(pass, Protocol::Ipfix, header.export_ns(), None, domain, sequence);
    begin(&context, key, exporter, pass);
    if let Extent::Cut(error) = message.extent() {
        exporter.ledger.notes.add("message_cut", 1);
        pass.error(error);
    }
    let records = sets(message.sets(), Dialect::Ipfix, key, &context, exporter, pass);
    let domain = exporter.domains.open(key);
    domain.sequence.observe(sequence, records, None);
}

fn context(
    pass: &Pass<'_>,
    protocol: Protocol,
    export_ns: i64,
    uptime_ms: Option<u32>,
    domain: u32,
    sequence: u32,
) -> Context {
    Context {
        protocol,
        received_ns: pass.delivery.received_ns,
        export_ns: Some(export_ns),
        uptime_ms,
        exporter: pass.address(),
        sampler: pass.address(),
        domain,
        sequence: Some(sequence),
    }
}

fn begin(context: &Context, key: DomainKey, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    pass.open_domain(exporter, key);
    let domain = exporter.domains.open(key);
    domain.datagrams += 1;
    domain.last_ns = context.received_ns;
    domain.clock.observe(context.received_ns, context.export_ns.unwrap_or(context.received_ns));
}

/// Decodes sets. Says how many data records there were; none where that cannot be known.
fn sets(
    sets: Sets<'_>,
    dialect: Dialect,
    key: DomainKey,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<u32> {
    let mut records = Some(0_u32);
    for set in sets {
        let set = match set {
            Ok(set) => set,
            Err(error) => {
                broken_set(error, exporter, pass);
                return None;
            }
        };
        exporter.ledger.sets.received += 1;
        match set.kind(dialect) {
            SetKind::Templates(kind) => {
                let templates = TemplateRecords::new(set.body, dialect, kind);
                let error = learn::templates(templates, key, context, exporter, pass);
                settle_set(error.or(set.extent.problem()), exporter, pass);
            }
            SetKind::Data(id) => {
                let more = data(id, &set, key, context, exporter, pass);
                records = records.zip(more).map(|(sum, more)| sum.wrapping_add(more));
            }
            SetKind::Reserved(id) => match set.extent {
                Extent::Whole => exporter.ledger.sets.unknown.add(format!("set {id}"), 1),
                Extent::Cut(error) => settle_set(Some(error), exporter, pass),
            },
        }
    }
    records
}

/// A set, or a message behind the first, whose header is unsound.
fn broken_set(error: WireError, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    exporter.ledger.sets.received += 1;
    settle_set(Some(error), exporter, pass);
}

/// Puts a set on one side of the balance.
pub(crate) fn settle_set(error: Option<WireError>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    match error {
        None => exporter.ledger.sets.decoded += 1,
        Some(error) => {
            exporter.ledger.sets.malformed.add(error.reason(), 1);
            pass.error(error);
        }
    }
}

fn data(
    id: u16,
    set: &Set<'_>,
    key: DomainKey,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Option<u32> {
    let Some(template) = find(id, key, context, exporter, pass) else {
        match set.extent {
            Extent::Whole => wait(id, set, key, context, exporter, pass),
            // Nobody could tell later where the damage is.
            Extent::Cut(error) => settle_set(Some(error), exporter, pass),
        }
        return None;
    };
    let walk = records(&template, id, set.body, key, context, exporter, pass);
    let error = walk.error.or(set.extent.problem());
    settle_set(error, exporter, pass);
    // A set that was cut has records that nobody counted.
    error.is_none().then_some(walk.records as u32)
}

/// The plan of a template that is known and has not expired.
fn find(id: u16, key: DomainKey, context: &Context, exporter: &mut Exporter, pass: &mut Pass<'_>) -> Option<Arc<Plan>> {
    let domain = exporter.domains.get_mut(&key)?;
    let template = domain.templates.get(id)?;
    let expires = key.protocol == Protocol::Ipfix && key.session.is_none();
    if let Some(timeout_ns) = pass.shared.config.template_timeout_ns.filter(|_| expires)
        && context.received_ns.saturating_sub(template.times.last_ns) > timeout_ns
    {
        let expired: Option<Template> = domain.templates.remove(id);
        let fields = expired.map_or(0, |template| template.plan.fields.len());
        learn::give_back(fields, exporter, pass);
        exporter.ledger.notes.add("templates_expired", 1);
        return None;
    }
    Some(Arc::clone(&template.plan))
}

/// Decodes data records whose plan is known.
pub(crate) fn records(
    plan: &Plan,
    id: u16,
    body: Reader<'_>,
    key: DomainKey,
    context: &Context,
    exporter: &mut Exporter,
    pass: &mut Pass<'_>,
) -> Walk {
    let mut spans = std::mem::take(&mut pass.shared.spans);
    let walk = match plan.stride {
        Some(stride) => cells::stride(body.rest(), stride),
        None => cells::walk(body, &plan.places, &mut spans),
    };
    let records = match plan.stride {
        Some(stride) => Records::Strided { body: &body.rest()[..walk.records * stride], stride },
        None => Records::Walked { body: body.rest(), spans: &spans, fields: plan.places.len() },
    };
    match &plan.work {
        Work::Data(data) => {
            let domain = exporter.domains.open(key);
            domain.records += walk.records as u64;
            let Shared { config, buffers, .. } = &mut *pass.shared;
            let rows = Rows {
                context,
                frame: Frame::new(context, domain.boot_ns, domain.clock.shift_ns()),
                rates: Lookup {
                    own: &domain.samplers,
                    wide: &exporter.wide,
                    template: id,
                    config: exporter.config.and_then(|at| config.exporters.get(at)),
                },
                meaning: Meaning { templates: Some(&domain.templates), learned: &exporter.learned },
            };
            let assumed = data.write(&records, &plan.places, &rows, pass.tables, buffers);
            exporter.ledger.notes.add("times_assumed", assumed);
            data.show(&records, &rows, pass.watch);
        }
        Work::Options(fields) => options::write(fields, id, &records, key, context, exporter, pass),
    }
    let ledger = &mut exporter.ledger.records;
    ledger.received += (walk.records + walk.padding) as u64;
    ledger.in_memory += walk.records as u64;
    ledger.skipped.add("padding", walk.padding as u64);
    pass.shared.spans = spans;
    walk
}

/// Keeps a set for its template, as far as there is room.
fn wait(id: u16, set: &Set<'_>, key: DomainKey, context: &Context, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    exporter.ledger.sets.waiting += 1;
    let (offset, body) = (set.body.offset(), set.body.rest());
    let waiting = WaitingSet { domain: key, template: id, context: *context, offset, body: body.to_vec() };
    pass.reason("template_missing", set.offset);
    let cost = waiting.cost();
    let limits = &pass.shared.config.limits;
    let (own, all) = (limits.waiting_bytes_per_exporter, limits.waiting_bytes);
    while exporter.waiting.bytes() > 0 && exporter.waiting.bytes() + cost > own {
        give_up_oldest(exporter, pass.shared, "waiting_bytes_per_exporter");
    }
    while exporter.waiting.bytes() > 0 && !exporter.listed && pass.shared.waiting_bytes + cost > all {
        give_up_oldest(exporter, pass.shared, "waiting_bytes");
    }
    let reason = match () {
        () if cost > own => Some("waiting_bytes_per_exporter"),
        () if !exporter.listed && pass.shared.waiting_bytes + cost > all => Some("waiting_bytes"),
        () => None,
    };
    if let Some(reason) = reason {
        exporter.ledger.sets.waiting -= 1;
        exporter.ledger.sets.expired.add(reason, 1);
        return;
    }
    pass.shared.waiting_bytes += if exporter.listed { 0 } else { cost };
    exporter.waiting.push(waiting);
}

fn give_up_oldest(exporter: &mut Exporter, shared: &mut Shared, reason: &'static str) {
    let Some(set) = exporter.waiting.pop() else { return };
    if !exporter.listed {
        shared.waiting_bytes = shared.waiting_bytes.saturating_sub(set.cost());
    }
    exporter.ledger.sets.waiting -= 1;
    exporter.ledger.sets.expired.add(reason, 1);
}

/// Gives up all that waits.
pub(crate) fn give_up_all(exporter: &mut Exporter, shared: &mut Shared, reason: &'static str) {
    while exporter.waiting.bytes() > 0 {
        give_up_oldest(exporter, shared, reason);
    }
}

/// Gives up what has waited too long.
pub(crate) fn give_up_old(exporter: &mut Exporter, shared: &mut Shared, now_ns: i64) {
    let age_ns = shared.config.limits.waiting_age_ns;
    while exporter.waiting.oldest_ns().is_some_and(|oldest| now_ns.saturating_sub(oldest) > age_ns) {
        give_up_oldest(exporter, shared, "age");
    }
}

/// Decodes what waited for a template that has come. The rows belong to this delivery, but keep their own times.
pub(crate) fn release(id: u16, key: DomainKey, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let released = exporter.waiting.release(key, id);
    for set in released {
        if !exporter.listed {
            pass.shared.waiting_bytes = pass.shared.waiting_bytes.saturating_sub(set.cost());
        }
        exporter.ledger.sets.waiting -= 1;
        let plan =
            exporter.domains.get(&key).and_then(|domain| domain.templates.get(id)).map(|it| Arc::clone(&it.plan));
        let Some(plan) = plan else {
            exporter.ledger.sets.expired.add("template_withdrawn", 1);
            continue;
        };
        let body = Reader::at(&set.body, set.offset);
        let walk = records(&plan, id, body, key, &set.context, exporter, pass);
        settle_set(walk.error, exporter, pass);
    }
}
