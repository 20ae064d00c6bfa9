//! Making an index while a part's rows go by.
//!
//! Of each page only the distinct addresses are kept, with the page's number; when a few megabytes of them are there,
//! they are sorted and packed as entries ("a run"). At the end the runs are merged into the file. A part's worth of rows
//! so costs a few bytes for each distinct address of a page, not the rows' size.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use finderscope_flow::Column;

use super::Side;
use super::entry::{EntryReader, EntryWriter};
use super::layout::{Block, Place, SECTIONS, Trailer, address_bytes, section};
use crate::{DiskError, PAGE_ROWS, disk};

/// Pages that an index can tell apart: a part of a thousand million rows.
pub(super) const PAGES_MAX: u32 = 1 << 16;
/// Bytes of a block before it is closed.
const BLOCK_BYTES: usize = 8 << 10;
/// Bytes of addresses that wait to be sorted, for each section.
const PENDING_BYTES: usize = 1 << 20;

/// Takes a part's rows, and writes its index.
pub struct IndexBuilder {
    rows: u64,
    source: Addresses,
    destination: Addresses,
}

impl std::fmt::Debug for IndexBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexBuilder").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Default for IndexBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl IndexBuilder {
    /// An index of no rows yet.
    pub fn new() -> Self {
        // Senders choose addresses; without the seed they could choose such as all fall into one place of the table.
        let seed = RandomState::new().build_hasher().finish() | 1;
        Self { rows: 0, source: Addresses::new(seed), destination: Addresses::new(seed) }
    }

    /// Takes the part's next rows, with both address columns.
    pub fn add(&mut self, batch: &RecordBatch) {
        let first = self.rows;
        self.source.add(batch, Column::SrcAddr, first);
        self.destination.add(batch, Column::DstAddr, first);
        self.rows += batch.num_rows() as u64;
    }

    /// Writes the index, synced, and says how large it is.
    ///
    /// Fails also for parts of more than a thousand million rows, and where some batch lacked an address column.
    pub fn finish(self, path: &Path) -> Result<u64, DiskError> {
        let pages = self.pages().map_err(DiskError::of("index", path))?;
        let file = disk::create(path)?;
        let mut out = Output { out: BufWriter::with_capacity(1 << 16, &file), offset: 0 };
        self.write(&mut out, pages).map_err(DiskError::of("write", path))?;
        out.out.flush().map_err(DiskError::of("write", path))?;
        let bytes = out.offset;
        drop(out);
        file.sync_all().map_err(DiskError::of("sync", path))?;
        Ok(bytes)
    }

    fn pages(&self) -> io::Result<u32> {
        let refused = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
        if self.source.is_incomplete || self.destination.is_incomplete {
            return Err(refused("a batch without addresses"));
        }
        let pages = u32::try_from(self.rows.div_ceil(PAGE_ROWS as u64)).ok().filter(|pages| *pages <= PAGES_MAX);
        pages.ok_or_else(|| refused("too many rows"))
    }

    fn write(self, out: &mut Output<'_>, pages: u32) -> io::Result<()> {
        let page_rows = PAGE_ROWS as u32;
        let mut trailer = Trailer { rows: self.rows, page_rows, pages, ..Trailer::default() };
        for (side, addresses) in Side::ALL.into_iter().zip([self.source, self.destination]) {
            let mut put = |length: usize, runs: Vec<Vec<u8>>| -> io::Result<()> {
                let section = section(side, length).expect("4 and 16 bytes have sections");
                trailer.sections[section] = SectionWriter::new(section, pages).write(&runs, out)?;
                Ok(())
            };
            put(4, addresses.four.into_runs())?;
            put(16, addresses.sixteen.into_runs())?;
        }
        out.put(&trailer.to_bytes())
    }
}

/// One side's addresses.
struct Addresses {
    four: Pending<u32>,
    sixteen: Pending<u128>,
    /// Whether some rows' addresses could not be had.
    is_incomplete: bool,
}

