//! Answers as Parquet files.

use std::io::Write;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::{Answer, Error};

/// Writes all rows of the answer as one Parquet file, and says how many there were.
pub async fn write_parquet(answer: &mut Answer, out: impl Write + Send) -> Result<u64, Error> {
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(out, answer.schema().clone(), Some(properties)).map_err(failed)?;
    let mut rows = 0;
    while let Some(batch) = answer.next().await {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    Ok(rows)
}

fn failed(error: parquet::errors::ParquetError) -> Error {
    Error::Engine(format!("writing Parquet: {error}"))
}
