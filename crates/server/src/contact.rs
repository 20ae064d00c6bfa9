//! Where a running server can be asked: a line in its data folder, for commands that look for it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const FILE: &str = "http.address";

/// The file while a server runs. It goes when this is dropped; what a crash leaves names a port where nobody answers.
#[derive(Debug)]
pub struct Contact(PathBuf);

impl Contact {
    /// Says where HTTP is.
    pub fn leave(data: &Path, address: SocketAddr) -> io::Result<Self> {
        let path = data.join(FILE);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&path)?;
        writeln!(file, "{address}")?;
        Ok(Self(path))
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        // The next start writes another.
        let _ = fs::remove_file(&self.0);
    }
}

/// Where the server of a data folder says that it is, as somebody on this machine reaches it.
pub fn of_folder(data: &Path) -> Option<SocketAddr> {
    let mut address: SocketAddr = fs::read_to_string(data.join(FILE)).ok()?.trim().parse().ok()?;
    match address {
        SocketAddr::V4(it) if it.ip().is_unspecified() => address.set_ip([127, 0, 0, 1].into()),
        SocketAddr::V6(it) if it.ip().is_unspecified() => address.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn a_server_can_be_found_as_long_as_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        for (listens, reached) in
            [("127.0.0.1:8008", "127.0.0.1:8008"), ("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2")]
        {
            let contact = Contact::leave(folder.path(), listens.parse().unwrap()).unwrap();
            assert_eq!(of_folder(folder.path()), Some(reached.parse().unwrap()));
            drop(contact);
            assert_eq!(of_folder(folder.path()), None);
        }
    }
}
