//! A chunk whose first page decides how it is encoded: as places in a dictionary, or directly.
//!
//! Both are tried on the first page with values, compressed. A dictionary has a price besides, which grows with the
//! chunk, but more slowly than its rows: how many values were new in the page's second half says how fast (Heaps' law).

use arrow::buffer::NullBuffer;
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::Statistics;

use crate::encode::Tools;
use crate::encode::body::Body;
use crate::encode::chunk::{Chunk, Codec, Sink};
use crate::encode::indices;
use crate::encode::interner::{Interner, Key};
use crate::encode::layout::Field;
use crate::encode::pages::{Pages, null_chunk};
use crate::settings::{PAGE_ROWS, ROW_GROUP_ROWS};

/// A dictionary with more entries than this is left as it is, and the pages that follow do without.
const ENTRIES: usize = 1 << 17;

/// How the pages are encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// There was no value yet.
    Undecided,
    Dictionary,
    Direct,
}

/// A chunk's pages so far.
pub(super) struct Adaptive<K> {
    mode: Mode,
    interner: Interner<K>,
    places: Vec<u32>,
    /// The rows of the pages of nulls before the first value.
    empty: Vec<usize>,
    pages: Pages,
    nulls: usize,
    /// Whether the last page consists of places, and whether any does.
    by_place: bool,
    has_dictionary: bool,
}

/// One page's values, both ways.
pub(super) struct Values<'a, K, D> {
    pub(super) rows: usize,
    pub(super) nulls: Option<&'a NullBuffer>,
    /// The keys of its values; none where some value cannot be a key.
    pub(super) keys: Option<K>,
    /// How many keys there are.
    pub(super) count: usize,
    /// Whether they are known to be all the same.
    pub(super) alike: bool,
    /// Encodes the values without a dictionary.
    pub(super) direct: D,
}

/// What is the same for all pages of a kind of column.
pub(super) struct Manner<K> {
    /// The encoding without a dictionary.
    pub(super) direct: Encoding,
    /// Encodes the dictionary.
    pub(super) dictionary: fn(&mut Body, &[K]),
}

impl<K> Default for Adaptive<K> {
    fn default() -> Self {
        Self {
            mode: Mode::Undecided,
            interner: Interner::default(),
            places: Vec::new(),
            empty: Vec::new(),
            pages: Pages::default(),
            nulls: 0,
            by_place: false,
            has_dictionary: false,
        }
    }
}

impl<K: Key> Adaptive<K> {
    /// Takes a page of nulls, where no value came before; false where one did.
    pub(super) fn add_nulls(&mut self, rows: usize) -> bool {
        let none_yet = self.mode == Mode::Undecided;
        if none_yet {
            self.nulls += rows;
            self.empty.push(rows);
        }
        none_yet
    }

    /// Encodes a page; the first has a value.
    pub(super) fn page<I, D>(
        &mut self,
        values: Values<'_, I, D>,
        manner: &Manner<K>,
        field: &Field,
        tools: &mut Tools,
    ) -> Result<()>
    where
        I: Iterator<Item = K>,
        D: Fn(&mut Body),
    {
        let Values { rows, nulls, keys, count, alike, direct } = values;
        self.nulls += rows - count;
        let levels = |body: &mut Body| {
            body.clear();
            if field.nullable {
                body.levels(nulls, rows);
            }
        };
        let fresh = self.mode == Mode::Undecided;
        let mut half = 0;
        match keys {
            Some(keys) if self.mode != Mode::Direct => half = self.look_up(keys, count, alike),
            _ => self.mode = Mode::Direct,
        }
        if fresh && self.mode == Mode::Undecided {
            self.interner.sort_by_use(&mut self.places);
            levels(&mut tools.body);
            indices::places(&mut tools.body, &self.places, self.interner.keys().len());
            let places = tools.press.press(Codec::Zstd, &tools.body)?.len();
            tools.body.clear();
            (manner.dictionary)(&mut tools.body, self.interner.keys());
            let dictionary = tools.press.press(Codec::Zstd, &tools.body)?.len();
            levels(&mut tools.body);
            direct(&mut tools.body);
            let directly = tools.press.press(Codec::Zstd, &tools.body)?.len();
            let expected = places as f64 + dictionary as f64 * self.share(half, rows);
            self.mode = if expected < directly as f64 { Mode::Dictionary } else { Mode::Direct };
        }
        if fresh {
            self.add_empty(tools)?;
        }
        levels(&mut tools.body);
        let encoding = match self.mode {
            Mode::Dictionary => {
                indices::places(&mut tools.body, &self.places, self.interner.keys().len());
                Encoding::RLE_DICTIONARY
            }
            _ => {
                direct(&mut tools.body);
                manner.direct
            }
        };
        self.pages.add(tools, rows, encoding)?;
        self.by_place = self.mode == Mode::Dictionary;
        self.has_dictionary |= self.by_place;
        if !self.has_dictionary {
            self.interner = Interner::default();
        }
        if self.by_place && self.interner.keys().len() > ENTRIES {
            self.mode = Mode::Direct;
        }
        Ok(())
    }

