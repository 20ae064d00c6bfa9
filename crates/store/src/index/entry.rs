//! Entries: an address as its distance from the one before, and the pages that hold it.
//!
//! Pages are one number where there is one page, which is the rule; else their count and their distances; or, for
//! addresses that are nearly everywhere, a bit for each page. The number before them tells which.

/// Stands before a bit for each page.
const BITS: u128 = 0;

/// Writes entries in the order of their addresses.
#[derive(Debug, Default)]
pub(super) struct EntryWriter {
    pub(super) bytes: Vec<u8>,
    last: u128,
}

impl EntryWriter {
    /// Adds an address beyond the last; `pages` rise, and are below `of`, the part's pages, where that is known.
    pub(super) fn push(&mut self, address: u128, pages: &[u16], of: Option<u32>) {
        let out = &mut self.bytes;
        put(out, address - self.last);
        self.last = address;
        match (pages, of) {
            ([page], _) => put(out, u128::from(*page) << 1 | 1),
            (pages, Some(of)) if pages.len() > of.div_ceil(8) as usize => put_bits(out, pages, of),
            (pages, _) => {
                put(out, (pages.len() as u128) << 1);
                let mut last = 0;
                for page in pages {
                    put(out, u128::from(page - last));
                    last = *page;
                }
            }
        }
    }

    /// Begins anew, with distances from `last` on.
    pub(super) fn begin(&mut self, last: u128) {
        self.bytes.clear();
        self.last = last;
    }
}

fn put_bits(out: &mut Vec<u8>, pages: &[u16], of: u32) {
    put(out, BITS);
    let start = out.len();
    out.resize(start + of.div_ceil(8) as usize, 0);
    for page in pages {
        out[start + usize::from(page / 8)] |= 1 << (page % 8);
    }
}

fn put(out: &mut Vec<u8>, value: u128) {
    // Nearly all numbers are of this kind, and quicker to take apart.
    let Ok(mut small) = u64::try_from(value) else { return put_large(out, value) };
    while small >= 0x80 {
        out.push(small as u8 | 0x80);
        small >>= 7;
    }
    out.push(small as u8);
}

fn put_large(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes that are no entries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// Reads entries, each checked against the number of pages.
#[derive(Clone, Debug)]
pub(super) struct EntryReader<'a> {
    bytes: &'a [u8],
    address: u128,
    of: u32,
}

impl<'a> EntryReader<'a> {
    /// Entries whose distances begin at `last`, of a part with `of` pages.
    pub(super) const fn new(bytes: &'a [u8], last: u128, of: u32) -> Self {
        Self { bytes, address: last, of }
    }

    /// The next address, with its pages handed to `take` in rising order; none at the end.
    pub(super) fn next(&mut self, mut take: impl FnMut(u16)) -> Result<Option<u128>, Malformed> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let distance = self.number()?;
        self.address = self.address.checked_add(distance).ok_or(Malformed)?;
        match self.number()? {
            BITS => self.bits(&mut take)?,
            one if one & 1 == 1 => take(self.page(one >> 1)?),
            count => self.list(count >> 1, &mut take)?,
        }
        Ok(Some(self.address))
    }

    fn bits(&mut self, take: &mut impl FnMut(u16)) -> Result<(), Malformed> {
        let (bits, rest) = self.bytes.split_at_checked(self.of.div_ceil(8) as usize).ok_or(Malformed)?;
        self.bytes = rest;
        for (at, &byte) in (0_u128..).zip(bits) {
            let mut left = byte;
            while left != 0 {
                take(self.page(at * 8 + u128::from(left.trailing_zeros()))?);
                left &= left - 1;
            }
        }
        Ok(())
    }

    fn list(&mut self, count: u128, take: &mut impl FnMut(u16)) -> Result<(), Malformed> {
        let mut page = 0_u128;
        for at in 0..count {
            let distance = self.number()?;
            if at > 0 && distance == 0 {
                return Err(Malformed);
            }
            page = page.checked_add(distance).ok_or(Malformed)?;
            take(self.page(page)?);
        }
        Ok(())
    }

    fn page(&self, page: u128) -> Result<u16, Malformed> {
        let page = u16::try_from(page).map_err(|_| Malformed)?;
        if u32::from(page) < self.of { Ok(page) } else { Err(Malformed) }
    }

    fn number(&mut self) -> Result<u128, Malformed> {
        let mut value = 0_u128;
        for (at, &byte) in self.bytes.iter().enumerate().take(19) {
            let low = u128::from(byte & 0x7f);
            if at == 18 && low > 3 {
                return Err(Malformed);
            }
            value |= low << (7 * at);
            if byte < 0x80 {
                self.bytes = &self.bytes[at + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::collection::{btree_map, btree_set};
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], of: u32) -> Result<Vec<(u128, Vec<u16>)>, Malformed> {
        let mut reader = EntryReader::new(bytes, 0, of);
        let mut entries = Vec::new();
        loop {
            let mut pages = Vec::new();
            match reader.next(|page| pages.push(page))? {
                Some(address) => entries.push((address, pages)),
                None => return Ok(entries),
            }
        }
    }

    proptest! {
        #[test]
        fn entries_read_back_and_cut_ones_never_as_something_else(
            entries in btree_map(any::<u128>(), btree_set(0_u16..300, 1..80), 0..20),
            known in any::<bool>(),
        ) {
            let entries: Vec<(u128, Vec<u16>)> =
                entries.into_iter().map(|(address, pages)| (address, pages.into_iter().collect())).collect();
            let mut writer = EntryWriter::default();
            for (address, pages) in &entries {
                writer.push(*address, pages, known.then_some(300));
            }
            let bytes = writer.bytes;
            prop_assert_eq!(read(&bytes, 300), Ok(entries.clone()));
            for end in 0..bytes.len() {
                if let Ok(fewer) = read(&bytes[..end], 300) {
                    prop_assert!(fewer.len() < entries.len() && entries.starts_with(&fewer));
                }
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), of in 0_u32..70_000) {
            for (_, pages) in read(&bytes, of).into_iter().flatten() {
                prop_assert!(pages.iter().all(|page| u32::from(*page) < of));
            }
        }
    }

    #[test]
    fn one_page_takes_two_bytes_and_every_page_a_bit() {
        let mut writer = EntryWriter::default();
        writer.push(5, &[60], Some(256));
        assert_eq!(writer.bytes, [5, 121]);
        writer.begin(0);
        writer.push(5, &(0..256).collect::<Vec<_>>(), Some(256));
        assert_eq!(writer.bytes.len(), 1 + 1 + 32);
    }

    #[test]
    fn a_page_beyond_the_part_is_refused() {
        let mut writer = EntryWriter::default();
        writer.push(5, &[3], None);
        assert_eq!(read(&writer.bytes, 4), Ok(vec![(5, vec![3])]));
        assert_eq!(read(&writer.bytes, 3), Err(Malformed));
    }
}
