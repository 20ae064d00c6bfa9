//! What the program around does with a decoder: other configurations, losses before it, other threads.

use std::net::IpAddr;

use finderscope_wire::delivery::Delivery;

use crate::config::Config;
use crate::exporter::Exporter;
use crate::{Intake, Ledger};

impl Intake {
    /// Counts a delivery that could not be taken, and why: `where` of the first balance.
    pub fn dropped(&mut self, delivery: &Delivery<'_>, reason: &'static str) {
        let ledger = self.ledger_of(delivery);
        ledger.datagrams.received += 1;
        ledger.datagrams.dropped.add(reason, 1);
    }

    fn ledger_of(&mut self, delivery: &Delivery<'_>) -> &mut Ledger {
        match self.exporters.find(delivery).and_then(|at| self.exporters.get_mut(at)) {
            Some(exporter) => &mut exporter.ledger,
            None => &mut self.strangers,
        }
    }

    /// Takes another configuration; what is known of exporters stays.
    pub fn reconfigure(&mut self, config: Config) {
        self.shared.config = config;
        let maps = &self.shared.config.maps;
        if self.shared.plans.follow(maps) {
            for exporter in self.exporters.iter_mut() {
                for domain in exporter.domains.values_mut() {
                    domain.templates.recompile(&mut self.shared.plans);
                }
            }
        }
        (self.shared.waiting_bytes, self.shared.template_fields) = (0, 0);
        for exporter in self.exporters.take() {
            self.adopt(exporter);
        }
    }

    /// Takes over what `before` could not take: that is in no journal, so a replay cannot count it.
    pub fn adopt_drops(&mut self, before: &Self) {
        for exporter in before.exporters.iter() {
            let own = self.exporters.iter_mut().find(|own| own.key == exporter.key);
            adopt_drops(own.map_or(&mut self.strangers, |own| &mut own.ledger), &exporter.ledger);
        }
        adopt_drops(&mut self.strangers, &before.strangers);
    }

    /// Gives each exporter to the decoder that `place` names for its address.
    pub fn distribute(mut self, into: &mut [Self], place: impl Fn(IpAddr) -> usize) {
        for exporter in self.exporters.take() {
            if let Some(intake) = into.get_mut(place(exporter.address)) {
                intake.adopt(exporter);
            }
        }
        if let Some(first) = into.first_mut() {
            first.exporters.forgotten.merge(&self.exporters.forgotten);
            first.strangers.merge(&self.strangers);
        }
    }

    fn adopt(&mut self, exporter: Exporter) {
        let (waiting_bytes, template_fields) = (exporter.waiting.bytes(), exporter.template_fields());
        let at = self.exporters.insert(exporter, &self.shared.config);
        if self.exporters.get_mut(at).is_some_and(|exporter| !exporter.listed) {
            self.shared.waiting_bytes += waiting_bytes;
            self.shared.template_fields += template_fields;
        }
    }
}

/// Raises each reason to what it was before.
fn adopt_drops(own: &mut Ledger, before: &Ledger) {
    for (reason, count) in before.datagrams.dropped.iter() {
        let missing = count.saturating_sub(own.datagrams.dropped.get(reason));
        own.datagrams.received += missing;
        own.datagrams.dropped.add(reason.to_owned(), missing);
    }
}
