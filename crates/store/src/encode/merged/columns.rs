//! The kinds of columns of a merged part.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, DictionaryArray, PrimitiveArray, new_null_array,
};
use arrow::datatypes::Int32Type;
use parquet::basic::Encoding;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

use super::adaptive::{Adaptive, Manner, Values};
use crate::encode::Tools;
use crate::encode::chunk::{Chunk, Codec, Sink};
use crate::encode::group::Group;
use crate::encode::interner::Short;
use crate::encode::layout::Field;
use crate::encode::numbers::{self, Number, nulls_of};
use crate::encode::pages::{self, Pages, null_chunk};
use crate::encode::statistics::{Span, of_bytes, of_numbers};
use crate::encode::stock::Stock;
use crate::encode::strings::Strings;
use crate::encode::{indices, lengths};

type Finished = Result<(ColumnChunkMetaData, OffsetIndexMetaData)>;

/// Numbers of one type.
pub(super) struct Numbers<T: ArrowPrimitiveType> {
    pages: Adaptive<u64>,
    span: Span<T::Native>,
}

impl<T: ArrowPrimitiveType> Default for Numbers<T> {
    fn default() -> Self {
        Self { pages: Adaptive::default(), span: Span::default() }
    }
}

impl<T: ArrowPrimitiveType<Native: Number>> Numbers<T> {
    const MANNER: Manner<u64> = Manner {
        direct: Encoding::BYTE_STREAM_SPLIT,
        dictionary: |body, keys| numbers::plain(keys, T::Native::WIDTH, body),
    };

    pub(super) fn page(&mut self, array: &PrimitiveArray<T>, field: &Field, tools: &mut Tools) -> Result<()> {
        let mut scratch = Vec::new();
        let values = numbers::values(array, &mut scratch);
        if field.telling {
            self.span.add_all(values);
        }
        let page = Values {
            rows: array.len(),
            nulls: nulls_of(array),
            keys: Some(values.iter().map(|value| value.bits())),
            count: values.len(),
            alike: numbers::are_alike(values),
            direct: |body: &mut _| numbers::split(values, body),
        };
        self.pages.page(page, &Self::MANNER, field, tools)
    }

    pub(super) fn finish(self, field: &Field, sink: &mut Sink, tools: &mut Tools) -> Finished {
        let statistics = of_numbers(self.span, self.pages.nulls());
        self.pages.finish(&Self::MANNER, statistics, field, sink, tools)
    }

    pub(super) fn nulls(&mut self, rows: usize) -> bool {
        self.pages.add_nulls(rows)
    }

    pub(super) fn memory(&self) -> usize {
        self.pages.memory()
    }
}

/// Addresses.
#[derive(Default)]
pub(super) struct Addresses {
    pages: Adaptive<Short>,
    ends: Option<(Vec<u8>, Vec<u8>)>,
}

impl Addresses {
    const MANNER: Manner<Short> = Manner {
        direct: Encoding::DELTA_LENGTH_BYTE_ARRAY,
        dictionary: |body, keys| pages::dictionary(body, keys.iter().map(|key| key.bytes())),
    };

    pub(super) fn page(&mut self, array: &BinaryArray, field: &Field, tools: &mut Tools) -> Result<()> {
        let strings = Strings::of(array);
        let short = strings.lengths.iter().all(|&length| length as usize <= Short::BYTES);
        let page = Values {
            rows: array.len(),
            nulls: nulls_of(array),
            keys: short.then(|| strings.iter().filter_map(Short::new)),
            count: strings.lengths.len(),
            alike: false,
            direct: |body: &mut _| lengths::strings(body, &strings.lengths, &strings.bytes),
        };
        self.pages.page(page, &Self::MANNER, field, tools)?;
        // Those in the dictionary are looked at when it is whole.
        if field.telling && !self.pages.in_dictionary() {
            self.widen(strings.ends());
        }
        Ok(())
    }

    fn widen(&mut self, ends: Option<(&[u8], &[u8])>) {
        let Some((least, most)) = ends else { return };
        let (known_least, known_most) = self.ends.get_or_insert_with(|| (least.to_vec(), most.to_vec()));
        if least < &known_least[..] {
            *known_least = least.to_vec();
        }
        if most > &known_most[..] {
            *known_most = most.to_vec();
        }
    }

    pub(super) fn finish(mut self, field: &Field, sink: &mut Sink, tools: &mut Tools) -> Finished {
        if field.telling {
            let keys: Vec<Vec<u8>> = self.pages.keys().iter().map(|key| key.bytes()).collect();
            self.widen(keys.iter().min().zip(keys.iter().max()).map(|(least, most)| (&least[..], &most[..])));
        }
        let ends = self.ends.as_ref().map(|(least, most)| (&least[..], &most[..]));
        let statistics = of_bytes(ends, self.pages.nulls());
        self.pages.finish(&Self::MANNER, statistics, field, sink, tools)
    }

