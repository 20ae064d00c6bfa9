//! The walk over a datagram's samples.

use super::plain::PlainVersion;
use super::{Sample, UsualSample, plain, v5};
use crate::{Reader, WireError};

/// The samples of a datagram. An `Err` is one sample; in version 5 the next may be sound again.
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    reader: Reader<'a>,
    left: u32,
    plain: Option<PlainVersion>,
}

impl<'a> Samples<'a> {
    pub(super) const fn new(reader: Reader<'a>, left: u32, plain: Option<PlainVersion>) -> Self {
        Self { reader, left, plain }
    }
}

impl Samples<'_> {
    /// Where in the datagram the next sample begins.
    pub const fn offset(&self) -> usize {
        self.reader.offset()
    }
}

impl<'a> Samples<'a> {
    /// The next sample, where it is one that can be read at once, and the samples behind it: those that there are
    /// after [`Iterator::next`], too.
    #[inline]
    pub fn usual(&self) -> Option<(UsualSample<'a>, Self)> {
        if self.plain.is_some() {
            return None;
        }
        let left = self.left.checked_sub(1)?;
        let (sample, reader) = UsualSample::read(self.reader)?;
        Some((sample, Self { reader, left, plain: None }))
    }
}

impl<'a> Iterator for Samples<'a> {
    type Item = Result<Sample<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let had = self.reader.len();
        let sample = match self.plain {
            None => v5::sample(&mut self.reader, &mut self.left),
            Some(version) => plain::sample(&mut self.reader, version, &mut self.left),
        };
        if had < 8 {
            // Not even a tag and a length: whatever the count says, nothing follows.
            self.left = 0;
        }
        Some(sample)
    }
}
