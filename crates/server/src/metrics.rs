//! `/metrics`: the status as OpenMetrics text.
//!
//! Counters carry the words of the balances as labels, so that each balance can be checked from its metrics. Exporters
//! appear by address up to a cap, since addresses can be forged; the rest is in the totals.

use std::fmt;

use finderscope_intake::{Ledger, Reasons};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::status::Status;

/// Exporters with series of their own.
const EXPORTERS_MAX: usize = 1_000;

/// The metrics of a status.
pub(crate) fn text(status: &Status) -> String {
    let mut registry = Registry::with_prefix("finderscope");
    registry.register_collector(Box::new(Snapshot(status.clone())));
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = text::encode(&mut out, &registry);
    out
}

#[derive(Debug)]
struct Snapshot(Status);

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let status = &self.0;
        let encoder = &mut encoder;
        gauge(encoder, "uptime", "Seconds since the start", Some(&Unit::Seconds), status.uptime_seconds)?;
        ledger(encoder, &status.totals)?;
        exporters(encoder, status)?;
        listeners(encoder, status)?;
        journals(encoder, status)?;
        store(encoder, status)?;
        connections(encoder, status)?;
        live(encoder, status)?;
        forwarding(encoder, status)?;
        gauge(encoder, "problems", "Problems that status lists", None, status.problems.len() as u64)
    }
}

