//! The cells of one column while a batch is being filled.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, DictionaryArray, PrimitiveArray, StringArray, new_null_array,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{Int32Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};

use super::variable::{Bytes, Lists, Maps};
use super::{Addresses, BATCH_ROWS, Fixed};
use crate::Kind;

/// The cells of any column.
#[derive(Debug)]
pub(super) enum Values {
    U8(Fixed<u8>),
    U16(Fixed<u16>),
    U32(Fixed<u32>),
    U64(Fixed<u64>),
    Time(Fixed<i64>),
    Address(Addresses),
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
            Values::Address($values) => $body,
            Values::Text($values) => $body,
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
            Kind::Address => Self::Address(Addresses::default()),
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

    /// Whether cells of a kind may have any length. Those of addresses are bounded by their number.
    pub(super) const fn is_variable(kind: Kind) -> bool {
        matches!(kind, Kind::Text | Kind::List | Kind::Map)
    }

    pub(super) fn variable_bytes(&self) -> usize {
        match self {
            Self::Text(bytes) => bytes.size(),
            Self::List(lists) => lists.size(),
            Self::Map(maps) => maps.size(),
            _ => 0,
        }
    }

    /// The cells of `rows` rows as an array; the column is empty afterwards.
    pub(super) fn finish(&mut self, kind: Kind, rows: usize) -> ArrayRef {
        if self.len() == 0 {
            self.release();
            return nulls(kind, rows);
        }
        each!(self, values => values.catch_up(rows));
        let array = match self {
            Self::U8(values) => values.finish(primitive::<UInt8Type>),
            Self::U16(values) => values.finish(primitive::<UInt16Type>),
            Self::U32(values) => values.finish(primitive::<UInt32Type>),
            Self::U64(values) => values.finish(primitive::<UInt64Type>),
            Self::Time(values) => values.finish(|values, nulls| {
                Arc::new(PrimitiveArray::<TimestampNanosecondType>::new(values, nulls).with_timezone("UTC"))
            }),
            Self::Address(addresses) => addresses.finish(),
            Self::Text(text) => Some(Arc::new(text.finish()) as ArrayRef),
            Self::Word(values) => values.finish(|values, nulls| word_array(kind, values, nulls)),
            Self::List(lists) => Some(Arc::new(lists.finish()) as ArrayRef),
            Self::Map(maps) => Some(Arc::new(maps.finish()) as ArrayRef),
        };
        array.unwrap_or_else(|| nulls(kind, rows))
    }

    /// Takes back the buffer of an array of this column that nobody else has.
    pub(super) fn reclaim(&mut self, array: ArrayRef) {
        match self {
            Self::U8(cells) => reclaim::<UInt8Type>(cells, array),
            Self::U16(cells) => reclaim::<UInt16Type>(cells, array),
            Self::U32(cells) => reclaim::<UInt32Type>(cells, array),
            Self::U64(cells) => reclaim::<UInt64Type>(cells, array),
            Self::Time(cells) => reclaim::<TimestampNanosecondType>(cells, array),
            Self::Word(cells) => {
                let keys = array.as_dictionary_opt::<Int32Type>().map(|array| array.keys().values().clone());
                drop(array);
                if let Some(keys) = keys {
                    cells.reclaim(keys);
                }
            }
            Self::Address(addresses) => addresses.reclaim(array),
            Self::Text(_) | Self::List(_) | Self::Map(_) => {}
        }
    }

    fn release(&mut self) {
        match self {
            Self::U8(cells) => cells.release(),
            Self::U16(cells) => cells.release(),
            Self::U32(cells) => cells.release(),
            Self::U64(cells) => cells.release(),
            Self::Time(cells) => cells.release(),
            Self::Word(cells) => cells.release(),
            Self::Address(addresses) => addresses.release(),
            Self::Text(_) | Self::List(_) | Self::Map(_) => {}
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(values: ScalarBuffer<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(values, nulls))
}

fn reclaim<T: ArrowPrimitiveType>(cells: &mut Fixed<T::Native>, array: ArrayRef) {
    let values = array.as_primitive_opt::<T>().map(|array| array.values().clone());
    // The clone has to be the last that knows the buffer.
    drop(array);
    if let Some(values) = values {
        cells.reclaim(values);
    }
}

fn word_array(kind: Kind, values: ScalarBuffer<i32>, nulls: Option<NullBuffer>) -> ArrayRef {
    let Kind::Word(words) = kind else { unreachable!("only columns of words have words") };
    let keys = PrimitiveArray::<Int32Type>::new(values, nulls);
    let words = StringArray::from_iter_values(words.iter());
    Arc::new(DictionaryArray::new(keys, Arc::new(words)))
}

/// A column that nobody wrote. Long runs of nulls are made once per type and shared, and so is what was cut off last,
/// since most columns of a batch are such.
fn nulls(kind: Kind, rows: usize) -> ArrayRef {
    struct Nulls {
        all: ArrayRef,
        last: ArrayRef,
    }
    static SHARED: LazyLock<std::sync::Mutex<Vec<Nulls>>> = LazyLock::new(Default::default);
    const SHARED_ROWS: usize = 2 * BATCH_ROWS;
    let data_type = kind.data_type();
    if rows > SHARED_ROWS {
        return new_null_array(&data_type, rows);
    }
    let mut shared = SHARED.lock().expect("making an array of nulls does not panic");
    if let Some(nulls) = shared.iter_mut().find(|nulls| *nulls.all.data_type() == data_type) {
        if nulls.last.len() != rows {
            nulls.last = nulls.all.slice(0, rows);
        }
        return Arc::clone(&nulls.last);
    }
    let all = new_null_array(&data_type, SHARED_ROWS);
    let last = all.slice(0, rows);
    shared.push(Nulls { all, last: Arc::clone(&last) });
    last
}
