//! The cells of one column while a batch is being filled.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanBufferBuilder, DictionaryArray, ListArray, MapArray,
    PrimitiveArray, StringArray, StructArray, new_null_array,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowNativeType, DataType, Int32Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::BATCH_ROWS;
use crate::Kind;
use crate::kind::{list_item, map_entries, map_fields};

/// Which cells are null; nothing is kept while none is.
#[derive(Debug, Default)]
struct Validity(Option<BooleanBufferBuilder>);

impl Validity {
    fn valid(&mut self, count: usize) {
        if let Some(bits) = &mut self.0 {
            bits.append_n(count, true);
        }
    }

    fn nulls(&mut self, before: usize, count: usize) {
        let bits = self.0.get_or_insert_with(|| {
            let mut bits = BooleanBufferBuilder::new(BATCH_ROWS);
            bits.append_n(before, true);
            bits
        });
        bits.append_n(count, false);
    }

    fn finish(&mut self) -> Option<NullBuffer> {
        self.0.take().map(|mut bits| NullBuffer::new(bits.finish()))
    }
}

/// Cells of a fixed width.
#[derive(Debug, Default)]
pub struct Fixed<T> {
    values: Vec<T>,
    validity: Validity,
}

impl<T: ArrowNativeType> Fixed<T> {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One cell.
    pub fn push(&mut self, value: T) {
        self.values.push(value);
        self.validity.valid(1);
    }

    /// One cell, or a null.
    pub fn push_option(&mut self, value: Option<T>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_nulls(1),
        }
    }

    /// The same value in `count` cells.
    pub fn push_run(&mut self, value: T, count: usize) {
        self.values.resize(self.values.len() + count, value);
        self.validity.valid(count);
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.values.len(), count);
        self.values.resize(self.values.len() + count, T::default());
    }

    /// A cell for each value.
    pub fn extend(&mut self, values: impl Iterator<Item = T>) {
        let before = self.values.len();
        self.values.extend(values);
        self.validity.valid(self.values.len() - before);
    }

    /// The cells from row `from` on, to be changed in place.
    pub fn tail_mut(&mut self, from: usize) -> &mut [T] {
        self.values.get_mut(from..).unwrap_or_default()
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.values.len() < rows {
            self.push_nulls(rows - self.values.len());
        } else if self.values.capacity() == 0 {
            self.values.reserve(BATCH_ROWS / 4);
        }
    }

    fn take(&mut self) -> (ScalarBuffer<T>, Option<NullBuffer>) {
        (ScalarBuffer::from(std::mem::take(&mut self.values)), self.validity.finish())
    }
}

/// Cells of any length: addresses and text.
#[derive(Debug)]
pub struct Bytes {
    offsets: Vec<i32>,
    data: Vec<u8>,
    validity: Validity,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new(), validity: Validity::default() }
    }
}

impl Bytes {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One cell. In a text column the bytes must be UTF-8; what is not becomes U+FFFD when the batch closes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.offsets.push(offset(self.data.len()));
        self.validity.valid(1);
    }

    /// One cell, or a null.
    pub fn push_option(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.push(bytes),
            None => self.push_nulls(1),
        }
    }

    /// The same bytes in `count` cells.
    pub fn push_run(&mut self, bytes: &[u8], count: usize) {
        for _ in 0..count {
            self.data.extend_from_slice(bytes);
        }
        self.close(bytes.len(), count);
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.len(), count);
        let end = offset(self.data.len());
        self.offsets.resize(self.offsets.len() + count, end);
    }

    /// A cell for each value, all of `N` bytes.
    pub fn extend_fixed<const N: usize>(&mut self, values: impl ExactSizeIterator<Item = [u8; N]>) {
        let (before, count) = (self.data.len(), values.len());
        self.data.resize(before + count * N, 0);
        let (cells, _) = self.data[before..].as_chunks_mut::<N>();
        for (cell, value) in cells.iter_mut().zip(values) {
            *cell = value;
        }
        self.close(N, count);
    }

    /// Ends `count` cells of `length` bytes, which are there already.
    fn close(&mut self, length: usize, count: usize) {
        // The last one's end bounds all others.
        let end = offset(self.data.len());
        let length = offset(length);
        let before = end - length * offset(count);
        self.offsets.extend((1..=offset(count)).map(|cell| before + length * cell));
        self.validity.valid(count);
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Vec<u8>, Option<NullBuffer>) {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), std::mem::take(&mut self.data), self.validity.finish())
    }

    fn take_text(&mut self) -> StringArray {
        let (offsets, data, nulls) = self.take();
        match StringArray::try_new(offsets.clone(), Buffer::from(data.clone()), nulls.clone()) {
            Ok(text) => text,
            Err(_) => lossy_text(&offsets, &data, nulls.as_ref()),
        }
    }
}

