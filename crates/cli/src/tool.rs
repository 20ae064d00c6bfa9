//! `finderscope tcpdump` and `finderscope tshark`: the real tools, on the packets inside samples.
//!
//! Our own options stand first; from the first argument that is none of them, all goes to the tool, untouched, behind
//! the `-r -` that gives it our stream. It runs in a process group of its own, so that Ctrl-C reaches us alone: we end
//! its input, and it says what it has to say, as at the end of a file. A second Ctrl-C ends the tool itself. When the
//! tool has had enough (`-c 10`), all ends, whether or not another packet comes.

mod options;
mod pipe;
mod plan;
mod process;
mod run;
mod user;

use std::ffi::OsString;

use finderscope_packets::LinkType;
use finderscope_packets::capture::{Format, Options};
use finderscope_transport::bpf::Filter;

use crate::exit::Exit;
use crate::live::FromArgs;
use crate::packets::{FormatName, Rules};

use plan::Tool;

/// Run tcpdump on the packets inside samples
///
/// What stands behind the options below goes to tcpdump as it is, and its output and exit status are its own: `man tcpdump`
/// has them all, `finderscope tcpdump -- --help` lists them. Ctrl-C ends its input; a second one ends tcpdump.
#[derive(Debug, clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:\n  finderscope tcpdump -nn\n  finderscope tcpdump -nn port 53\n  \
                        finderscope tcpdump -nn 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn'\n  \
                        finderscope tcpdump -c 10 -w ten.pcap\n  \
                        finderscope tcpdump --from sflow.pcap -nn -e vlan\n  \
                        finderscope tcpdump --from http://collector:8008 --token-file ~/collector.token -nn\n  \
                        finderscope tcpdump --data /srv/flows -nn\n\n\
                  As root, tcpdump is run as who typed sudo, else as nobody: its files are that user's."
)]
pub struct Tcpdump {
    #[command(flatten)]
    ours: Ours,
    /// tcpdump's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT OF TCPDUMP")]
    arguments: Vec<OsString>,
}

/// Run tshark on the packets inside samples
///
/// What stands behind the options below goes to tshark as it is, and its output and exit status are its own: `man tshark`
/// has them all, `finderscope tshark -- --help` lists them. Ctrl-C ends its input; a second one ends tshark.
#[derive(Debug, clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "Examples:\n  finderscope tshark -n\n  finderscope tshark -n -Y dns\n  \
                        finderscope tshark -q -z io,phs -a duration:10\n  \
                        finderscope tshark -q -z endpoints,ip -c 10000\n  \
                        finderscope tshark -n -T ek -l | examples/blocklist.py list.txt\n  \
                        finderscope tshark --from http://collector:8008 --token-file ~/collector.token -n\n  \
                        finderscope tshark --data /srv/flows -n\n\n\
                  As root, tshark is run as who typed sudo, else as nobody: its files are that user's."
)]
pub struct Tshark {
    #[command(flatten)]
    ours: Ours,
    /// tshark's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT OF TSHARK")]
    arguments: Vec<OsString>,
}

/// Our own options, before those of the tool.
#[derive(Debug, clap::Args)]
struct Ours {
    #[command(flatten)]
    from: FromArgs,
    /// Only packets that this filter of libpcap (tcpdump's language) wants
    #[arg(long, value_name = "FILTER")]
    bpf: Option<String>,
    /// Also packets that devices threw away (sFlow's discarded packets)
    #[arg(long)]
    discards: bool,
    /// What packets begin with; as ethernet, IP and MPLS packets of other links get a header, else they are left out
    #[arg(long, value_name = "TYPE", default_value_t = LinkType::ETHERNET)]
    link_type: LinkType,
    /// What the tool is given; pcapng also tells of ports and directions, and has lengths without the check sequence
    #[arg(long, value_enum, default_value_t = FormatName::Pcap)]
    format: FormatName,
    /// As root: whom the tool is run as, instead of who typed sudo, or nobody
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Runs tcpdump.
pub fn tcpdump(args: &Tcpdump) -> anyhow::Result<Exit> {
    run::run(Tool::Tcpdump, &args.ours, &args.arguments)
}

/// Runs tshark.
pub fn tshark(args: &Tshark) -> anyhow::Result<Exit> {
    run::run(Tool::Tshark, &args.ours, &args.arguments)
}

impl Ours {
    fn rules(&self) -> anyhow::Result<Rules> {
        let link = self.link_type;
        let filter = self.bpf.as_deref().map(|expression| Filter::compile(expression, link.0)).transpose()?;
        let format: Format = self.format.into();
        Ok(Rules {
            capture: Options { format, link, ..Options::default() },
            make_ethernet: link == LinkType::ETHERNET,
            discards: self.discards,
            filter,
        })
    }
}
