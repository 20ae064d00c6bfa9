//! `finderscope generate`: a deterministic, realistic workload, with its true totals.

mod exporter;
mod fixed;
mod netflow;
mod output;
mod ranks;
mod sflow;
mod templated;
mod traffic;
mod truth;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context;
use finderscope_wire::netflow::fixed::Field;
use finderscope_wire::sflow::PlainVersion;

use self::exporter::{Clock, Exporter};
use self::fixed::Version;
use self::output::Output;
use self::templated::{Protocol, Templates};
use self::traffic::{Flow, Traffic};
use self::truth::Truth;
use crate::exit::Exit;
use crate::progress;

/// Flows of one exporter in a row, before the next one's turn.
const BLOCK: usize = 240;
/// Where the exporters send to, inside the file.
const COLLECTOR: Ipv4Addr = Ipv4Addr::new(192, 168, 255, 1);
/// Every so-manieth NetFlow exporter samples.
const SAMPLED_EVERY: usize = 4;
const NETFLOW_SAMPLING_RATE: u32 = 100;
const SFLOW_SAMPLING_RATE: u32 = 512;
const EXPORTERS_MAX: usize = 65_000;
const TEMPLATES_MAX: usize = 600;
/// 2026-01-01T00:00:00Z
const DEFAULT_START: &str = "2026-01-01T00:00:00Z";

/// Make a realistic workload as a capture file: the same arguments give the same bytes
///
/// Hosts, services and sizes are skewed as in real traffic. NetFlow's every fourth exporter samples
/// 1 in 100 and says so in its header or options (v1 and v7 cannot); sFlow's sample 1 in 512 to 2,048.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  finderscope generate v9 --flows 2000000 --seed 1 -o v9.pcap --truth v9.json\n  \
                        finderscope replay v9.pcap --to udp://127.0.0.1:2055 --rate 20000\n  \
                        finderscope generate v8 --flows 10000 --exporters 14 -o every-aggregation.pcap\n  \
                        finderscope generate ipfix --flows 100000 -o flows.ipfix")]
pub struct Args {
    /// What to export
    kind: Kind,
    /// How many flows; for sflow, packet samples
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    flows: usize,
    /// Seed of the randomness
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Seed of the hosts alone, for several captures of one network; that of the randomness without it
    #[arg(long, value_name = "S")]
    hosts: Option<u64>,
    /// Time of the first datagram: RFC 3339, or seconds since 1970
    #[arg(long, value_name = "T", default_value = DEFAULT_START)]
    start: String,
    /// Exporters, each with its own address (192.168.0.1 and on), sequence and templates
    #[arg(long, value_name = "E", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=EXPORTERS_MAX as i64))]
    exporters: u32,
    /// The number of the first exporter, for mixes of several files
    #[arg(long, value_name = "N", default_value_t = 0, hide = true)]
    first_exporter: u32,
    /// Templates that each exporter uses (v9, ipfix)
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=TEMPLATES_MAX as i64))]
    templates: u32,
    /// Flows a second of the exporters' time
    #[arg(long, value_name = "R", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// The capture file to write, `-` for standard output; an IPFIX file (RFC 5655) where the name ends with .ipfix
    #[arg(short, long, value_name = "FILE.pcap")]
    output: PathBuf,
    /// Also write each exporter's totals, raw and scaled, as JSON
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Kind {
    /// NetFlow version 1
    V1,
    /// NetFlow version 5
    V5,
    /// NetFlow version 6
    V6,
    /// NetFlow version 7
    V7,
    /// NetFlow version 8: aggregates, another scheme for each exporter
    V8,
    /// NetFlow version 9
    V9,
    /// IPFIX
    Ipfix,
    /// sFlow version 5
    Sflow,
    /// sFlow version 2
    Sflow2,
    /// sFlow version 4
    Sflow4,
}

impl Kind {
    const fn port(self) -> u16 {
        match self {
            Self::V1 | Self::V5 | Self::V6 | Self::V7 | Self::V8 | Self::V9 => 2055,
            Self::Ipfix => 4739,
            Self::Sflow | Self::Sflow2 | Self::Sflow4 => 6343,
        }
    }

    /// Whether its records have room for IPv6 addresses.
    const fn has_ipv6(self) -> bool {
        matches!(self, Self::V9 | Self::Ipfix | Self::Sflow | Self::Sflow2 | Self::Sflow4)
    }

    fn sampling_rate(self, exporter: usize) -> u32 {
        match self {
            Self::Sflow | Self::Sflow2 | Self::Sflow4 => SFLOW_SAMPLING_RATE << (exporter % 3),
            // Their headers cannot say it.
            Self::V1 | Self::V7 => 0,
            _ if exporter % SAMPLED_EVERY == SAMPLED_EVERY - 1 => NETFLOW_SAMPLING_RATE,
            _ => 0,
        }
    }
}

