//! SQL and the short filter language over the store.
