//! `finderscope sflowtool`: sflowtool's own flags and forms. What it prints is made in [`finderscope_packets::sflowtool`].

mod clock;
mod getopt;
mod sampler;
mod settings;
mod source;
mod spoof;
mod targets;
mod work;

use std::io::Write;
use std::os::fd::AsFd;

use self::settings::{Asked, Settings};
use self::work::Work;
use crate::exit::Exit;
use crate::live::Stop;

/// Print or pass on sFlow as sflowtool does, with its own flags
///
/// `finderscope sflowtool -h` lists them.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
pub struct Args {
    /// sflowtool's options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    words: Vec<String>,
}

const USAGE: &str = "Usage: finderscope sflowtool [OPTION]...

Input:
  -p, --port PORT                 UDP port to listen on [6343]
  -4, --listen-v4-only            IPv4 alone
  -6, --listen-v6-only            IPv6 alone
  -A, +4, --listen-v4-v6          both [default]
  -b, --listen-address ADDR       one address of this machine
  -r, --read-pcap FILE            read sFlow datagrams from a capture (pcap or pcapng), - for standard input,
                                  or from a running server: http://HOST:8008
  -P, --read-pcap-playback X      again and again at X times its own speed; 0 is once, at once [default]
  -R, --read-pcap-sampling N      the capture holds ordinary packets: sample one in N and forward them as sFlow
  -k, --keep-going-on-error       survive errors of the socket
      --token-file FILE           the token of the server that is read from, as of -r http://HOST:8008
      --data DIR                  its data folder, where it runs on this machine; without -r it is the source

Output, of which the last wins; text by default:
  -l, --line                      a CSV line for each sample
  -L, --fields A,B,C              a CSV line of these fields for each sample that has one of them
  -g, --grep                      text lines that each carry their context
  -j, --json                      a JSON object for each datagram, on one line
  -J, --json-indented             the same on many lines
  -H, --common-logfile            a web server's log out of sampled requests
  -t, --write-pcap                a capture of the packets in flow samples
  -T, --write-pcap-discards       a capture of the packets in discard samples
  -M, --write-pcap-datagrams      a capture of the datagrams
  -x, --redact-payload            with -t and -T: cut packets where their payload begins

NetFlow:
  -c, --netflow-collector HOST    send NetFlow there; once for each family
  -d, --netflow-udp-dport PORT    to this port
  -N, --netflow-version 5|9       [5]
  -e, --netflow-peer-as           AS numbers of neighbours instead of those at the ends
  -s, --no-scaling                do not multiply by the sampling rate
  -S, --netflow-spoof-source      from the agent's address (needs CAP_NET_RAW)

Forwarding, which prints nothing (but -M):
  -f, --forwarding-target HOST/PORT   repeat each datagram there; may be given again

Filters and the rest:
  -V, +v, --include-vlans LIST    only packets of these VLANs: 0-20,4091; 0 is without VLAN
  -v, --exclude-vlans LIST        all but these
  -D, --allow-dns                 names in -c and -f that stand behind it
  -z, --version                   say the version
  -h, -?, --help, --usage         say this

Examples:
  finderscope sflowtool -l
  finderscope sflowtool -j | jq -c '.samples[]'
  finderscope sflowtool -t | tcpdump -nn -r -
  finderscope sflowtool -r feed.pcap -f 10.0.0.5/6343
  finderscope sflowtool -r http://collector:8008 --token-file ~/collector.token -l
  finderscope sflowtool --data /srv/flows -j

Differences from sflowtool are listed in the manual (docs/sflowtool.md).
";

/// Works until the capture ends, or until somebody ends it.
pub fn run(args: &Args, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut settings = match Settings::parse(&args.words) {
        Ok(Asked::Work(settings)) => settings,
        Ok(Asked::Help) => return Ok(tell(USAGE)),
        Ok(Asked::Version) => return Ok(tell(concat!("finderscope ", env!("CARGO_PKG_VERSION"), "\n"))),
        Err(problem) => return Ok(Exit::misused(format_args!("{problem}; hint: finderscope sflowtool -h"))),
    };
    let stop = Stop::at_signals()?;
    if let Some(rate) = settings.sampling {
        return sampler::run(&settings, rate, &stop);
    }
    if settings.prints() {
        stop.when_unread(std::io::stdout().as_fd().try_clone_to_owned()?)?;
    }
    let mut work = Work::begin(&mut settings, out)?;
    let exit = source::read(&settings, &stop, &mut |delivery| {
        match delivery {
            Some(delivery) => work.take(delivery)?,
            None => work.flush()?,
        }
        Ok(true)
    })?;
    if stop.is_unread() {
        return Ok(exit);
    }
    work.finish()?;
    Ok(exit)
}

/// What sflowtool says on standard error.
fn tell(text: &str) -> Exit {
    // There is nobody to tell when that fails.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    Exit::Done
}
