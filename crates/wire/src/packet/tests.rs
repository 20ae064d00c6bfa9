//! Headers whole, cut and wrong.
