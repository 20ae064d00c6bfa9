//! Totals by minute, from which those by hour, by day and over everything follow.
//!
//! A minute's groups lie dense by their numbers, since an active interface is in each minute. Nearly all flows lie in one
//! minute: their rows are gathered by minute and added dimension by dimension. What would need too much memory or work
//! is given up: a dimension, or all of them, is then kept over everything only.

use std::collections::HashMap;
use std::iter::zip;

use super::cells::{Cells, Sums};
use super::dimension::{Dimension, Level};
use super::key::Folds;
use super::measures::Measures;
use super::spread::Span;

/// Dimensions that are kept by time.
const DIMENSIONS: usize = Dimension::TIMED.len();
const MINUTE_NS: i64 = match Level::Minute.ns() {
    Some(ns) => ns,
    None => unreachable!(),
};
/// Minutes of one file, and of one flow: a week. Parts hold an hour, and exporters tell of a flow at least twice an hour.
const MINUTES_MAX: i64 = 7 * 24 * 60;
/// Cells of one dimension: some 50 MB. Totals that have more would not be much smaller than the rows.
const CELLS_MAX: usize = 1 << 20;
/// Minutes that flows may be spread over: so many at first, and so many more for each row.
const STEPS: u64 = 1 << 20;
const STEPS_A_ROW: u64 = 32;

/// The groups of a batch's rows, for each of the timed dimensions, and how many groups there are.
pub(super) type Groups<'a> = [(&'a [u32], usize); DIMENSIONS];

/// Totals by minute.
#[derive(Debug)]
pub(super) struct Bins {
    minutes: Vec<Minute>,
    numbers: HashMap<i64, usize, Folds>,
    latest: Option<(i64, usize)>,
    kept: [Kept; DIMENSIONS],
    /// Cells of each dimension, of all minutes.
    filled: [usize; DIMENSIONS],
    steps_left: u64,
}

/// What is kept of a dimension.
#[derive(Debug)]
enum Kept {
    /// All of it, in the minutes.
    Minutes,
    /// Its sums over everything.
    Whole(Cells),
    /// Nothing.
    Lost,
}

#[derive(Debug)]
struct Minute {
    number: i64,
    cells: [Cells; DIMENSIONS],
    /// Rows of the batch at hand that lie in it.
    rows: Vec<u32>,
}

impl Bins {
    pub(super) fn new() -> Self {
        Self {
            minutes: Vec::new(),
            numbers: HashMap::with_hasher(Folds::default()),
            latest: None,
            kept: [const { Kept::Minutes }; DIMENSIONS],
            filled: [0; DIMENSIONS],
            steps_left: STEPS,
        }
    }

    /// Adds a batch's rows.
    pub(super) fn add(&mut self, spans: &[Span], groups: &Groups<'_>, of: &Measures) {
        self.steps_left += spans.len() as u64 * STEPS_A_ROW;
        let has_minutes = self.kept.iter().any(|kept| matches!(kept, Kept::Minutes));
        let mut binned = 0;
        while has_minutes && binned < spans.len() && self.bin(binned, spans[binned], groups, of) {
            binned += 1;
        }
        (0..DIMENSIONS).for_each(|dimension| self.settle(dimension, groups[dimension], of));
        self.minutes.iter_mut().for_each(|minute| minute.rows.clear());
        if binned == spans.len() {
            return;
        }
        for (dimension, (numbers, count)) in groups.iter().enumerate() {
            self.fold(dimension);
            if let Kept::Whole(cells) = &mut self.kept[dimension] {
                cells.add_rows(binned..spans.len(), numbers, *count, of);
            }
        }
    }

    /// Puts a row where it belongs; false where that would be too much.
    fn bin(&mut self, row: usize, span: Span, groups: &Groups<'_>, of: &Measures) -> bool {
        let (first, last) = span.bins(MINUTE_NS);
        if first == last {
            return self.minute(first).map(|minute| minute.rows.push(row as u32)).is_some();
        }
        let steps = (last - first).unsigned_abs() + 1;
        if steps > MINUTES_MAX.unsigned_abs() || steps > self.steps_left {
            return false;
        }
        // All minutes are there before anything is added to one, so that a row is added whole or not at all.
        if (first..=last).any(|number| self.minute(number).is_none()) {
            return false;
        }
        self.steps_left -= steps;
        self.spread(span, groups.map(|(numbers, _)| numbers[row] as usize), &of.row(row));
        true
    }

