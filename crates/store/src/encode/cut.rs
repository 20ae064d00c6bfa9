//! A batch of a cut part: one row group, one page a column, written as soon as it is encoded.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use finderscope_flow::Kind;
use parquet::basic::Encoding;
use parquet::errors::Result;

use super::Tools;
use super::chunk::{Chunk, Codec, Sink};
use super::group::Group;
use super::interner::{Interner, Short};
use super::layout::{Field, Layout};
use super::numbers::{Number, are_alike, nulls_of, plain, split, values};
use super::pages::{self, null_chunk};
use super::statistics::{Span, of_bytes, of_numbers};
use super::stock::Stock;
use super::strings::Strings;
use super::{indices, lengths};

/// Writes a batch.
pub(super) fn group(batch: &RecordBatch, layout: &Layout, sink: &mut Sink, tools: &mut Tools) -> Result<Group> {
    let mut group = Group::default();
    for (field, array) in layout.fields.iter().zip(batch.columns()) {
        Column { field, sink: &mut *sink, tools: &mut *tools, group: &mut group }.write(array)?;
    }
    Ok(group)
}

/// One column of the batch.
struct Column<'a> {
    field: &'a Field,
    sink: &'a mut Sink,
    tools: &'a mut Tools,
    group: &'a mut Group,
}

impl Column<'_> {
    fn write(self, array: &ArrayRef) -> Result<()> {
        if array.null_count() == array.len() {
            return self.nulls(array.len());
        }
        match self.field.kind {
            Kind::U8 => self.numbers::<UInt8Type>(array.as_primitive()),
            Kind::U16 => self.numbers::<UInt16Type>(array.as_primitive()),
            Kind::U32 => self.numbers::<UInt32Type>(array.as_primitive()),
            Kind::U64 | Kind::Mac => self.numbers::<UInt64Type>(array.as_primitive()),
            Kind::Time => self.numbers::<TimestampNanosecondType>(array.as_primitive()),
            Kind::Address => self.addresses(array.as_binary()),
            Kind::Word(_) => self.words(array),
            Kind::Text | Kind::List | Kind::Map => self.stock(array),
        }
    }

    fn nulls(self, rows: usize) -> Result<()> {
        for leaf in &self.field.leaves {
            self.group.add(null_chunk(leaf, rows, self.sink, self.tools)?);
        }
        Ok(())
    }

    fn numbers<T: ArrowPrimitiveType<Native: Number>>(self, array: &PrimitiveArray<T>) -> Result<()> {
        let mut scratch = Vec::new();
        let values = values(array, &mut scratch);
        let mut span = Span::default();
        if self.field.telling {
            span.add_all(values);
        }
        let statistics = of_numbers(span, array.null_count());
        if are_alike(values) {
            let mut chunk = Chunk::new(&self.field.leaves[0], Codec::None);
            self.tools.body.clear();
            plain(&[values[0].bits()], T::Native::WIDTH, &mut self.tools.body);
            chunk.dictionary(self.sink, &mut self.tools.press, &self.tools.body, 1)?;
            return self.page(chunk, array, Encoding::RLE_DICTIONARY, statistics, |body| {
                indices::runs(body, std::iter::once((0, values.len())), 1);
            });
        }
        let chunk = Chunk::new(&self.field.leaves[0], Codec::Lz4);
        self.page(chunk, array, Encoding::BYTE_STREAM_SPLIT, statistics, |body| split(values, body))
    }

    fn addresses(self, array: &BinaryArray) -> Result<()> {
        let strings = Strings::of(array);
        let mut dictionary = Interner::default();
        let Some(runs) = strings.runs(&mut dictionary) else {
            let ends = if self.field.telling { strings.ends() } else { None };
            let statistics = of_bytes(ends, array.null_count());
            let chunk = Chunk::new(&self.field.leaves[0], Codec::Lz4);
            return self.page(chunk, array, Encoding::DELTA_LENGTH_BYTE_ARRAY, statistics, |body| {
                lengths::strings(body, &strings.lengths, &strings.bytes);
            });
        };
        let keys: Vec<Vec<u8>> = dictionary.keys().iter().map(|key| key.bytes()).collect();
        let ends = if self.field.telling { keys.iter().min().zip(keys.iter().max()) } else { None };
        let statistics = of_bytes(ends.map(|(least, most)| (&least[..], &most[..])), array.null_count());
        let mut chunk = Chunk::new(&self.field.leaves[0], Codec::None);
        self.tools.body.clear();
        pages::dictionary(&mut self.tools.body, dictionary.keys().iter().map(|key: &Short| key.bytes()));
        chunk.dictionary(self.sink, &mut self.tools.press, &self.tools.body, keys.len())?;
        self.page(chunk, array, Encoding::RLE_DICTIONARY, statistics, |body| {
            indices::runs(body, runs.into_iter(), keys.len());
        })
    }

    fn words(self, array: &ArrayRef) -> Result<()> {
        let array = array.as_dictionary::<Int32Type>();
        let words = array.values().as_string::<i32>();
        let mut scratch = Vec::new();
        let places: Vec<u32> = values(array.keys(), &mut scratch).iter().map(|&key| key as u32).collect();
        let mut used = vec![false; words.len()];
        places.iter().for_each(|&place| used[place as usize] = true);
        let used = used.iter().enumerate().filter(|(_, used)| **used).map(|(place, _)| words.value(place).as_bytes());
        let ends = if self.field.telling { used.clone().min().zip(used.max()) } else { None };
        let statistics = of_bytes(ends, array.null_count());
        let mut chunk = Chunk::new(&self.field.leaves[0], Codec::Lz4);
        self.tools.body.clear();
        pages::dictionary(&mut self.tools.body, (0..words.len()).map(|place| words.value(place)));
        chunk.dictionary(self.sink, &mut self.tools.press, &self.tools.body, words.len())?;
        self.page(chunk, array, Encoding::RLE_DICTIONARY, statistics, |body| {
            indices::places(body, &places, words.len());
        })
    }

    fn stock(self, array: &ArrayRef) -> Result<()> {
        let mut stock = Stock::new(&self.field.stock)?;
        stock.write(&self.field.stock, array)?;
        stock.finish(&self.field.stock, self.sink, self.group)
    }

    /// The chunk's one data page.
    fn page(
        self,
        mut chunk: Chunk,
        array: &dyn Array,
        encoding: Encoding,
        statistics: parquet::file::statistics::Statistics,
        encode: impl FnOnce(&mut super::body::Body),
    ) -> Result<()> {
        let Tools { press, body, .. } = self.tools;
        body.clear();
        if self.field.nullable {
            body.levels(nulls_of(array), array.len());
        }
        encode(body);
        chunk.data(self.sink, press, body, array.len(), encoding)?;
        self.group.add(chunk.finish(statistics)?);
        Ok(())
    }
}
