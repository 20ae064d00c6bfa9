//! The file that a part is written into.
//!
//! Pages are gathered into large writes, for which the system takes memory and disk in large pieces. After each it is asked
//! to begin bringing what was written to the disk: else all of it waits for the sync at the end, and whoever syncs (of a
//! cut, the thread that the shard's batches wait for) stands still for as long as the disk takes. Parquet's own buffer
//! in front of it is emptied when it is dropped, where nobody could be told of an error: so the first error is kept here, and
//! [`Out::finish`] tells it.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much is gathered.
const GATHERED_BYTES: usize = 512 << 10;

/// See the module's documentation. Clones are the same file.
#[derive(Clone, Debug)]
pub(super) struct Out(Arc<Mutex<Gathered>>);

#[derive(Debug)]
struct Gathered {
    file: Arc<File>,
    /// How much of it is written.
    written: u64,
    bytes: Vec<u8>,
    failed: Option<io::Error>,
}

impl Out {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self(Arc::new(Mutex::new(Gathered { file, written: 0, bytes: Vec::new(), failed: None })))
    }

    /// Writes what is left, and says whether everything was written.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut gathered = self.lock();
        gathered.empty(); // a sync follows
        gathered.failed.take().map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut gathered = self.lock();
        if gathered.bytes.len() + bytes.len() > GATHERED_BYTES {
            let from = gathered.written;
            gathered.empty();
            gathered.begin_syncing(from);
        }
        if let Some(error) = &gathered.failed {
            return Err(again(error));
        }
        if bytes.len() < GATHERED_BYTES {
            gathered.bytes.extend_from_slice(bytes);
        } else {
            gathered.write(bytes);
        }
        Ok(bytes.len())
    }

    /// Nobody reads the file before it is whole.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Gathered {
    fn empty(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.write(&bytes);
        self.bytes = bytes;
        self.bytes.clear();
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = (&*self.file).write_all(bytes).err();
            self.written += bytes.len() as u64;
        }
    }

    /// The system begins to write pages to the disk that it is told nobody needs in memory (`POSIX_FADV_DONTNEED`), and waits
    /// for none. Where it does not, the sync does everything.
    fn begin_syncing(&self, from: u64) {
        let Some(bytes) = NonZeroU64::new(self.written - from) else { return };
        let _ = rustix::fs::fadvise(&*self.file, from, Some(bytes), rustix::fs::Advice::DontNeed);
    }
}

/// The same error once more, since the first is kept.
fn again(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    fn full() -> Out {
        Out::new(Arc::new(File::options().write(true).open("/dev/full").unwrap()))
    }

    #[test]
    fn what_is_written_in_pieces_of_any_size_is_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut out = Out::new(Arc::new(File::create(&path).unwrap()));
        let mut expected = Vec::new();
        for (place, length) in
            [1, GATHERED_BYTES - 2, 1, 1, GATHERED_BYTES, 3, 2 * GATHERED_BYTES, 7].into_iter().enumerate()
        {
            let piece = vec![place as u8; length];
            out.write_all(&piece).unwrap();
            expected.extend(piece);
        }
        out.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), expected);
    }

    #[test]
    fn a_full_disk_is_told_of_at_the_end_if_nobody_could_be_told_before() {
        let mut out = full();
        let mut in_front = io::BufWriter::new(out.clone());
        in_front.write_all(b"a few bytes").unwrap();
        drop(in_front);
        assert_eq!(out.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        out.write_all(&vec![0; GATHERED_BYTES]).unwrap();
        assert_eq!(out.write(b"more").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