    /// Finds the places of the keys, and says how many entries there were after half of them.
    fn look_up(&mut self, mut keys: impl Iterator<Item = K>, count: usize, alike: bool) -> usize {
        self.places.clear();
        if alike {
            let place = keys.next().map(|key| self.interner.place(key));
            self.places.extend(place.into_iter().flat_map(|place| std::iter::repeat_n(place, count)));
            return self.interner.keys().len();
        }
        self.interner.places(&mut keys, count / 2, &mut self.places);
        let half = self.interner.keys().len();
        self.interner.places(&mut keys, count - count / 2, &mut self.places);
        half
    }

    /// What part of the first page's dictionary each page has to pay, if the dictionary goes on growing as it began.
    fn share(&self, half: usize, rows: usize) -> f64 {
        if rows < PAGE_ROWS || half == 0 {
            return 1.0;
        }
        let pages = (ROW_GROUP_ROWS / PAGE_ROWS) as f64;
        let growth = (self.interner.keys().len() as f64 / half as f64).log2().clamp(0.0, 1.0);
        pages.powf(growth - 1.0)
    }

    /// The pages of nulls that came before anything was decided.
    fn add_empty(&mut self, tools: &mut Tools) -> Result<()> {
        for rows in std::mem::take(&mut self.empty) {
            tools.body.clear();
            tools.body.levels(Some(&NullBuffer::new_null(rows)), rows);
            self.pages.add(tools, rows, Encoding::PLAIN)?;
        }
        Ok(())
    }

    /// Bytes of its pages and its dictionary.
    pub(super) fn memory(&self) -> usize {
        self.pages.bytes() + size_of_val(self.interner.keys())
    }

    /// Whether the last page's values are all in the dictionary.
    pub(super) const fn in_dictionary(&self) -> bool {
        self.by_place
    }

    /// The keys of all pages that have a dictionary.
    pub(super) fn keys(&self) -> &[K] {
        self.interner.keys()
    }

    /// Writes the chunk.
    pub(super) fn finish(
        self,
        manner: &Manner<K>,
        statistics: Statistics,
        field: &Field,
        sink: &mut Sink,
        tools: &mut Tools,
    ) -> Result<(ColumnChunkMetaData, OffsetIndexMetaData)> {
        let leaf = &field.leaves[0];
        if self.mode == Mode::Undecided {
            return null_chunk(leaf, self.empty.iter().sum(), sink, tools);
        }
        let mut chunk = Chunk::new(leaf, Codec::Zstd);
        let entries = self.interner.keys().len();
        if self.has_dictionary {
            tools.body.clear();
            (manner.dictionary)(&mut tools.body, self.interner.keys());
            chunk.dictionary(sink, &mut tools.press, &tools.body, entries)?;
        }
        self.pages.write(&mut chunk, sink, &tools.shelf)?;
        chunk.finish(statistics)
    }

    pub(super) const fn nulls(&self) -> usize {
        self.nulls
    }
}
