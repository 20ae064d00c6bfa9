//! The one table of columns, the element registry, and the batches that flows travel in.
