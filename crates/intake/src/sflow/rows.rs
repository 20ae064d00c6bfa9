//! Sampled packets into rows, column by column.
//!
//! Nearly all samples say the same few things: a header, a switch's VLANs, a route. They are gathered, those of several
//! datagrams where that is asked for, and each column is then written for all of them; what has more to say is a row by
//! itself.

use finderscope_flow::{SamplingSource, Tables};
use finderscope_wire::WireError;
use finderscope_wire::packet::{Brief, HeaderProtocol, Packet};
use finderscope_wire::sflow::{FlowHeader, FlowSample, UsualSample};

use super::facts::Facts;
use super::flows;
use super::gathered::Gathered;
use super::row::{Row, Said, has_index, has_no_priorities};
use crate::context::Context;
use crate::exporter::Exporter;
use crate::pass::Pass;
use crate::sampling::{Rate, assumed, overridden};

/// Sampled packets of one datagram, behind those of others whose rows are not written yet.
pub(super) struct Rows<'c> {
    context: &'c Context,
    rows: Box<Gathered>,
    /// How many rows are of others.
    before: usize,
}

impl<'c> Rows<'c> {
    /// No rows of its own yet. [`Rows::end`] gives `rows` back.
    pub(super) fn new(context: &'c Context, rows: Box<Gathered>) -> Self {
        Self { context, before: rows.rows(), rows }
    }

    /// Takes in what was [`said`] at once.
    #[inline]
    pub(super) fn add_usual(
        &mut self,
        head: &FlowHeader,
        said: &Said<'_>,
        exporter: &mut Exporter,
        pass: &mut Pass<'_>,
    ) {
        self.push(head, rate(head, exporter, pass), said, pass.tables);
        flows::count(exporter);
    }

    /// Takes any sample in. Says what was wrong with a part of it.
    #[inline(never)]
    pub(super) fn add(
        &mut self,
        sample: &FlowSample<'_>,
        exporter: &mut Exporter,
        pass: &mut Pass<'_>,
    ) -> Option<WireError> {
        let facts = Facts::read(sample.records(), &mut exporter.ledger.notes);
        let error = facts.error;
        if facts.is_void() {
            return error;
        }
        let head = sample.head();
        let rate = rate(&head, exporter, pass);
        if is_plain(&head, &facts) {
            self.push(&head, rate, &facts_said(&facts), pass.tables);
        } else {
            self.write(pass.tables);
            let text = &mut pass.shared.buffers.text;
            flows::flow(sample, rate, &facts, self.context, &mut pass.tables.flows, text);
        }
        flows::count(exporter);
        error
    }

    // What is made and what is kept of it are one step then, without a row in between.
    #[inline(always)]
    fn push(&mut self, head: &FlowHeader, rate: Rate, said: &Said<'_>, tables: &mut Tables) {
        if self.rows.is_full() {
            self.write(tables);
        }
        self.rows.push(&Row::new(head, rate, said));
    }

    /// Writes what was gathered.
    pub(super) fn write(&mut self, tables: &mut Tables) {
        self.rows.end(self.context, self.rows.rows() - self.before);
        self.rows.write(&mut tables.flows);
        self.before = 0;
    }

    /// Gives back what was gathered.
    pub(super) fn end(mut self) -> Box<Gathered> {
        self.rows.end(self.context, self.rows.rows() - self.before);
        self.rows
    }
}

#[inline]
fn rate(head: &FlowHeader, exporter: &Exporter, pass: &Pass<'_>) -> Rate {
    let config = exporter.config.and_then(|at| pass.shared.config.exporters.get(at));
    let said = (head.sampling_rate > 0).then_some((head.sampling_rate.into(), SamplingSource::Sample));
    overridden(config).or(said).or_else(|| assumed(config))
}

/// What the sample says, where all of it is in the columns of [`Gathered`].
#[inline]
pub(super) fn said<'a>(usual: &'a UsualSample<'_>) -> Option<Said<'a>> {
    let UsualSample { head, header, switch, router } = usual;
    let plain = header.protocol == HeaderProtocol::ETHERNET
        && has_index(head.input)
        && has_index(head.output)
        && has_no_priorities(switch.as_ref());
    if !plain {
        return None;
    }
    let packet = Brief::read(header.header)?;
    let length = Some(header.frame_length);
    Some(Said { header: Some(header), length, packet, switch: switch.as_ref(), router: router.as_ref() })
}

/// The same of any sample, which [`is_plain`] has to be asked about.
fn facts_said<'a>(facts: &'a Facts<'_>) -> Said<'a> {
    Said {
        header: facts.header.as_ref(),
        length: facts.length,
        packet: Brief::of(&facts.packet),
        switch: facts.switch.as_ref(),
        router: facts.router.as_ref(),
    }
}

/// Whether all that a sample says is in the columns of [`Gathered`].
fn is_plain(head: &FlowHeader, facts: &Facts<'_>) -> bool {
    has_index(head.input) && has_index(head.output) && fits(&facts.packet) && facts.is_plain()
}

/// Whether all that a packet says is in a [`Brief`].
const fn fits(packet: &Packet) -> bool {
    packet.tunnel.is_none()
        && packet.mpls_labels == 0
        && packet.vlan_tags < 2
        && packet.igmp_type.is_none()
        && packet.ipsec_spi.is_none()
}

#[cfg(test)]
mod tests;
