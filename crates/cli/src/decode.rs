//! `finderscope decode`: every record of captures or of a port, printed.

mod printer;
mod stats;

use std::io::Write;

use finderscope_flow::Tables;
use finderscope_intake::{Config, Intake, TemplateScope};
use finderscope_transport::capture::Counts;
use finderscope_wire::delivery::Delivery;

use self::printer::Printer;
use self::stats::Stats;
use crate::exit::Exit;
use crate::live::{Source, Stop};
use crate::map::MapArgs;

/// Print every record of captures, or of what comes to a port
///
/// Records are flows, counters, drops, events, templates, options and errors; several files share one template store.
/// Reads pcap, pcapng and IPFIX files, lines of hexadecimal digits (hex:FILE, hex:-), raw datagrams with --datagram, and listens
/// on udp://ADDR:PORT.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  finderscope decode capture.pcap\n  finderscope decode flows.ipfix\n  finderscope decode capture.pcap --format json | \
                        jq 'select(.record==\"flow\") | .src_addr'\n  finderscope decode udp://:6343 --format json\n  \
                        finderscope decode --map mapping.yaml capture.pcap\n  \
                        finderscope decode --datagram template.dat data.dat --stats"
)]
pub struct Args {
    /// Captures or IPFIX files, `-` for standard input, hex:FILE, or a URL such as udp://:6343
    #[arg(required = true, value_name = "FILE|-|URL")]
    inputs: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print counts instead of records, as one JSON object
    #[arg(long)]
    stats: bool,
    /// Each file is the payload of one datagram
    #[arg(long)]
    datagram: bool,
    #[command(flatten)]
    map: MapArgs,
    /// Stop after so many datagrams
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Format {
    /// name=value, for people
    Text,
    /// One JSON object a line
    Json,
    /// Comma-separated; flows only, with a header
    Csv,
}

const DEFAULT_PORT: u16 = 2055;

/// Decodes all inputs with one decoder.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut decoder = Decoder {
        intake: Intake::new(Config {
            template_scope: TemplateScope::Address,
            maps: args.map.rules()?,
            ..Config::default()
        }),
        tables: Tables::default(),
        show: match args.stats {
            true => Show::Stats(Stats::default()),
            false => Show::Records(Box::new(Printer::new(args.format))),
        },
        left: args.limit.unwrap_or(u64::MAX),
        out,
    };
    let mut exit = Exit::Done;
    let mut read = 0;
    let mut frames = Counts::default();
    let stop = Stop::at_signals()?;
    for input in &args.inputs {
        let source = if args.datagram { Ok(Source::datagram(input)) } else { Source::parse(input, DEFAULT_PORT) };
        let take = &mut |delivery: Option<&Delivery<'_>>| decoder.take(delivery);
        let name = source.as_ref().map_or_else(|_| input.clone(), |source| source.name().to_owned());
        match source.and_then(|source| source.deliveries(&stop, &mut frames, take)) {
            Ok(()) => read += 1,
            Err(error) if error.is::<std::io::Error>() && crate::is_broken_pipe(&error) => return Err(error),
            Err(error) => {
                crate::tell_error(&name, error);
                exit = Exit::Partly;
            }
        }
        decoder.out.flush()?;
    }
    if read == 0 && decoder.intake.totals().datagrams.received == 0 {
        exit = Exit::Failed;
    }
    if let Show::Stats(stats) = decoder.show {
        stats.write(&decoder.intake, &frames, &mut decoder.tables, decoder.out)?;
    }
    Ok(exit)
}

struct Decoder<'a, W> {
    intake: Intake,
    tables: Tables,
    show: Show,
    left: u64,
    out: &'a mut W,
}

enum Show {
    Records(Box<Printer>),
    Stats(Stats),
}

impl<W: Write> Decoder<'_, W> {
    /// Decodes and shows one datagram; false when it was the last that is wanted.
    fn take(&mut self, delivery: Option<&Delivery<'_>>) -> anyhow::Result<bool> {
        let Some(delivery) = delivery else {
            self.out.flush()?; // a pause in what comes: show what there is
            return Ok(true);
        };
        match &mut self.show {
            Show::Records(printer) => {
                self.intake.handle(delivery, &mut self.tables, printer.as_mut());
                printer.print(&mut self.tables, self.out)?;
            }
            Show::Stats(stats) => {
                self.intake.handle(delivery, &mut self.tables, stats);
                stats.count(&mut self.tables);
            }
        }
        self.left -= 1;
        Ok(self.left > 0)
    }
}
