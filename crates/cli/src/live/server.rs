//! A running server as a source: its live streams, and how it is found.

use std::fs;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use finderscope_packets::Item;
use finderscope_packets::live::{Frame, Frames};
use finderscope_server::config::default_data_folder;
use finderscope_server::status::Status;
use finderscope_server::{contact, token};
use finderscope_transport::listener;

use super::http::{self, Body};
use super::{Access, Seen, Stop, Take, TakeItem};

/// The port of HTTP.
const PORT: u16 = 8008;
/// A token, for those who have it in their environment.
const TOKEN_VARIABLE: &str = "FINDERSCOPE_TOKEN";
const UNAUTHORIZED: u16 = 401;

/// A server that is asked over HTTP.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// HOST:PORT.
    authority: String,
    /// The file that has the token, where somebody said so.
    token_file: Option<PathBuf>,
    /// Its data folder, where that is known.
    data: Option<PathBuf>,
}

impl Server {
    /// Reads what stands behind `http://`: HOST[:PORT][/][?token_file=FILE].
    pub(super) fn parse(rest: &str) -> anyhow::Result<Self> {
        let (place, options) = rest.split_once('?').map_or((rest, None), |(place, options)| (place, Some(options)));
        let token_file = match options.map(|options| options.split_once('=')) {
            None => None,
            Some(Some(("token_file", file))) if !file.is_empty() => Some(file.into()),
            _ => bail!("http://{rest}: the only option is token_file=FILE"),
        };
        let place = place.trim_end_matches('/');
        if place.is_empty() || place.contains(['/', '@', ' ']) {
            bail!("http://{rest}: wants http://HOST:PORT, as http://127.0.0.1:8008");
        }
        let has_port = place.rsplit_once(':').is_some_and(|(host, port)| !port.contains(']') && !host.ends_with(':'));
        let authority = if has_port { place.to_owned() } else { format!("{place}:{PORT}") };
        Ok(Self { authority, token_file, data: None })
    }

    /// The same, with what is known of it.
    pub(super) fn with(self, access: &Access) -> Self {
        let Access { token_file, data } = access.clone();
        Self { token_file: token_file.or(self.token_file), data: data.or(self.data), ..self }
    }

    /// The server that runs on a data folder.
    pub(super) fn of_folder(data: &Path) -> anyhow::Result<Self> {
        let Some(address) = contact::of_folder(data) else {
            bail!("no server runs on {}; hint: finderscope serve --data {0}", data.display());
        };
        Ok(Self { authority: address.to_string(), token_file: None, data: Some(data.to_owned()) })
    }

    /// The server of this machine that listens for datagrams on a port, if there is one.
    pub(super) fn listening_on(port: u16, access: &Access) -> Option<Self> {
        let folder = access.data.clone().or_else(|| default_data_folder().ok());
        let told = folder.as_deref().and_then(contact::of_folder);
        let usual = SocketAddr::from(([127, 0, 0, 1], PORT));
        let mut places = vec![(told, folder), (Some(usual), None)];
        places.retain(|(address, _)| address.is_some());
        places.into_iter().find_map(|(address, data)| {
            let server = Self { authority: address?.to_string(), token_file: access.token_file.clone(), data };
            let status = server.status().ok()?;
            let urls = status.listeners.iter().filter_map(|listener| listener.url.strip_prefix("udp://"));
            let mut ports = urls.filter_map(|place| place.parse::<SocketAddr>().ok());
            ports.any(|listener| listener.port() == port).then_some(Self { data: Some(status.data), ..server })
        })
    }

