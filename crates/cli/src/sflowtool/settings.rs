//! What the options mean, with the last of those that choose an output winning.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use finderscope_packets::sflowtool::netflow::Version;
use finderscope_packets::sflowtool::{Fields, Form, Vlans};

use super::getopt;
use crate::live::Access;

const OPTIONS: &[getopt::Option] = &[
    flag('4', &["listen-v4-only"]),
    flag('6', &["listen-v6-only"]),
    flag('A', &["listen-v4-v6"]),
    flag('l', &["line"]),
    flag('g', &["grep"]),
    flag('j', &["json"]),
    flag('J', &["json-indented"]),
    flag('H', &["common-logfile"]),
    flag('t', &["write-pcap"]),
    flag('T', &["write-pcap-discards"]),
    flag('M', &["write-pcap-datagrams"]),
    flag('x', &["redact-payload"]),
    flag('e', &["netflow-peer-as"]),
    flag('s', &["no-scaling"]),
    flag('S', &["netflow-spoof-source"]),
    flag('D', &["allow-dns"]),
    flag('k', &["keep-going-on-error"]),
    flag('z', &["version"]),
    flag('h', &["help"]),
    flag('?', &["usage"]),
    with('p', &["port"]),
    with('b', &["listen-address"]),
    with('r', &["read-pcap"]),
    with('R', &["read-pcap-sampling"]),
    with('P', &["read-pcap-playback"]),
    with('L', &["fields"]),
    with('c', &["netflow-collector"]),
    with('d', &["netflow-udp-dport"]),
    with('N', &["netflow-version"]),
    with('f', &["forwarding-target"]),
    with('V', &["include-vlans"]),
    with('v', &["exclude-vlans"]),
    // Not sflowtool's.
    with(TOKEN_FILE, &["token-file"]),
    with(DATA, &["data"]),
];

/// What stands for long options without a letter; nobody types these.
const TOKEN_FILE: char = '\u{1}';
const DATA: char = '\u{2}';

const fn flag(letter: char, long: &'static [&'static str]) -> getopt::Option {
    getopt::Option { letter, long, argument: false }
}

const fn with(letter: char, long: &'static [&'static str]) -> getopt::Option {
    getopt::Option { letter, long, argument: true }
}

/// Where datagrams come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// IPv4 and IPv6, or what there is of them.
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// What is written.
#[derive(Debug)]
pub enum Output {
    /// Text.
    Form(Form),
    /// A capture of the packets in flow samples.
    Packets,
    /// A capture of the packets in discard samples.
    Discards,
    /// A capture of the datagrams.
    Datagrams,
    /// NetFlow, to collectors.
    NetFlow,
    /// Nothing but what is forwarded.
    Nothing,
}

/// All options.
#[derive(Debug)]
pub struct Settings {
    pub port: u16,
    pub family: Family,
    pub address: Option<IpAddr>,
    /// A capture to read, `-` for standard input.
    pub file: Option<String>,
    /// The capture holds ordinary packets, of which one in so many is sampled.
    pub sampling: Option<u32>,
    /// Times the capture's own speed, again and again; 0 is once and at once.
    pub playback: Option<f64>,
    pub redacted: bool,
    pub output: Output,
    pub collectors: Vec<IpAddr>,
    pub collector_port: Option<u16>,
    pub version: Version,
    pub peer_as: bool,
    pub scaled: bool,
    pub spoofed: bool,
    pub targets: Vec<SocketAddr>,
    pub vlans: Option<Vlans>,
    pub keep_going: bool,
    /// What is known of the server that is read from.
    pub access: Access,
}

/// What the line asks for.
#[derive(Debug)]
pub enum Asked {
    /// To be told how it is used.
    Help,
    /// Its version.
    Version,
    /// To work.
    Work(Box<Settings>),
}

