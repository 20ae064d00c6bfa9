//! netflow.
