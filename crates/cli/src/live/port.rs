//! Datagrams of a UDP port.

use std::time::Duration;

use finderscope_transport::endpoint::{HostPort, Options};
use finderscope_transport::udp::{self, BindError, UdpSocket};
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

use super::{Stop, Take};

/// A signal that came just before a wait is noticed after this long.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Datagrams of one system call.
const BATCH: usize = 64;

/// Takes a port.
pub(super) fn bind(place: &HostPort, options: &Options, port: u16) -> Result<Vec<UdpSocket>, BindError> {
    udp::listen(place, port, 1, &udp::Options::of(options)?)
}

/// Hands out what comes.
pub(super) fn read(mut sockets: Vec<UdpSocket>, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<()> {
    for socket in &sockets {
        crate::say(format_args!("listening on udp://{}", socket.local_address()));
        if let Some(hint) = socket.receive_buffer().hint() {
            crate::say(format_args!("{hint}"));
        }
    }
    let mut batch = udp::Batch::new(BATCH);
    // The port is open: whoever waits for that need not wait for a datagram.
    let mut going = take(None)?;
    while going && !stop.is_set() {
        udp::wait(&mut sockets, stop.waker(), LOOK_UP)?;
        for socket in &mut sockets {
            going = going && drain(socket, &mut batch, stop, take)?;
        }
        going = take(None)? && going;
    }
    for socket in &mut sockets {
        let dropped = socket.queue()?.dropped;
        if dropped > 0 {
            crate::say(format_args!("the kernel dropped {dropped} datagrams that were not read in time"));
        }
    }
    Ok(())
}

/// Takes what a socket has; false where the taker has enough.
fn drain(socket: &mut UdpSocket, batch: &mut udp::Batch, stop: &Stop, take: &mut Take<'_>) -> anyhow::Result<bool> {
    let listener = Listener { scheme: Scheme::Udp, address: socket.local_address() };
    loop {
        let received = socket.receive(batch)?;
        for it in batch.iter().take(received) {
            let (received_ns, source, bytes) = (it.received_ns, it.source, it.bytes);
            let delivery = Delivery { sequence: 0, received_ns, source, listener, identity: None, bytes };
            if !take(Some(&delivery))? {
                return Ok(false);
            }
        }
        // Under load there may never be a batch that is not full.
        if received < BATCH || stop.is_set() {
            return Ok(true);
        }
    }
}
