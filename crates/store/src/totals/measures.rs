//! The volumes of a batch's rows.

use arrow::array::{Array, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::UInt64Type;
use finderscope_flow::Column;

use super::cells::{KNOWN, Sums, known};

/// What a batch's rows add to sums. What is unknown adds nothing.
pub(super) struct Measures {
    pub(super) bytes: Vec<u64>,
    pub(super) packets: Vec<u64>,
    /// Where some row is sampled.
    pub(super) scaled: Option<ScaledMeasures>,
    /// Where some row lacks a volume: which it has.
    pub(super) known: Option<Vec<u8>>,
    /// Whether a volume times its rate is beyond 64 bits.
    pub(super) overflowed: bool,
}

/// Volumes times the sampling rate.
pub(super) struct ScaledMeasures {
    pub(super) bytes: Vec<u64>,
    pub(super) packets: Vec<u64>,
    pub(super) sampled: Vec<bool>,
}

impl Measures {
    /// Of a batch of flows.
    pub(super) fn of(batch: &RecordBatch) -> Self {
        let column = |column: Column| {
            batch.column_by_name(column.name()).and_then(|column| column.as_primitive_opt::<UInt64Type>().cloned())
        };
        let rows = batch.num_rows();
        let null = || UInt64Array::new_null(rows);
        let bytes = column(Column::Bytes).unwrap_or_else(null);
        let packets = column(Column::Packets).unwrap_or_else(null);
        let rates = column(Column::SamplingRate).unwrap_or_else(null);
        let known = (bytes.null_count() > 0 || packets.null_count() > 0)
            .then(|| (0..rows).map(|row| known(bytes.is_valid(row), packets.is_valid(row))).collect());
        let mut measures =
            Self { bytes: or_nothing(&bytes), packets: or_nothing(&packets), scaled: None, known, overflowed: false };
        if rates.iter().any(|rate| rate.is_some_and(|rate| rate != 1)) {
            measures.scale(&rates);
        }
        measures
    }

    fn scale(&mut self, rates: &UInt64Array) {
        let mut overflowed = false;
        let mut scaled = |volumes: &[u64]| -> Vec<u64> {
            let times = |(&volume, rate): (&u64, Option<u64>)| {
                let (product, beyond) = volume.overflowing_mul(rate.unwrap_or(1));
                overflowed |= beyond;
                product
            };
            volumes.iter().zip(rates).map(times).collect()
        };
        let (bytes, packets) = (scaled(&self.bytes), scaled(&self.packets));
        let sampled = rates.iter().map(|rate| rate.is_some_and(|rate| rate > 1)).collect();
        self.scaled = Some(ScaledMeasures { bytes, packets, sampled });
        self.overflowed = overflowed;
    }

    /// One row's.
    pub(super) fn row(&self, row: usize) -> Sums {
        let (bytes, packets) = (self.bytes[row], self.packets[row]);
        let (bytes_scaled, packets_scaled, sampled) = match &self.scaled {
            Some(scaled) => (scaled.bytes[row], scaled.packets[row], scaled.sampled[row]),
            None => (bytes, packets, false),
        };
        let known = self.known.as_ref().map_or(KNOWN, |known| known[row]);
        Sums { flows: 1, bytes, packets, bytes_scaled, packets_scaled, flows_sampled: u64::from(sampled), known }
    }
}

fn or_nothing(numbers: &UInt64Array) -> Vec<u64> {
    match numbers.null_count() {
        0 => numbers.values().to_vec(),
        _ => numbers.iter().map(Option::unwrap_or_default).collect(),
    }
}
