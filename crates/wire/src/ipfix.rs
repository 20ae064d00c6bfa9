//! ipfix.
