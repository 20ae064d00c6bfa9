//! Who looks on while a collector works: live streams, forwarding, and who may have them. On real sockets.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod captures;
mod forwarding;
mod server;
mod strangers;
mod streams;