impl Addresses {
    fn new(seed: u64) -> Self {
        Self { four: Pending::new(seed), sixteen: Pending::new(seed), is_incomplete: false }
    }

    fn add(&mut self, batch: &RecordBatch, column: Column, first_row: u64) {
        let Some(array) = batch.column_by_name(column.name()) else {
            self.is_incomplete = true;
            return;
        };
        match array.data_type() {
            DataType::Binary => self.add_cells(array.as_binary::<i32>().iter(), first_row),
            DataType::BinaryView => self.add_cells(array.as_binary_view().iter(), first_row),
            _ => match cast(array, &DataType::Binary) {
                Ok(array) => self.add_cells(array.as_binary::<i32>().iter(), first_row),
                Err(_) => self.is_incomplete = true,
            },
        }
    }

    fn add_cells<'a>(&mut self, mut cells: impl ExactSizeIterator<Item = Option<&'a [u8]>>, first_row: u64) {
        let mut row = first_row;
        while cells.len() > 0 {
            let page = row / PAGE_ROWS as u64;
            let left = ((page + 1) * PAGE_ROWS as u64 - row) as usize;
            row += left as u64;
            // Beyond the largest number `finish` refuses.
            let page = page as u16;
            cells.by_ref().take(left).flatten().for_each(|cell| self.add_cell(cell, page));
        }
    }

    fn add_cell(&mut self, cell: &[u8], page: u16) {
        if let Ok(four) = <[u8; 4]>::try_from(cell) {
            self.four.add(u32::from_be_bytes(four), page);
        } else if let Ok(sixteen) = <[u8; 16]>::try_from(cell) {
            self.sixteen.add(u128::from_be_bytes(sixteen), page);
        }
    }
}

/// An address as a number.
trait Address: Copy + Default + Ord + Into<u128> {
    /// Two numbers that all its bits have a part in.
    fn halves(self) -> (u64, u64);
}

impl Address for u32 {
    fn halves(self) -> (u64, u64) {
        (self.into(), 0)
    }
}

impl Address for u128 {
    fn halves(self) -> (u64, u64) {
        (self as u64, (self >> 64) as u64)
    }
}

/// Addresses of one length: those of the page, those that wait to be sorted, and sorted runs.
struct Pending<A> {
    seed: u64,
    /// By hash: the addresses of a page, each with the page's number and one; those of other pages count as empty.
    slots: Vec<(A, u32)>,
    pairs: Vec<(A, u16)>,
    runs: Vec<Vec<u8>>,
}

impl<A: Address> Pending<A> {
    /// Twice as many as there are rows in a page, so that there is always an empty one.
    const SLOTS: usize = 2 * PAGE_ROWS;

    const fn new(seed: u64) -> Self {
        Self { seed, slots: Vec::new(), pairs: Vec::new(), runs: Vec::new() }
    }

    fn add(&mut self, address: A, page: u16) {
        if self.slots.is_empty() {
            self.slots = vec![(A::default(), 0); Self::SLOTS];
            self.pairs.reserve_exact(PENDING_BYTES / size_of::<(A, u16)>());
        }
        if self.is_new(address, page) {
            self.pairs.push((address, page));
            if self.pairs.len() == self.pairs.capacity() {
                self.seal();
            }
        }
    }

    fn is_new(&mut self, address: A, page: u16) -> bool {
        let stamp = u32::from(page) + 1;
        let mut at = self.hash(address);
        loop {
            let slot = &mut self.slots[at % Self::SLOTS];
            if slot.1 != stamp {
                *slot = (address, stamp);
                return true;
            }
            if slot.0 == address {
                return false;
            }
            at += 1;
        }
    }

    fn hash(&self, address: A) -> usize {
        let (low, high) = address.halves();
        let product = u128::from(low ^ self.seed) * u128::from(high ^ self.seed.rotate_left(32));
        (product as u64 ^ (product >> 64) as u64) as usize
    }

