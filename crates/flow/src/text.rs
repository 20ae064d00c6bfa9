//! How a cell looks.
