//! A column chunk on its way into the file: its pages, and what the footer will say of them.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, EncodingMask, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::errors::Result;
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::body::Body;
use super::frames::{Frames, Zstd};
use super::out::Out;

/// The file.
pub(super) type Sink = TrackedWrite<Out>;

/// The level that merged parts are compressed with. Higher ones cost more and, on streams of bytes, save nothing (measured).
pub(super) const LEVEL: i32 = 1;

/// How a chunk's pages are compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Codec {
    /// Not at all: pages that are a few bytes.
    None,
    /// Runs only.
    Lz4,
    /// With all that is found.
    Zstd,
    /// The same, in frames of which a few are enough for one row.
    Frames,
}

/// Compresses pages, one after the other, with the same memory.
pub(super) struct Press {
    zstd: Zstd,
    plain: Vec<u8>,
    out: Vec<u8>,
}

impl Press {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Zstd::new(LEVEL)?, plain: Vec::new(), out: Vec::new() })
    }

    /// The compressed bytes of a page.
    pub(super) fn press(&mut self, codec: Codec, body: &Body) -> io::Result<&mut Vec<u8>> {
        self.out.clear();
        let frames = match codec {
            Codec::None => {
                self.out.extend_from_slice(body.plain(&mut self.plain));
                return Ok(&mut self.out);
            }
            Codec::Lz4 => {
                body.lz4(&mut self.out);
                return Ok(&mut self.out);
            }
            Codec::Zstd if body.breaks().is_empty() => Frames::One,
            Codec::Zstd => Frames::At(body.breaks()),
            Codec::Frames => Frames::OfPieces,
        };
        self.zstd.compress(body.plain(&mut self.plain), body.seams(), frames, &mut self.out)?;
        Ok(&mut self.out)
    }
}

/// A page without its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet {
    /// Rows, or the entries of a dictionary.
    pub(super) rows: usize,
    /// Bytes before compression.
    pub(super) plain_bytes: usize,
    /// How its values are encoded.
    pub(super) encoding: Encoding,
}

/// A chunk of which some pages are written.
pub(super) struct Chunk {
    column: ColumnDescPtr,
    codec: Codec,
    dictionary_at: Option<i64>,
    data_at: Option<i64>,
    compressed: i64,
    plain: i64,
    rows: usize,
    encodings: EncodingMask,
    pages: OffsetIndexBuilder,
}

impl Chunk {
    pub(super) fn new(column: &ColumnDescPtr, codec: Codec) -> Self {
        Self {
            column: Arc::clone(column),
            codec,
            dictionary_at: None,
            data_at: None,
            compressed: 0,
            plain: 0,
            rows: 0,
            encodings: EncodingMask::default(),
            pages: OffsetIndexBuilder::new(),
        }
    }

    /// Compresses a dictionary and writes it.
    pub(super) fn dictionary(&mut self, sink: &mut Sink, press: &mut Press, body: &Body, entries: usize) -> Result<()> {
        let page = Page::DictionaryPage {
            buf: std::mem::take(press.press(self.codec, body)?).into(),
            num_values: count(entries),
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        press.out = self.write(sink, page, body.len())?.into();
        Ok(())
    }

    /// Compresses a data page and writes it.
    pub(super) fn data(
        &mut self,
        sink: &mut Sink,
        press: &mut Press,
        body: &Body,
        rows: usize,
        encoding: Encoding,
    ) -> Result<()> {
        let bytes = std::mem::take(press.press(self.codec, body)?).into();
        press.out = self.pressed(sink, bytes, Sheet { rows, plain_bytes: body.len(), encoding })?.into();
        Ok(())
    }

    /// Writes a data page that is compressed already, and gives its bytes back.
    pub(super) fn pressed(&mut self, sink: &mut Sink, buf: Bytes, sheet: Sheet) -> Result<Bytes> {
        let page = Page::DataPage {
            buf,
            num_values: count(sheet.rows),
            encoding: sheet.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.rows += sheet.rows;
        self.write(sink, page, sheet.plain_bytes)
    }

    fn write(&mut self, sink: &mut Sink, page: Page, plain_bytes: usize) -> Result<Bytes> {
        let (bytes, rows) = (page.buffer().clone(), i64::from(page.num_values()));
        self.encodings.insert(page.encoding());
        let is_data = page.is_data_page();
        let spec = SerializedPageWriter::new(sink).write_page(CompressedPage::new(page, plain_bytes))?;
        let at = spec.offset as i64;
        self.compressed += spec.compressed_size as i64;
        self.plain += spec.uncompressed_size as i64;
        if is_data {
            self.data_at.get_or_insert(at);
            self.pages.append_row_count(rows);
            self.pages.append_offset_and_size(at, spec.compressed_size as i32);
        } else {
            self.dictionary_at = Some(at);
        }
        Ok(bytes)
    }

    /// What the footer says of the chunk, and its offset index.
    pub(super) fn finish(mut self, statistics: Statistics) -> Result<(ColumnChunkMetaData, OffsetIndexMetaData)> {
        self.encodings.insert(Encoding::RLE);
        let chunk = ColumnChunkMetaData::builder(self.column)
            .set_encodings_mask(self.encodings)
            .set_compression(match self.codec {
                Codec::None => Compression::UNCOMPRESSED,
                Codec::Lz4 => Compression::LZ4_RAW,
                Codec::Zstd | Codec::Frames => Compression::ZSTD(ZstdLevel::try_new(LEVEL)?),
            })
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(self.compressed)
            .set_total_uncompressed_size(self.plain)
            .set_data_page_offset(self.data_at.unwrap_or_default())
            .set_dictionary_page_offset(self.dictionary_at)
            .set_statistics(statistics)
            .build()?;
        Ok((chunk, self.pages.build()))
    }
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).expect("a page has far fewer rows than 2^32")
}
