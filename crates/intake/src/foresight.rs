//! What is known of the senders of datagrams that are at hand, brought nearer before it is needed.
//!
//! Ten thousand exporters' state does not fit into a processor's caches. Decoding a datagram walks over some twenty lines of
//! it, each of which has to be waited for when the one before has come. Here the same lines of many exporters are asked
//! for, one kind after the other, and nobody waits: the processor has many such questions under way at once.

use std::hint::black_box;
use std::net::IpAddr;

use finderscope_wire::ipfix;
use finderscope_wire::netflow::v9;

use crate::Intake;
use crate::exporter::{Domain, Exporter};

/// Fewer exporters are in the cache as it is.
const EXPORTERS_MIN: usize = 256;
/// Datagrams looked at in one go: more would push each other out again.
const AHEAD_MAX: usize = 64;

impl Intake {
    /// Prepares for datagrams that will be handled next: their senders' addresses and their bytes. It changes nothing, and
    /// may be left out.
    pub fn foresee<'a>(&self, datagrams: impl Iterator<Item = (IpAddr, &'a [u8])>) {
        if self.exporters.iter().len() < EXPORTERS_MIN {
            return;
        }
        let mut known: [Option<(&Exporter, &[u8])>; AHEAD_MAX] = [None; AHEAD_MAX];
        for (place, (sender, bytes)) in known.iter_mut().zip(datagrams) {
            *place = self.exporters.of_address(sender).map(|exporter| (exporter, bytes));
        }
        let mut sum = 0;
        for (exporter, _) in known.iter().flatten() {
            sum ^= exporter.glance();
        }
        for (exporter, bytes) in known.iter().flatten() {
            sum ^= exporter.domains.values().next().map_or(0, Domain::glance) ^ exporter.duplicates.glance(bytes);
        }
        for (exporter, bytes) in known.iter().flatten() {
            let domain = exporter.domains.values().next();
            sum ^= domain.zip(first_set(bytes)).map_or(0, |(domain, id)| {
                domain.templates.get(id).map_or(0, |template| template.times.last_ns as u64) ^ domain.clock.glance()
            });
        }
        black_box(sum);
    }
}

/// The first set's id, where sets are what there is.
fn first_set(bytes: &[u8]) -> Option<u16> {
    let at = match u16::from_be_bytes(*bytes.first_chunk()?) {
        v9::VERSION => size_of::<v9::Header>(),
        ipfix::VERSION => size_of::<ipfix::Header>(),
        _ => return None,
    };
    bytes.get(at..)?.first_chunk().map(|id| u16::from_be_bytes(*id))
}

impl Exporter {
    /// Reads a little of all that a datagram reads.
    fn glance(&self) -> u64 {
        let Self { ledger, waiting, .. } = self;
        let counts = [
            ledger.datagrams.received,
            ledger.datagrams.duplicate,
            ledger.sets.received,
            ledger.sets.waiting,
            ledger.records.received,
            ledger.records.in_memory,
            ledger.notes.total(),
            self.last_ns as u64,
            self.first_ns as u64,
            self.domains.len() as u64,
            waiting.bytes() as u64,
            self.wide.len() as u64,
            self.forgotten.lost,
        ];
        counts.into_iter().fold(0, |sum, count| sum ^ count)
    }
}

impl Domain {
    fn glance(&self) -> u64 {
        let Self { sequence, samplers, sources, .. } = self;
        let counts = [
            self.last_ns as u64,
            self.records,
            sequence.counts.lost,
            samplers.len() as u64,
            sources.len() as u64,
            self.templates.len() as u64,
            self.clock.shift_ns() as u64,
        ];
        counts.into_iter().fold(0, |sum, count| sum ^ count)
    }
}
