//! Where compressed pages wait for their row group's end: in memory, or in a file that has no name.
//!
//! A row group's pages are some 15 MB, which is a third of what merging would hold. They come by once and go once, so the
//! system's cache is the right place for them; it gives the room back when somebody needs it more.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use bytes::Bytes;

/// How much is gathered in memory before it is written.
const GATHERED_BYTES: usize = 256 << 10;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Without a file all pages stay in memory, each by itself.
    file: Option<File>,
    /// How much of this row group is in the file, and what comes behind it.
    written: u64,
    gathered: Vec<u8>,
}

/// One page's bytes.
#[derive(Debug)]
pub(super) enum Place {
    /// In memory, in no more room than they need.
    Kept(Bytes),
    /// On the shelf.
    Shelved {
        /// From the row group's beginning.
        at: u64,
        /// How many.
        length: usize,
    },
}

impl Shelf {
    /// From now on pages go into `file`, which is written over again for each row group.
    pub(super) fn use_file(&mut self, file: File) {
        self.file = Some(file);
    }

    /// Takes a page in.
    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<Place> {
        let Some(file) = &self.file else { return Ok(Place::Kept(Bytes::copy_from_slice(bytes))) };
        if self.gathered.len() + bytes.len() > GATHERED_BYTES {
            file.write_all_at(&self.gathered, self.written)?;
            self.written += self.gathered.len() as u64;
            self.gathered.clear();
        }
        let at = self.written + self.gathered.len() as u64;
        self.gathered.extend_from_slice(bytes);
        Ok(Place::Shelved { at, length: bytes.len() })
    }

    /// Gives a page out.
    pub(super) fn take(&self, place: Place) -> io::Result<Bytes> {
        let (at, length) = match place {
            Place::Kept(bytes) => return Ok(bytes),
            Place::Shelved { at, length } => (at, length),
        };
        if let Some(at) = at.checked_sub(self.written) {
            let at = at as usize;
            return Ok(Bytes::copy_from_slice(&self.gathered[at..at + length]));
        }
        let mut bytes = vec![0; length];
        let file = self.file.as_ref().expect("only a file takes what is not in memory any more");
        file.read_exact_at(&mut bytes, at)?;
        Ok(bytes.into())
    }

    /// Forgets all pages: the row group is written.
    pub(super) fn clear(&mut self) {
        self.written = 0;
        self.gathered.clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use super::*;

    /// Pages of many sizes, some larger than what is gathered.
    fn pages(group: u8) -> Vec<Vec<u8>> {
        let lengths = [0, 1, 70_000, 200_000, GATHERED_BYTES, 3, GATHERED_BYTES + 5, 90_000, 17];
        lengths.iter().zip(group..).map(|(&length, byte)| vec![byte; length]).collect()
    }

    #[test]
    fn pages_come_back_as_they_were_put_whatever_the_order() {
        for file in [None, Some(tempfile::tempfile().unwrap())] {
            let mut shelf = Shelf::default();
            file.into_iter().for_each(|file| shelf.use_file(file));
            for group in 0..3 {
                let pages = pages(group);
                let mut places: Vec<_> = pages.iter().map(|page| shelf.put(page).unwrap()).collect();
                for page in pages.iter().rev() {
                    assert_eq!(shelf.take(places.pop().unwrap()).unwrap(), page[..]);
                }
                shelf.clear();
            }
        }
    }

    #[test]
    fn a_disk_that_takes_nothing_is_told_of() {
        let mut shelf = Shelf::default();
        shelf.use_file(File::options().write(true).open("/dev/full").unwrap());
        let put = pages(0).iter().try_for_each(|page| shelf.put(page).map(drop));
        assert_eq!(put.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
