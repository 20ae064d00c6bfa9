//! `[journal]` and `[store]`: what is kept, and for how long.

use serde::Deserialize;

use super::{Age, Size};

/// `[journal]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// The share of the disk that all journals together may take.
    pub limit: Size,
    /// The size of one file.
    pub segment: Size,
}

impl Default for Journal {
    fn default() -> Self {
        Self { limit: Size(16_000_000_000), segment: Size(64_000_000) }
    }
}

/// `[store]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Seconds after which received rows are closed into parts that queries read: 1 to 4.
    pub cut_seconds: u64,
    /// How long rows are kept; for ever where nothing is said.
    pub keep: Option<Age>,
    /// How long totals are kept; as long as rows where nothing is said.
    pub keep_totals: Option<Age>,
    /// How large parts, indexes and totals may be together.
    pub max_size: Option<Size>,
    /// Parts of a running hour that are merged into one.
    pub merge_parts: usize,
}

impl Default for Store {
    fn default() -> Self {
        let merge_parts = finderscope_store::keeper::Rules::default().gather_parts;
        Self { cut_seconds: 3, keep: None, keep_totals: None, max_size: None, merge_parts }
    }
}

impl Store {
    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=4).contains(&self.cut_seconds) {
            return Err(format!("store.cut_seconds: {} is not from 1 to 4", self.cut_seconds));
        }
        if self.merge_parts < 2 {
            return Err(format!("store.merge_parts: {} parts cannot be merged", self.merge_parts));
        }
        if let (Some(totals), Some(rows)) = (self.keep_totals, self.keep)
            && totals < rows
        {
            return Err(format!("store.keep_totals: {totals} is less than store.keep, which is {rows}"));
        }
        if self.max_size == Some(Size(0)) {
            return Err("store.max_size: 0 keeps nothing".to_owned());
        }
        Ok(())
    }
}
