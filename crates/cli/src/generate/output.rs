//! Where the workload goes: a capture of its datagrams, or its IPFIX messages back to back (RFC 5655).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, ensure};
use finderscope_transport::capture::{Precision, WriteError, Writer};

/// How much is written at once.
const BUFFER_BYTES: usize = 1 << 20;

/// What is being written.
pub enum Output {
    /// Frames with addresses and times.
    Capture(Writer<BufWriter<File>>),
    /// Messages, and nothing else.
    Messages(BufWriter<File>),
}

impl Output {
    /// Makes the file. Its name decides what it is; only IPFIX has files of messages. `-` is standard output.
    pub fn create(path: &Path, ipfix: bool) -> anyhow::Result<Self> {
        let messages = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ipfix"));
        ensure!(ipfix || !messages, "{}: only the kind ipfix has files of that name", path.display());
        let file = match path == Path::new("-") {
            true => io::stdout().as_fd().try_clone_to_owned().map(File::from),
            false => File::create(path),
        };
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        if messages {
            return Ok(Self::Messages(file));
        }
        Ok(Self::Capture(Writer::new(file, Precision::Microseconds)?))
    }

    /// One datagram.
    pub fn write(
        &mut self,
        now_ns: i64,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), WriteError> {
        match self {
            Self::Capture(capture) => capture.write(now_ns, source, destination, datagram),
            Self::Messages(file) => Ok(file.write_all(datagram)?),
        }
    }

    /// Writes what is left.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Capture(capture) => capture.finish().map(drop),
            Self::Messages(mut file) => file.flush(),
        }
    }
}
