//! A number inside a datagram that changes from loop to loop.

/// What the number counts, and so how it changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Number {
    /// A 32-bit sequence number that grows by so much in a loop.
    Sequence(u32),
    /// Seconds since some year, 32 bits; also the upper half of an NTP timestamp.
    Seconds(u32),
    /// Milliseconds since 1970, 64 bits.
    Milliseconds(u32),
    /// Milliseconds of uptime, 32 bits: they go on with the loops, and do not follow a shift.
    Uptime(u32),
}

/// Such a number and its place. Times carry the loop's length in seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patch {
    /// Its first byte.
    pub at: usize,
    /// What it is.
    pub number: Number,
}

impl Patch {
    /// As it is one loop later.
    pub fn advance(&self, bytes: &mut [u8]) {
        match self.number {
            Number::Sequence(step) | Number::Seconds(step) => self.add32(bytes, step),
            Number::Uptime(seconds) => self.add32(bytes, seconds.wrapping_mul(1000)),
            Number::Milliseconds(seconds) => self.add64(bytes, u64::from(seconds) * 1000),
        }
    }

    /// As it is so many seconds later; sequence numbers stay.
    pub fn shift(&self, bytes: &mut [u8], seconds: i64) {
        match self.number {
            Number::Sequence(_) | Number::Uptime(_) => {}
            Number::Seconds(_) => self.add32(bytes, seconds as u32),
            Number::Milliseconds(_) => self.add64(bytes, seconds.wrapping_mul(1000) as u64),
        }
    }

    fn add32(&self, bytes: &mut [u8], step: u32) {
        if let Some(place) = bytes.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *place = u32::from_be_bytes(*place).wrapping_add(step).to_be_bytes();
        }
    }

    fn add64(&self, bytes: &mut [u8], step: u64) {
        if let Some(place) = bytes.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            *place = u64::from_be_bytes(*place).wrapping_add(step).to_be_bytes();
        }
    }
}