/// Text in which something was not UTF-8: that cell alone is mended.
fn lossy_text(offsets: &OffsetBuffer<i32>, data: &[u8], nulls: Option<&NullBuffer>) -> StringArray {
    let cells = offsets.windows(2).enumerate().map(|(row, ends)| {
        let valid = nulls.is_none_or(|nulls| nulls.is_valid(row));
        valid.then(|| String::from_utf8_lossy(&data[ends[0] as usize..ends[1] as usize]).into_owned())
    });
    cells.collect()
}

/// Lists of numbers.
#[derive(Debug)]
pub struct Lists {
    offsets: Vec<i32>,
    items: Vec<u32>,
    validity: Validity,
}

impl Default for Lists {
    fn default() -> Self {
        Self { offsets: vec![0], items: Vec::new(), validity: Validity::default() }
    }
}

impl Lists {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One list.
    pub fn push(&mut self, items: impl Iterator<Item = u32>) {
        self.items.extend(items);
        self.offsets.push(offset(self.items.len()));
        self.validity.valid(1);
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.len(), count);
        let end = offset(self.items.len());
        self.offsets.resize(self.offsets.len() + count, end);
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    fn finish(&mut self) -> ListArray {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let items = PrimitiveArray::<UInt32Type>::from(std::mem::take(&mut self.items));
        ListArray::new(list_item(), offsets, Arc::new(items), self.validity.finish())
    }
}

/// Names and values; entries of a row are added one by one, then the row is closed.
#[derive(Debug)]
pub struct Maps {
    offsets: Vec<i32>,
    keys: Bytes,
    values: Bytes,
    validity: Validity,
}

impl Default for Maps {
    fn default() -> Self {
        Self { offsets: vec![0], keys: Bytes::default(), values: Bytes::default(), validity: Validity::default() }
    }
}

impl Maps {
    /// How many cells there are.
    pub const fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One entry of the row that is being filled; [`Maps::close`] ends the row.
    pub fn entry(&mut self, key: &str, value: &str) {
        self.keys.push(key.as_bytes());
        self.values.push(value.as_bytes());
    }

    /// Ends a row: all entries since the last one. A row without entries is null.
    pub fn close(&mut self) {
        let entries = offset(self.keys.len());
        if self.offsets.last() == Some(&entries) {
            self.push_nulls(1);
        } else {
            self.offsets.push(entries);
            self.validity.valid(1);
        }
    }

    /// `count` nulls.
    pub fn push_nulls(&mut self, count: usize) {
        self.validity.nulls(self.len(), count);
        let end = offset(self.keys.len());
        self.offsets.resize(self.offsets.len() + count, end);
    }

    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    fn finish(&mut self) -> MapArray {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let columns: Vec<ArrayRef> = vec![Arc::new(self.keys.take_text()), Arc::new(self.values.take_text())];
        let entries = StructArray::new(map_fields(), columns, None);
        MapArray::new(map_entries(), offsets, entries, self.validity.finish(), false)
    }
}

/// A batch's bytes are bounded far below what 31 bits can count: it is closed at [`super::BATCH_BYTES`],
/// and one datagram adds some megabytes at the most.
fn offset(length: usize) -> i32 {
    i32::try_from(length).expect("a batch is closed long before it holds 2 GiB")
}

/// The cells of any column.
#[derive(Debug)]
pub(super) enum Values {
    U8(Fixed<u8>),
    U16(Fixed<u16>),
    U32(Fixed<u32>),
    U64(Fixed<u64>),
    Time(Fixed<i64>),
    Address(Bytes),
    Text(Bytes),
    Word(Fixed<i32>),
    List(Lists),
    Map(Maps),
}

