//! A stream of packets into anything that takes bytes: what is wanted, in one shape, and what was left out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use finderscope_packets::capture::{Options, Writer};
use finderscope_packets::{Item, Packet, Shape};
use finderscope_transport::bpf::Filter;

/// Which packets a stream has, and how.
#[derive(Debug, Default)]
pub struct Rules {
    /// How they are written.
    pub capture: Options,
    /// Whether those of other links get an Ethernet header.
    pub make_ethernet: bool,
    /// Whether those that devices threw away are among them.
    pub discards: bool,
    /// Which of them are wanted.
    pub filter: Option<Filter>,
}

/// What became of packets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Those that were handed on.
    pub written: u64,
    /// Those that the filter did not want.
    pub filtered: u64,
    /// Discarded packets, which nobody asked for.
    pub discarded: u64,
    /// Those that begin with something else, by what that is.
    pub others: BTreeMap<u32, u64>,
}

/// Writes packets as a capture.
#[derive(Debug)]
pub struct Stream<W> {
    writer: Writer<W>,
    shape: Shape,
    discards: bool,
    filter: Option<Filter>,
    tally: Tally,
}

impl<W: Write> Stream<W> {
    /// Begins: whoever reads `out` has the capture's head at once.
    pub fn new(out: W, rules: Rules) -> io::Result<Self> {
        let Rules { capture, make_ethernet, discards, filter } = rules;
        let shape = Shape::new(capture.link, make_ethernet);
        Ok(Self { writer: Writer::new(out, capture)?, shape, discards, filter, tally: Tally::default() })
    }

    /// Takes what a source gives. At a pause, which is none, everything is handed on.
    pub fn take(&mut self, item: Option<Item<'_>>) -> io::Result<()> {
        self.take_or_turn(item, |_, _| Ok(None))
    }

    /// The same. Before a packet is written, `next` is asked, with how long the file is, whether to go on in another one.
    pub fn take_or_turn(
        &mut self,
        item: Option<Item<'_>>,
        next: impl FnOnce(&Packet<'_>, u64) -> io::Result<Option<W>>,
    ) -> io::Result<()> {
        match item {
            Some(Item::Packet(packet)) => self.packet(&packet, next),
            Some(Item::Port(port)) => {
                self.writer.port(&port);
                Ok(())
            }
            None => self.writer.flush(),
        }
    }

    fn packet(
        &mut self,
        packet: &Packet<'_>,
        next: impl FnOnce(&Packet<'_>, u64) -> io::Result<Option<W>>,
    ) -> io::Result<()> {
        if packet.discard.is_some() && !self.discards {
            self.tally.discarded += 1;
            return Ok(());
        }
        let Some(shaped) = self.shape.fit(packet) else {
            self.leave_out(packet);
            return Ok(());
        };
        if let Some(filter) = &self.filter
            && !filter.matches(shaped.bytes, shaped.true_length)
        {
            self.tally.filtered += 1;
            return Ok(());
        }
        if let Some(out) = next(packet, self.writer.bytes())? {
            // The file before is whole.
            self.writer.turn_to(out)?;
        }
        self.writer.packet(packet, &shaped)
    }

    #[cold]
    fn leave_out(&mut self, packet: &Packet<'_>) {
        const KINDS_MAX: usize = 64;
        let others = &mut self.tally.others;
        let kind = packet.protocol.0;
        // Nobody has so many; whoever makes them up gets one place for all.
        let kind = if others.len() < KINDS_MAX || others.contains_key(&kind) { kind } else { u32::MAX };
        *others.entry(kind).or_default() += 1;
    }

    /// What became of packets so far.
    pub fn tally(&self) -> Tally {
        Tally { written: self.writer.written(), ..self.tally.clone() }
    }
}

#[cfg(test)]
mod tests;
