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
                crate::tell_error(file, error);
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
            // Of a cooked capture, as `any` has it.
            Layer::EtherType(0x0800) => HeaderProtocol::IPV4,
            Layer::EtherType(0x86DD) => HeaderProtocol::IPV6,
            _ => continue,
        };
        // What stands before that is the capture's, and no part of the frame.
        let before = u32::try_from(packet.bytes.len() - bytes.len()).unwrap_or(u32::MAX);
        if sampler.take(protocol, bytes, packet.length.saturating_sub(before)) {
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

    /// Counts a packet of this length, and samples it when it is its turn; true when a datagram is full.
    fn take(&mut self, protocol: HeaderProtocol, bytes: &[u8], length: u32) -> bool {
        self.pool = self.pool.wrapping_add(1);
        self.skip -= 1;
        if self.skip > 0 {
            return false;
        }
        self.skip = skip(self.rate);
        let header = bytes.get(..HEADER_BYTES).unwrap_or(bytes).to_vec();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::net::UdpSocket;

    use finderscope_wire::sflow::{Datagram, Sample};

    use super::*;

    /// The lengths that samples of a capture of one packet say: of the frame, and of its header.
    fn sampled(link: u32, captured: &[u8], length: u32) -> (u32, usize) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("short.pcap");
        let head = [0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 65_536, link].map(u32::to_le_bytes).concat();
        let record = [5, 0, captured.len() as u32, length].map(u32::to_le_bytes).concat();
        std::fs::write(&file, [&head[..], &record, captured].concat()).unwrap();
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut targets = Targets::open([receiver.local_addr().unwrap()]).unwrap();
        let mut sampler = Sampler::new(1);
        let stop = Stop::by_hand().unwrap();
        once(file.to_str().unwrap(), None, &stop, &mut sampler, &mut targets).unwrap();
        sampler.send(&mut targets);
        let mut datagram = [0; 2_000];
        let received = receiver.recv(&mut datagram).unwrap();
        let datagram = Datagram::read(&datagram[..received]).unwrap();
        let Some(Ok(Sample::Flow(flow))) = datagram.samples().next() else { panic!("no flow sample") };
        let Some(Ok(FlowRecord::SampledHeader(header))) = flow.records().next() else { panic!("no header") };
        (header.frame_length, header.header.len())
    }

    #[test]
    fn a_packet_that_was_captured_in_part_is_sampled_with_its_whole_length() {
        // An Ethernet frame has a check sequence that captures leave out.
        assert_eq!(sampled(1, &[0; 96], 1514), (1518, 96));
        assert_eq!(sampled(1, &[0; 300], 300), (304, HEADER_BYTES));
        // Of a cooked capture, its own header is no part of the packet.
        let cooked = [&[0; 14][..], &[8, 0, 0x45], &[0; 50]].concat();
        assert_eq!(sampled(113, &cooked, 1516), (1500, 51));
    }
}
