//! Cells of four or sixteen bytes.
//!
//! Data is kept in words of four bytes, which every address is a number of. Where each cell ends is arithmetic as long as
//! all have one length, and is written out only where lengths change; a column of one length to its end has offsets that
//! all such columns share.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, BinaryArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::fixed::grow;
use super::validity::Validity;
use super::{BATCH_ROWS, Constant};

const WORD: usize = size_of::<u32>();
/// Words of an IPv6 address.
const LONG: usize = 4;

/// Cells of IPv4 and IPv6 addresses.
#[derive(Debug, Default)]
pub struct Addresses {
    /// Bytes in network order, four to a word, whatever the machine's order of bytes.
    words: Vec<u32>,
    ends: Ends,
    /// What the last `run_cells` cells are, which `words` does not hold yet; none where they are null.
    run: Option<Address>,
    run_cells: usize,
    validity: Validity,
    spare: Vec<u32>,
    constant: Option<Constant<Address>>,
}

/// An address: its words, and how many they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Address {
    words: [u32; LONG],
    count: usize,
}

impl Address {
    /// None of a length that no address has.
    #[inline]
    fn of(bytes: &[u8]) -> Option<Self> {
        if let Ok(bytes) = <[u8; WORD]>::try_from(bytes) {
            return Some(Self { words: [u32::from_ne_bytes(bytes), 0, 0, 0], count: 1 });
        }
        let (chunks, rest) = bytes.as_chunks::<WORD>();
        let mut address = Self { words: [0; LONG], count: chunks.len() };
        if !rest.is_empty() || chunks.len() > LONG {
            return None;
        }
        for (word, chunk) in address.words.iter_mut().zip(chunks) {
            *word = u32::from_ne_bytes(*chunk);
        }
        Some(address)
    }

    fn words(&self) -> &[u32] {
        self.words.get(..self.count).unwrap_or_default()
    }
}

impl Addresses {
    /// How many cells there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.ends.len() + self.run_cells
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One cell. Bytes that are no address are a null.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.write_run();
        if let Ok(bytes) = <[u8; WORD]>::try_from(bytes) {
            grow(&mut self.words, 1);
            self.words.push(u32::from_ne_bytes(bytes));
        } else if let Some(address) = Address::of(bytes) {
            grow(&mut self.words, address.count);
            self.words.extend_from_slice(address.words());
        } else {
            return self.push_nulls(1);
        }
        self.ends.add(bytes.len(), 1);
    }

    /// One cell, or a null.
    #[inline]
    pub fn push_option(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.push(bytes),
            None => self.push_nulls(1),
        }
    }

    /// The same bytes in `count` cells.
    #[inline]
    pub fn push_run(&mut self, bytes: &[u8], count: usize) {
        self.go_on(Address::of(bytes), count);
    }

    /// `count` nulls.
    #[inline]
    pub fn push_nulls(&mut self, count: usize) {
        self.go_on(None, count);
    }

    #[inline]
    fn go_on(&mut self, run: Option<Address>, count: usize) {
        if run != self.run {
            self.write_run();
            self.run = run;
        }
        self.run_cells += count;
    }

    /// A cell for each value, all of `N` bytes.
    #[inline]
    pub fn extend_fixed<const N: usize>(&mut self, values: impl ExactSizeIterator<Item = [u8; N]>) {
        const { assert!(N == WORD || N == WORD * LONG, "an address has four or sixteen bytes") };
        let count = values.len();
        self.write_run();
        grow(&mut self.words, count * (N / WORD));
        if N == WORD {
            self.words.extend(values.map(|value| word(&value, 0)));
        } else {
            let before = self.words.len();
            self.words.resize(before + count * LONG, 0);
            let (cells, _) = self.words[before..].as_chunks_mut::<LONG>();
            for (cell, value) in cells.iter_mut().zip(values) {
                *cell = std::array::from_fn(|at| word(&value, at));
            }
        }
        self.ends.add(N, count);
    }

    /// `count` cells of these bytes, if all cells so far are the same, so that values which come and go do not begin a
    /// run with each. Says whether they are.
    pub fn go_on_with(&mut self, bytes: &[u8], count: usize) -> bool {
        let address = Address::of(bytes);
        let same = self.ends.len() == 0 && (self.run_cells == 0 || self.run == address);
        if same {
            self.go_on(address, count);
        }
        same
    }

    /// A cell for each value: all sixteen bytes of it where it is long, else the first four.
    pub fn extend_mixed<'v>(&mut self, values: impl ExactSizeIterator<Item = (&'v [u8; WORD * LONG], bool)>) {
        self.write_run();
        grow(&mut self.words, values.len() * LONG);
        let words = &mut self.words;
        self.ends.extend(values.map(|(value, long)| {
            if long {
                words.extend_from_slice(&std::array::from_fn::<_, LONG, _>(|at| word(value, at)));
                WORD * LONG
            } else {
                words.push(word(value, 0));
                WORD
            }
        }));
    }

    #[inline]
    pub(super) fn catch_up(&mut self, rows: usize) {
        if self.len() < rows {
            self.push_nulls(rows - self.len());
        }
    }

    #[inline]
    fn write_run(&mut self) {
        if self.run_cells > 0 {
            self.write_run_out();
        }
    }

    #[cold]
    #[inline(never)]
    fn write_run_out(&mut self) {
        let cells = std::mem::take(&mut self.run_cells);
        let Some(run) = self.run else {
            self.validity.nulls(self.ends.len(), cells);
            return self.ends.add(0, cells);
        };
        grow(&mut self.words, cells * run.count);
        if run.count == 1 {
            self.words.extend(std::iter::repeat_n(run.words[0], cells));
        } else {
            for _ in 0..cells {
                self.words.extend_from_slice(run.words());
            }
        }
        self.ends.add(run.count * WORD, cells);
    }

    /// All cells as an array, none where all are null; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> Option<ArrayRef> {
        let cells = self.len();
        if self.run_cells == cells {
            self.run_cells = 0;
            let run = self.run?;
            return Some(Constant::slice(&mut self.constant, run, cells, |room| {
                let mut ends = Ends::default();
                ends.add(run.count * WORD, room);
                array(ends.finish(), run.words().repeat(room), None)
            }));
        }
        self.write_run();
        let words = std::mem::replace(&mut self.words, std::mem::take(&mut self.spare));
        Some(array(self.ends.finish(), words, self.validity.finish(cells)))
    }

    /// Keeps the buffer of an array that nobody else has, to be filled again.
    pub(super) fn reclaim(&mut self, array: ArrayRef) {
        let data = array.as_binary_opt::<i32>().map(|array| array.values().clone());
        drop(array);
        if let Some(Ok(words)) = data.map(Buffer::into_vec) {
            super::keep(words, &mut self.words, &mut self.spare);
        }
    }

    /// Gives up all buffers of a column that nobody wrote.
    pub(super) fn release(&mut self) {
        (self.words, self.spare, self.constant) = (Vec::new(), Vec::new(), None);
    }
}

