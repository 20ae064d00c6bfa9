//! Taking the ports.

use std::net::SocketAddr;

use finderscope_transport::endpoint::{self, Endpoint, HostPort, Scheme};
use finderscope_transport::udp::{self, Passed, UdpSocket};

use super::StartError;
use crate::config::Config;

/// The port where an endpoint has none.
const DEFAULT_PORT: u16 = 2055;

/// A listener as it came out.
#[derive(Clone, Debug)]
pub struct Listening {
    /// As it was asked for.
    pub endpoint: Endpoint,
    /// The address that was bound.
    pub address: SocketAddr,
    /// What is not as it should be with it.
    pub hint: Option<String>,
}

/// How many shards there are: as many as are wanted, but where sockets were passed, as many as those.
pub(super) fn shards(config: &Config, passed: &Passed) -> Result<usize, StartError> {
    let mut most = config.shard_count();
    for listen in &config.listen {
        let (place, _) = udp_place(&listen.0)?;
        match passed.count(place, DEFAULT_PORT) {
            0 => {}
            count => most = most.min(count),
        }
    }
    Ok(most)
}

/// Binds every listener for every shard, or takes what was passed for it: shard k gets the k-th socket of each.
pub(super) fn bind(
    config: &Config,
    shards: usize,
    passed: &mut Passed,
) -> Result<(Vec<Vec<UdpSocket>>, Vec<Listening>), StartError> {
    let mut by_shard: Vec<Vec<UdpSocket>> = (0..shards).map(|_| Vec::new()).collect();
    let mut listening = Vec::new();
    for listen in &config.listen {
        let endpoint = &listen.0;
        let (place, options) = udp_place(endpoint)?;
        let failed = |error| StartError::Bind { endpoint: Box::new(endpoint.clone()), error: Box::new(error) };
        let mut udp_options = udp::Options::of(options).map_err(failed)?;
        if options.value("receive_buffer").is_none() {
            udp_options.receive_buffer_bytes = config.udp.receive_buffer.bytes();
        }
        let sockets = match passed.listen(place, DEFAULT_PORT, shards, &udp_options) {
            Some(sockets) => sockets.map_err(failed)?,
            None => udp::listen(place, DEFAULT_PORT, shards, &udp_options).map_err(failed)?,
        };
        for socket in sockets {
            if socket.shard() == 0 {
                let (address, hint) = (socket.local_address(), socket.receive_buffer().hint());
                listening.push(Listening { endpoint: endpoint.clone(), address, hint });
            }
            by_shard[socket.shard()].push(socket);
        }
    }
    tell_of_left(passed);
    Ok((by_shard, listening))
}

/// A socket that nobody reads would take datagrams for ever.
fn tell_of_left(passed: &Passed) {
    let (addresses, others) = passed.left();
    for address in addresses {
        tracing::warn!("a socket for udp://{address} was passed to this process, but no listener has that address");
    }
    if others > 0 {
        tracing::warn!("{others} sockets that are not UDP were passed to this process; nobody uses them");
    }
}

/// Only datagrams are listened for.
fn udp_place(endpoint: &Endpoint) -> Result<(&HostPort, &endpoint::Options), StartError> {
    match endpoint {
        Endpoint::Network(Scheme::Udp, place, options) => Ok((place, options)),
        other => Err(StartError::Endpoint(Box::new(other.clone()))),
    }
}

/// Whether an endpoint can be listened on; how it would be bound.
pub fn check_listen(endpoint: &Endpoint) -> Result<String, StartError> {
    let (place, _) = udp_place(endpoint)?;
    Ok(match place.port {
        Some(_) => endpoint.to_string(),
        None => format!("{endpoint} (port {DEFAULT_PORT})"),
    })
}
