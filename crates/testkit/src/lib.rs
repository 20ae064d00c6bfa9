//! What tests share: simulated clock, faulty disk, corpus loader.

pub mod disk;
