//! The embedded store: Parquet parts, one manifest, recovery.
