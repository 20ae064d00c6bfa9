//! The machine: deliveries in, rows out, and the books kept.

use std::cell::Cell;

use finderscope_flow::Tables;
use finderscope_wire::delivery::Delivery;

use crate::config::Config;
use crate::datagram::Datagram;
use crate::exporter::Exporter;
use crate::exporters::Exporters;
use crate::ledger::Ledger;
use crate::pass::{Pass, Shared};
use crate::status::{self, ExporterStatus};
use crate::watch::Watch;
use crate::{fixed, netflow5, sets, sflow};

/// Why a datagram is refused: nobody listed its sender, and senders have to be listed.
pub const SENDER_NOT_LISTED: &str = "sender_not_listed";

/// Between two looks for data that waited too long at exporters that have fallen silent.
const SWEEP_EVERY_NS: i64 = 60 * 1_000_000_000;

/// Decodes deliveries of many exporters. One thread has it, with whole exporters.
#[derive(Debug)]
pub struct Intake {
    pub(crate) exporters: Exporters,
    pub(crate) shared: Shared,
    /// Datagrams of senders that are not remembered: refused ones, and those that never sent a sound header.
    pub(crate) strangers: Ledger,
    pub(crate) next_sweep_ns: i64,
    discard: bool,
    changed: Cell<bool>,
}

impl Intake {
    /// Knows nobody yet.
    pub fn new(config: Config) -> Self {
        let mut shared = Shared { config, ..Shared::default() };
        shared.plans.follow(&shared.config.maps);
        Self {
            exporters: Exporters::default(),
            shared,
            strangers: Ledger::default(),
            next_sweep_ns: i64::MIN,
            discard: false,
            changed: Cell::new(false),
        }
    }

    /// Decodes one delivery: rows go into `tables`, everything else to `watch`.
    pub fn handle(&mut self, delivery: &Delivery<'_>, tables: &mut Tables, watch: &mut dyn Watch) {
        self.gather(delivery, tables, watch);
        self.settle(tables);
    }

    /// Decodes one delivery of several. The last rows may be kept until the next call, or until [`Intake::settle`], which has
    /// to come before the rows are counted on: before [`Intake::cut`] and [`Intake::state`].
    pub fn gather(&mut self, delivery: &Delivery<'_>, tables: &mut Tables, watch: &mut dyn Watch) {
        self.changed.set(true);
        self.sweep(delivery.received_ns);
        let mut pass = Pass { delivery, shared: &mut self.shared, tables, watch };
        let known = self.exporters.find(delivery);
        if known.is_none() && pass.shared.config.refuses(delivery.source.ip()) {
            self.strangers.datagrams.received += 1;
            self.strangers.datagrams.refused.add(SENDER_NOT_LISTED, 1);
            pass.reason(SENDER_NOT_LISTED, 0);
            return;
        }
        let datagram = match Datagram::read(delivery.bytes) {
            Ok(datagram) => datagram,
            Err(error) => {
                // Who never sent a sound header is not worth remembering.
                let known = known.and_then(|at| self.exporters.get_mut(at));
                let ledger = known.map_or(&mut self.strangers, |exporter| &mut exporter.ledger);
                ledger.datagrams.received += 1;
                ledger.datagrams.malformed.add(error.reason(), 1);
                pass.error(error);
                return;
            }
        };
        let at = known.unwrap_or_else(|| {
            let (at, forgotten) = self.exporters.add(delivery, &pass.shared.config);
            pass.shared.give_back(forgotten);
            at
        });
        let Some(exporter) = self.exporters.get_mut(at) else { return };
        take(&datagram, exporter, &mut pass);
        if self.discard {
            exporter.ledger.cut();
        }
        debug_assert_eq!(exporter.ledger.check(), Ok(()));
    }

    /// Writes the rows that [`Intake::gather`] kept.
    pub fn settle(&mut self, tables: &mut Tables) {
        if let Some(samples) = &mut self.shared.buffers.samples {
            samples.write(&mut tables.flows);
        }
    }

    /// The rows that were in memory are in closed batches now: their records count as stored.
    pub fn cut(&mut self) {
        debug_assert!(self.shared.buffers.samples.as_ref().is_none_or(|samples| samples.rows() == 0), "rows were kept");
        self.changed.set(true);
        for exporter in self.exporters.iter_mut() {
            exporter.ledger.cut();
        }
        self.exporters.forgotten.cut();
    }

