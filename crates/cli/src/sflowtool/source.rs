//! Where sflowtool's datagrams come from: a capture, at any speed, or a port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use finderscope_transport::capture::{Capture, CaptureError};
use finderscope_transport::udp;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

use super::settings::{Family, Settings};
use crate::exit::Exit;

const LOOK_UP: Duration = Duration::from_millis(200);
const BATCH: usize = 64;
/// Waits are cut to this, so that a signal is heard.
const NAP: Duration = Duration::from_millis(100);

/// What takes a datagram, or nothing for a pause, when all that waits should be written.
pub type Take<'a> = dyn FnMut(Option<&Delivery<'_>>) -> anyhow::Result<()> + 'a;

/// Says when somebody wants the program to end.
#[derive(Clone, Debug)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Hears Ctrl-C and a request to end, so that what waits is still written.
    pub fn listen() -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot watch for signals")?;
        }
        Ok(Self(stop))
    }

    /// Whether somebody did.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Reads until the end or a signal.
pub fn read(settings: &Settings, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<Exit> {
    match &settings.file {
        Some(file) => play(file, settings.playback, stop, take),
        None => listen(settings, stop, take).map(|()| Exit::Done),
    }
}

/// Reads a capture once, or again and again at a multiple of its own speed.
fn play(file: &str, speed: Option<f64>, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<Exit> {
    let speed = speed.filter(|speed| *speed > 0.0);
    loop {
        let (exit, datagrams) = once(file, speed, stop, take)?;
        take(None)?;
        if speed.is_none() || stop.is_asked() || exit != Exit::Done || datagrams == 0 {
            return Ok(exit);
        }
    }
}

fn once(file: &str, speed: Option<f64>, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<(Exit, u64)> {
    let mut capture = Capture::open(&crate::replay::file(file))?;
    let mut pace = speed.map(|speed| Pace { speed, began: Instant::now(), first_ns: None });
    let mut datagrams = 0;
    let end: Option<CaptureError> = loop {
        match capture.read() {
            // What came over a session is IPFIX, not sFlow.
            Ok(Some(datagram)) if datagram.scheme == Scheme::Pcap => {
                datagrams += 1;
                let delivery = crate::capture::delivery(datagrams, &datagram);
                if let Some(pace) = &mut pace {
                    pace.wait(delivery.received_ns, stop, take)?;
                }
                take(Some(&delivery))?;
            }
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
        if stop.is_asked() {
            break None;
        }
    };
    crate::capture::tell(file, capture.counts());
    match end {
        None => Ok((Exit::Done, datagrams)),
        Some(error) => {
            crate::say(format_args!("{file}: {error}"));
            Ok((Exit::Partly, datagrams))
        }
    }
}

/// When a capture's datagrams are due.
pub(super) struct Pace {
    pub(super) speed: f64,
    pub(super) began: Instant,
    pub(super) first_ns: Option<i64>,
}

impl Pace {
    /// Waits until a datagram of this time is due; what waits to be written is written before.
    pub(super) fn wait(&mut self, time_ns: i64, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<()> {
        let since_ns = time_ns.saturating_sub(*self.first_ns.get_or_insert(time_ns)).max(0);
        let due = Duration::try_from_secs_f64(since_ns as f64 / 1e9 / self.speed).unwrap_or(Duration::MAX);
        let mut told = false;
        while !stop.is_asked() {
            let left = due.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                break;
            }
            if !std::mem::replace(&mut told, true) {
                take(None)?;
            }
            std::thread::sleep(left.min(NAP));
        }
        Ok(())
    }
}

fn listen(settings: &Settings, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<()> {
    let mut sockets = bind(settings)?;
    let waker = udp::Waker::new()?;
    let mut batch = udp::Batch::new(BATCH);
    for socket in &sockets {
        crate::say(format_args!("listening on udp://{}", socket.local_address()));
        if let Some(hint) = socket.receive_buffer().hint() {
            crate::say(format_args!("{hint}"));
        }
    }
    while !stop.is_asked() {
        if let Err(error) = udp::wait(&mut sockets, &waker, LOOK_UP) {
            go_on(settings, error)?;
        }
        for socket in &mut sockets {
            let listener = Listener { scheme: Scheme::Udp, address: socket.local_address() };
            loop {
                match socket.receive(&mut batch) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) => {
                        go_on(settings, error)?;
                        break;
                    }
                }
                for received in batch.iter() {
                    let (received_ns, source, bytes) = (received.received_ns, received.source, received.bytes);
                    take(Some(&Delivery { sequence: 0, received_ns, source, listener, identity: None, bytes }))?;
                }
                // Whoever reads our lines sees them at once, however fast more come.
                take(None)?;
            }
        }
    }
    for socket in &mut sockets {
        let dropped = socket.queue()?.dropped;
        if dropped > 0 {
            crate::say(format_args!("the kernel dropped {dropped} datagrams that were not read in time"));
        }
    }
    Ok(())
}

/// With `-k` an error of the socket is said and survived.
fn go_on(settings: &Settings, error: std::io::Error) -> anyhow::Result<()> {
    if !settings.keep_going {
        return Err(error).context("cannot receive");
    }
    crate::say(format_args!("cannot receive: {error}"));
    std::thread::sleep(NAP);
    Ok(())
}

fn bind(settings: &Settings) -> anyhow::Result<Vec<udp::UdpSocket>> {
    let options = udp::Options { ipv6_only: settings.family == Family::V6, ..udp::Options::default() };
    let port = settings.port;
    let sockets = match (settings.address, settings.family) {
        (Some(address), _) => udp::bind(SocketAddr::new(address, port), 1, &options),
        (None, Family::V4) => udp::bind(any(Ipv4Addr::UNSPECIFIED.into(), port), 1, &options),
        (None, Family::V6) => udp::bind(any(Ipv6Addr::UNSPECIFIED.into(), port), 1, &options),
        (None, Family::Any) => udp::bind_any(port, 1, &options),
    };
    Ok(sockets?)
}

const fn any(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}
