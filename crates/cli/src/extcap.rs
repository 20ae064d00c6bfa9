//! `finderscope extcap`: sFlow among Wireshark's interfaces, by its protocol for programs that capture (extcap).
//!
//! Wireshark runs every file in its extcap folder, asks each what it offers, and has the chosen one write a capture into
//! a named pipe. It calls the file itself, so that a link to this program will do: whoever calls with the protocol's
//! own options ([`is_called`]) means this command. What is on stderr, Wireshark shows as an error; so nothing is, unless it is one.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use finderscope_packets::LinkType;
use finderscope_packets::capture::Options;
use finderscope_transport::bpf::Filter;

use crate::exit::Exit;
use crate::live::{FromArgs, Seen, Source, Stop};
use crate::packets::{FormatName, Rules, Stream};

/// The one interface there is.
const SFLOW: &str = "sflow";
/// Mirrored frames in GRE, which nothing here receives yet. It is not offered, and who asks for it is told so.
const ERSPAN: &str = "erspan";

/// Put sFlow among Wireshark's interfaces; Wireshark itself calls this
///
/// To install it, link this program into Wireshark's extcap folder, which "Help, About Wireshark, Folders" names:
/// ln -s "$(command -v finderscope)" ~/.local/lib/wireshark/extcap/
#[derive(Debug, clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:\n  finderscope extcap --extcap-interfaces\n  finderscope extcap --extcap-dlts --extcap-interface sflow\n  \
                        finderscope extcap --capture --extcap-interface sflow --fifo /tmp/sflow.fifo\n  \
                        tshark -i sflow"
)]
pub struct Args {
    /// List the interfaces
    #[arg(long)]
    extcap_interfaces: bool,
    /// Which version calls; nothing depends on it
    #[arg(long, value_name = "VERSION", num_args = 0..=1)]
    extcap_version: Option<Option<String>>,
    /// The interface that is meant
    #[arg(long, value_name = "NAME")]
    extcap_interface: Option<String>,
    /// List what its packets begin with
    #[arg(long)]
    extcap_dlts: bool,
    /// List its settings
    #[arg(long)]
    extcap_config: bool,
    /// Capture
    #[arg(long, requires = "fifo")]
    capture: bool,
    /// The pipe to write the capture into
    #[arg(long, value_name = "FILE")]
    fifo: Option<PathBuf>,
    /// Only packets that this filter of libpcap wants; without --capture it is only checked
    #[arg(long, value_name = "FILTER")]
    extcap_capture_filter: Option<String>,
    #[command(flatten)]
    from: FromArgs,
    /// Also packets that devices threw away (sFlow's discarded packets)
    #[arg(long)]
    discards: bool,
    /// The kind of capture
    #[arg(long, value_enum, default_value_t = FormatName::Pcapng)]
    format: FormatName,
}

/// Whether these arguments, the first of which is the program's name, are Wireshark's.
pub fn is_called(arguments: &[impl AsRef<OsStr>]) -> bool {
    let first = arguments.get(1).map(|it| it.as_ref().to_string_lossy());
    first.is_some_and(|first| first.starts_with("--extcap-") || first == "--capture" || first == "--fifo")
}

/// Answers one question of Wireshark's, or captures.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    if args.extcap_interfaces {
        interfaces(out)?;
        return Ok(Exit::Done);
    }
    match args.extcap_interface.as_deref() {
        Some(SFLOW) => {}
        Some(ERSPAN) => {
            return Ok(Exit::misused(
                "ERSPAN cannot be received yet; hint: capture 'ip proto 47' where it arrives, Wireshark decodes it",
            ));
        }
        Some(other) => return Ok(Exit::misused(format_args!("there is no interface {other}; there is {SFLOW}"))),
        None => return Ok(Exit::misused("--extcap-interfaces or --extcap-interface NAME is wanted; see --help")),
    }
    if args.extcap_dlts {
        writeln!(out, "dlt {{number={}}}{{name=EN10MB}}{{display=Ethernet}}", LinkType::ETHERNET.0)?;
    } else if args.extcap_config {
        settings(out)?;
    } else if args.capture {
        capture(args)?;
    } else if let Err(error) = args.filter() {
        // So a filter is refused: by any words, with success.
        writeln!(out, "{error}")?;
    }
    Ok(Exit::Done)
}

fn interfaces(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "extcap {{version={}}}{{display=Finderscope}}\ninterface {{value={SFLOW}}}{{display=sFlow: packets that devices sampled}}",
        env!("CARGO_PKG_VERSION")
    )
}

