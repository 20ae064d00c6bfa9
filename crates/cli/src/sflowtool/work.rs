//! What is done with each datagram: printed, captured, turned into NetFlow, forwarded.

use std::io::Write;

use anyhow::Context;
use finderscope_packets::sflowtool::netflow::NetFlow;
use finderscope_packets::sflowtool::{Received, Sampled, Vlans, pcap, samples};
use finderscope_wire::WireError;
use finderscope_wire::delivery::{Delivery, Scheme};
use finderscope_wire::sflow::Datagram;

use super::clock::Clock;
use super::settings::{Output, Settings};
use super::spoof::Collectors;
use super::targets::Targets;
use crate::flood::Flood;

/// So much is written at once when nobody waits for it.
const BUFFER_BYTES: usize = 1 << 16;

/// So many damaged datagrams are told at once, each with a line; of more the number.
const DAMAGED_LINES: u32 = 10;

/// Does the work of one run.
pub struct Work<'w, W> {
    out: &'w mut W,
    output: Output,
    vlans: Option<Vlans>,
    redacted: bool,
    netflow: NetFlow,
    collectors: Collectors,
    targets: Targets,
    clock: Clock,
    buffer: Vec<u8>,
    export: Vec<u8>,
    /// Packets that no capture of Ethernet frames can hold.
    left_out: u64,
    /// What is said of datagrams that are damaged.
    damaged: Flood,
}

impl<'w, W: Write> Work<'w, W> {
    /// Opens what datagrams are sent through; a capture's header is written at once.
    pub fn begin(settings: &mut Settings, out: &'w mut W) -> anyhow::Result<Self> {
        let output = std::mem::replace(&mut settings.output, Output::Nothing);
        let collectors = match (&output, settings.collector_port) {
            (Output::NetFlow, Some(port)) => Collectors::open(&settings.collectors, port, settings.spoofed)?,
            _ => Collectors::none(),
        };
        let mut work = Self {
            out,
            output,
            vlans: settings.vlans.take(),
            redacted: settings.redacted,
            netflow: NetFlow::new(settings.version, settings.peer_as, settings.scaled),
            collectors,
            targets: Targets::open(settings.targets.iter().copied())?,
            clock: Clock::local(),
            buffer: Vec::with_capacity(2 * BUFFER_BYTES),
            export: Vec::new(),
            left_out: 0,
            damaged: Flood::of_lines(DAMAGED_LINES),
        };
        if matches!(work.output, Output::Packets | Output::Discards | Output::Datagrams) {
            pcap::write_header(&mut work.buffer);
            work.flush()?;
        }
        Ok(work)
    }

    /// Takes a datagram. What is wrong with it is said, and is no failure.
    pub fn take(&mut self, delivery: &Delivery<'_>) -> anyhow::Result<()> {
        if let Some(error) = self.write(delivery) {
            let source = delivery.source.ip().to_canonical();
            let length = delivery.bytes.len();
            self.damaged.say(format_args!("a datagram of {length} bytes from {source} is damaged: {error}"));
        }
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_out()?;
        }
        Ok(())
    }

    fn write(&mut self, delivery: &Delivery<'_>) -> Option<WireError> {
        let damage = match &mut self.output {
            Output::Nothing => None,
            Output::Datagrams => {
                self.left_out +=
                    u64::from(!pcap::write_datagram(&mut self.buffer, delivery.received_ns, delivery.bytes));
                None
            }
            Output::Form(form) => {
                self.clock.set(delivery.received_ns);
                let received = Received {
                    bytes: delivery.bytes,
                    source: delivery.source.ip().to_canonical(),
                    received_ns: delivery.received_ns,
                    from_file: delivery.listener.scheme == Scheme::Pcap,
                    local_time: &self.clock.local,
                    log_time: &self.clock.log,
                };
                form.write(&received, self.vlans.as_ref(), &mut self.buffer)
            }
            Output::Packets => self.capture(delivery, false),
            Output::Discards => self.capture(delivery, true),
            Output::NetFlow => self.export(delivery),
        };
        if !self.targets.is_empty() {
            self.targets.send(delivery.bytes);
        }
        damage
    }

    fn capture(&mut self, delivery: &Delivery<'_>, discards: bool) -> Option<WireError> {
        let (buffer, redacted, left_out) = (&mut self.buffer, self.redacted, &mut self.left_out);
        samples(delivery.bytes, self.vlans.as_ref(), |_, sample| {
            let seen = match sample {
                Sampled::Flow(seen) if !discards => seen,
                Sampled::Discarded(seen) if discards => seen,
                _ => return,
            };
            if seen.header.is_some() {
                *left_out += u64::from(!pcap::write_packet(buffer, delivery.received_ns, seen, redacted));
            }
        })
    }

    fn export(&mut self, delivery: &Delivery<'_>) -> Option<WireError> {
        let (netflow, collectors, export) = (&mut self.netflow, &mut self.collectors, &mut self.export);
        let mut refused = None;
        let damage = samples(delivery.bytes, self.vlans.as_ref(), |datagram: &Datagram<'_>, sample| {
            let Sampled::Flow(seen) = sample else { return };
            match netflow.write(seen, datagram.sub_agent_id, delivery.received_ns, export) {
                Ok(true) => collectors.send(datagram.agent, export),
                Ok(false) => {}
                Err(error) => refused = Some(error),
            }
        });
        damage.or(refused)
    }

    fn write_out(&mut self) -> anyhow::Result<()> {
        self.out.write_all(&self.buffer).context("cannot write")?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes all that waits, so that its reader has it.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        self.damaged.tell_old();
        self.write_out()?;
        self.out.flush().context("cannot write")
    }

    /// Writes the rest and says what could not be.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.flush()?;
        if self.left_out > 0 {
            crate::say(format_args!("{} packets were left out: this kind of capture cannot hold them", self.left_out));
        }
        Ok(())
    }
}
