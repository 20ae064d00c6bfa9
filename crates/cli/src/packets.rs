//! `finderscope packets`: the packets inside samples, as a capture.

mod output;
pub mod report;
mod rotate;
mod stream;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use finderscope_packets::LinkType;
use finderscope_packets::capture::{Format, Options};
use finderscope_transport::bpf::Filter;

use self::output::Output;
use self::rotate::Rotate;
use crate::exit::Exit;
use crate::live::{Seen, Source, Stop};

pub use stream::{Rules, Stream, Tally};

/// Write the packets inside samples as a capture, live or from a file
///
/// sFlow samples, and IPFIX and NetFlow v9 records with packet sections, carry the first bytes of packets. They come out as
/// pcap or pcapng, for tcpdump, Wireshark and everything else that reads captures.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  finderscope packets | tcpdump -nn -r -\n  finderscope packets --from udp://:6343 | tshark -r - -Y dns\n  \
                        finderscope packets --from sflow.pcap -w packets.pcap\n  \
                        finderscope packets --bpf 'tcp[tcpflags] & tcp-syn != 0' -w syn.pcapng\n  \
                        finderscope packets -w ring.pcap --rotate 100M --keep 10\n  \
                        finderscope packets --link-type raw | tcpdump -nn -r -"
)]
pub struct Args {
    /// Where samples come from: a capture file, `-` for standard input, or a URL such as udp://:6343 or http://127.0.0.1:8008
    #[arg(long, value_name = "URL|FILE")]
    from: Option<String>,
    /// File with the token of the server at --from http://
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The capture to write; `-` for standard output
    #[arg(short, long, value_name = "FILE|-", default_value = "-")]
    write: String,
    /// The kind of capture; where it is not given, what the file's name says, else pcap
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// What packets begin with; those that begin otherwise are left out and counted
    #[arg(long, value_name = "TYPE", default_value_t = LinkType::ETHERNET)]
    link_type: LinkType,
    /// Give packets of other links an Ethernet header where they hold IP or MPLS
    #[arg(long)]
    make_ethernet: bool,
    /// Only packets that this filter of libpcap (tcpdump's language) wants
    #[arg(long, value_name = "FILTER")]
    bpf: Option<String>,
    /// Also packets that devices threw away (sFlow's discarded packets)
    #[arg(long)]
    discards: bool,
    /// Begin another file when this is full or over: 10M, 1G, or 60s, 1h; a number and a time go into the names
    #[arg(long, value_name = "SIZE|TIME")]
    rotate: Option<Rotate>,
    /// Keep the newest so many files, and remove older ones
    #[arg(long, value_name = "N", requires = "rotate", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Write the length of packets without what was stripped (as the check sequence), which pcapng always does
    #[arg(long)]
    true_length: bool,
    /// Write times of pcap in nanoseconds
    #[arg(long)]
    nanoseconds: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum FormatName {
    /// The classic format, which everything reads
    Pcap,
    /// With ports, directions, drops and comments
    Pcapng,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Pcap => Self::Pcap,
            FormatName::Pcapng => Self::Pcapng,
        }
    }
}

/// Reads samples until they end, writes their packets, and says what there was.
pub fn run(args: &Args, _: &mut impl Write) -> anyhow::Result<Exit> {
    let to_stdout = args.write == "-";
    if to_stdout && io::stdout().is_terminal() {
        return Ok(Exit::misused(
            "a capture is no text for a terminal; write it with -w FILE, or pipe it on: finderscope packets | tcpdump -nn -r -",
        ));
    }
    if to_stdout && args.rotate.is_some() {
        return Ok(Exit::misused("--rotate writes files, so it wants -w FILE"));
    }
    if args.make_ethernet && args.link_type != LinkType::ETHERNET {
        return Ok(Exit::misused("--make-ethernet makes packets for --link-type ethernet"));
    }
    let source = match args.from.as_deref().map_or_else(Source::usual, Source::parse_sflow) {
        Ok(source) => source.with_token_file(args.token_file.as_deref()),
        Err(error) => return Ok(Exit::misused(error)),
    };
    if !to_stdout && args.rotate.is_none() && source.is_same_file(Path::new(&args.write)) {
        return Ok(Exit::misused("--from and -w are the same file; what is in it would be lost"));
    }
    let rules = match args.rules() {
        Ok(rules) => rules,
        Err(error) => return Ok(Exit::misused(error)),
    };
    let stop = Stop::at_signals()?;
    let mut output = Output::open(&args.write, args.rotate, args.keep, rules, &stop)?;
    let mut seen = Seen::default();
    let mut failed = None;
    let read = source.packets(&stop, &mut seen, &mut |item| {
        failed = output.take(item).err();
        Ok(failed.is_none())
    });
    let failed = failed.or_else(|| output.take(None).err());
    // Ctrl-C ends whoever reads us, too: what was handed on until then is still worth its line.
    let unread = stop.is_unread() || failed.as_ref().is_some_and(crate::is_broken_pipe);
    match failed {
        _ if unread && !stop.is_signalled() => Ok(Exit::Done),
        Some(error) if !unread => Err(error),
        _ => report::end(&source, &seen, &output.tally(), read),
    }
}

impl Args {
    fn rules(&self) -> anyhow::Result<Rules> {
        let format = match self.format {
            Some(format) => format.into(),
            None if self.write.ends_with(".pcapng") => Format::Pcapng,
            None => Format::Pcap,
        };
        let (link, true_length, nanoseconds) = (self.link_type, self.true_length, self.nanoseconds);
        let filter = self.bpf.as_deref().map(|expression| Filter::compile(expression, link.0)).transpose()?;
        Ok(Rules {
            capture: Options { format, link, true_length, nanoseconds },
            make_ethernet: self.make_ethernet,
            discards: self.discards,
            filter,
        })
    }
}
