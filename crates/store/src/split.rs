//! A batch, divided into the hours in which its rows were received.

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::TimestampNanosecondType;
use finderscope_flow::Column;

use crate::layout::hour_of;

/// The receive times of a batch's rows.
pub(crate) fn received(batch: &RecordBatch) -> &[i64] {
    let column = batch.column_by_name(Column::TimeReceivedNs.name()).expect("every table has the column");
    column.as_primitive::<TimestampNanosecondType>().values()
}

/// The earliest and latest of some times.
pub(crate) fn span(times: &[i64]) -> (i64, i64) {
    times.iter().fold((i64::MAX, i64::MIN), |(first, last), &time| (first.min(time), last.max(time)))
}

/// The rows of each hour, in the order that they had. Nearly every batch lies within one hour and is passed on as is.
pub(crate) fn by_hour(batch: RecordBatch) -> Vec<(i64, RecordBatch)> {
    let times = received(&batch);
    if times.is_empty() {
        return Vec::new();
    }
    let (first, last) = span(times);
    if hour_of(first) == hour_of(last) {
        return vec![(hour_of(first), batch)];
    }
    let sorted = if times.is_sorted_by_key(|&time| hour_of(time)) { batch } else { sort_by_hour(&batch) };
    slices(&sorted)
}

fn sort_by_hour(batch: &RecordBatch) -> RecordBatch {
    let times = received(batch);
    let rows = u32::try_from(times.len()).expect("a batch has far fewer rows than 2^32");
    let mut order: Vec<u32> = (0..rows).collect();
    order.sort_by_key(|&row| hour_of(times[row as usize]));
    take_record_batch(batch, &UInt32Array::from(order)).expect("the indices are those of the batch's rows")
}

fn slices(sorted: &RecordBatch) -> Vec<(i64, RecordBatch)> {
    let mut start = 0;
    let runs = received(sorted).chunk_by(|&a, &b| hour_of(a) == hour_of(b));
    runs.map(|run| {
        let slice = (hour_of(run[0]), sorted.slice(start, run.len()));
        start += run.len();
        slice
    })
    .collect()
}