fn settings(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "arg {{number=0}}{{call=--from}}{{display=Source}}{{type=string}}{{required=false}}\
         {{placeholder=the running server, else udp://:6343}}\
         {{tooltip=A UDP port (udp://:6343), a server's http:// address, or a capture file}}"
    )?;
    writeln!(
        out,
        "arg {{number=1}}{{call=--token-file}}{{display=Token file}}{{type=fileselect}}{{mustexist=true}}\
         {{required=false}}{{tooltip=The token of a server on another machine; of one on this machine it is found}}"
    )?;
    writeln!(
        out,
        "arg {{number=2}}{{call=--data}}{{display=Data folder}}{{type=string}}{{required=false}}\
         {{tooltip=The data folder of the server on this machine, where it is not the usual one}}"
    )?;
    writeln!(
        out,
        "arg {{number=3}}{{call=--discards}}{{display=Discarded packets}}{{type=boolflag}}{{default=false}}\
         {{tooltip=Also packets that devices threw away}}"
    )?;
    writeln!(
        out,
        "arg {{number=4}}{{call=--format}}{{display=Format}}{{type=selector}}\
         {{tooltip=pcapng has ports, directions and comments}}"
    )?;
    writeln!(out, "value {{arg=4}}{{value=pcapng}}{{display=pcapng}}{{default=true}}")?;
    writeln!(out, "value {{arg=4}}{{value=pcap}}{{display=pcap}}{{default=false}}")
}

fn capture(args: &Args) -> anyhow::Result<()> {
    let Some(fifo) = &args.fifo else { bail!("--fifo is wanted") };
    let source = args.from.source()?;
    let rules = args.rules()?;
    crate::be_quiet();
    // Opening waits for the reader. A signal ends that as long as nobody watches for signals.
    let pipe = OpenOptions::new().write(true).open(fifo).with_context(|| format!("cannot write {}", fifo.display()))?;
    let stop = Stop::at_signals()?;
    stop.when_unread(pipe.try_clone()?)?;
    match write(&source, pipe, rules, &stop) {
        // Wireshark ends a capture so.
        Err(_) if stop.is_unread() => Ok(()),
        done => done,
    }
}

fn write(source: &Source, pipe: File, rules: Rules, stop: &Stop) -> anyhow::Result<()> {
    let mut stream = Stream::new(pipe, rules)?;
    source.packets(stop, &mut Seen::default(), &mut |item| {
        stream.take(item)?;
        Ok(!stop.is_set())
    })?;
    Ok(stream.take(None)?)
}

impl Args {
    fn filter(&self) -> anyhow::Result<Option<Filter>> {
        let filter = self.extcap_capture_filter.as_deref().filter(|filter| !filter.is_empty());
        Ok(filter.map(|filter| Filter::compile(filter, LinkType::ETHERNET.0)).transpose()?)
    }

    fn rules(&self) -> anyhow::Result<Rules> {
        let capture = Options { format: self.format.into(), ..Options::default() };
        Ok(Rules { capture, make_ethernet: true, discards: self.discards, filter: self.filter()? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn answer(line: &str) -> (Exit, String) {
        let line = Line::try_parse_from(std::iter::once("extcap").chain(line.split_whitespace())).unwrap();
        let mut out = Vec::new();
        let exit = run(&line.args, &mut out).unwrap();
        (exit, String::from_utf8(out).unwrap())
    }

    #[test]
    fn questions_are_answered_line_by_line() {
        let (exit, said) = answer("--extcap-interfaces --extcap-version=4.0");
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(exit, Exit::Done);
        assert!(lines[0].starts_with("extcap {version="), "{said}");
        assert_eq!(lines[1..], ["interface {value=sflow}{display=sFlow: packets that devices sampled}"]);

        let (_, said) = answer("--extcap-dlts --extcap-interface sflow");
        assert_eq!(said, "dlt {number=1}{name=EN10MB}{display=Ethernet}\n");

        let (_, said) = answer("--extcap-config --extcap-interface sflow --extcap-version 4.0");
        let calls: Vec<_> =
            said.lines().filter_map(|line| Some(line.split_once("{call=")?.1.split_once('}')?.0)).collect();
        assert_eq!(calls, ["--from", "--token-file", "--data", "--discards", "--format"]);
    }

    #[test]
    fn a_filter_is_refused_by_words_and_taken_in_silence() {
        assert_eq!(answer("--extcap-interface sflow --extcap-capture-filter udp"), (Exit::Done, String::new()));
        let (exit, said) = answer("--extcap-interface sflow --extcap-capture-filter nonsense");
        assert!(exit == Exit::Done && said.lines().count() == 1, "{said}");
    }

    #[test]
    fn only_what_there_is_is_offered() {
        assert_eq!(answer("--extcap-dlts --extcap-interface erspan").0, Exit::Usage);
        assert_eq!(answer("").0, Exit::Usage);
    }

    #[test]
    fn wireshark_is_known_by_its_options() {
        assert!(is_called(&["/folder/sflow", "--extcap-interfaces"]));
        assert!(is_called(&["finderscope", "--capture", "--fifo", "x"]));
        assert!(!is_called(&["finderscope", "tshark", "--extcap-interfaces"]));
        assert!(!is_called(&["finderscope"]));
    }
}
