//! A part's file, read at its places: several readers may have it at a time, and none moves another's.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

use bytes::{Buf, Bytes, buf};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// What is read at most where the reader does not say how much it wants: the heads of pages.
const PIECE_BYTES: u64 = 1 << 20;

/// An open file. Clones are the same one.
#[derive(Clone)]
pub(crate) struct PartFile {
    file: Arc<File>,
    length: u64,
}

impl PartFile {
    /// Opens it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(from_disk)?;
        let length = file.metadata().map_err(from_disk)?.len();
        Ok(Self { file: Arc::new(file), length })
    }

    /// Bytes from a place to another.
    pub(crate) fn range(&self, range: Range<u64>) -> Result<Bytes> {
        let mut bytes = Vec::new();
        self.fill(range, &mut bytes)?;
        Ok(bytes.into())
    }

    /// The same, in memory that is used again.
    pub(crate) fn fill(&self, range: Range<u64>, bytes: &mut Vec<u8>) -> Result<()> {
        let length = range.end.checked_sub(range.start).and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or_else(|| ParquetError::General(format!("no range of bytes: {range:?}")))?;
        // A damaged footer may ask for anything.
        if range.end > self.length {
            return Err(ParquetError::EOF(format!("bytes {range:?} are beyond the file's end")));
        }
        if bytes.is_empty() {
            *bytes = vec![0; length];
        }
        bytes.resize(length, 0);
        self.file.read_exact_at(bytes, range.start).map_err(from_disk)
    }
}

impl fmt::Debug for PartFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartFile").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Length for PartFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for PartFile {
    type T = buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let end = start.saturating_add(PIECE_BYTES).min(self.length);
        Ok(self.range(start..end)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.range(start..start.saturating_add(length as u64))
    }
}

fn from_disk(error: io::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

    use arrow::array::{ArrayRef, Int32Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::file::metadata::ParquetMetaDataReader;

    use super::*;

    #[test]
    fn many_read_the_footer_of_one_open_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part.parquet");
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(0..1_000));
        let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let file = PartFile::open(&path).unwrap();
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        let footer = ParquetMetaDataReader::new().parse_and_finish(&file);
                        assert_eq!(footer.unwrap().file_metadata().num_rows(), 1_000);
                    }
                });
            }
        });
    }

    #[test]
    fn what_is_beyond_the_end_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("part.parquet");
        std::fs::write(&path, [7; 10]).unwrap();
        let file = PartFile::open(&path).unwrap();
        assert_eq!(file.range(4..10).unwrap(), [7; 6][..]);
        for beyond in [4..11, 11..12, 0..u64::MAX, Range { start: 5, end: 4 }] {
            assert!(file.range(beyond.clone()).is_err(), "{beyond:?}");
        }
        assert!(file.get_read(11).is_err() && file.get_bytes(u64::MAX, 1).is_err());
    }
}