    pub(super) fn nulls(&mut self, rows: usize) -> bool {
        self.pages.add_nulls(rows)
    }

    pub(super) fn memory(&self) -> usize {
        self.pages.memory()
    }
}

/// Words, each batch's with a dictionary of its own.
#[derive(Default)]
pub(super) struct Words {
    places: HashMap<String, u32>,
    words: Vec<String>,
    /// The last batch's dictionary, and where its words are in ours.
    known: Option<(ArrayRef, Vec<Option<u32>>)>,
    pages: Pages,
    rows: usize,
    nulls: usize,
}

impl Words {
    pub(super) fn page(&mut self, array: &DictionaryArray<Int32Type>, field: &Field, tools: &mut Tools) -> Result<()> {
        self.rows += array.len();
        self.nulls += array.null_count();
        let mut scratch = Vec::new();
        let keys = numbers::values(array.keys(), &mut scratch);
        let places: Vec<u32> = keys.iter().map(|&key| self.place(array.values(), key as usize)).collect();
        tools.body.clear();
        if field.nullable {
            tools.body.levels(nulls_of(array), array.len());
        }
        indices::places(&mut tools.body, &places, self.words.len());
        self.pages.add(tools, array.len(), Encoding::RLE_DICTIONARY)
    }

    /// Where a word of a batch's dictionary is in ours. Only words that are used are taken over.
    fn place(&mut self, dictionary: &ArrayRef, key: usize) -> u32 {
        if !matches!(&self.known, Some((known, _)) if Arc::ptr_eq(known, dictionary)) {
            self.known = Some((Arc::clone(dictionary), vec![None; dictionary.len()]));
        }
        let (_, known) = self.known.as_mut().expect("it was just put there");
        if let Some(place) = known[key] {
            return place;
        }
        let word = dictionary.as_string::<i32>().value(key);
        let place = self.places.get(word).copied().unwrap_or_else(|| {
            let place = u32::try_from(self.words.len()).expect("words are few");
            self.places.insert(word.to_owned(), place);
            self.words.push(word.to_owned());
            place
        });
        known[key] = Some(place);
        place
    }

    pub(super) fn finish(self, field: &Field, sink: &mut Sink, tools: &mut Tools) -> Finished {
        let leaf = &field.leaves[0];
        if self.words.is_empty() {
            return null_chunk(leaf, self.rows, sink, tools);
        }
        let ends = self.words.iter().min().zip(self.words.iter().max());
        let ends = ends.filter(|_| field.telling).map(|(least, most)| (least.as_bytes(), most.as_bytes()));
        let mut chunk = Chunk::new(leaf, Codec::Zstd);
        tools.body.clear();
        pages::dictionary(&mut tools.body, self.words.iter());
        chunk.dictionary(sink, &mut tools.press, &tools.body, self.words.len())?;
        self.pages.write(&mut chunk, sink, &tools.shelf)?;
        chunk.finish(of_bytes(ends, self.nulls))
    }

    /// Words are nearly never null: as with values.
    pub(super) const fn nulls(&self, _: usize) -> bool {
        false
    }

    pub(super) const fn memory(&self) -> usize {
        self.pages.bytes()
    }
}

/// Lists, maps and text: nearly always null.
#[derive(Default)]
pub(super) struct Rare {
    /// From the first value on.
    stock: Option<Stock>,
    /// The rows of the pages before it.
    empty: Vec<usize>,
}

impl Rare {
    pub(super) fn nulls(&mut self, rows: usize) -> bool {
        if self.stock.is_none() {
            self.empty.push(rows);
        }
        self.stock.is_none()
    }

    pub(super) fn page(&mut self, array: &ArrayRef, field: &Field) -> Result<()> {
        let stock = match &mut self.stock {
            Some(stock) => stock,
            None => {
                let mut stock = Stock::new(&field.stock)?;
                for rows in std::mem::take(&mut self.empty) {
                    stock.write(&field.stock, &new_null_array(array.data_type(), rows))?;
                }
                self.stock.insert(stock)
            }
        };
        stock.write(&field.stock, array)
    }

    pub(super) fn finish(self, field: &Field, sink: &mut Sink, tools: &mut Tools, group: &mut Group) -> Result<()> {
        if let Some(stock) = self.stock {
            return stock.finish(&field.stock, sink, group);
        }
        field.leaves.iter().try_for_each(|leaf| {
            group.add(null_chunk(leaf, self.empty.iter().sum(), sink, tools)?);
            Ok(())
        })
    }

    pub(super) fn memory(&self) -> usize {
        self.stock.as_ref().map_or(0, Stock::memory)
    }
}