    /// While on, records count as stored at once: a replay for the state alone, whose rows were stored before. The rows
    /// that [`Intake::handle`] writes all the same are the caller's to throw away.
    pub fn discard_rows(&mut self, discard: bool) {
        self.discard = discard;
        if discard {
            self.cut();
        }
    }

    /// Gives up the data that waits for templates. A replay that had to begin without its state does not know whether the
    /// rows of what waits are stored: then they must not be written again.
    pub fn give_up_waiting(&mut self, reason: &'static str) {
        for exporter in self.exporters.iter_mut() {
            sets::give_up_all(exporter, &mut self.shared, reason);
        }
    }

    /// Whether anything changed since the state was last written.
    pub fn state_changed(&self) -> bool {
        self.changed.get()
    }

    pub(crate) fn state_written(&self) {
        self.changed.set(false);
    }

    /// What is known of each exporter.
    pub fn ledger(&self) -> impl ExactSizeIterator<Item = ExporterStatus> {
        self.exporters.iter().map(|exporter| status::of(exporter, &self.shared.config))
    }

    /// What became of everything that ever came.
    pub fn totals(&self) -> Ledger {
        let mut sum = self.exporters.forgotten.clone();
        sum.merge(&self.strangers);
        for exporter in self.exporters.iter() {
            sum.merge(&exporter.ledger);
        }
        sum
    }

    /// Datagrams of senders that are not remembered: refused ones, and those that never sent a sound header.
    pub const fn strangers(&self) -> &Ledger {
        &self.strangers
    }

    /// How it was configured.
    pub const fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Whether all balances hold, of each exporter and in total; else which does not.
    pub fn check_balances(&self) -> Result<(), String> {
        self.strangers.check()?;
        self.exporters.forgotten.check()?;
        for exporter in self.exporters.iter() {
            exporter.ledger.check().map_err(|problem| format!("{}: {problem}", exporter.address))?;
            let waiting = exporter.waiting.len() as u64;
            if exporter.ledger.sets.waiting != waiting {
                return Err(format!("{}: {waiting} sets wait, not as {:?}", exporter.address, exporter.ledger.sets));
            }
        }
        self.check_shares()?;
        self.totals().check()
    }

    /// Whether what exporters share is the sum of their parts.
    fn check_shares(&self) -> Result<(), String> {
        let strangers = || self.exporters.iter().filter(|exporter| !exporter.listed);
        let bytes: usize = strangers().map(|exporter| exporter.waiting.bytes()).sum();
        let fields: usize = strangers().map(Exporter::template_fields).sum();
        if (bytes, fields) != (self.shared.waiting_bytes, self.shared.template_fields) {
            return Err(format!(
                "shared: {} bytes wait and {} template fields are known, but counted were {} and {}",
                bytes, fields, self.shared.waiting_bytes, self.shared.template_fields
            ));
        }
        Ok(())
    }

    /// Gives up data that waited too long at exporters that send nothing any more.
    fn sweep(&mut self, now_ns: i64) {
        if now_ns < self.next_sweep_ns {
            return;
        }
        self.next_sweep_ns = now_ns.saturating_add(SWEEP_EVERY_NS);
        for exporter in self.exporters.iter_mut() {
            sets::give_up_old(exporter, &mut self.shared, now_ns);
        }
    }
}

fn take(datagram: &Datagram<'_>, exporter: &mut Exporter, pass: &mut Pass<'_>) {
    let delivery = pass.delivery;
    exporter.last_ns = delivery.received_ns;
    exporter.address = delivery.source.ip();
    exporter.ledger.datagrams.received += 1;
    if exporter.duplicates.is_repeated(delivery.bytes, pass.shared.config.limits.duplicate_window) {
        exporter.ledger.datagrams.duplicate += 1;
        return;
    }
    exporter.ledger.datagrams.decoded += 1;
    sets::give_up_old(exporter, pass.shared, delivery.received_ns);
    if !matches!(datagram, Datagram::Sflow(_)) {
        pass.settle(); // rows stay in the order of their datagrams
    }
    match datagram {
        Datagram::Netflow5(message) => netflow5::decode(message, exporter, pass),
        Datagram::NetflowFixed(message) => fixed::decode(message, exporter, pass),
        Datagram::Netflow9(bytes) => sets::netflow9(bytes, exporter, pass),
        Datagram::Ipfix(bytes) => sets::ipfix(bytes, exporter, pass),
        Datagram::Sflow(datagram) => sflow::decode(datagram, exporter, pass),
    }
}
