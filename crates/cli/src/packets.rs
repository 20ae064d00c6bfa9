//! `finderscope packets`: the packets inside samples, as a capture.

mod output;
pub mod report;
mod rotate;
mod stream;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use finderscope_packets::capture::{Format, Options};
use finderscope_packets::{Item, LinkType};
use finderscope_transport::bpf::Filter;

use self::output::Output;
use self::rotate::Rotate;
use crate::exit::Exit;
use crate::live::{FromArgs, Seen, Stop};

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
                        finderscope packets --link-type raw | tcpdump -nn -r -\n  \
                        finderscope packets --from http://collector:8008 --token-file ~/collector.token | tcpdump -nn -r -\n  \
                        finderscope packets --data /srv/flows -w seen.pcapng"
)]
pub struct Args {
    #[command(flatten)]
    from: FromArgs,
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
    let source = match args.from.source() {
        Ok(source) => source,
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
    let mut output = Late { args, rules, stop: &stop, output: None };
    let mut seen = Seen::default();
    let mut failed = None;
    let read = source.packets(&stop, &mut seen, &mut |item| {
        failed = output.take(item).err();
        Ok(failed.is_none())
    });
    // A source that could not be opened costs no file; one that is empty makes an empty capture.
    let begins = output.has_begun() || (read.is_ok() && !stop.is_set());
    let failed = failed.or_else(|| if begins { output.take(None).err() } else { None });
    // Ctrl-C ends whoever reads us, too: what was handed on until then is still worth its line.
    let unread = stop.is_unread() || failed.as_ref().is_some_and(crate::is_broken_pipe);
    match failed {
        _ if unread && !stop.is_signalled() => Ok(Exit::Done),
        Some(error) if !unread => Err(error),
        _ => report::end(&source, &seen, &output.tally(), None, read),
    }
}

/// What is written. It begins when the source is open, which the first call tells: what is in a file already is not lost
/// where nothing can be read.
struct Late<'a> {
    args: &'a Args,
    rules: Rules,
    stop: &'a Stop,
    output: Option<Output>,
}

impl Late<'_> {
    fn take(&mut self, item: Option<Item<'_>>) -> anyhow::Result<()> {
        let output = match &mut self.output {
            Some(output) => output,
            none => {
                let (args, rules) = (self.args, std::mem::take(&mut self.rules));
                none.insert(Output::open(&args.write, args.rotate, args.keep, rules, self.stop)?)
            }
        };
        output.take(item)
    }

    const fn has_begun(&self) -> bool {
        self.output.is_some()
    }

    fn tally(&self) -> Tally {
        self.output.as_ref().map(Output::tally).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::fs;

    #[test]
    fn a_source_that_cannot_be_read_costs_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let [missing, text, empty, old] = ["missing", "text", "empty", "old"].map(|name| folder.path().join(name));
        fs::write(&text, "this is no capture").unwrap();
        let head = [0xA1B2_C3D4_u32, 4 << 16 | 2, 0, 0, 65_536, 1].map(u32::to_le_bytes).concat();
        fs::write(&empty, &head).unwrap();
        fs::write(&old, "what was there before").unwrap();
        let run = |from: &str| {
            let line = ["packets", "--from", from, "-w", old.to_str().unwrap()];
            crate::run_line(&line, &mut Vec::new())
        };
        // Nobody listens on the last one.
        for from in [missing.to_str().unwrap(), text.to_str().unwrap(), "http://127.0.0.1:1"] {
            assert!(run(from).is_err(), "{from}");
            assert_eq!(fs::read(&old).unwrap(), b"what was there before", "{from}");
        }
        run(empty.to_str().unwrap()).unwrap();
        assert_eq!(fs::read(&old).unwrap().len(), head.len(), "an empty capture is one");
    }
}