macro_rules! each {
    ($self:ident, $values:ident => $body:expr) => {
        match $self {
            Values::U8($values) => $body,
            Values::U16($values) => $body,
            Values::U32($values) => $body,
            Values::U64($values) => $body,
            Values::Time($values) => $body,
            Values::Address($values) | Values::Text($values) => $body,
            Values::Word($values) => $body,
            Values::List($values) => $body,
            Values::Map($values) => $body,
        }
    };
}

impl Values {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::U8 => Self::U8(Fixed::default()),
            Kind::U16 => Self::U16(Fixed::default()),
            Kind::U32 => Self::U32(Fixed::default()),
            Kind::U64 | Kind::Mac => Self::U64(Fixed::default()),
            Kind::Time => Self::Time(Fixed::default()),
            Kind::Address => Self::Address(Bytes::default()),
            Kind::Text => Self::Text(Bytes::default()),
            Kind::Word(_) => Self::Word(Fixed::default()),
            Kind::List => Self::List(Lists::default()),
            Kind::Map => Self::Map(Maps::default()),
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::U8(_) => "u8",
            Self::U16(_) => "u16",
            Self::U32(_) => "u32",
            Self::U64(_) => "u64",
            Self::Time(_) => "time",
            Self::Address(_) => "address",
            Self::Text(_) => "text",
            Self::Word(_) => "word",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    pub(super) fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    /// Whether cells of a kind have no fixed width.
    pub(super) const fn is_variable(kind: Kind) -> bool {
        matches!(kind, Kind::Address | Kind::Text | Kind::List | Kind::Map)
    }

    pub(super) fn variable_bytes(&self) -> usize {
        match self {
            Self::Address(bytes) | Self::Text(bytes) => bytes.data.len(),
            Self::List(lists) => lists.items.len() * size_of::<u32>(),
            Self::Map(maps) => maps.keys.data.len() + maps.values.data.len(),
            _ => 0,
        }
    }

    /// The cells of `rows` rows as an array; the column is empty afterwards.
    pub(super) fn finish(&mut self, kind: Kind, rows: usize) -> ArrayRef {
        if self.len() == 0 {
            return nulls(kind, rows);
        }
        each!(self, values => values.catch_up(rows));
        match self {
            Self::U8(values) => primitive::<UInt8Type>(values),
            Self::U16(values) => primitive::<UInt16Type>(values),
            Self::U32(values) => primitive::<UInt32Type>(values),
            Self::U64(values) => primitive::<UInt64Type>(values),
            Self::Time(values) => {
                let (values, nulls) = values.take();
                Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(values, nulls).with_timezone("UTC"))
            }
            Self::Address(bytes) => {
                let (offsets, data, nulls) = bytes.take();
                Arc::new(BinaryArray::new(offsets, Buffer::from(data), nulls))
            }
            Self::Text(text) => Arc::new(text.take_text()),
            Self::Word(values) => word_array(kind, values),
            Self::List(lists) => Arc::new(lists.finish()),
            Self::Map(maps) => Arc::new(maps.finish()),
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(cells: &mut Fixed<T::Native>) -> ArrayRef {
    let (values, nulls) = cells.take();
    Arc::new(PrimitiveArray::<T>::new(values, nulls))
}

fn word_array(kind: Kind, cells: &mut Fixed<i32>) -> ArrayRef {
    let Kind::Word(words) = kind else { unreachable!("only columns of words have words") };
    let (values, nulls) = cells.take();
    let keys = PrimitiveArray::<Int32Type>::new(values, nulls);
    let words = StringArray::from_iter_values(words.iter());
    Arc::new(DictionaryArray::new(keys, Arc::new(words)))
}

/// A column that nobody wrote. Long runs of nulls are made once per type and shared.
fn nulls(kind: Kind, rows: usize) -> ArrayRef {
    static SHARED: LazyLock<std::sync::Mutex<Vec<(DataType, ArrayRef)>>> = LazyLock::new(Default::default);
    const SHARED_ROWS: usize = 2 * BATCH_ROWS;
    let data_type = kind.data_type();
    if rows > SHARED_ROWS {
        return new_null_array(&data_type, rows);
    }
    let mut shared = SHARED.lock().expect("making an array of nulls does not panic");
    if let Some((_, array)) = shared.iter().find(|(known, _)| *known == data_type) {
        return array.slice(0, rows);
    }
    let array = new_null_array(&data_type, SHARED_ROWS);
    let slice = array.slice(0, rows);
    shared.push((data_type, array));
    slice
}
