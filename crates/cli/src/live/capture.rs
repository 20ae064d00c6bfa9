//! Datagrams of files and of standard input.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use finderscope_transport::capture::{Capture, Counts, read_datagram_file};
use finderscope_transport::endpoint::File;
use finderscope_wire::delivery::{Delivery, Listener, Scheme};

use super::{Stop, Take};

/// Files have no socket, and raw datagrams no exporter.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Reads a capture to its end, and says which of its frames gave nothing.
pub(super) fn read(
    name: &str,
    file: &File,
    stop: &Stop,
    frames: &mut Counts,
    take: &mut Take<'_>,
) -> anyhow::Result<()> {
    let mut capture = match file {
        File::Standard => Capture::<Box<dyn Read + Send>>::new(Box::new(Patient { stop: stop.clone() }))?,
        File::Path(_) => Capture::open(file)?,
    };
    let mut sequence = 0;
    let end = loop {
        if stop.is_set() {
            break Ok(());
        }
        // A pipe may have nothing more for hours.
        if *file == File::Standard && !stop.has_input()? {
            take(None)?;
        }
        match capture.read() {
            Ok(Some(datagram)) => {
                if !take(Some(&crate::capture::delivery(sequence, &datagram)))? {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            // Where reading was stopped, the file seems to end in the middle.
            Err(_) if stop.is_set() => break Ok(()),
            Err(error) => break Err(error.into()),
        }
        sequence += 1;
    };
    *frames += capture.counts();
    crate::capture::tell(name, capture.counts());
    end
}

/// Standard input that ends when there is a reason to stop.
struct Patient {
    stop: Stop,
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.stop.wait_for_input()? {
            return Ok(0);
        }
        Ok(rustix::io::read(io::stdin(), buffer)?)
    }
}

/// Reads a file that is one datagram. It has no receive time; its file's time is the best there is.
pub(super) fn read_datagram(path: &Path, take: &mut Take<'_>) -> anyhow::Result<()> {
    let bytes = read_datagram_file(path)?;
    let received_ns = modified_ns(path).unwrap_or_default();
    let listener = Listener { scheme: Scheme::Hex, address: NOBODY };
    take(Some(&Delivery { sequence: 0, received_ns, source: NOBODY, listener, identity: None, bytes: &bytes }))?;
    Ok(())
}

fn modified_ns(path: &Path) -> Option<i64> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).ok()?.as_nanos()).ok()
}
