//! Where sflowtool's datagrams come from: a capture, at any speed, a port, or the server that has it.

use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use finderscope_packets::is_sflow;
use finderscope_transport::capture::Counts;
use finderscope_wire::delivery::Scheme;

use super::settings::{Family, Settings};
use crate::exit::Exit;
use crate::flood::Flood;
use crate::live::{SFLOW_PORT, Source, Stop, Take};

/// Waits are cut to this, so that a signal is heard.
const NAP: Duration = Duration::from_millis(100);

/// Reads until the end, or until there is a reason to stop.
pub fn read(settings: &Settings, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<Exit> {
    let source = match (&settings.file, &settings.access.data) {
        (Some(server), _) if server.starts_with("http://") => Source::parse_sflow(server)?,
        (Some(file), _) => {
            return play(&Source::parse_sflow(&format!("pcap:{file}"))?, settings.playback, stop, take);
        }
        (None, Some(data)) => Source::of_folder(data)?,
        (None, None) => port(settings)?,
    };
    let source = source.with(settings.access.clone());
    // A server has datagrams of all kinds.
    let all = !source.is_server();
    listen(&source, settings.keep_going, stop, &mut |delivery| match delivery {
        Some(delivery) if !all && !is_sflow(delivery.bytes) => Ok(true),
        delivery => take(delivery),
    })
}

/// The port as an endpoint. The usual one may be a running server's, which then has what we want.
fn port(settings: &Settings) -> anyhow::Result<Source> {
    let port = settings.port;
    let v6 = if settings.family == Family::V6 { "?ipv6_only=true" } else { "" };
    match (settings.address, settings.family) {
        (None, Family::Any) if port == SFLOW_PORT => Source::usual(),
        (None, Family::Any) => Source::parse_sflow(&format!("udp://:{port}")),
        (None, Family::V4) => Source::parse_sflow(&format!("udp://0.0.0.0:{port}")),
        (None, Family::V6) => Source::parse_sflow(&format!("udp://[::]:{port}{v6}")),
        (Some(IpAddr::V4(address)), _) => Source::parse_sflow(&format!("udp://{address}:{port}")),
        (Some(IpAddr::V6(address)), _) => Source::parse_sflow(&format!("udp://[{address}]:{port}{v6}")),
    }
}

/// Listens to a port. With `-k` an error is said and survived.
fn listen(source: &Source, keep_going: bool, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<Exit> {
    let mut told = Flood::of_lines(1);
    loop {
        let mut written = Ok(());
        let read = source.deliveries(stop, &mut Counts::default(), &mut |delivery| {
            take(delivery).or_else(|error| {
                written = Err(error);
                Ok(false)
            })
        });
        written?;
        match read {
            Err(error) if keep_going && !stop.is_set() => {
                let error = crate::named(source.name(), error);
                told.say(format_args!("error: {}", crate::with_causes(&error)));
                thread::sleep(NAP);
            }
            read => return read.map(|()| Exit::Done),
        }
    }
}

/// Reads a capture once, or again and again at a multiple of its own speed.
fn play(source: &Source, speed: Option<f64>, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<Exit> {
    let speed = speed.filter(|speed| *speed > 0.0);
    loop {
        let (exit, datagrams) = once(source, speed, stop, take)?;
        take(None)?;
        if speed.is_none() || stop.is_set() || exit != Exit::Done || datagrams == 0 {
            return Ok(exit);
        }
    }
}

fn once(source: &Source, speed: Option<f64>, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<(Exit, u64)> {
    let mut pace = speed.map(Pace::new);
    let mut datagrams = 0;
    let mut written = Ok(());
    let read = source.deliveries(stop, &mut Counts::default(), &mut |delivery| {
        let Some(delivery) = delivery else { return take(None) };
        // What came over a session is IPFIX, not sFlow.
        if delivery.listener.scheme != Scheme::Pcap {
            return Ok(true);
        }
        datagrams += 1;
        let mut due = || {
            if let Some(pace) = &mut pace {
                pace.wait(delivery.received_ns, stop, &mut || take(None).map(drop))?;
            }
            take(Some(delivery))
        };
        due().or_else(|error| {
            written = Err(error);
            Ok(false)
        })
    });
    written?;
    match read {
        Ok(()) => Ok((Exit::Done, datagrams)),
        // What lies before the damage was read, and is worth having.
        Err(error) if datagrams > 0 => {
            crate::tell_error(source.name(), error);
            Ok((Exit::Partly, datagrams))
        }
        Err(error) => Err(error),
    }
}

/// When a capture's datagrams are due.
pub(super) struct Pace {
    speed: f64,
    began: Instant,
    first_ns: Option<i64>,
}

impl Pace {
    /// From now on, at so many times the capture's speed.
    pub(super) fn new(speed: f64) -> Self {
        Self { speed, began: Instant::now(), first_ns: None }
    }

    /// Waits until a datagram of this time is due. Before it waits it says so, since somebody may want what there is.
    pub(super) fn wait(
        &mut self,
        time_ns: i64,
        stop: &Stop,
        pause: &mut dyn FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let since_ns = time_ns.saturating_sub(*self.first_ns.get_or_insert(time_ns)).max(0);
        let due = Duration::try_from_secs_f64(since_ns as f64 / 1e9 / self.speed).unwrap_or(Duration::MAX);
        let mut told = false;
        while !stop.is_set() {
            let left = due.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                break;
            }
            if !std::mem::replace(&mut told, true) {
                pause()?;
            }
            thread::sleep(left.min(NAP));
        }
        Ok(())
    }
}