type Labels = Vec<(&'static str, String)>;

fn gauge(e: &mut DescriptorEncoder<'_>, name: &str, help: &str, unit: Option<&Unit>, value: u64) -> fmt::Result {
    let metric = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    let encoder = e.encode_descriptor(name, help, unit, prometheus_client::metrics::MetricType::Gauge)?;
    metric.encode(encoder)
}

/// One counter with a series for each set of labels.
fn counters(e: &mut DescriptorEncoder<'_>, name: &str, help: &str, series: &[(Labels, u64)]) -> fmt::Result {
    if series.is_empty() {
        return Ok(());
    }
    let mut family = e.encode_descriptor(name, help, None, prometheus_client::metrics::MetricType::Counter)?;
    for (labels, value) in series {
        let metric = family.encode_family(labels)?;
        ConstCounter::new(*value).encode(metric)?;
    }
    Ok(())
}

fn gauges(
    e: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    series: &[(Labels, u64)],
) -> fmt::Result {
    if series.is_empty() {
        return Ok(());
    }
    let mut family = e.encode_descriptor(name, help, unit, prometheus_client::metrics::MetricType::Gauge)?;
    for (labels, value) in series {
        let metric = family.encode_family(labels)?;
        ConstGauge::new(i64::try_from(*value).unwrap_or(i64::MAX)).encode(metric)?;
    }
    Ok(())
}

/// A term of a balance, and why.
fn term(outcome: &str, reason: &str, count: u64) -> (Labels, u64) {
    (vec![("outcome", outcome.to_owned()), ("reason", reason.to_owned())], count)
}

fn terms(outcome: &'static str, reasons: &Reasons) -> Vec<(Labels, u64)> {
    reasons.iter().map(|(reason, count)| term(outcome, reason, count)).collect()
}

fn ledger(e: &mut DescriptorEncoder<'_>, ledger: &Ledger) -> fmt::Result {
    let Ledger { datagrams, sets, records, notes } = ledger;
    let mut all = vec![term("decoded", "", datagrams.decoded), term("duplicate", "", datagrams.duplicate)];
    all.extend(terms("refused", &datagrams.refused));
    all.extend(terms("malformed", &datagrams.malformed));
    all.extend(terms("dropped", &datagrams.dropped));
    counters(e, "datagrams_received", "Datagrams that came", &[(vec![], datagrams.received)])?;
    counters(e, "datagrams", "What became of datagrams", &all)?;

    let mut all = vec![term("decoded", "", sets.decoded)];
    all.extend(terms("expired", &sets.expired));
    all.extend(terms("unknown", &sets.unknown));
    all.extend(terms("malformed", &sets.malformed));
    counters(e, "sets_received", "Sets and samples that came", &[(vec![], sets.received)])?;
    counters(e, "sets", "What became of sets and samples", &all)?;
    gauge(e, "sets_waiting", "Data sets that wait for a template", None, sets.waiting)?;

    let mut all = vec![term("stored", "", records.stored)];
    all.extend(terms("skipped", &records.skipped));
    all.extend(terms("lost", &records.lost));
    counters(e, "records_received", "Records that came", &[(vec![], records.received)])?;
    counters(e, "records", "What became of records", &all)?;
    gauge(e, "records_in_memory", "Records on their way into parts", None, records.in_memory)?;

    let notes: Vec<_> = notes.iter().map(|(note, count)| (vec![("note", note.to_owned())], count)).collect();
    counters(e, "notes", "Limits reached and oddities, by name", &notes)
}

fn exporters(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    gauge(e, "exporters", "Exporters that are known", None, status.exporters.len() as u64)?;
    let known = || status.exporters.iter().take(EXPORTERS_MAX);
    let by = |value: fn(&crate::status::ExporterView) -> u64| -> Vec<(Labels, u64)> {
        known().map(|exporter| (vec![("exporter", exporter.address.to_string())], value(exporter))).collect()
    };
    let received = by(|exporter| exporter.ledger.datagrams.received);
    counters(e, "exporter_datagrams", "Datagrams of an exporter", &received)?;
    let records = by(|exporter| exporter.ledger.records.received);
    counters(e, "exporter_records", "Records of an exporter", &records)?;
    let lost = by(|exporter| exporter.lost);
    counters(e, "exporter_lost", "Lost on the way, in the protocol's own unit, by sequence numbers", &lost)?;
    let malformed = by(|exporter| exporter.ledger.datagrams.malformed.total() + exporter.ledger.sets.malformed.total());
    counters(e, "exporter_malformed", "Damaged datagrams and sets of an exporter", &malformed)?;
    let waiting = by(|exporter| exporter.ledger.sets.waiting);
    gauges(e, "exporter_sets_waiting", "Data sets that wait for a template", None, &waiting)?;
    let templates = by(|exporter| exporter.templates as u64);
    gauges(e, "exporter_templates", "Templates that are known", None, &templates)
}

fn listeners(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    let by = |value: fn(&crate::status::ListenerStatus) -> u64| -> Vec<(Labels, u64)> {
        status.listeners.iter().map(|listener| (vec![("listener", listener.url.clone())], value(listener))).collect()
    };
    counters(e, "kernel_drops", "Datagrams that the kernel dropped", &by(|listener| listener.kernel_drops))?;
    gauges(e, "queued", "Bytes in the kernel's queues", Some(&Unit::Bytes), &by(|listener| listener.queued_bytes))
}

fn journals(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    let by = |value: fn(&crate::status::JournalView) -> u64| -> Vec<(Labels, u64)> {
        status.journals.iter().map(|journal| (vec![("shard", journal.shard.to_string())], value(journal))).collect()
    };
    gauges(e, "journal", "Size of the journal", Some(&Unit::Bytes), &by(|journal| journal.bytes))?;
    gauges(
        e,
        "journal_unstored",
        "Deliveries that are not in parts yet",
        None,
        &by(|journal| journal.next.saturating_sub(journal.stored)),
    )?;
    counters(e, "journal_refused", "Deliveries that the journal had no room for", &by(|journal| journal.refused))
}

fn connections(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    let of = &status.connections;
    gauge(e, "http_connections", "HTTP connections that are open", None, of.open as u64)?;
    let refused = |limit: &str, count| (vec![("limit", limit.to_owned())], count);
    let refused = [refused("connections", of.refused), refused("connections_per_address", of.refused_of_address)];
    counters(e, "http_refused", "HTTP connections that were turned away", &refused)?;
    counters(e, "http_timed_out", "HTTP connections that did nothing for too long", &[(vec![], of.timed_out)])
}

fn live(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    let live = &status.live;
    gauge(e, "live_subscribers", "Readers of live packets and datagrams", None, live.subscribers.len() as u64)?;
    counters(e, "live_sent", "Datagrams for such readers", &[(vec![], live.sent)])?;
    counters(e, "live_lost", "Datagrams that a reader was too slow for", &[(vec![], live.lost)])?;
    counters(e, "live_refused", "Readers for whom there was no place", &[(vec![], live.refused)])
}

fn forwarding(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    let by = |value: fn(&crate::status::ForwardView) -> u64| -> Vec<(Labels, u64)> {
        status.forwarding.iter().map(|target| (vec![("target", target.name.clone())], value(target))).collect()
    };
    counters(e, "forwarded", "Datagrams that were sent on", &by(|target| target.sent))?;
    counters(e, "forward_failed", "Datagrams that could not be sent on", &by(|target| target.failed))?;
    counters(e, "forward_lost", "Datagrams that came too fast to be sent on", &by(|target| target.lost))
}

fn store(e: &mut DescriptorEncoder<'_>, status: &Status) -> fmt::Result {
    let by = |value: fn(&crate::status::TableView) -> u64| -> Vec<(Labels, u64)> {
        status.store.tables.iter().map(|(name, table)| (vec![("table", name.clone())], value(table))).collect()
    };
    gauges(e, "store_parts", "Files of a table", None, &by(|table| table.parts))?;
    gauges(e, "store_rows", "Rows of a table", None, &by(|table| table.rows))?;
    gauges(
        e,
        "store_unmerged_parts",
        "Files of a table that are not merged yet",
        None,
        &by(|table| table.unmerged_parts),
    )?;
    gauges(e, "store", "Size of a table on disk", Some(&Unit::Bytes), &by(|table| table.bytes))?;
    let totals = [(vec![], status.store.totals.bytes)];
    gauges(e, "store_totals", "Size of all totals on disk", Some(&Unit::Bytes), &totals)?;
    status.store.keeping.as_ref().map_or(Ok(()), |keeping| self::keeping(e, keeping))
}

fn keeping(e: &mut DescriptorEncoder<'_>, keeping: &crate::status::KeepingView) -> fmt::Result {
    counters(e, "merged_rows", "Rows written again into merged parts", &[(vec![], keeping.merged_rows)])?;
    counters(e, "merged_parts", "Parts that were replaced by merged ones", &[(vec![], keeping.merged_parts)])?;
    counters(e, "keeping_cpu_milliseconds", "What merging took", &[(vec![], (keeping.cpu_seconds * 1e3) as u64)])?;
    let by = |value: fn(&crate::status::RemovedView) -> u64| -> Vec<(Labels, u64)> {
        keeping.removed.iter().map(|(cause, removed)| (vec![("cause", cause.clone())], value(removed))).collect()
    };
    counters(e, "removed_rows", "Rows that were not to be kept any longer", &by(|removed| removed.rows))?;
    counters(e, "removed_bytes", "Their size on disk", &by(|removed| removed.bytes))
}
