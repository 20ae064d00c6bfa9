//! Whether a column's chunk holds nothing, as the footer says.

use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

/// Whether each of a chunk's rows is null. False where the footer does not say.
///
/// In lists and maps the count of nulls has the empty ones too, which are something else: there it takes the levels.
pub fn is_null(chunk: &ColumnChunkMetaData) -> bool {
    if chunk.column_descr().max_rep_level() > 0 {
        let levels = chunk.definition_level_histogram();
        return levels.is_some_and(|levels| levels.get(0) == Some(chunk.num_values()));
    }
    let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
    nulls.is_some_and(|nulls| i64::try_from(nulls) == Ok(chunk.num_values()))
}