impl Settings {
    /// Reads a line of words. Fails with what is wrong with it.
    pub fn parse(words: &[String]) -> Result<Asked, String> {
        let mut settings = Self {
            port: 6343,
            family: Family::Any,
            address: None,
            file: None,
            sampling: None,
            playback: None,
            redacted: false,
            output: Output::Form(Form::Text),
            collectors: Vec::new(),
            collector_port: None,
            version: Version::V5,
            peer_as: false,
            scaled: true,
            spoofed: false,
            targets: Vec::new(),
            vlans: None,
            keep_going: false,
            access: Access::default(),
        };
        let mut names_allowed = false;
        for (letter, value) in getopt::parse(OPTIONS, words)? {
            match letter {
                'h' | '?' => return Ok(Asked::Help),
                'z' => return Ok(Asked::Version),
                'D' => names_allowed = true,
                'c' | 'f' => settings.place(letter, &value, names_allowed)?,
                _ => settings.set(letter, value)?,
            }
        }
        settings.check()?;
        Ok(Asked::Work(Box::new(settings)))
    }

    /// Whether something is written to standard output.
    pub const fn prints(&self) -> bool {
        !matches!(self.output, Output::NetFlow | Output::Nothing)
    }

    fn set(&mut self, letter: char, value: String) -> Result<(), String> {
        match letter {
            '4' => self.family = Family::V4,
            '6' => self.family = Family::V6,
            'A' => self.family = Family::Any,
            'l' => self.output = Output::Form(Form::Line),
            'g' => self.output = Output::Form(Form::Grep(Vec::new())),
            'j' => self.output = Output::Form(Form::Json { indented: false }),
            'J' => self.output = Output::Form(Form::Json { indented: true }),
            'H' => self.output = Output::Form(Form::Log),
            't' => self.output = Output::Packets,
            'T' => self.output = Output::Discards,
            'M' => self.output = Output::Datagrams,
            'L' => {
                self.output = Output::Form(Form::Fields(Fields::new(&value).ok_or("-L: the list of fields is empty")?))
            }
            'x' => self.redacted = true,
            'e' => self.peer_as = true,
            's' => self.scaled = false,
            'S' => self.spoofed = true,
            'k' => self.keep_going = true,
            TOKEN_FILE => self.access.token_file = Some(value.into()),
            DATA => self.access.data = Some(value.into()),
            'p' => self.port = number(&value, "-p wants a port")?,
            'b' => self.address = Some(number(&value, "-b wants an address")?),
            'r' => self.file = Some(value),
            'R' => self.sampling = Some(positive(number(&value, "-R wants a number")?, "-R wants a number from 1 on")?),
            'P' => self.playback = Some(speed(&value)?),
            'd' => {
                self.collector_port = Some(positive(number(&value, "-d wants a port")?, "-d wants a port from 1 on")?);
                self.output = Output::NetFlow;
            }
            'N' => {
                self.version = match value.as_str() {
                    "5" => Version::V5,
                    "9" => Version::V9,
                    _ => return Err(format!("-N {value}: NetFlow 5 and 9 can be written")),
                }
            }
            'V' => self.vlans = Some(Vlans::include(self.vlans.take(), &value)?),
            'v' => self.vlans = Some(Vlans::exclude(self.vlans.take(), &value)?),
            _ => return Err(format!("-{letter} is no option")),
        }
        Ok(())
    }

    fn place(&mut self, letter: char, value: &str, names_allowed: bool) -> Result<(), String> {
        if letter == 'c' {
            self.collectors.push(look_up(value, names_allowed)?);
            self.output = Output::NetFlow;
            return Ok(());
        }
        let (host, port) = value.split_once('/').ok_or_else(|| format!("-f {value}: wants HOST/PORT"))?;
        let port = port.parse().ok().filter(|port| (1..=65534).contains(port));
        let port = port.ok_or_else(|| format!("-f {value}: wants a port from 1 to 65534"))?;
        self.targets.push(SocketAddr::new(look_up(host, names_allowed)?, port));
        Ok(())
    }

