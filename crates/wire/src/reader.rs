//! A cursor over received bytes that knows where in the datagram it stands.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::{Problem, WireError};

/// Reads big-endian fields in order. Each read is checked, and names its field when it fails.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`, whose first byte is byte 0 of the datagram.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0 }
    }

    /// Reads `bytes`, whose first byte is byte `offset` of the datagram.
    pub const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self { rest: bytes, offset }
    }

    /// The next byte's place in the datagram.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The same, as small as packets keep it. None beyond 4 GiB, where no packet has anything.
    pub(crate) fn place(&self) -> Option<u32> {
        u32::try_from(self.offset).ok()
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes have not been read yet.
    pub const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The error that `field`, which starts at the next byte, has `problem`.
    pub const fn error(&self, field: &'static str, problem: Problem) -> WireError {
        WireError::new(field, self.offset, problem)
    }

    /// The next `length` bytes.
    pub fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], WireError> {
        match self.rest.split_at_checked(length) {
            Some((taken, rest)) => {
                self.rest = rest;
                self.offset += length;
                Ok(taken)
            }
            None => Err(self.error(field, Problem::Truncated { needed: length, left: self.rest.len() })),
        }
    }

    /// The next `N` bytes, as an array.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                self.offset += N;
                Ok(*taken)
            }
            None => Err(self.error(field, Problem::Truncated { needed: N, left: self.rest.len() })),
        }
    }

    /// A reader over the next `length` bytes alone, with the same offsets.
    pub fn sub(&mut self, field: &'static str, length: usize) -> Result<Reader<'a>, WireError> {
        let offset = self.offset;
        Ok(Reader::at(self.bytes(field, length)?, offset))
    }

    /// The next byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// The next two bytes.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// The next four bytes.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The next eight bytes.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// A fixed layout of big-endian fields, borrowed in place.
    pub fn header<T>(&mut self, field: &'static str) -> Result<&'a T, WireError>
    where
        T: FromBytes + Immutable + KnownLayout + Unaligned,
    {
        match T::ref_from_prefix(self.rest) {
            Ok((header, rest)) => {
                self.rest = rest;
                self.offset += size_of::<T>();
                Ok(header)
            }
            Err(_) => Err(self.error(field, Problem::Truncated { needed: size_of::<T>(), left: self.rest.len() })),
        }
    }
}