    /// Adds one row's shares to its minutes, which are there.
    fn spread(&mut self, span: Span, groups: [usize; DIMENSIONS], all: &Sums) {
        for (kept, group) in zip(&mut self.kept, groups) {
            if let Kept::Whole(cells) = kept {
                cells.add(group, all);
            }
        }
        let (first, last) = span.bins(MINUTE_NS);
        let mut before = Sums::default();
        for number in first..=last {
            let slice = span.slice(number, MINUTE_NS);
            let passed = Sums {
                flows: if slice.is_last { all.flows } else { 0 },
                bytes: slice.cumulative(all.bytes),
                packets: slice.cumulative(all.packets),
                bytes_scaled: slice.cumulative(all.bytes_scaled),
                packets_scaled: slice.cumulative(all.packets_scaled),
                flows_sampled: if slice.is_last { all.flows_sampled } else { 0 },
                known: all.known,
            };
            let share = passed.less(&before);
            before = passed;
            if !share.is_touched() {
                continue;
            }
            let Some(&at) = self.numbers.get(&number) else { continue };
            for (dimension, group) in groups.into_iter().enumerate() {
                if matches!(self.kept[dimension], Kept::Minutes) {
                    let cells = &mut self.minutes[at].cells[dimension];
                    let before = cells.len();
                    cells.add(group, &share);
                    self.filled[dimension] += cells.len() - before;
                }
            }
        }
        self.fold_where_full();
    }

    /// Adds the gathered rows to a dimension.
    fn settle(&mut self, dimension: usize, (numbers, count): (&[u32], usize), of: &Measures) {
        for at in 0..self.minutes.len() {
            let minute = &mut self.minutes[at];
            if minute.rows.is_empty() {
                continue;
            }
            let rows = minute.rows.iter().map(|&row| row as usize);
            match &mut self.kept[dimension] {
                Kept::Minutes => {
                    let cells = &mut minute.cells[dimension];
                    let before = cells.len();
                    cells.add_rows(rows, numbers, count, of);
                    self.filled[dimension] += cells.len() - before;
                    self.fold_where_full();
                }
                Kept::Whole(cells) => cells.add_rows(rows, numbers, count, of),
                Kept::Lost => {}
            }
        }
    }

    fn fold_where_full(&mut self) {
        for dimension in 0..DIMENSIONS {
            if self.filled[dimension] > CELLS_MAX {
                self.fold(dimension);
            }
        }
    }

    fn minute(&mut self, number: i64) -> Option<&mut Minute> {
        if let Some((latest, at)) = self.latest
            && latest == number
        {
            return self.minutes.get_mut(at);
        }
        let at = match self.numbers.get(&number) {
            Some(&at) => at,
            None if self.minutes.len() as i64 >= MINUTES_MAX => return None,
            None => {
                self.minutes.push(Minute { number, cells: Default::default(), rows: Vec::new() });
                self.numbers.insert(number, self.minutes.len() - 1);
                self.minutes.len() - 1
            }
        };
        self.latest = Some((number, at));
        self.minutes.get_mut(at)
    }

    /// Gives up a dimension's minutes, for their sum.
    fn fold(&mut self, dimension: usize) {
        if matches!(self.kept[dimension], Kept::Minutes) {
            self.kept[dimension] = Kept::Whole(self.whole(dimension));
            self.clear(dimension);
        }
    }

    /// Gives up a dimension.
    pub(super) fn lose(&mut self, dimension: usize) {
        self.kept[dimension] = Kept::Lost;
        self.clear(dimension);
    }

    fn clear(&mut self, dimension: usize) {
        self.filled[dimension] = 0;
        for minute in &mut self.minutes {
            minute.cells[dimension] = Cells::default();
        }
    }

    fn whole(&self, dimension: usize) -> Cells {
        let mut whole = Cells::default();
        for cells in self.minutes.iter().map(|minute| &minute.cells[dimension]) {
            whole.overflowed |= cells.overflowed;
            for group in 0..cells.len() {
                let sums = cells.get(group);
                if sums.is_touched() {
                    whole.add(group, &sums);
                }
            }
        }
        whole
    }

    /// What a dimension's groups add up to over everything; none where that was given up, too.
    pub(super) fn over_all(&mut self, dimension: usize) -> Option<Cells> {
        match &mut self.kept[dimension] {
            Kept::Minutes => Some(self.whole(dimension)),
            Kept::Whole(cells) => Some(std::mem::take(cells)),
            Kept::Lost => None,
        }
    }

    /// Whether a dimension's minutes are there.
    pub(super) const fn has_minutes(&self, dimension: usize) -> bool {
        matches!(self.kept[dimension], Kept::Minutes)
    }

    /// Puts the minutes in order of time.
    pub(super) fn sort(&mut self) {
        self.minutes.sort_unstable_by_key(|minute| minute.number);
        self.numbers.clear();
        self.latest = None;
    }

    /// A group's sums in bins of the level, with their begin, in order of time.
    pub(super) fn of_group(&self, dimension: usize, group: usize, level_ns: i64) -> Vec<(i64, Sums)> {
        let mut bins: Vec<(i64, Sums)> = Vec::new();
        for minute in &self.minutes {
            let sums = minute.cells[dimension].get(group);
            if !sums.is_touched() {
                continue;
            }
            let begin = minute.number.saturating_mul(MINUTE_NS);
            let begin = begin.div_euclid(level_ns).saturating_mul(level_ns);
            match bins.last_mut() {
                // Cannot be beyond 64 bits where the sum over everything is not, which is checked.
                Some((last, bin)) if *last == begin => drop(bin.add(&sums)),
                _ => bins.push((begin, sums)),
            }
        }
        bins
    }
}
