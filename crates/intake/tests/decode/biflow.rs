//! biflow
