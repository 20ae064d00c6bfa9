//! What somebody asks for who wants a live stream: the parameters, checked.
//!
//! Filters are libpcap's to compile, which looks names up and cannot be interrupted. So that is done in a thread of its own, one
//! at a time, for which nobody waits for ever, neither who asked nor the server at its end.

use std::net::IpAddr;
use std::time::Duration;

use finderscope_packets::LinkType;
use finderscope_packets::capture::{Format, Options};
use finderscope_packets::live::{PACKETS, PCAP, PCAPNG};
use finderscope_transport::bpf::Filter;
use tokio::sync::{Semaphore, oneshot};

use super::shape::{Capture, Deliveries, PacketFrames, Packets, Shape};
use crate::agents::Agents;

/// Older versions of libpcap compile one filter at a time.
static COMPILING: Semaphore = Semaphore::const_new(1);
/// Compiling takes seconds from here on, and with the cube of the length.
const FILTER_BYTES_MAX: usize = 2_048;
/// How long a filter may take, and before it those that others asked for.
const COMPILING_MAX: Duration = Duration::from_secs(10);

/// Why a stream cannot be had.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Wrong {
    /// It cannot be meant so.
    Request(String),
    /// It could be, at another time.
    Busy(String),
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Self::Request(text)
    }
}

/// A stream of packets: its content type, and what makes it.
pub(super) async fn packets(parameters: &[(String, String)]) -> Result<(&'static str, Box<dyn Shape>), Wrong> {
    let mut asked = Asked::default();
    for (name, value) in parameters {
        asked.take(name, value)?;
    }
    let Asked { format, link, make_ethernet, discards, bpf, agents, true_length, nanoseconds } = asked;
    let packets = Packets { agents: Agents::new(agents), discards };
    let link_type = link.unwrap_or(LinkType::ETHERNET);
    if make_ethernet && link_type != LinkType::ETHERNET {
        return Err(format!("make_ethernet: this is for link_type=ethernet, not {link_type}").into());
    }
    let (content_type, format) = match format.as_deref() {
        None | Some("pcap") => (PCAP, Format::Pcap),
        Some("pcapng") => (PCAPNG, Format::Pcapng),
        Some("frames") => {
            let of_captures = [("link_type", link.is_some()), ("make_ethernet", make_ethernet), ("bpf", bpf.is_some())];
            return match of_captures.iter().find(|(_, is_there)| *is_there) {
                Some((name, _)) => Err(format!("{name}: this is for captures; frames have packets as they are").into()),
                None => Ok((PACKETS, Box::new(PacketFrames(packets)))),
            };
        }
        Some(other) => return Err(format!("format={other}: there are pcap, pcapng and frames").into()),
    };
    let filter = match bpf {
        Some(expression) => Some(compile(expression, link_type).await?),
        None => None,
    };
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

async fn compile(expression: String, link: LinkType) -> Result<Filter, Wrong> {
    if expression.len() > FILTER_BYTES_MAX {
        let hint = "hint: filter what comes, or ask for single agents";
        return Err(
            format!("bpf: this has {} bytes, and {FILTER_BYTES_MAX} are allowed; {hint}", expression.len()).into()
        );
    }
    let compiled = compile_beside(move || Filter::compile(&expression, link.0));
    match tokio::time::timeout(COMPILING_MAX, compiled).await {
        Ok(Ok(compiled)) => compiled.map_err(|error| Wrong::Request(format!("bpf: {error}"))),
        Ok(Err(problem)) => Err(Wrong::Busy(problem)),
        Err(_) => Err(Wrong::Busy(format!(
            "bpf: this filter, or another one before it, takes more than {} s; hint: write addresses instead of names",
            COMPILING_MAX.as_secs()
        ))),
    }
}

/// Does it in a thread that may outlive whoever waits for it, behind those that are at it already.
async fn compile_beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let no_place = |problem: &dyn std::fmt::Display| format!("bpf: no filter can be compiled now: {problem}");
    let place = COMPILING.acquire().await.map_err(|closed| no_place(&closed))?;
    let (sender, compiled) = oneshot::channel();
    let thread = std::thread::Builder::new().name("filter".to_owned()).spawn(move || {
        let result = work();
        drop(place);
        drop(sender.send(result)); // an error means that nobody waits any more
    });
    thread.map_err(|error| no_place(&error))?;
    compiled.await.map_err(|ended| no_place(&ended))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use std::sync::mpsc;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn nobody_waits_for_a_filter_that_takes_for_ever_and_the_next_one_waits_for_its_place() {
        let (go_on, until) = mpsc::channel::<()>();
        let runtime = runtime();
        let brief = Duration::from_millis(50);
        let stuck = compile_beside(move || until.recv());
        assert!(runtime.block_on(async { tokio::time::timeout(brief, stuck).await }).is_err());
        // Libpcap is still at it, so nobody else gets in.
        let next = compile_beside(|| 1);
        assert!(runtime.block_on(async { tokio::time::timeout(brief, next).await }).is_err());
        // A runtime that ends does not wait for it, either: only now it may go on.
        drop(runtime);
        drop(go_on);
        assert_eq!(self::runtime().block_on(compile_beside(|| 2)), Ok(2));
    }

    #[test]
    fn a_filter_that_would_take_long_is_refused_by_its_length() {
        let ports: Vec<_> = (0..300).map(|port| format!("port {port}")).collect();
        let asked = [("bpf".to_owned(), ports.join(" or "))];
        let refused = runtime().block_on(packets(&asked)).err().unwrap();
        let Wrong::Request(text) = refused else { panic!("{refused:?}") };
        assert!(text.starts_with("bpf: this has 3") && text.contains("2048 are allowed"), "{text}");
    }
}
