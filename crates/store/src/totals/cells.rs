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

#[derive(Clone, Copy, Debug, Default)]
struct Scaled {
    bytes: u64,
    packets: u64,
    sampled: u64,
}

/// The sums of a dimension's groups.
#[derive(Debug, Default)]
pub(super) struct Cells {
    plain: Vec<Plain>,
    scaled: Option<Vec<Scaled>>,
    known: Option<Vec<u8>>,
    /// Whether a sum was beyond 64 bits.
    pub(super) overflowed: bool,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.plain.len()
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
        for row in rows.clone() {
            let cell = &mut self.plain[groups[row] as usize];
            cell.flows += 1;
            beyond |= plus(&mut cell.bytes, of.bytes[row]) | plus(&mut cell.packets, of.packets[row]);
        }
        if let Some(cells) = &mut self.scaled {
            let (bytes, packets) =
                of.scaled.as_ref().map_or((&of.bytes, &of.packets), |scaled| (&scaled.bytes, &scaled.packets));
            for row in rows.clone() {
                let cell = &mut cells[groups[row] as usize];
                beyond |= plus(&mut cell.bytes, bytes[row]) | plus(&mut cell.packets, packets[row]);
                cell.sampled += of.scaled.as_ref().map_or(0, |scaled| u64::from(scaled.sampled[row]));
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
        let cell = &mut self.plain[group];
        cell.flows += sums.flows;
        let mut beyond = plus(&mut cell.bytes, sums.bytes) | plus(&mut cell.packets, sums.packets);
        if let Some(cells) = &mut self.scaled {
            let cell = &mut cells[group];
            beyond |= plus(&mut cell.bytes, sums.bytes_scaled) | plus(&mut cell.packets, sums.packets_scaled);
            cell.sampled += sums.flows_sampled;
        }
        if let Some(cells) = &mut self.known {
            cells[group] |= sums.known;
        }
        self.overflowed |= beyond;
    }

    /// One group's sums.
    pub(super) fn get(&self, group: usize) -> Sums {
        let Some(plain) = self.plain.get(group) else { return Sums::default() };
        let same = Scaled { bytes: plain.bytes, packets: plain.packets, sampled: 0 };
        let scaled = self.scaled.as_ref().map_or(same, |cells| cells[group]);
        Sums {
            flows: plain.flows,
            bytes: plain.bytes,
            packets: plain.packets,
            bytes_scaled: scaled.bytes,
            packets_scaled: scaled.packets,
            flows_sampled: scaled.sampled,
            known: self.known.as_ref().map_or(KNOWN, |cells| cells[group]),
        }
    }

    fn make_room(&mut self, count: usize, scaled: bool, partly_known: bool) {
        if scaled && self.scaled.is_none() {
            let same = |cell: &Plain| Scaled { bytes: cell.bytes, packets: cell.packets, sampled: 0 };
            self.scaled = Some(self.plain.iter().map(same).collect());
        }
        if partly_known && self.known.is_none() {
            // So far, whatever is in a cell had both volumes.
            let known = |group| if self.get(group).is_touched() { KNOWN } else { 0 };
            self.known = Some((0..self.plain.len()).map(known).collect());
        }
        if count > self.plain.len() {
            self.plain.resize(count, Plain::default());
            if let Some(cells) = &mut self.scaled {
                cells.resize(count, Scaled::default());
            }
            if let Some(cells) = &mut self.known {
                cells.resize(count, 0);
            }
        }
    }
}
