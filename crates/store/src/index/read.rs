//! Looking addresses up: the trailer, one directory, and the blocks that matter.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Side;
use super::entry::{EntryReader, Malformed};
use super::layout::{Block, Place, SECTIONS, TRAILER_BYTES, Trailer, address_bytes, section};
use crate::DiskError;

/// An index that can be asked.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    file: File,
    trailer: Trailer,
    directories: [OnceLock<Vec<Block>>; SECTIONS],
}

impl Index {
    /// Opens an index; of its addresses nothing is read yet.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let file = File::open(path).map_err(DiskError::of("read", path))?;
        let trailer = read_trailer(&file).map_err(DiskError::of("read", path))?;
        Ok(Self { path: path.to_owned(), file, trailer, directories: Default::default() })
    }

    /// How many rows its part has.
    pub const fn rows(&self) -> u64 {
        self.trailer.rows
    }

    /// How many rows each of its pages has.
    pub const fn page_rows(&self) -> u32 {
        self.trailer.page_rows
    }

    /// The numbers of the pages, rising, with rows that have an address in [from, through], both of the same length.
    pub fn pages(&self, side: Side, from: &[u8], through: &[u8]) -> Result<Vec<u32>, DiskError> {
        self.look_up(side, from, through).map_err(DiskError::of("read", &self.path))
    }

    fn look_up(&self, side: Side, from: &[u8], through: &[u8]) -> io::Result<Vec<u32>> {
        let known = section(side, from.len()).filter(|_| from.len() == through.len());
        let Some(section) = known else { return Ok((0..self.trailer.pages).collect()) };
        let (from, through) = (number(from), number(through));
        let mut found = Found::new(self.trailer.pages);
        if from > through {
            return Ok(found.into_pages());
        }
        let directory = self.directory(section)?;
        // The block before the first that begins beyond `from` may hold it.
        let first = directory.partition_point(|block| block.first <= from).saturating_sub(1);
        let blocks = directory.get(first..).unwrap_or_default();
        for block in blocks.iter().take_while(|block| block.first <= through) {
            self.read_block(block, from, through, &mut found)?;
            if found.is_all() {
                break;
            }
        }
        Ok(found.into_pages())
    }

    /// A section's blocks; read once.
    fn directory(&self, section: usize) -> io::Result<&[Block]> {
        let known = &self.directories[section];
        if let Some(directory) = known.get() {
            return Ok(directory);
        }
        let directory = self.read_directory(section)?;
        Ok(known.get_or_init(|| directory))
    }

    fn read_directory(&self, section: usize) -> io::Result<Vec<Block>> {
        let Place { offset, blocks, crc, .. } = self.trailer.sections[section];
        let bytes = address_bytes(section);
        let entry = Block::bytes(bytes);
        let directory = self.read(offset, blocks as usize * entry, crc)?;
        let blocks: Option<Vec<Block>> = directory.chunks_exact(entry).map(|entry| Block::read(bytes, entry)).collect();
        blocks.ok_or_else(|| damaged("a directory is cut short"))
    }

    fn read_block(&self, block: &Block, from: u128, through: u128, found: &mut Found) -> io::Result<()> {
        let bytes = self.read(block.offset, block.length as usize, block.crc)?;
        let mut entries = EntryReader::new(&bytes, block.first, self.trailer.pages);
        let mut pages = Vec::new();
        loop {
            pages.clear();
            let entry = entries.next(|page| pages.push(page));
            match entry.map_err(|Malformed| damaged("a block holds no entries"))? {
                Some(address) if address <= through => {
                    if address >= from {
                        pages.iter().for_each(|page| found.add(*page));
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads a stretch of the file that has this checksum.
    fn read(&self, offset: u64, length: usize, crc: u32) -> io::Result<Vec<u8>> {
        let file = self.file.metadata()?.len();
        if offset.checked_add(length as u64).is_none_or(|end| end > file) {
            return Err(damaged("it is cut short"));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset)?;
        if crc32fast::hash(&bytes) == crc { Ok(bytes) } else { Err(damaged("a checksum is wrong")) }
    }
}

fn read_trailer(file: &File) -> io::Result<Trailer> {
    let start = file.metadata()?.len().checked_sub(TRAILER_BYTES as u64).ok_or_else(|| damaged("it is cut short"))?;
    let mut bytes = [0; TRAILER_BYTES];
    file.read_exact_at(&mut bytes, start)?;
    let trailer = Trailer::parse(&bytes).map_err(damaged)?;
    if trailer.sections.iter().any(|place| place.offset > start) {
        Err(damaged("it is cut short"))
    } else {
        Ok(trailer)
    }
}

fn damaged(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn number(address: &[u8]) -> u128 {
    address.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Pages that were found.
struct Found {
    pages: Vec<bool>,
    missing: usize,
}

impl Found {
    fn new(pages: u32) -> Self {
        Self { pages: vec![false; pages as usize], missing: pages as usize }
    }

    fn add(&mut self, page: u16) {
        // Entries are checked against the number of pages.
        if let Some(found) = self.pages.get_mut(usize::from(page)).filter(|found| !**found) {
            *found = true;
            self.missing -= 1;
        }
    }

    const fn is_all(&self) -> bool {
        self.missing == 0
    }

    fn into_pages(self) -> Vec<u32> {
        (0..).zip(self.pages).filter_map(|(page, found)| found.then_some(page)).collect()
    }
}
