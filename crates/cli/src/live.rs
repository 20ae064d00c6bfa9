//! Where datagrams and packets come from while somebody looks: a capture file, standard input, a UDP port, a server.
//!
//! [`Source`] is what was typed behind `--from`. It gives whole datagrams ([`Source::deliveries`]) or the packets in
//! them ([`Source::packets`]), one at a time and in order, and says when there is a pause, which is when whoever writes
//! them on should flush. It ends with its input, when the taker has enough, or when [`Stop`] says so.
//!
//! A port that a running server has taken is not fought for: what comes there is read from the server instead.

mod capture;
mod from;
mod http;
mod input;
mod port;
mod server;
mod stop;

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::bail;
use finderscope_packets::{Counts, Extractor, Item};
use finderscope_transport::capture::Counts as Frames;
use finderscope_transport::endpoint::{Endpoint, File, HostPort, Options, Scheme};
use finderscope_transport::udp::{BindError, UdpSocket};
use finderscope_wire::delivery::Delivery;

use self::server::Server;

pub use from::FromArgs;
pub use stop::{Stop, wait_until_unread};

/// The port of sFlow.
pub const SFLOW_PORT: u16 = 6343;

/// Takes a delivery, or nothing for a pause; false ends the reading.
pub type Take<'a> = dyn FnMut(Option<&Delivery<'_>>) -> anyhow::Result<bool> + 'a;
/// Takes a packet or a port, or nothing for a pause; false ends the reading.
pub type TakeItem<'a> = dyn FnMut(Option<Item<'_>>) -> anyhow::Result<bool> + 'a;

/// Where datagrams come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in messages.
    name: String,
    place: Place,
    access: Access,
}

/// What is known of a server beside where it is.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The file that has its token.
    pub token_file: Option<PathBuf>,
    /// Its data folder, where it is one of this machine.
    pub data: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum Place {
    /// A capture or an IPFIX file.
    File(File),
    /// Lines of hexadecimal digits, each a datagram.
    Lines(File),
    /// The payload of one datagram.
    Datagram(PathBuf),
    /// A port, and the number that it has where none was typed.
    Udp(HostPort, Options, u16),
    /// A running server.
    Server(Server),
}

/// What came of packets.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// What was found in datagrams, and what could not be read.
    pub counts: Counts,
    /// Sets that still wait for their template.
    pub waiting: u64,
    /// What became of a capture's frames.
    pub frames: Frames,
}

impl Source {
    /// Reads what was typed; `port` is the one of a URL that names none.
    pub fn parse(typed: &str, port: u16) -> anyhow::Result<Self> {
        if let Some(rest) = typed.strip_prefix("http://") {
            return Ok(Self::at(typed, Place::Server(Server::parse(rest)?)));
        }
        // A file's name may be anything.
        let is_url = typed.starts_with("hex:")
            || typed.starts_with(':')
            || (typed.contains("://") && !typed.starts_with("pcap:"));
        let place = match typed.parse() {
            Ok(Endpoint::Network(Scheme::Udp, place, options)) if is_url => Place::Udp(place, options, port),
            Ok(Endpoint::Hex(file)) => Place::Lines(file),
            Ok(endpoint @ (Endpoint::Network(..) | Endpoint::Ssh { .. } | Endpoint::Kafka { .. })) if is_url => {
                bail!("cannot read from {}://; files, hex:, udp:// and http:// can be read", endpoint.scheme())
            }
            Err(error) if is_url => return Err(error.into()),
            _ => Place::File(crate::replay::file(typed)),
        };
        let name = match &place {
            Place::File(file) | Place::Lines(file) => name_of(file),
            _ => typed.to_owned(),
        };
        Ok(Self::at(&name, place))
    }

    fn at(name: &str, place: Place) -> Self {
        Self { name: name.to_owned(), place, access: Access::default() }
    }

    /// A file that is the payload of one datagram and nothing else.
    pub fn datagram(path: &str) -> Self {
        Self::at(path, Place::Datagram(path.into()))
    }

    /// Reads what was typed for a command that looks at packets.
    pub fn parse_sflow(typed: &str) -> anyhow::Result<Self> {
        Self::parse(typed, SFLOW_PORT)
    }

    /// The server that runs on a data folder.
    pub fn of_folder(data: &Path) -> anyhow::Result<Self> {
        let server = Server::of_folder(data)?;
        Ok(Self::at(&server.url(), Place::Server(server)))
    }

    /// The same, with what is known of the server that it is, or that has its port.
    #[must_use]
    pub fn with(self, access: Access) -> Self {
        let place = match self.place {
            Place::Server(server) => Place::Server(server.with(&access)),
            place => place,
        };
        Self { place, access, ..self }
    }

