//! Nothing unaccounted: three balances per exporter, and what is counted beside them.
//!
//! ```text
//! datagrams received = decoded + refused(reason) + malformed(reason) + duplicate + dropped(where)
//! sets and samples   = decoded + waiting + expired(reason) + unknown(kind) + malformed(reason)
//! records            = stored + in memory + skipped(reason) + lost(where)
//! ```
//!
//! They hold after every delivery ([`Ledger::check`]). Notes stand beside them: limits that were reached, times that
//! could not be, templates that changed. The ledger is part of the saved state, so that a replay ends at the same counts.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Different reasons that are told apart; what strangers name beyond that is `other`.
const REASONS_MAX: usize = 64;

/// Counts by reason.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reasons(Vec<(Cow<'static, str>, u64)>);

impl Reasons {
    /// Adds `count` to `reason`; nothing is noted where it is zero.
    pub fn add(&mut self, reason: impl Into<Cow<'static, str>>, count: u64) {
        if count == 0 {
            return;
        }
        let mut reason = reason.into();
        if let Some((_, sum)) = self.0.iter_mut().find(|(known, _)| *known == reason) {
            *sum += count;
            return;
        }
        if self.0.len() >= REASONS_MAX {
            reason = Cow::Borrowed("other");
            if let Some((_, sum)) = self.0.iter_mut().find(|(known, _)| *known == reason) {
                *sum += count;
                return;
            }
        }
        self.0.push((reason, count));
    }

    /// The count of one reason.
    pub fn get(&self, reason: &str) -> u64 {
        self.0.iter().find(|(known, _)| known == reason).map_or(0, |&(_, count)| count)
    }

    /// The sum over all reasons.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|&(_, count)| count).sum()
    }

    /// Reasons and their counts, in the order in which they first occurred.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(reason, count)| (reason.as_ref(), *count))
    }

    /// Whether nothing was counted.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn merge(&mut self, other: &Self) {
        for (reason, count) in &other.0 {
            self.add(reason.clone(), *count);
        }
    }
}

/// The balance of datagrams.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Datagrams {
    /// All that came.
    pub received: u64,
    /// Those with a sound header.
    pub decoded: u64,
    /// Those that the sender rules turned away.
    pub refused: Reasons,
    /// Those without a sound header.
    pub malformed: Reasons,
    /// Those that had come before.
    pub duplicate: u64,
    /// Those for which there was no room.
    pub dropped: Reasons,
}

/// The balance of sets (NetFlow v9, IPFIX; a v5 datagram is one set) and samples (sFlow).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sets {
    /// All that came.
    pub received: u64,
    /// Those that were read to their end.
    pub decoded: u64,
    /// Data that waits for its template.
    pub waiting: u64,
    /// Data that waited in vain.
    pub expired: Reasons,
    /// Kinds that nobody here knows.
    pub unknown: Reasons,
    /// Those with damage. The records before it were kept.
    pub malformed: Reasons,
}

/// The balance of data records, flow samples, counter structures and discarded packets.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Records {
    /// All that were read.
    pub received: u64,
    /// Those whose rows are in closed batches.
    pub stored: u64,
    /// Those whose rows are in builders.
    pub in_memory: u64,
    /// Those that make no row.
    pub skipped: Reasons,
    /// Those whose rows were lost.
    pub lost: Reasons,
}

/// What became of everything that one exporter sent, or all of them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ledger {
    /// Datagrams.
    pub datagrams: Datagrams,
    /// Sets and samples.
    pub sets: Sets,
    /// Records.
    pub records: Records,
    /// What is counted beside the balances: limits reached, impossible times, templates redefined.
    pub notes: Reasons,
}

impl Ledger {
    /// Whether the three balances hold; else which does not.
    pub fn check(&self) -> Result<(), String> {
        let Self { datagrams, sets, records, .. } = self;
        let parts = datagrams.decoded
            + datagrams.refused.total()
            + datagrams.malformed.total()
            + datagrams.duplicate
            + datagrams.dropped.total();
        balance("datagrams", datagrams.received, parts, datagrams)?;
        let parts = sets.decoded + sets.waiting + sets.expired.total() + sets.unknown.total() + sets.malformed.total();
        balance("sets", sets.received, parts, sets)?;
        let parts = records.stored + records.in_memory + records.skipped.total() + records.lost.total();
        balance("records", records.received, parts, records)
    }

    /// The rows in memory are stored now.
    pub(crate) fn cut(&mut self) {
        self.records.stored += std::mem::take(&mut self.records.in_memory);
    }

    /// Counts what `other` counted, too.
    pub fn merge(&mut self, other: &Self) {
        let (to, from) = (&mut self.datagrams, &other.datagrams);
        to.received += from.received;
        to.decoded += from.decoded;
        to.duplicate += from.duplicate;
        to.refused.merge(&from.refused);
        to.malformed.merge(&from.malformed);
        to.dropped.merge(&from.dropped);
        let (to, from) = (&mut self.sets, &other.sets);
        to.received += from.received;
        to.decoded += from.decoded;
        to.waiting += from.waiting;
        to.expired.merge(&from.expired);
        to.unknown.merge(&from.unknown);
        to.malformed.merge(&from.malformed);
        let (to, from) = (&mut self.records, &other.records);
        to.received += from.received;
        to.stored += from.stored;
        to.in_memory += from.in_memory;
        to.skipped.merge(&from.skipped);
        to.lost.merge(&from.lost);
        self.notes.merge(&other.notes);
    }
}

fn balance(what: &str, received: u64, parts: u64, all: &impl std::fmt::Debug) -> Result<(), String> {
    if received == parts {
        return Ok(());
    }
    Err(format!("{what}: received {received}, accounted for {parts}: {all:?}"))
}
