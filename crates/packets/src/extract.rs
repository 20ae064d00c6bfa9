//! Packets out of deliveries of any protocol, for programs that have no intake of their own.

use finderscope_flow::Tables;
use finderscope_flow::builder::BATCH_ROWS;
use finderscope_intake::{Config, Intake, Limits, TemplateScope};
use finderscope_wire::delivery::Delivery;

use crate::{Counts, Item, Sections, walk};

/// Hands out the packets of one delivery after the other: sFlow by the walk, all else through an [`Intake`], whose rows
/// are thrown away.
#[derive(Debug)]
pub struct Extractor {
    intake: Intake,
    tables: Tables,
    counts: Counts,
}

impl Default for Extractor {
    fn default() -> Self {
        // Every datagram counts, as it does for sFlow: who looks at packets wants to see what came.
        let limits = Limits { duplicate_window: 0, ..Limits::default() };
        let config = Config { template_scope: TemplateScope::Address, limits, ..Config::default() };
        Self { intake: Intake::new(config), tables: Tables::default(), counts: Counts::default() }
    }
}

impl Extractor {
    /// Knows nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands out what a delivery has: each packet once, in order. Packets of records that wait for a template come with
    /// the template.
    pub fn handle(&mut self, delivery: &Delivery<'_>, take: impl FnMut(Item<'_>)) {
        if walk::is_sflow(delivery.bytes) {
            return walk::sflow(delivery, &mut self.counts, take);
        }
        self.counts.datagrams += 1;
        self.intake.handle(delivery, &mut self.tables, &mut Sections::new(&mut self.counts, take));
        if self.tables.rows() >= BATCH_ROWS {
            for builder in self.tables.all() {
                builder.finish();
            }
        }
    }

    /// What was found so far.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many sets wait for a template: their packets have not been handed out.
    pub fn waiting(&self) -> u64 {
        self.intake.totals().sets.waiting
    }
}
