//! Choosing pages of parts by their address indexes, before a file of rows is opened.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use finderscope_store::DiskError;
use finderscope_store::index::{Index, Side};
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use crate::part::Part;
use crate::wanted::Wanted;

/// What is read of one part.
#[derive(Debug)]
pub(crate) enum Reading {
    /// All of it.
    Whole,
    /// Nothing: it does not hold the addresses.
    Nothing,
    /// These rows.
    Pages {
        /// Which.
        rows: ParquetRowSelection,
        /// How many.
        count: u64,
        /// Where each of the wanted addresses is.
        places: Vec<Located>,
    },
}

/// Where in a part addresses of one side are.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) side: Side,
    /// The first and the last of them.
    pub(crate) range: (Vec<u8>, Vec<u8>),
    pub(crate) at: Arc<Stretches>,
}

/// Stretches of a part, each of so many rows, by their numbers, which rise.
#[derive(Debug)]
pub(crate) struct Stretches {
    pub(crate) rows: u32,
    pub(crate) numbers: Vec<u32>,
}

/// What is known of a file's addresses.
#[derive(Debug)]
pub(crate) struct Addresses(pub(crate) Vec<Located>);

impl Reading {
    /// How many rows of the part that are.
    pub(crate) const fn rows(&self, part: &Part) -> u64 {
        match self {
            Self::Whole => part.rows,
            Self::Nothing => 0,
            Self::Pages { count, .. } => *count,
        }
    }
}

/// How many pages and parts were chosen, of those that have an index.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) pages: u64,
    pub(crate) pages_of: u64,
    pub(crate) parts: u64,
    pub(crate) parts_of: u64,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pages, pages_of, parts, parts_of } = self;
        write!(f, "address_index={pages} of {pages_of} pages in {parts} of {parts_of} parts")
    }
}

/// Looks the wanted addresses up in a part's index, where it has one.
pub(crate) fn choose(part: &Part, wanted: &Wanted, tally: &mut Tally) -> Result<Reading, (PathBuf, String)> {
    let Some(path) = &part.index else { return Ok(Reading::Whole) };
    let problem = |error: DiskError| (path.clone(), error.source.to_string());
    let index = Index::open(path).map_err(problem)?;
    if index.rows() != part.rows {
        return Err((path.clone(), format!("it is of {} rows, the part of {}", index.rows(), part.rows)));
    }
    let mut places = Vec::new();
    let pages = wanted.pages(&index, &mut places).map_err(problem)?;
    let page_rows = u64::from(index.page_rows());
    let all = part.rows.div_ceil(page_rows);
    tally.pages_of += all;
    tally.parts_of += 1;
    tally.pages += pages.len() as u64;
    tally.parts += u64::from(!pages.is_empty());
    Ok(match pages.len() as u64 {
        0 => Reading::Nothing,
        count if count == all => Reading::Whole,
        _ => {
            let rows = selection(&pages, page_rows, part.rows);
            Reading::Pages { count: rows.row_count() as u64, rows: rows.into(), places }
        }
    })
}

fn selection(pages: &[u32], page_rows: u64, rows: u64) -> RowSelection {
    let mut selectors = Vec::new();
    let mut done = 0;
    for together in pages.chunk_by(|one, next| one + 1 == *next) {
        let (Some(first), Some(last)) = (together.first(), together.last()) else { continue };
        let (from, through) = (u64::from(*first) * page_rows, ((u64::from(*last) + 1) * page_rows).min(rows));
        selectors.push(RowSelector::skip((from - done) as usize));
        selectors.push(RowSelector::select((through - from) as usize));
        done = through;
    }
    selectors.push(RowSelector::skip((rows - done) as usize));
    selectors.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_next_to_each_other_are_one_stretch_of_rows_and_the_last_is_shorter() {
        let check = |pages: &[u32], expected: &[(usize, bool)]| {
            let selectors: Vec<RowSelector> = selection(pages, 10, 45).into();
            let selectors: Vec<_> = selectors.iter().map(|selector| (selector.row_count, !selector.skip)).collect();
            assert_eq!(selectors, expected, "{pages:?}");
        };
        check(&[0], &[(10, true), (35, false)]);
        check(&[1, 2, 4], &[(10, false), (20, true), (10, false), (5, true)]);
        check(&[], &[(45, false)]);
    }
}
