//! The finderscope command.
fn main() {}