    /// As it is typed.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Hands out every datagram; those that came in on one port, where one is named.
    pub(super) fn deliveries(&self, port: Option<u16>, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<()> {
        let Some(body) = self.open("/api/v1/deliveries", stop)? else { return Ok(()) };
        self.read(body, stop, &mut |frame| match frame {
            Some(Frame::Delivery(it)) if port.is_none_or(|port| it.listener.address.port() == port) => take(Some(&it)),
            Some(_) => Ok(true),
            None => take(None),
        })
    }

    /// Hands out every packet.
    pub(super) fn packets(&self, stop: &Stop, seen: &mut Seen, take: &mut TakeItem<'_>) -> anyhow::Result<()> {
        let Some(body) = self.open("/api/v1/packets?format=frames&discards=true", stop)? else { return Ok(()) };
        self.read(body, stop, &mut |frame| match frame {
            Some(Frame::Packet(packet)) => {
                seen.counts.packets += 1;
                take(Some(Item::Packet(packet)))
            }
            Some(Frame::Port(port)) => take(Some(Item::Port(port))),
            Some(_) => Ok(true),
            None => take(None),
        })
    }

    /// Reads frames until their end, a reason to stop, or until the taker has enough.
    fn read(
        &self,
        body: Body,
        stop: &Stop,
        take: &mut dyn FnMut(Option<Frame<'_>>) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let mut frames = Frames::new(body);
        let mut lost = 0;
        while !stop.is_set() {
            if !frames.has_next() && !take(None)? {
                break;
            }
            match frames.next() {
                Ok(Some(Frame::Lost(so_far))) => lost = so_far,
                Ok(Some(frame)) => {
                    if !take(Some(frame))? {
                        break;
                    }
                }
                Ok(None) if stop.is_set() => break,
                Ok(None) => {
                    crate::say(format_args!("{} has ended the stream", self.url()));
                    break;
                }
                Err(_) if stop.is_set() => break,
                Err(error) => return Err(error).with_context(|| self.url()),
            }
        }
        take(None)?;
        if lost > 0 {
            crate::say(format_args!("{lost} datagrams were lost here: they came faster than they were read"));
        }
        Ok(())
    }

    /// Begins to read a stream; none where there is a reason to stop before that.
    fn open(&self, path: &str, stop: &Stop) -> anyhow::Result<Option<Body>> {
        let (token, missing) = match self.token(Some(stop)) {
            Ok(token) => (token, None),
            Err(error) => (None, Some(error)),
        };
        let answer = match http::get(&self.authority, path, token.as_deref(), Some(stop)) {
            Err(_) if stop.is_set() => return Ok(None),
            answer => answer?,
        };
        match (answer.status, missing) {
            (200, _) => Ok(Some(answer.body.until(stop)?)),
            (UNAUTHORIZED, Some(missing)) => Err(missing.context(format!("{} wants its token", self.url()))),
            (status, _) => bail!("{} says {status}: {}", self.url(), answer.body.text()?.trim()),
        }
    }

    fn status(&self) -> anyhow::Result<Status> {
        let token = self.token(None).ok().flatten();
        let answer = http::get(&self.authority, "/api/v1/status", token.as_deref(), None)?;
        if answer.status != 200 {
            bail!("{} says {}", self.url(), answer.status);
        }
        Ok(serde_json::from_str(&answer.body.text()?)?)
    }

    /// The token that the server wants, from where somebody says that it is, the environment, or the server's data folder.
    fn token(&self, stop: Option<&Stop>) -> anyhow::Result<Option<String>> {
        if let Some(path) = &self.token_file {
            return Ok(Some(token::read(path)?));
        }
        if let Some(token) = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()) {
            return Ok(Some(token.trim().to_owned()));
        }
        let Some(address) = self.on_this_machine() else {
            bail!("hint: --token-file FILE, or {TOKEN_VARIABLE} in the environment");
        };
        let Some(data) = self.data.clone().or_else(|| self.data_told(stop)) else { return Ok(None) };
        let path = token::path(&data);
        let owner = fs::metadata(&path).with_context(|| path.display().to_string())?.uid();
        // The token is shown to nobody but its server: another user's process could wait on the same port.
        match listener::user(address) {
            Some(user) if user == owner || user == 0 => Ok(Some(token::read(&path)?)),
            Some(_) => bail!("{} is another user's process than the token's in {}", self.url(), path.display()),
            // Nobody answers, or somebody whom this machine cannot name.
            None => Ok(None),
        }
    }

    /// Where the server says that its folder is, which it tells everybody on this machine.
    fn data_told(&self, stop: Option<&Stop>) -> Option<PathBuf> {
        let answer = http::get(&self.authority, "/api/v1/status", None, stop).ok()?;
        let status: Status = serde_json::from_str(&answer.body.text().ok()?).ok()?;
        Some(status.data)
    }

    fn on_this_machine(&self) -> Option<SocketAddr> {
        let local = |ip: IpAddr| ip.is_loopback() || std::net::UdpSocket::bind((ip, 0)).is_ok();
        self.authority.to_socket_addrs().ok()?.find(|address| local(address.ip()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_servers_url_has_a_host_and_may_have_a_port_and_a_token_file() {
        for (typed, authority, token_file) in [
            ("127.0.0.1:9008", "127.0.0.1:9008", None),
            ("localhost/", "localhost:8008", None),
            ("[::1]", "[::1]:8008", None),
            ("[::1]:80", "[::1]:80", None),
            ("collector:8008?token_file=/run/token", "collector:8008", Some("/run/token")),
        ] {
            let server = Server::parse(typed).unwrap();
            assert_eq!(
                (server.authority.as_str(), server.token_file),
                (authority, token_file.map(PathBuf::from)),
                "{typed}"
            );
        }
        for bad in ["", "/", "host/path", "user@host", "host?token=secret", "host?token_file="] {
            assert!(Server::parse(bad).is_err(), "{bad}");
        }
    }
}
