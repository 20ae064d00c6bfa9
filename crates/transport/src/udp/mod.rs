//! UDP: receiving on shards that keep exporters whole, and sending as many exporters.
//!
//! [`listen`] and [`bind`] give one [`UdpSocket`] a shard; each shard's thread owns its sockets, calls [`wait`] and then
//! [`UdpSocket::receive`] into its [`Batch`] until a batch comes back short, and then rests as [`Gathering`] says. The kernel chooses the shard by the
//! exporter's address alone, as [`shard_of`] does for what comes another way: exporters change their ports, and one exporter's
//! templates and data must meet in one decoder.
//!
//! [`Sender`] is the other direction, for `replay`. Linux only.

mod batch;
mod bind;
mod holder;
mod passed;
mod sender;
mod shard;
mod socket;
mod wait;

pub use batch::{Batch, Received};
pub use bind::{BindError, Options, RECEIVE_BUFFER_BYTES, SHARDS_MAX, bind, bind_any, listen};
pub use holder::Holder;
pub(crate) use holder::{Row, TRIES};
pub use passed::Passed;
pub use sender::{Aliases, Exporter, Outgoing, SOCKETS_MAX, Sender, SenderError, Tally};
pub use shard::shard_of;
pub use socket::{Queue, ReceiveBuffer, UdpSocket};
pub use wait::{Gathering, Waker, wait};
