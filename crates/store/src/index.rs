//! Which pages of a merged flows part hold an address: a file beside the part.
//!
//! A busy address is in most row groups of a part, so that statistics or Bloom filters of row groups rule little out. The
//! index says it page by page ([`crate::PAGE_ROWS`] rows): most addresses are in one to three of them. A question for an
//! address then reads a few kilobytes here, and of the part only those pages.
//!
//! ```text
//! file      := section[4] trailer          source and destination, each of 4 and of 16 bytes
//! section   := block* directory
//! block     := entry*                      about 8 KiB, sorted by address
//! entry     := distance pages              from the address before it, as a variable-length number
//! directory := {first address, offset u64, length u32, crc u32}*       one a block
//! trailer   := {directory's offset u64, blocks u32, addresses u32, crc u32}[4]
//!              rows u64, rows of a page u32, pages u32, version u32, crc u32, magic [u8; 8]
//! ```
//!
//! All numbers are little endian. Whatever is read is checked by its CRC first, and nothing else is read: what is damaged
//! or cut short is refused, never misread.
//!
//! * [`IndexBuilder`] takes a part's rows in their order; its memory grows with the part's distinct addresses, a few
//!   bytes for each.
//! * [`Index::open`] reads the trailer, [`Index::pages`] one directory and the blocks that matter.
//!
//! Addresses that are neither 4 nor 16 bytes long are not indexed; who asks for one gets every page.

mod build;
mod entry;
mod layout;
mod read;

pub use build::IndexBuilder;
pub use read::Index;

/// Which of a flow's addresses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// `src_addr`.
    Source,
    /// `dst_addr`.
    Destination,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Source, Self::Destination];
}
