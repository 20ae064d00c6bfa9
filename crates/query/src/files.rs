//! Getting at a part's bytes: plain reads of the file, its footer parsed once, and single pages where they were chosen.
//!
//! The footer is kept for the next question. Where the address index chose pages ([`Chosen`]), the file's offset index
//! tells where they are; of its ninety columns only those that the question reads are looked at.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetMetaData;
use datafusion::execution::cache::cache_manager::{CachedFileMetadataEntry, FileMetadataCache};
use datafusion::object_store::ObjectMeta;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use crate::offsets;
use crate::part_file::PartFile;

/// Bytes that are read and thrown away rather than asked for separately.
const GAP_BYTES: u64 = 16 << 10;
/// Bytes after which a read is not made longer: what is kept of it would keep all of it.
const READ_BYTES: u64 = 1 << 20;

/// Marks a file of which only some pages are read.
#[derive(Debug)]
pub(crate) struct Chosen;

/// A part that was opened when the question was planned: should it be merged away or removed while the answer is given, it
/// can be read to its end all the same.
#[derive(Debug)]
pub(crate) struct Opened(PartFile);

impl Opened {
    /// Opens a part; who reads it finds out why where that cannot be done.
    pub(crate) fn new(path: &Path) -> Option<Self> {
        PartFile::open(path).ok().map(Self)
    }
}

/// Opens parts.
#[derive(Debug)]
pub(crate) struct Files {
    footers: Arc<FileMetadataCache>,
    /// The columns that the question may read.
    columns: Arc<HashSet<String>>,
}

impl Files {
    /// Footers are kept in `footers`; `columns` is all that may be read of pages that were chosen.
    pub(crate) fn new(footers: Arc<FileMetadataCache>, columns: HashSet<String>) -> Self {
        Self { footers, columns: Arc::new(columns) }
    }

    /// A part, and its footer without its offset index.
    pub(crate) fn footer(&self, file: &PartitionedFile) -> ParquetResult<(PartFile, Arc<ParquetMetaData>)> {
        let mut reader = self.reader(file);
        Ok((reader.file()?, reader.footer()?))
    }

    fn reader(&self, file: &PartitionedFile) -> PartReader {
        PartReader {
            meta: file.object_meta.clone(),
            file: file.extension::<Opened>().map(|Opened(file)| file.clone()),
            footers: Arc::clone(&self.footers),
            columns: file.extension::<Chosen>().map(|Chosen| Arc::clone(&self.columns)),
        }
    }
}

impl ParquetFileReaderFactory for Files {
    fn create_reader(
        &self,
        _: usize,
        file: PartitionedFile,
        _: Option<usize>,
        _: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        Ok(Box::new(self.reader(&file)))
    }
}

/// One part, open once something of it is wanted.
struct PartReader {
    meta: ObjectMeta,
    file: Option<PartFile>,
    footers: Arc<FileMetadataCache>,
    /// Where pages were chosen, the columns that are read.
    columns: Option<Arc<HashSet<String>>>,
}

impl PartReader {
    fn file(&mut self) -> ParquetResult<PartFile> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let file = PartFile::open(Path::new(&format!("/{}", self.meta.location)))?;
        Ok(self.file.insert(file).clone())
    }

    fn footer(&mut self) -> ParquetResult<Arc<ParquetMetaData>> {
        let known = self.footers.get(&self.meta.location).filter(|known| known.is_valid_for(&self.meta));
        let known =
            known.as_ref().and_then(|known| known.file_metadata.as_any().downcast_ref::<CachedParquetMetaData>());
        if let Some(known) = known {
            return Ok(Arc::clone(known.parquet_metadata()));
        }
        let reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
        let footer = Arc::new(reader.parse_and_finish(&self.file()?)?);
        let kept = Arc::new(CachedParquetMetaData::new(Arc::clone(&footer)));
        self.footers.put(&self.meta.location, CachedFileMetadataEntry::new(self.meta.clone(), kept));
        Ok(footer)
    }

    fn metadata(&mut self) -> ParquetResult<Arc<ParquetMetaData>> {
        let footer = self.footer()?;
        let Some(columns) = self.columns.clone() else { return Ok(footer) };
        let file = self.file()?;
        Ok(match offsets::read(&file, &footer, &columns)? {
            Some(offsets) => {
                let footer = ParquetMetaData::clone(&footer).into_builder();
                Arc::new(footer.set_offset_index(Some(offsets)).build())
            }
            // All pages are read then, and all rows but the chosen ones' are left out.
            None => footer,
        })
    }

    fn ranges(&mut self, ranges: &[Range<u64>]) -> ParquetResult<Vec<Bytes>> {
        let file = self.file()?;
        let mut found = Vec::with_capacity(ranges.len());
        for together in neighbours(ranges) {
            let (first, last) = (&ranges[together.start], &ranges[together.end - 1]);
            let bytes = file.range(first.start..last.end)?;
            for range in &ranges[together] {
                let at = |offset: u64| (offset - first.start) as usize;
                found.push(bytes.slice(at(range.start)..at(range.end)));
            }
        }
        Ok(found)
    }
}

/// Which of the ranges are read in one go.
fn neighbours(ranges: &[Range<u64>]) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let first = next;
        let start = ranges.get(first)?.start;
        next = first + 1;
        while let [.., last, range] = &ranges[..ranges.len().min(next + 1)]
            && next < ranges.len()
            && range.start >= last.end
            && range.start - last.end <= GAP_BYTES
            && range.end - start <= READ_BYTES
        {
            next += 1;
        }
        Some(first..next)
    })
}

impl AsyncFileReader for PartReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let bytes = self.file().and_then(|file| file.range(range));
        async move { bytes }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        let bytes = self.ranges(&ranges);
        async move { bytes }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let metadata = self.metadata();
        async move { metadata }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_lie_close_are_read_together() {
        let far = READ_BYTES;
        let ranges = [0..10, 10..20, 25..30, far..far + 5, far + 4..far + 9, far + 9 + GAP_BYTES..far + 10 + GAP_BYTES];
        assert_eq!(neighbours(&ranges).collect::<Vec<_>>(), [0..3, 3..4, 4..6]);
        assert_eq!(neighbours(&[]).count(), 0);
        assert_eq!(neighbours(&[0..far, far..far + 1]).collect::<Vec<_>>(), [0..1, 1..2]);
    }
}
