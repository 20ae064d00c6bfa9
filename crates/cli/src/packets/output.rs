//! Where a capture goes: a file, a row of files, or standard output. A file never ends inside a packet.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use finderscope_packets::Item;

use super::rotate::{Ring, Rotate};
use super::stream::Tally;
use super::{Rules, Stream};
use crate::live::Stop;

/// A capture on its way.
pub(super) struct Output {
    stream: Stream<Sink>,
    ring: Option<Ring>,
    name: String,
}

impl Output {
    /// Opens what was named by `-w`, and begins.
    pub(super) fn open(
        name: &str,
        rotate: Option<Rotate>,
        keep: Option<u32>,
        rules: Rules,
        stop: &Stop,
    ) -> anyhow::Result<Self> {
        let ring = rotate.map(|rotate| Ring::new(Path::new(name), rotate, keep)).transpose();
        let mut ring = ring.with_context(|| format!("cannot write {name}"))?;
        let sink = match (name, &mut ring) {
            (_, Some(ring)) => ring.next(jiff::Timestamp::now()).and_then(|path| Sink::create(&path)),
            ("-", None) => io::stdout().as_fd().try_clone_to_owned().map(|stdout| Sink(stdout.into())),
            (name, None) => Sink::create(Path::new(name)),
        };
        let name = if name == "-" { "standard output" } else { name }.to_owned();
        let sink = sink.with_context(|| format!("cannot write {name}"))?;
        // A file has no reader, and would not go from the disk while it is watched.
        if !sink.0.metadata()?.is_file() {
            stop.when_unread(sink.0.try_clone()?)?;
        }
        let stream = Stream::new(sink, rules).with_context(|| format!("cannot write {name}"))?;
        Ok(Self { stream, ring, name })
    }

    /// Takes what the source gives.
    pub(super) fn take(&mut self, item: Option<Item<'_>>) -> anyhow::Result<()> {
        let Self { stream, ring, name } = self;
        let taken = stream.take_or_turn(item, |packet, bytes| {
            if let Some(ring) = ring
                && ring.is_over(packet, bytes)
            {
                return Sink::create(&ring.next(jiff::Timestamp::now())?).map(Some);
            }
            Ok(None)
        });
        taken.with_context(|| format!("cannot write {name}"))
    }

    /// What became of packets so far.
    pub(super) fn tally(&self) -> Tally {
        self.stream.tally()
    }
}

/// A file that takes whole packets or nothing.
#[derive(Debug)]
pub(super) struct Sink(File);

impl Sink {
    /// Makes the file, or empties it. Captures hold what others said to each other: nobody else may read them.
    fn create(path: &Path) -> io::Result<Self> {
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map(Self)
    }

    /// Takes back what was written of a piece that did not fit; false where something was that cannot be taken back.
    fn take_back(&mut self, written: usize) -> io::Result<bool> {
        if written == 0 {
            return Ok(true);
        }
        if !self.0.metadata()?.is_file() {
            return Ok(false);
        }
        let end = self.0.stream_position()?.saturating_sub(written as u64);
        self.0.set_len(end)?;
        self.0.seek(io::SeekFrom::Start(end))?;
        Ok(true)
    }
}

impl Write for Sink {
    /// All of it, or none, into a file: what is handed over in one piece are whole packets. A pipe keeps what it has.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        while written < bytes.len() {
            match self.0.write(&bytes[written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // What could not be written is what matters.
                    if let Ok(false) = self.take_back(written) {
                        return Ok(written);
                    }
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
