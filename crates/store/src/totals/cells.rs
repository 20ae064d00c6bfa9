//! Sums of groups, dense by the groups' numbers.
//!
//! Most rows are unsampled, or have a rate throughout, and lack no volume: so scaled sums, and which volumes are known,
//! are kept only from the first row on that makes a difference.

use super::measures::Measures;

const BYTES_KNOWN: u8 = 1;
const PACKETS_KNOWN: u8 = 2;
/// Both volumes are known.
pub(super) const KNOWN: u8 = BYTES_KNOWN | PACKETS_KNOWN;

/// What rows of one group add up to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sums {
    pub(super) flows: u64,
    pub(super) bytes: u64,
    pub(super) packets: u64,
    pub(super) bytes_scaled: u64,
    pub(super) packets_scaled: u64,
    /// Rows with a sampling rate beyond 1.
    pub(super) flows_sampled: u64,
    /// Which volumes some row had.
    pub(super) known: u8,
}

impl Sums {
    /// Whether a record, or any share of one, is in it.
    pub(super) const fn is_touched(&self) -> bool {
        self.flows | self.bytes | self.packets | self.bytes_scaled | self.packets_scaled != 0
    }

    /// Adds other rows; false where a sum is beyond 64 bits.
    pub(super) fn add(&mut self, other: &Self) -> bool {
        let pairs = [
            (&mut self.flows, other.flows),
            (&mut self.bytes, other.bytes),
            (&mut self.packets, other.packets),
            (&mut self.bytes_scaled, other.bytes_scaled),
            (&mut self.packets_scaled, other.packets_scaled),
            (&mut self.flows_sampled, other.flows_sampled),
        ];
        self.known |= other.known;
        !pairs.into_iter().fold(false, |beyond, (sum, more)| beyond | plus(sum, more))
    }

    /// What came on top of `before`, all of which is in it, but for the records.
    pub(super) const fn less(&self, before: &Self) -> Self {
        Self {
            bytes: self.bytes - before.bytes,
            packets: self.packets - before.packets,
            bytes_scaled: self.bytes_scaled - before.bytes_scaled,
            packets_scaled: self.packets_scaled - before.packets_scaled,
            ..*self
        }
    }

    pub(super) fn bytes(&self) -> Option<(u64, u64)> {
        (self.known & BYTES_KNOWN != 0).then_some((self.bytes, self.bytes_scaled))
    }

    pub(super) fn packets(&self) -> Option<(u64, u64)> {
        (self.known & PACKETS_KNOWN != 0).then_some((self.packets, self.packets_scaled))
    }
}

/// Which of two volumes are known.
pub(super) const fn known(bytes: bool, packets: bool) -> u8 {
    (if bytes { BYTES_KNOWN } else { 0 }) | (if packets { PACKETS_KNOWN } else { 0 })
}

/// Adds, and says whether that was beyond 64 bits.
fn plus(sum: &mut u64, more: u64) -> bool {
    let beyond;
    (*sum, beyond) = sum.overflowing_add(more);
    beyond
}

#[derive(Clone, Copy, Debug, Default)]
struct Plain {
    flows: u64,
    bytes: u64,
    packets: u64,
}

/// With what is scaled beside, so that a row finds all it adds to in one place. Rows are counted in 32 bits: a part
/// has far fewer, and what is beyond is noticed as other sums are.
#[derive(Clone, Copy, Debug, Default)]
struct Scaled {
    bytes: u64,
    packets: u64,
    bytes_scaled: u64,
    packets_scaled: u64,
    flows: u32,
    sampled: u32,
}

/// The sums of a dimension's groups.
#[derive(Debug)]
enum Kept {
    Plain(Vec<Plain>),
    Scaled(Vec<Scaled>),
}

/// The sums of a dimension's groups, and which volumes they have.
#[derive(Debug)]
pub(super) struct Cells {
    kept: Kept,
    known: Option<Vec<u8>>,
    /// Whether a sum was beyond 64 bits.
    pub(super) overflowed: bool,
}

impl Default for Cells {
    fn default() -> Self {
        Self { kept: Kept::Plain(Vec::new()), known: None, overflowed: false }
    }
}

impl Plain {
    fn sums(&self) -> Sums {
        let &Self { flows, bytes, packets } = self;
        let (bytes_scaled, packets_scaled) = (bytes, packets);
        Sums { flows, bytes, packets, bytes_scaled, packets_scaled, flows_sampled: 0, known: KNOWN }
    }

