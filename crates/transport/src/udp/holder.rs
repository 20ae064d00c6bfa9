//! Who holds a port, as far as `/proc` tells (proc(5): `net/udp`, `net/udp6`, `PID/fd`).

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// How much of a command line is shown.
const COMMAND_CHARS_MAX: usize = 80;

/// The kernel prints its table piece by piece, and while sockets come and go, a line can fall between two pieces.
pub(crate) const TRIES: usize = 3;

/// The process behind a socket. Another user's process shows its user only, unless one is root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// The process, and its command line.
    pub process: Option<(u32, String)>,
    /// The user who made the socket.
    pub uid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some((pid, command)) => write!(f, "process {pid} ({command})"),
            None => write!(f, "a process of user {}", self.uid),
        }
    }
}

impl Holder {
    /// Who stands in the way of binding `address`.
    pub(super) fn of_udp(address: SocketAddr) -> Option<Self> {
        let row = (0..TRIES).find_map(|_| find_row(address))?;
        Some(Self { process: process_with(row.inode), uid: row.uid })
    }
}

fn find_row(address: SocketAddr) -> Option<Row> {
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let lines = tables.iter().flat_map(|table| table.lines().skip(1));
    lines.filter_map(Row::read).find(|row| row.collides_with(address))
}

/// What is of use in a line of `/proc/net/udp`, and of `/proc/net/tcp`, which begins alike.
pub(crate) struct Row {
    local: SocketAddr,
    pub(crate) uid: u32,
    inode: u64,
}

impl Row {
    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (address, port) = fields.nth(1)?.split_once(':')?;
        let local = SocketAddr::new(read_address(address)?, u16::from_str_radix(port, 16).ok()?);
        let uid = fields.nth(5)?.parse().ok()?;
        let inode = fields.nth(1)?.parse().ok()?;
        Some(Self { local: crate::unmapped(local), uid, inode })
    }

    pub(crate) fn collides_with(&self, address: SocketAddr) -> bool {
        let wanted = crate::unmapped(address);
        self.local.port() == wanted.port()
            && (self.local.ip() == wanted.ip() || self.local.ip().is_unspecified() || wanted.ip().is_unspecified())
    }
}

/// The kernel prints addresses as 32-bit words of the machine's own byte order.
fn read_address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at * 8)?);
            }
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

fn process_with(inode: u64) -> Option<(u32, String)> {
    let link = format!("socket:[{inode}]");
    let holds = |process: &Path| {
        let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str()))
    };
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        holds(&process.path()).then(|| (pid, command(&process.path())))
    })
}

/// The command line with spaces for its separators; a process may have written anything there.
fn command(process: &Path) -> String {
    let line = fs::read(process.join("cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
    let text = if line.is_empty() { fs::read_to_string(process.join("comm")).unwrap_or_default() } else { line };
    text.trim_end().chars().take(COMMAND_CHARS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn reads_the_kernels_tables() {
        let line =
            "  367: 0100007F:18C7 00000000:0000 07 00000000:00000000 00:00000000 00000000   104        0 18563 2 0 0";
        let row = Row::read(line).unwrap();
        assert_eq!((row.local, row.uid, row.inode), ("127.0.0.1:6343".parse().unwrap(), 104, 18563));
        assert!(row.collides_with("0.0.0.0:6343".parse().unwrap()));
        assert!(row.collides_with("[::]:6343".parse().unwrap()));
        assert!(!row.collides_with("127.0.0.2:6343".parse().unwrap()));

        let line = "  367: B80D0120000000000000000001000000:0807 00000000000000000000000000000000:0000 07 00000000:00000000 \
                    00:00000000 00000000     0        0 5 2 0 0";
        assert_eq!(Row::read(line).unwrap().local, "[2001:db8::1]:2055".parse().unwrap());
    }
}
