//! Where datagrams to decode come from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use finderscope_transport::capture::{Capture, Counts, read_datagram_file};
use finderscope_transport::endpoint::{Endpoint, HostPort, Options, Scheme as Way};
use finderscope_transport::udp;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

/// Files have no socket: their listener is nobody's.
const NO_SOCKET: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// Raw datagrams have no exporter either.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
const DEFAULT_PORT: u16 = 2055;
const LOOK_UP: Duration = Duration::from_millis(200);

/// What takes a delivery, or nothing for a pause; false ends the reading.
pub(crate) type Take<'a> = dyn FnMut(Option<&Delivery<'_>>) -> anyhow::Result<bool> + 'a;

/// Reads one input to its end, or until a signal. What became of a capture's frames is added to `frames`.
pub(crate) fn read(input: &str, datagram: bool, frames: &mut Counts, take: &mut Take<'_>) -> anyhow::Result<()> {
    if datagram {
        return read_datagram(input, take);
    }
    match input.parse() {
        Ok(Endpoint::Network(Way::Udp, place, options)) if input.contains("://") || input.starts_with(':') => {
            listen(&place, &options, take)
        }
        Ok(endpoint @ (Endpoint::Network(..) | Endpoint::Ssh { .. } | Endpoint::Kafka { .. }))
            if input.contains("://") =>
        {
            bail!("cannot decode from {}://; files and udp:// can be read", endpoint.scheme())
        }
        _ => read_capture(input, frames, take),
    }
}

fn read_datagram(path: &str, take: &mut Take<'_>) -> anyhow::Result<()> {
    let bytes = read_datagram_file(path.as_ref())?;
    let received_ns = modified_ns(path).unwrap_or_default();
    let listener = Listener { scheme: Scheme::Hex, address: NO_SOCKET };
    take(Some(&Delivery { sequence: 0, received_ns, source: NOBODY, listener, identity: None, bytes: &bytes }))?;
    Ok(())
}

/// A raw datagram has no receive time; its file's time is the best there is.
fn modified_ns(path: &str) -> Option<i64> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// Reads a capture file to its end, and says which of its frames gave nothing.
fn read_capture(input: &str, frames: &mut Counts, take: &mut Take<'_>) -> anyhow::Result<()> {
    let mut capture = Capture::open(&crate::replay::file(input))?;
    let end = loop {
        match capture.read() {
            Ok(Some(datagram)) => {
                if !take(Some(&crate::capture::delivery(0, &datagram)))? {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.into()),
        }
    };
    *frames += capture.counts();
    crate::capture::tell(input, capture.counts());
    end
}

fn listen(place: &HostPort, options: &Options, take: &mut Take<'_>) -> anyhow::Result<()> {
    let options = udp::Options::of(options)?;
    let mut sockets = udp::listen(place, DEFAULT_PORT, 1, &options)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot watch for signals")?;
    }
    let waker = udp::Waker::new()?;
    let mut batch = udp::Batch::new(64);
    for socket in &sockets {
        crate::say(format_args!("listening on udp://{}", socket.local_address()));
        if let Some(hint) = socket.receive_buffer().hint() {
            crate::say(format_args!("{hint}"));
        }
    }
    while !stop.load(Ordering::Relaxed) {
        udp::wait(&mut sockets, &waker, LOOK_UP)?;
        for socket in &mut sockets {
            let listener = Listener { scheme: Scheme::Udp, address: socket.local_address() };
            while socket.receive(&mut batch)? > 0 {
                for received in batch.iter() {
                    let (received_ns, source, bytes) = (received.received_ns, received.source, received.bytes);
                    let delivery = Delivery { sequence: 0, received_ns, source, listener, identity: None, bytes };
                    if !take(Some(&delivery))? {
                        return Ok(());
                    }
                }
            }
        }
        take(None)?;
    }
    for socket in &mut sockets {
        let dropped = socket.queue()?.dropped;
        if dropped > 0 {
            crate::say(format_args!("the kernel dropped {dropped} datagrams that were not read in time"));
        }
    }
    Ok(())
}