    /// Adds a row, and says whether that was beyond 64 bits.
    #[inline]
    fn row(&mut self, bytes: u64, packets: u64) -> bool {
        self.flows += 1;
        plus(&mut self.bytes, bytes) | plus(&mut self.packets, packets)
    }
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        match &self.kept {
            Kept::Plain(cells) => cells.len(),
            Kept::Scaled(cells) => cells.len(),
        }
    }

    /// Adds rows of a batch, whose groups' numbers are in `groups`, all below `count`.
    pub(super) fn add_rows(
        &mut self,
        rows: impl Iterator<Item = usize> + Clone,
        groups: &[u32],
        count: usize,
        of: &Measures,
    ) {
        self.make_room(count, of.scaled.is_some(), of.known.is_some());
        let mut beyond = false;
        match (&mut self.kept, &of.scaled) {
            (Kept::Plain(cells), _) => {
                for row in rows.clone() {
                    beyond |= cells[groups[row] as usize].row(of.bytes[row], of.packets[row]);
                }
            }
            (Kept::Scaled(cells), scaled) => {
                let (bytes, packets) =
                    scaled.as_ref().map_or((&of.bytes, &of.packets), |scaled| (&scaled.bytes, &scaled.packets));
                let sampled = scaled.as_ref().map(|scaled| &scaled.sampled[..]);
                for row in rows.clone() {
                    let cell = &mut cells[groups[row] as usize];
                    beyond |= plus(&mut cell.bytes, of.bytes[row]) | plus(&mut cell.packets, of.packets[row]);
                    beyond |= plus(&mut cell.bytes_scaled, bytes[row]) | plus(&mut cell.packets_scaled, packets[row]);
                    beyond |= cell.count(1, sampled.map_or(0, |sampled| u64::from(sampled[row])));
                }
            }
        }
        if let Some(cells) = &mut self.known {
            for row in rows {
                cells[groups[row] as usize] |= of.known.as_ref().map_or(KNOWN, |known| known[row]);
            }
        }
        self.overflowed |= beyond;
    }

    /// Adds to one group.
    pub(super) fn add(&mut self, group: usize, sums: &Sums) {
        let scaled = (sums.bytes_scaled, sums.packets_scaled, sums.flows_sampled) != (sums.bytes, sums.packets, 0);
        self.make_room(group + 1, scaled, sums.known != KNOWN);
        let beyond = match &mut self.kept {
            Kept::Plain(cells) => {
                let cell = &mut cells[group];
                cell.flows += sums.flows;
                plus(&mut cell.bytes, sums.bytes) | plus(&mut cell.packets, sums.packets)
            }
            Kept::Scaled(cells) => {
                let cell = &mut cells[group];
                plus(&mut cell.bytes, sums.bytes)
                    | plus(&mut cell.packets, sums.packets)
                    | plus(&mut cell.bytes_scaled, sums.bytes_scaled)
                    | plus(&mut cell.packets_scaled, sums.packets_scaled)
                    | cell.count(sums.flows, sums.flows_sampled)
            }
        };
        if let Some(cells) = &mut self.known {
            cells[group] |= sums.known;
        }
        self.overflowed |= beyond;
    }

    /// One group's sums.
    pub(super) fn get(&self, group: usize) -> Sums {
        let known = self.known.as_ref().and_then(|cells| cells.get(group)).copied().unwrap_or(KNOWN);
        let sums = match &self.kept {
            Kept::Plain(cells) => cells.get(group).map(Plain::sums),
            Kept::Scaled(cells) => cells.get(group).map(Scaled::sums),
        };
        sums.map_or_else(Sums::default, |sums| Sums { known, ..sums })
    }

    fn make_room(&mut self, count: usize, scaled: bool, partly_known: bool) {
        if let Kept::Plain(cells) = &self.kept
            && scaled
        {
            let mut beyond = false;
            let scaled = cells.iter().map(|cell| {
                let mut scaled = Scaled { bytes_scaled: cell.bytes, packets_scaled: cell.packets, ..Scaled::default() };
                (scaled.bytes, scaled.packets) = (cell.bytes, cell.packets);
                beyond |= scaled.count(cell.flows, 0);
                scaled
            });
            self.kept = Kept::Scaled(scaled.collect());
            self.overflowed |= beyond;
        }
        if partly_known && self.known.is_none() {
            // So far, whatever is in a cell had both volumes.
            let known = |group| if self.get(group).is_touched() { KNOWN } else { 0 };
            self.known = Some((0..self.len()).map(known).collect());
        }
        if count > self.len() {
            match &mut self.kept {
                Kept::Plain(cells) => grow(cells, count),
                Kept::Scaled(cells) => grow(cells, count),
            }
            if let Some(cells) = &mut self.known {
                grow(cells, count);
            }
        }
    }
}

/// Makes it longer, and its room by a quarter at a time: doubled, it would stand half empty beside all the others.
fn grow<T: Clone + Default>(cells: &mut Vec<T>, count: usize) {
    if count > cells.capacity() {
        cells.reserve_exact(count + count / 4 - cells.len());
    }
    cells.resize(count, T::default());
}

impl Scaled {
    fn sums(&self) -> Sums {
        let &Self { bytes, packets, bytes_scaled, packets_scaled, flows, sampled } = self;
        let (flows, flows_sampled) = (flows.into(), sampled.into());
        Sums { flows, bytes, packets, bytes_scaled, packets_scaled, flows_sampled, known: KNOWN }
    }

    /// Counts rows, and says whether they are beyond 32 bits.
    #[inline]
    fn count(&mut self, flows: u64, sampled: u64) -> bool {
        let (flows, sampled) = (u64::from(self.flows) + flows, u64::from(self.sampled) + sampled);
        (self.flows, self.sampled) = (flows as u32, sampled as u32);
        (flows | sampled) >> 32 != 0
    }
}
