//! What is wrong, in words, with what to do about it.

use super::{ExporterView, Problem, Status, stalled};
use crate::board::{Board, Figures};
use crate::keeper::KeeperFigures;

/// Clocks that are further off than this shift flow times.
const CLOCK_OFFSET_MAX_SECONDS: f64 = 5.0;

/// Everything that is worth somebody's attention.
pub(super) fn find(status: &Status, board: &Board, figures: &[(u32, Figures)], keeper: &KeeperFigures) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |what: String, remedy: &str| problems.push(Problem { what, remedy: remedy.to_owned() });
    for (shard, figures) in figures {
        if let Some(reason) = stalled(&figures.health) {
            add(
                format!("shard {shard} cannot store rows: {reason}"),
                "make room on the disk; the journal keeps what came and it goes on by itself",
            );
        }
        if figures.journal.lost > 0 {
            add(
                format!(
                    "shard {shard}: {} deliveries of the journal were unreadable at the start",
                    figures.journal.lost
                ),
                "check the disk; sequence gaps show what is missing",
            );
        }
        if figures.journal.refused > 0 {
            add(
                format!("shard {shard}: the journal had no room for {} datagrams", figures.journal.refused),
                "make room on the disk, or raise journal.limit",
            );
        }
    }
    for listener in &status.listeners {
        if listener.kernel_drops > 0 {
            let larger = listener.buffer_asked_bytes.max(listener.buffer_granted_bytes * 2);
            add(
                format!(
                    "{}: the kernel dropped {} datagrams before they were read",
                    listener.url, listener.kernel_drops
                ),
                &format!("sysctl -w net.core.rmem_max={larger} and udp.receive_buffer, or more shards"),
            );
        } else if listener.buffer_granted_bytes < listener.buffer_asked_bytes {
            add(
                format!(
                    "{}: the receive buffer is {} bytes instead of {}",
                    listener.url, listener.buffer_granted_bytes, listener.buffer_asked_bytes
                ),
                &format!("sysctl -w net.core.rmem_max={}", listener.buffer_asked_bytes),
            );
        }
    }
    let connections = &status.connections;
    let refused = connections.refused + connections.refused_of_address;
    if refused > 0 {
        add(
            format!("{refused} HTTP connections were turned away since there were too many"),
            "look who connects, or raise http.connections and http.connections_per_address",
        );
    }
    if let Some(reason) = &keeper.waits_for {
        add(
            format!("parts are not merged, nor old ones removed: {reason}"),
            "make room on the disk, or set store.keep or store.max_size; it goes on by itself",
        );
    }
    let mut of_store = board.store.problems();
    of_store.extend(keeper.problems.iter().cloned());
    of_store.dedup();
    for problem in of_store {
        add(problem.to_string(), "the other parts are not affected; restore the file from a backup, or leave it");
    }
    for (reason, count) in status.totals.datagrams.refused.iter() {
        add(
            format!("{count} datagrams were refused: {reason}"),
            "add the senders to senders.allow, or set senders.require = false",
        );
    }
    status.exporters.iter().for_each(|exporter| of_exporter(exporter, &mut problems));
    problems
}

fn of_exporter(exporter: &ExporterView, problems: &mut Vec<Problem>) {
    let who = exporter
        .name
        .as_ref()
        .map_or_else(|| exporter.address.to_string(), |name| format!("{name} ({})", exporter.address));
    let mut add = |what: String, remedy: &str| {
        problems.push(Problem { what: format!("{who}: {what}"), remedy: remedy.to_owned() })
    };
    let offset = exporter
        .domains
        .iter()
        .filter_map(|domain| domain.clock_offset_seconds)
        .find(|offset| offset.abs() > CLOCK_OFFSET_MAX_SECONDS);
    if let Some(offset) = offset {
        let direction = if offset > 0.0 { "behind" } else { "ahead" };
        add(
            format!("its clock is {:.0} s {direction}; flow times are corrected", offset.abs()),
            "set up NTP on the exporter",
        );
    }
    let waiting = exporter.ledger.sets.waiting;
    if waiting > 0 {
        add(
            format!("{waiting} data sets wait for their templates"),
            "nothing, if it has just started; else shorten the exporter's template refresh interval",
        );
    }
    let expired = exporter.ledger.sets.expired.total();
    if expired > 0 {
        add(
            format!("{expired} data sets were given up for want of templates"),
            "shorten the exporter's template refresh interval",
        );
    }
    let malformed = exporter.ledger.datagrams.malformed.total() + exporter.ledger.sets.malformed.total();
    if malformed > 0 {
        add(format!("{malformed} datagrams or sets were damaged"), "capture them and look with `finderscope decode`");
    }
    if exporter.lost > 0 {
        add(
            format!("{} lost on the way, by its sequence numbers", exporter.lost),
            "look at kernel drops above, then at the network",
        );
    }
}
