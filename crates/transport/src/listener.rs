//! Who listens on a TCP port of this machine (proc(5): `net/tcp`, `net/tcp6`).

use std::fs;
use std::net::SocketAddr;

use crate::udp::{Row, TRIES};

/// The kernel's number for a socket that listens.
const LISTENS: &str = "0A";

/// The user whose process listens on `address`; none where nobody does, or where that cannot be known.
pub fn user(address: SocketAddr) -> Option<u32> {
    (0..TRIES).find_map(|_| look(address))
}

fn look(address: SocketAddr) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    let listening = lines.filter(|line| line.split_whitespace().nth(3) == Some(LISTENS));
    listening.filter_map(Row::read).find(|row| row.collides_with(address)).map(|row| row.uid)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use std::net::TcpListener;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_listener_is_the_users_whose_process_it_is() {
        let ours = fs::metadata("/proc/self").unwrap().uid();
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().unwrap().port();
            let reached = if address.starts_with('[') { format!("[::1]:{port}") } else { format!("127.0.0.1:{port}") };
            assert_eq!(user(reached.parse().unwrap()), Some(ours), "{address}");
            drop(listener);
            assert_eq!(user(reached.parse().unwrap()), None, "{address}");
        }
    }
}