    /// Packs what waits.
    fn seal(&mut self) {
        self.pairs.sort_unstable();
        let mut writer = EntryWriter::default();
        let mut pages = Vec::new();
        for group in self.pairs.chunk_by(|one, other| one.0 == other.0) {
            pages.clear();
            pages.extend(group.iter().map(|(_, page)| *page));
            writer.push(group[0].0.into(), &pages, None);
        }
        writer.bytes.shrink_to_fit();
        self.runs.push(writer.bytes);
        self.pairs.clear();
    }

    fn into_runs(mut self) -> Vec<Vec<u8>> {
        if !self.pairs.is_empty() {
            self.seal();
        }
        self.runs
    }
}

/// The file so far.
struct Output<'a> {
    out: BufWriter<&'a std::fs::File>,
    offset: u64,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.offset += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Merges the runs of one section into blocks.
struct SectionWriter {
    section: usize,
    pages: u32,
    block: EntryWriter,
    /// The address that the block begins with.
    first: Option<u128>,
    directory: Vec<u8>,
    place: Place,
}

impl SectionWriter {
    fn new(section: usize, pages: u32) -> Self {
        debug_assert!(section < SECTIONS, "a section's number");
        let (block, directory) = (EntryWriter::default(), Vec::new());
        Self { section, pages, block, first: None, directory, place: Place::default() }
    }

    fn write(mut self, runs: &[Vec<u8>], out: &mut Output<'_>) -> io::Result<Place> {
        let mut runs: Vec<Run<'_>> = runs.iter().map(|run| Run::new(run)).collect();
        let mut heap = BinaryHeap::new();
        for (at, run) in runs.iter_mut().enumerate() {
            heap.extend(run.advance().map(|address| Reverse((address, at))));
        }
        let mut pages = Vec::new();
        while let Some(&Reverse((address, _))) = heap.peek() {
            pages.clear();
            // Runs of one address come in their order, and so do its pages.
            while let Some(Reverse((_, at))) = heap.peek().copied().filter(|Reverse((next, _))| *next == address) {
                heap.pop();
                pages.extend_from_slice(&runs[at].pages);
                heap.extend(runs[at].advance().map(|address| Reverse((address, at))));
            }
            self.push(address, &pages, out)?;
        }
        self.close_block(out)?;
        self.place.offset = out.offset;
        self.place.crc = crc32fast::hash(&self.directory);
        out.put(&self.directory)?;
        Ok(self.place)
    }

    fn push(&mut self, address: u128, pages: &[u16], out: &mut Output<'_>) -> io::Result<()> {
        if self.first.is_none() {
            self.first = Some(address);
            self.block.begin(address);
        }
        self.block.push(address, pages, Some(self.pages));
        self.place.addresses += 1;
        if self.block.bytes.len() >= BLOCK_BYTES { self.close_block(out) } else { Ok(()) }
    }

    fn close_block(&mut self, out: &mut Output<'_>) -> io::Result<()> {
        let Some(first) = self.first.take() else { return Ok(()) };
        let bytes = &self.block.bytes;
        let block = Block { first, offset: out.offset, length: bytes.len() as u32, crc: crc32fast::hash(bytes) };
        block.write(address_bytes(self.section), &mut self.directory);
        self.place.blocks += 1;
        out.put(bytes)
    }
}

/// A run while it is merged.
struct Run<'a> {
    entries: EntryReader<'a>,
    pages: Vec<u16>,
}

impl<'a> Run<'a> {
    const fn new(bytes: &'a [u8]) -> Self {
        Self { entries: EntryReader::new(bytes, 0, PAGES_MAX), pages: Vec::new() }
    }

    /// The next address, whose pages are then in `pages`.
    fn advance(&mut self) -> Option<u128> {
        self.pages.clear();
        self.entries.next(|page| self.pages.push(page)).expect("runs are as they were written")
    }
}
