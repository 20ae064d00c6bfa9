//! The index file's fixed pieces: trailer and directory.

use super::Side;

/// The file's last bytes.
const MAGIC: [u8; 8] = *b"fs-index";
/// The format of this module.
const VERSION: u32 = 1;
/// Sections of a file.
pub(super) const SECTIONS: usize = 4;
/// Bytes of a section's place in the trailer.
const PLACE_BYTES: usize = 20;
/// Bytes of the trailer.
pub(super) const TRAILER_BYTES: usize = SECTIONS * PLACE_BYTES + 24 + MAGIC.len();

/// The number of the section with a side's addresses of `length` bytes.
pub(super) const fn section(side: Side, length: usize) -> Option<usize> {
    let side = match side {
        Side::Source => 0,
        Side::Destination => 2,
    };
    match length {
        4 => Some(side),
        16 => Some(side + 1),
        _ => None,
    }
}

/// Bytes of a section's addresses.
pub(super) const fn address_bytes(section: usize) -> usize {
    if section.is_multiple_of(2) { 4 } else { 16 }
}

/// Where a section's directory is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) blocks: u32,
    pub(super) addresses: u32,
    pub(super) crc: u32,
}

/// What the file says of itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Trailer {
    pub(super) sections: [Place; SECTIONS],
    pub(super) rows: u64,
    pub(super) page_rows: u32,
    pub(super) pages: u32,
}

impl Trailer {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(TRAILER_BYTES);
        for place in self.sections {
            bytes.extend(place.offset.to_le_bytes());
            bytes.extend([place.blocks, place.addresses, place.crc].into_iter().flat_map(u32::to_le_bytes));
        }
        bytes.extend(self.rows.to_le_bytes());
        bytes.extend([self.page_rows, self.pages, VERSION].into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend(MAGIC);
        bytes
    }

    /// Reads a trailer, or says what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let bytes = bytes.strip_suffix(&MAGIC).ok_or("it does not end as an address index does")?;
        let (body, crc) = bytes.split_last_chunk::<4>().ok_or("its trailer is cut short")?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err("its trailer's checksum is wrong");
        }
        let mut fields = Fields(body);
        let trailer = (|| {
            let mut trailer = Self::default();
            for place in &mut trailer.sections {
                let (offset, blocks) = (fields.u64()?, fields.u32()?);
                *place = Place { offset, blocks, addresses: fields.u32()?, crc: fields.u32()? };
            }
            trailer.rows = fields.u64()?;
            trailer.page_rows = fields.u32()?;
            trailer.pages = fields.u32()?;
            Some((trailer, fields.u32()?))
        })();
        match trailer {
            Some((trailer, VERSION)) if fields.0.is_empty() => trailer.check(),
            Some((_, VERSION)) | None => Err("its trailer has another length"),
            Some(_) => Err("it is of another version"),
        }
    }

    fn check(self) -> Result<Self, &'static str> {
        let sound = self.page_rows > 0
            && u64::from(self.pages) == self.rows.div_ceil(u64::from(self.page_rows))
            && self.pages <= super::build::PAGES_MAX;
        if sound { Ok(self) } else { Err("its pages do not fit its rows") }
    }
}

/// One block, as the directory has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// The first address in it, as a number.
    pub(super) first: u128,
    pub(super) offset: u64,
    pub(super) length: u32,
    pub(super) crc: u32,
}

impl Block {
    /// Bytes of a directory's entry.
    pub(super) const fn bytes(address_bytes: usize) -> usize {
        address_bytes + 16
    }

    pub(super) fn write(self, address_bytes: usize, out: &mut Vec<u8>) {
        out.extend(&self.first.to_le_bytes()[..address_bytes]);
        out.extend(self.offset.to_le_bytes());
        out.extend([self.length, self.crc].into_iter().flat_map(u32::to_le_bytes));
    }

    pub(super) fn read(address_bytes: usize, entry: &[u8]) -> Option<Self> {
        let (address, rest) = entry.split_at_checked(address_bytes)?;
        let mut first = [0; 16];
        first.get_mut(..address_bytes)?.copy_from_slice(address);
        let mut fields = Fields(rest);
        let offset = fields.u64()?;
        Some(Self { first: u128::from_le_bytes(first), offset, length: fields.u32()?, crc: fields.u32()? })
    }
}

/// Little-endian numbers, one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}
