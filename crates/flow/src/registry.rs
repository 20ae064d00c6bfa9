//! IANA information elements.
