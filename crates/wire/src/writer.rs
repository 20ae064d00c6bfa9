//! Puts big-endian fields into a buffer, with lengths that are filled in afterwards.

/// Appends to a byte vector; the encoders' counterpart of [`crate::Reader`].
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    /// Appends to `out`; offsets are counted from its present end.
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, start }
    }

    /// How many bytes this writer has written.
    pub const fn len(&self) -> usize {
        self.out.len() - self.start
    }

    /// Whether nothing has been written.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Appends two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Appends eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Appends zeros until the length is a multiple of `unit`.
    pub fn pad(&mut self, unit: usize) -> &mut Self {
        let length = self.len().next_multiple_of(unit);
        self.out.resize(self.start + length, 0);
        self
    }

    /// Overwrites the two bytes at `offset`; nothing happens where nothing was written yet.
    pub fn set_u16(&mut self, offset: usize, value: u16) {
        self.set(offset, &value.to_be_bytes());
    }

    /// Overwrites the four bytes at `offset`; nothing happens where nothing was written yet.
    pub fn set_u32(&mut self, offset: usize, value: u32) {
        self.set(offset, &value.to_be_bytes());
    }

    fn set(&mut self, offset: usize, value: &[u8]) {
        let at = self.start + offset;
        if let Some(place) = self.out.get_mut(at..at + value.len()) {
            place.copy_from_slice(value);
        }
    }
}
