//! Compressed pages that wait for their row group's end, dictionaries, and chunks without a value.

use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, LevelHistogram};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::schema::types::ColumnDescPtr;

use super::Tools;
use super::body::{Body, level_run};
use super::chunk::{Chunk, Codec, Sheet, Sink};
use super::shelf::{Place, Shelf};
use super::statistics::of_nulls;
use crate::settings::DICTIONARY_PART;

/// The data pages of a chunk that is not written yet, since its dictionary goes before them.
#[derive(Default)]
pub(super) struct Pages {
    /// Each with where its bytes are.
    sheets: Vec<(Sheet, Place)>,
    bytes: usize,
}

impl Pages {
    /// Compresses one more, whose body is among the tools.
    pub(super) fn add(&mut self, tools: &mut Tools, rows: usize, encoding: Encoding) -> Result<()> {
        let Tools { press, body, shelf } = tools;
        // Of other encodings a single value cannot be had.
        let codec = match encoding {
            Encoding::RLE_DICTIONARY | Encoding::BYTE_STREAM_SPLIT => Codec::Frames,
            _ => Codec::Zstd,
        };
        let bytes = press.press(codec, body)?;
        self.bytes += bytes.len();
        self.sheets.push((Sheet { rows, plain_bytes: body.len(), encoding }, shelf.put(bytes)?));
        Ok(())
    }

    /// Their size.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes them into the file.
    pub(super) fn write(self, chunk: &mut Chunk, sink: &mut Sink, shelf: &Shelf) -> Result<()> {
        for (sheet, place) in self.sheets {
            chunk.pressed(sink, shelf.take(place)?, sheet)?;
        }
        Ok(())
    }
}

/// A dictionary of byte strings (PLAIN).
pub(super) fn dictionary<T: AsRef<[u8]>>(body: &mut Body, strings: impl Iterator<Item = T>) {
    for (at, string) in strings.enumerate() {
        if at % DICTIONARY_PART == 0 {
            body.part();
        }
        let string = string.as_ref();
        let length = u32::try_from(string.len()).expect("a batch is closed long before a cell is 4 GiB");
        body.bytes().extend_from_slice(&length.to_le_bytes());
        body.bytes().extend_from_slice(string);
    }
}

/// A chunk of nulls, which is one page: whatever is wanted of it, the footer says it.
pub(super) fn null_chunk(
    leaf: &ColumnDescPtr,
    rows: usize,
    sink: &mut Sink,
    tools: &mut Tools,
) -> Result<(ColumnChunkMetaData, OffsetIndexMetaData)> {
    let Tools { press, body, .. } = tools;
    let mut chunk = Chunk::new(leaf, Codec::None);
    body.clear();
    if leaf.max_rep_level() > 0 {
        zeros(body, rows);
    }
    zeros(body, rows);
    chunk.data(sink, press, body, rows, Encoding::PLAIN)?;
    let (chunk, pages) = chunk.finish(of_nulls(leaf.physical_type(), rows))?;
    let chunk = chunk.into_builder().set_definition_level_histogram(levels_of_nulls(leaf, rows)).build()?;
    Ok((chunk, pages))
}

/// How often each level occurs, where counting nulls does not say it: in lists, which may be empty, too.
fn levels_of_nulls(leaf: &ColumnDescPtr, rows: usize) -> Option<LevelHistogram> {
    let above = usize::try_from(leaf.max_def_level()).ok().filter(|&above| above > 1)?;
    Some(LevelHistogram::from([vec![rows as i64], vec![0; above]].concat()))
}

/// Levels that are all zero.
fn zeros(body: &mut Body, rows: usize) {
    let mut run = Vec::new();
    level_run(&mut run, 0, rows);
    body.bytes().extend_from_slice(&(run.len() as u32).to_le_bytes());
    body.bytes().extend_from_slice(&run);
}