/// Writes the workload.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let start_ms = crate::time::parse(&args.start)?.checked_div(1_000_000).and_then(|ms| u64::try_from(ms).ok());
    let start_ms = start_ms.context("--start is before 1970")?;
    let output = Output::create(&args.output, args.kind == Kind::Ipfix)?;
    let mut workload = Workload::new(args, output);
    let bar = progress::bar(args.flows as u64, "flows");
    let mut traffic = Traffic::seeded(args.seed, args.hosts.unwrap_or(args.seed), args.kind.has_ipv6());
    let mut block = Vec::with_capacity(BLOCK);
    for first in (0..args.flows).step_by(BLOCK) {
        let count = BLOCK.min(args.flows - first);
        block.clear();
        block.extend((0..count).map(|_| traffic.flow()));
        let elapsed_ms = (first + count) as u64 * 1000 / args.rate;
        workload.block(first / BLOCK, Clock { start_ms, elapsed_ms }, &block)?;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    workload.output.finish().with_context(|| format!("cannot write {}", args.output.display()))?;
    if let Some(path) = &args.truth {
        workload.truth.write(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

struct Workload {
    kind: Kind,
    exporters: Vec<Exporter>,
    templates: Templates,
    output: Output,
    datagram: Vec<u8>,
    truth: Truth,
}

impl Workload {
    fn new(args: &Args, output: Output) -> Self {
        let protocol = if args.kind == Kind::Ipfix { Protocol::Ipfix } else { Protocol::V9 };
        let first = args.first_exporter as usize;
        let exporter = |at| Exporter {
            number: first + at,
            sequence: 0,
            datagrams: 0,
            samples: 0,
            sampling_rate: args.kind.sampling_rate(at),
        };
        Self {
            kind: args.kind,
            exporters: (0..args.exporters as usize).map(exporter).collect(),
            templates: Templates::new(protocol, args.templates as usize),
            output,
            datagram: Vec::with_capacity(2048),
            truth: Truth::default(),
        }
    }

    /// All datagrams of one exporter's turn.
    fn block(&mut self, turn: usize, clock: Clock, flows: &[Flow]) -> anyhow::Result<()> {
        let number = turn % self.exporters.len();
        match self.kind {
            Kind::V5 => {
                for part in flows.chunks(netflow::PER_DATAGRAM) {
                    self.send(number, clock, part, |exporter, out| {
                        netflow::datagram(exporter, clock, part, out)?;
                        Ok(None)
                    })?;
                }
            }
            Kind::V1 => self.fixed(number, clock, flows, Version::V1)?,
            Kind::V6 => self.fixed(number, clock, flows, Version::V6)?,
            Kind::V7 => self.fixed(number, clock, flows, Version::V7)?,
            Kind::V8 => self.fixed(number, clock, flows, Version::V8)?,
            Kind::Sflow => self.samples(number, clock, flows, None)?,
            Kind::Sflow2 => self.samples(number, clock, flows, Some(PlainVersion::V2))?,
            Kind::Sflow4 => self.samples(number, clock, flows, Some(PlainVersion::V4))?,
            Kind::V9 => self.templated(number, clock, flows, Protocol::V9)?,
            Kind::Ipfix => self.templated(number, clock, flows, Protocol::Ipfix)?,
        }
        Ok(())
    }

    /// Flows as packet samples, of sFlow version 5 or one before it.
    fn samples(
        &mut self,
        number: usize,
        clock: Clock,
        flows: &[Flow],
        version: Option<PlainVersion>,
    ) -> anyhow::Result<()> {
        for part in flows.chunks(sflow::PER_DATAGRAM) {
            self.send(number, clock, part, |exporter, out| {
                Ok(Some(sflow::datagram(version, exporter, clock, part, out)))
            })?;
        }
        Ok(())
    }

    /// Versions whose records have one layout; those of version 8 stand for several flows.
    fn fixed(&mut self, number: usize, clock: Clock, flows: &[Flow], version: Version) -> anyhow::Result<()> {
        let layout = fixed::layout(version, self.exporters[number].number);
        for part in fixed::records(layout, clock, flows).chunks(layout.records_max) {
            self.datagram.clear();
            fixed::datagram(layout, &mut self.exporters[number], clock, part, &mut self.datagram)?;
            self.write(number, clock)?;
            let sum = |field| part.iter().map(|record| u64::from(record.get(field))).sum();
            let (bytes, packets) = (sum(Field::Octets), sum(Field::Packets));
            self.truth.add(&self.exporters[number], part.len() as u64, bytes, packets);
        }
        Ok(())
    }

    /// A data set is of one family, so a turn is sent as two.
    fn templated(&mut self, number: usize, clock: Clock, flows: &[Flow], protocol: Protocol) -> anyhow::Result<()> {
        let (six, four): (Vec<Flow>, Vec<Flow>) = flows.iter().partition(|flow| flow.is_ipv6());
        for part in four.chunks(protocol.per_datagram()).chain(six.chunks(protocol.per_datagram())) {
            let mut exporter = self.exporters[number];
            self.datagram.clear();
            self.templates.datagram(&mut exporter, clock, part, &mut self.datagram)?;
            self.exporters[number] = exporter;
            self.write(number, clock)?;
            self.truth.flows(&self.exporters[number], part);
        }
        Ok(())
    }

    /// Writes one datagram that `fill` makes; sampled frames' bytes come back from it.
    fn send(
        &mut self,
        number: usize,
        clock: Clock,
        part: &[Flow],
        fill: impl FnOnce(&mut Exporter, &mut Vec<u8>) -> anyhow::Result<Option<u64>>,
    ) -> anyhow::Result<()> {
        self.datagram.clear();
        let sampled = fill(&mut self.exporters[number], &mut self.datagram)?;
        self.write(number, clock)?;
        match sampled {
            Some(bytes) => self.truth.samples(&self.exporters[number], part.len() as u64, bytes),
            None => self.truth.flows(&self.exporters[number], part),
        }
        Ok(())
    }

    fn write(&mut self, number: usize, clock: Clock) -> anyhow::Result<()> {
        let source = SocketAddr::from((self.exporters[number].address(), 50_000 + (number % 10_000) as u16));
        let destination = SocketAddr::from((COLLECTOR, self.kind.port()));
        let now_ns = clock.now_ms() as i64 * 1_000_000;
        self.output.write(now_ns, source, destination, &self.datagram)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