    /// Whether it is a server, which has more than one port's datagrams.
    pub const fn is_server(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a file with an end, which whoever typed it believed to be sound.
    pub const fn is_file(&self) -> bool {
        matches!(self.place, Place::File(File::Path(_)) | Place::Lines(File::Path(_)) | Place::Datagram(_))
    }

    /// Whether it is the file at `path`, which must not be written over then.
    pub fn is_same_file(&self, path: &Path) -> bool {
        let (Place::File(File::Path(ours)) | Place::Lines(File::Path(ours)) | Place::Datagram(ours)) = &self.place
        else {
            return false;
        };
        let file = |path: &Path| std::fs::metadata(path).ok().filter(Metadata::is_file).map(|it| (it.dev(), it.ino()));
        file(ours).is_some_and(|ours| file(path) == Some(ours))
    }

    /// Where datagrams come from when nothing was typed.
    pub fn usual() -> anyhow::Result<Self> {
        Self::parse_sflow("udp://")
    }

    /// Hands out every datagram. What became of a capture's frames is added to `frames`.
    pub fn deliveries(&self, stop: &Stop, frames: &mut Frames, take: &mut Take<'_>) -> anyhow::Result<()> {
        match &self.place {
            Place::File(file) => capture::read(&self.name, file, stop, frames, take),
            Place::Lines(file) => capture::read_lines(&self.name, file, stop, take),
            Place::Datagram(path) => capture::read_datagram(path, take),
            Place::Udp(place, options, port) => match take_port(place, options, *port, &self.access)? {
                Taken::Ours(sockets) => port::read(sockets, stop, take),
                Taken::By(server, port) => server.deliveries(Some(port), stop, take),
            },
            Place::Server(server) => server.deliveries(None, stop, take),
        }
    }

    /// Hands out every packet in them, and what they say about ports. What was found is added to `seen`, also where
    /// the reading fails.
    pub fn packets(&self, stop: &Stop, seen: &mut Seen, take: &mut TakeItem<'_>) -> anyhow::Result<()> {
        match &self.place {
            // A server has read the templates that came before.
            Place::Server(server) => server.packets(stop, seen, take),
            Place::Udp(place, options, port) => match take_port(place, options, *port, &self.access)? {
                Taken::Ours(sockets) => extract(seen, take, |_, deliveries| port::read(sockets, stop, deliveries)),
                Taken::By(server, _) => server.packets(stop, seen, take),
            },
            Place::File(_) | Place::Lines(_) | Place::Datagram(_) => {
                extract(seen, take, |frames, deliveries| self.deliveries(stop, frames, deliveries))
            }
        }
    }
}

fn name_of(file: &File) -> String {
    match file {
        File::Standard => "standard input".to_owned(),
        File::Path(path) => path.display().to_string(),
    }
}

/// Takes packets out of deliveries.
fn extract(
    seen: &mut Seen,
    take: &mut TakeItem<'_>,
    read: impl FnOnce(&mut Frames, &mut Take<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut extractor = Extractor::new();
    let read = read(&mut seen.frames, &mut |delivery| {
        let Some(delivery) = delivery else { return take(None) };
        let mut going = Ok(true);
        extractor.handle(delivery, |item| {
            if matches!(going, Ok(true)) {
                going = take(Some(item));
            }
        });
        going
    });
    seen.counts += *extractor.counts();
    seen.waiting += extractor.waiting();
    read
}

/// A port, or who has it.
enum Taken {
    Ours(Vec<UdpSocket>),
    By(Server, u16),
}

/// Takes a port, or finds the server that has it.
fn take_port(place: &HostPort, options: &Options, port: u16, access: &Access) -> anyhow::Result<Taken> {
    match port::bind(place, options, port) {
        Ok(sockets) => Ok(Taken::Ours(sockets)),
        Err(BindError::InUse { address, holder }) => match Server::listening_on(address.port(), access) {
            Some(server) => {
                let port = address.port();
                crate::say(format_args!("a server has udp port {port}; reading from {}", server.url()));
                Ok(Taken::By(server, port))
            }
            None => Err(BindError::InUse { address, holder }.into()),
        },
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_wrong_url_is_no_file() {
        for (typed, said) in [
            ("udp://:99999", "is not a port"),
            (":port", "is not a port"),
            ("https://collector:8008", "https:// is not known"),
            ("tcp://:6343", "cannot read from tcp://"),
        ] {
            let error = Source::parse_sflow(typed).unwrap_err().to_string();
            assert!(error.contains(said), "{typed}: {error}");
        }
        for file in ["sflow.pcap", "pcap://folder/sflow.pcap", "pcap:a://b", "-"] {
            assert!(matches!(Source::parse_sflow(file).unwrap().place, Place::File(_)), "{file}");
        }
        for (typed, lines) in [("hex:-", File::Standard), ("hex:a.txt", File::Path("a.txt".into()))] {
            let place = Source::parse_sflow(typed).unwrap().place;
            assert!(matches!(place, Place::Lines(file) if file == lines), "{typed}");
        }
        for (typed, name) in
            [("pcap:a.pcap", "a.pcap"), ("hex:a.txt", "a.txt"), ("-", "standard input"), ("udp://:1", "udp://:1")]
        {
            assert_eq!(Source::parse_sflow(typed).unwrap().name(), name);
        }
    }

    #[test]
    fn a_file_is_the_same_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, other] = ["a.pcap", "b.pcap", "c.pcap"].map(|name| folder.path().join(name));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let source = Source::parse_sflow(file.to_str().unwrap()).unwrap();
        assert!(source.is_same_file(&file) && source.is_same_file(&link));
        assert!(!source.is_same_file(&other) && !source.is_same_file(folder.path()));
        assert!(!Source::usual().unwrap().is_same_file(&file));
    }
}
