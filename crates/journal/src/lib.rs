//! The durable log of deliveries: what a cursor has not passed is there after any crash.
//!
//! A journal is a folder of segment files. [`Journal::append`] gives a delivery its position and copies
//! it into a write buffer; [`Journal::flush`] hands the buffer to the operating system; a [`SyncHandle`]
//! makes it durable from another thread, so that the thread that receives never waits for the disk.
//! [`Journal::replay`] reads everything back from a position on.
//!
//! * **Positions are never used twice.** They start at 1 and grow by one; a caller that knows of a later
//!   one (a cut in a manifest) says so with [`Journal::skip_to`].
//! * **Nothing refuses to open.** A torn end is cut off, damage inside is passed over; both are counted
//!   in [`Opened`], with the positions that are gone.
//! * **A full disk refuses** ([`JournalError::Full`]): nothing half-written is ever read back, and
//!   appending goes on by itself when there is room.
//!
//! Cursors are their owners': a cursor is a position to replay from, and [`Journal::release`] says which
//! ones nobody will ask for again.
//!
//! All file access goes through [`disk::Disk`], so that a test can tear it.

pub mod disk;
mod error;
mod journal;
mod open;
mod queue;
mod replay;
mod scan;
mod segment;
mod sync;

pub use error::JournalError;
pub use journal::{Journal, Options};
pub use open::{Damaged, Opened};
pub use replay::Replay;
pub use sync::{Progress, SyncHandle};

/// A delivery's place in its journal, also its sequence number; the first is 1.
pub type Position = u64;