    fn check(&mut self) -> Result<(), String> {
        if let (Some(address), Family::V4 | Family::V6) = (self.address, self.family)
            && address.is_ipv4() != (self.family == Family::V4)
        {
            return Err(format!("-b {address}: is of the other family than -4 or -6 chose"));
        }
        if matches!(self.output, Output::NetFlow) {
            if self.collectors.is_empty() || self.collector_port.is_none() {
                return Err("NetFlow needs both, a collector (-c) and its port (-d)".to_owned());
            }
            if self.spoofed && self.collectors.iter().any(IpAddr::is_ipv6) {
                return Err("-S: sources can be spoofed over IPv4 alone".to_owned());
            }
        }
        if self.sampling.is_some() && self.file.is_none() {
            return Err("-R: wants a capture to sample (-r)".to_owned());
        }
        if self.sampling.is_some() && self.targets.is_empty() {
            return Err("-R: wants somebody to send samples to (-f)".to_owned());
        }
        if self.playback.is_some_and(|speed| speed > 0.0) && self.file.as_deref() == Some("-") {
            return Err("-P: standard input cannot be read again".to_owned());
        }
        if !self.targets.is_empty() && !matches!(self.output, Output::Datagrams) {
            self.output = Output::Nothing;
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(text: &str, problem: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("{problem}, not {text:?}"))
}

fn positive<T: PartialEq + From<u8>>(number: T, problem: &str) -> Result<T, String> {
    if number == T::from(0) { Err(problem.to_owned()) } else { Ok(number) }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = number(text, "-P wants a speed")?;
    if speed.is_finite() && speed >= 0.0 { Ok(speed) } else { Err(format!("-P {text}: wants a speed from 0 on")) }
}

fn look_up(host: &str, names_allowed: bool) -> Result<IpAddr, String> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    if !names_allowed {
        return Err(format!("{host:?} is no address; hint: -D before it allows names"));
    }
    let mut found = (host, 0).to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    found.next().map(|address| address.ip()).ok_or_else(|| format!("{host}: has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Settings, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match Settings::parse(&words)? {
            Asked::Work(settings) => Ok(*settings),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn the_last_output_wins() {
        let output = |line| format!("{:?}", parse(line).map(|settings| settings.output));
        assert_eq!(output("-l -j"), "Ok(Form(Json { indented: false }))");
        assert_eq!(output("-j -lt"), "Ok(Packets)");
        assert_eq!(output("-t --json-indented"), "Ok(Form(Json { indented: true }))");
        assert_eq!(output("-l -c 192.0.2.1 -d 9991"), "Ok(NetFlow)");
        assert_eq!(output("-c 192.0.2.1 -d 9991 -l"), "Ok(Form(Line))");
        assert_eq!(output(""), "Ok(Form(Text))");
    }

    #[test]
    fn who_forwards_prints_nothing_but_datagrams() {
        let output = |line| format!("{:?}", parse(line).map(|settings| settings.output));
        assert_eq!(output("-f 192.0.2.1/6343 -l"), "Ok(Nothing)");
        assert_eq!(output("-M -f 192.0.2.1/6343"), "Ok(Datagrams)");
    }

    #[test]
    fn long_names_of_vlan_filters_mean_what_they_say() {
        for (line, one, two) in [("-V 5", true, false), ("--include-vlans 5", true, false), ("+v5", true, false)] {
            assert_eq!(wants(line), (one, two), "{line}");
        }
        for line in ["-v 5", "--exclude-vlans 5", "--exclude-vlans=5"] {
            assert_eq!(wants(line), (false, true), "{line}");
        }
    }

    /// Whether VLANs 5 and 6 are let through.
    fn wants(line: &str) -> (bool, bool) {
        let vlans = parse(line).ok().and_then(|settings| settings.vlans);
        let wants = |vlan| {
            let seen = finderscope_packets::sflowtool::Seen { in_vlan: vlan, out_vlan: vlan, ..Default::default() };
            vlans.as_ref().is_some_and(|vlans| vlans.wants(&seen))
        };
        (wants(5), wants(6))
    }

    #[test]
    fn wrong_use_is_told_with_its_option() {
        for (line, problem) in [
            ("-p x", "-p wants a port, not \"x\""),
            ("-c 192.0.2.1", "NetFlow needs both, a collector (-c) and its port (-d)"),
            ("-N 7", "-N 7: NetFlow 5 and 9 can be written"),
            ("-f example.org/1", "\"example.org\" is no address; hint: -D before it allows names"),
            ("-f 192.0.2.1", "-f 192.0.2.1: wants HOST/PORT"),
            ("-f 192.0.2.1/65535", "-f 192.0.2.1/65535: wants a port from 1 to 65534"),
            ("-V 5-", "VLAN \"\" is no number from 0 to 4096"),
            ("-6 -b 192.0.2.1", "-b 192.0.2.1: is of the other family than -4 or -6 chose"),
            ("-o x", "-o is no option"),
        ] {
            assert_eq!(parse(line).err().as_deref(), Some(problem), "{line}");
        }
    }
}