fn array(ends: OffsetBuffer<i32>, words: Vec<u32>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(BinaryArray::new(ends, Buffer::from_vec(words), nulls))
}

/// The word at a place of an address that holds it.
#[inline]
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    bytes.as_chunks::<WORD>().0.get(at).map_or(0, |word| u32::from_ne_bytes(*word))
}

/// Where cells end.
#[derive(Debug, Default)]
struct Ends {
    /// Where they begin and end, as far as they are written; empty while all have one length.
    written: Vec<i32>,
    /// The length of the last cells, how many they are, and where the first of them begins.
    length: usize,
    cells: usize,
    start: usize,
}

impl Ends {
    const fn len(&self) -> usize {
        self.written.len().saturating_sub(1) + self.cells
    }

    /// Whether all cells have one length.
    const fn is_even(&self) -> bool {
        self.written.is_empty()
    }

    #[inline]
    fn add(&mut self, length: usize, cells: usize) {
        if length != self.length {
            self.turn(length);
        }
        self.cells += cells;
    }

    /// Cells of these lengths.
    fn extend(&mut self, lengths: impl ExactSizeIterator<Item = usize>) {
        self.write();
        grow(&mut self.written, lengths.len());
        for length in lengths {
            self.start += length;
            self.length = length;
            self.written.push(super::offset(self.start));
        }
    }

    /// Goes on with cells of another length.
    fn turn(&mut self, length: usize) {
        if self.cells > 0 {
            self.write();
        }
        self.length = length;
    }

    fn write(&mut self) {
        if self.written.is_empty() {
            grow(&mut self.written, self.cells + 1);
            self.written.push(0);
        }
        let end = self.start + self.length * self.cells;
        // The last one's end bounds all others.
        let (start, _) = (super::offset(self.start), super::offset(end));
        let length = super::offset(self.length);
        self.written.extend((1..=super::offset(self.cells)).map(|cell| start + length * cell));
        (self.start, self.cells) = (end, 0);
    }

    fn finish(&mut self) -> OffsetBuffer<i32> {
        let mut ends = std::mem::take(self);
        if let Some(shared) = ends.shared() {
            return shared;
        }
        ends.write();
        OffsetBuffer::new(ScalarBuffer::from(ends.written))
    }

    /// What all columns of one length share.
    fn shared(&self) -> Option<OffsetBuffer<i32>> {
        const CELLS: usize = 2 * BATCH_ROWS;
        static SHARED: LazyLock<[OffsetBuffer<i32>; 2]> =
            LazyLock::new(|| [WORD, WORD * LONG].map(|length| OffsetBuffer::from_repeated_length(length, CELLS)));
        let all = match self.length {
            WORD => &SHARED[0],
            16 => &SHARED[1],
            _ => return None,
        };
        (self.is_even() && self.cells <= CELLS).then(|| all.slice(0, self.cells))
    }
}
