//! `-R`: ordinary packets of a capture, sampled one in N and forwarded as sFlow.
//!
//! Between samples so many packets are skipped as chance says, N on average (sFlow version 5, section 3.1). The agent is
//! 0.0.0.0, which clashes with nobody's data.

use std::fs::File;
use std::io::Read;
use std::net::Ipv4Addr;
use std::time::Instant;

use anyhow::Context;
use finderscope_transport::capture::{CaptureError, Packets};
use finderscope_wire::packet::{HeaderProtocol, Layer};
use finderscope_wire::sflow::{DatagramHeader, Encoder, FlowHeader, FlowRecord, SampledHeader};
use rand::RngExt;

use super::settings::Settings;
use super::source::Pace;
use super::targets::Targets;
use crate::exit::Exit;
use crate::live::Stop;

/// sFlow's usual length of a header.
const HEADER_BYTES: usize = 128;
/// What sflowtool calls itself as a sub-agent when it samples.
const SUB_AGENT: u32 = 0x5F10;
/// A datagram fits an Ethernet frame with as many samples of this size.
const SAMPLES: u32 = 7;
/// Ethernet's check sequence, which a capture does not have, and sFlow counts.
const CHECK_BYTES: u32 = 4;

/// Samples a capture and sends the samples to all targets.
pub fn run(settings: &Settings, rate: u32, stop: &Stop) -> anyhow::Result<Exit> {
    let file = settings.file.as_deref().context("-R wants a capture (-r)")?;
    let mut targets = Targets::open(settings.targets.iter().copied())?;
    let mut sampler = Sampler::new(rate);
    let speed = settings.playback.filter(|speed| *speed > 0.0);
    loop {
        let before = sampler.pool;
        let exit = once(file, speed, stop, &mut sampler, &mut targets)?;
        sampler.send(&mut targets);
        // A capture without packets would be read again at once, and so forever.
        if speed.is_none() || stop.is_set() || exit != Exit::Done || sampler.pool == before {
            crate::say(format_args!("{} of {} packets were sampled", sampler.sampled, sampler.pool));
            return Ok(exit);
        }
    }
}

fn once(
    file: &str,
    speed: Option<f64>,
    stop: &Stop,
    sampler: &mut Sampler,
    targets: &mut Targets,
) -> anyhow::Result<Exit> {
    let mut packets = open(file)?;
    let mut pace = speed.map(Pace::new);
    while !stop.is_set() {
        let packet = match packets.read() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(error) => {
                crate::say(format_args!("{file}: {error}"));
                return Ok(Exit::Partly);
            }
        };
        if let Some(pace) = &mut pace {
            // Samples of what came before a pause do not wait for its end.
            pace.wait(packet.captured_ns, stop, &mut || {
                sampler.send(targets);
                Ok(())
            })?;
        }
        let Ok((layer, bytes)) = packet.layer() else { continue };
        let protocol = match layer {
            Layer::Ethernet => HeaderProtocol::ETHERNET,
            Layer::Ip | Layer::Ipv4 | Layer::Ipv6 if bytes.first().is_some_and(|first| first >> 4 == 4) => {
                HeaderProtocol::IPV4
            }
            Layer::Ip | Layer::Ipv4 | Layer::Ipv6 => HeaderProtocol::IPV6,
            _ => continue,
        };
        if sampler.take(protocol, bytes) {
            sampler.send(targets);
        }
    }
    Ok(Exit::Done)
}

fn open(file: &str) -> Result<Packets<Box<dyn Read>>, anyhow::Error> {
    let reader: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin()),
        path => Box::new(File::open(path).map_err(|error| CaptureError::Open(path.to_owned(), error))?),
    };
    Ok(Packets::new(reader)?)
}

/// Chooses packets and keeps their samples until a datagram is full.
struct Sampler {
    rate: u32,
    /// Packets until the next sample.
    skip: u32,
    pool: u32,
    sampled: u32,
    datagrams: u32,
    began: Instant,
    waiting: Vec<(HeaderProtocol, u32, u32, Vec<u8>)>,
    datagram: Vec<u8>,
}

impl Sampler {
    fn new(rate: u32) -> Self {
        let (waiting, datagram) = Default::default();
        let began = Instant::now();
        Self { rate, skip: skip(rate), pool: 0, sampled: 0, datagrams: 0, began, waiting, datagram }
    }

    /// Counts a packet, and samples it when it is its turn; true when a datagram is full.
    fn take(&mut self, protocol: HeaderProtocol, bytes: &[u8]) -> bool {
        self.pool = self.pool.wrapping_add(1);
        self.skip -= 1;
        if self.skip > 0 {
            return false;
        }
        self.skip = skip(self.rate);
        let header = bytes.get(..HEADER_BYTES).unwrap_or(bytes).to_vec();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.waiting.push((protocol, length, self.pool, header));
        self.waiting.len() >= SAMPLES as usize
    }

    fn send(&mut self, targets: &mut Targets) {
        if self.waiting.is_empty() {
            return;
        }
        self.datagrams = self.datagrams.wrapping_add(1);
        self.datagram.clear();
        let head = DatagramHeader {
            agent: Some(Ipv4Addr::UNSPECIFIED.into()),
            sub_agent_id: SUB_AGENT,
            sequence_number: self.datagrams,
            uptime_ms: self.began.elapsed().as_millis() as u32,
        };
        let mut encoder = Encoder::new(&mut self.datagram, &head);
        for (protocol, length, pool, header) in self.waiting.drain(..) {
            self.sampled = self.sampled.wrapping_add(1);
            let head = FlowHeader {
                sequence_number: self.sampled,
                sampling_rate: self.rate,
                sample_pool: pool,
                ..FlowHeader::default()
            };
            let stripped = if protocol == HeaderProtocol::ETHERNET { CHECK_BYTES } else { 0 };
            let frame_length = length.saturating_add(stripped);
            let record = SampledHeader { protocol, frame_length, stripped, header: &header };
            encoder.flow_sample(&head).record(&FlowRecord::SampledHeader(record));
        }
        targets.send(&self.datagram);
    }
}

/// From 1 to twice the rate less one, each as likely: the rate on average.
fn skip(rate: u32) -> u32 {
    rand::rng().random_range(1..=rate.saturating_mul(2).saturating_sub(1))
}
