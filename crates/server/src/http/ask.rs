//! What somebody asks for who wants a live stream: the parameters, checked.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use finderscope_packets::LinkType;
use finderscope_packets::capture::{Format, Options};
use finderscope_packets::live::{PACKETS, PCAP, PCAPNG};
use finderscope_transport::bpf::Filter;

use super::shape::{Capture, Deliveries, PacketFrames, Packets, Shape};
use crate::agents::Agents;

/// Older versions of libpcap compile one filter at a time.
static COMPILING: Mutex<()> = Mutex::new(());

/// A stream of packets: its content type, and what makes it.
pub(super) fn packets(parameters: &[(String, String)]) -> Result<(&'static str, Box<dyn Shape>), String> {
    let mut asked = Asked::default();
    for (name, value) in parameters {
        asked.take(name, value)?;
    }
    let Asked { format, link, make_ethernet, discards, bpf, agents, true_length, nanoseconds } = asked;
    let packets = Packets { agents: Agents::new(agents), discards };
    let link_type = link.unwrap_or(LinkType::ETHERNET);
    if make_ethernet && link_type != LinkType::ETHERNET {
        return Err(format!("make_ethernet: this is for link_type=ethernet, not {link_type}"));
    }
    let (content_type, format) = match format.as_deref() {
        None | Some("pcap") => (PCAP, Format::Pcap),
        Some("pcapng") => (PCAPNG, Format::Pcapng),
        Some("frames") => {
            let of_captures = [("link_type", link.is_some()), ("make_ethernet", make_ethernet), ("bpf", bpf.is_some())];
            return match of_captures.iter().find(|(_, is_there)| *is_there) {
                Some((name, _)) => Err(format!("{name}: this is for captures; frames have packets as they are")),
                None => Ok((PACKETS, Box::new(PacketFrames(packets)))),
            };
        }
        Some(other) => return Err(format!("format={other}: there are pcap, pcapng and frames")),
    };
    let filter = bpf.map(|expression| compile(&expression, link_type)).transpose()?;
    let options = Options { format, link: link_type, true_length, nanoseconds };
    Ok((content_type, Box::new(Capture::new(packets, options, make_ethernet, filter))))
}

/// A stream of datagrams.
pub(super) fn deliveries(parameters: &[(String, String)]) -> Result<Deliveries, String> {
    let mut agents = Vec::new();
    for (name, value) in parameters {
        match name.as_str() {
            "agent" => agents.push(address(value)?),
            _ => return Err(unknown(name, "agent")),
        }
    }
    Ok(Deliveries { agents: Agents::new(agents) })
}

#[derive(Default)]
struct Asked {
    format: Option<String>,
    link: Option<LinkType>,
    make_ethernet: bool,
    discards: bool,
    bpf: Option<String>,
    agents: Vec<IpAddr>,
    true_length: bool,
    nanoseconds: bool,
}

impl Asked {
    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "format" => self.format = Some(value.to_owned()),
            "link_type" => self.link = Some(value.parse().map_err(|error| format!("link_type={value}: {error}"))?),
            "make_ethernet" => self.make_ethernet = flag(name, value)?,
            "discards" => self.discards = flag(name, value)?,
            "bpf" => self.bpf = Some(value.to_owned()),
            "agent" => self.agents.push(address(value)?),
            "true_length" => self.true_length = flag(name, value)?,
            "nanoseconds" => self.nanoseconds = flag(name, value)?,
            _ => {
                let known = "format, link_type, make_ethernet, discards, bpf, agent, true_length and nanoseconds";
                return Err(unknown(name, known));
            }
        }
        Ok(())
    }
}

fn compile(expression: &str, link: LinkType) -> Result<Filter, String> {
    let _one_at_a_time = COMPILING.lock().unwrap_or_else(PoisonError::into_inner);
    Filter::compile(expression, link.0).map_err(|error| format!("bpf: {error}"))
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "true" | "1" | "" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("{name}={value}: wants true or false")),
    }
}

fn address(value: &str) -> Result<IpAddr, String> {
    value.parse().map_err(|_| format!("agent={value}: this is no address"))
}

fn unknown(name: &str, known: &str) -> String {
    format!("{name}: no such parameter; there are {known}")
}
