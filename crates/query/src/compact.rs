//! Thrift's compact protocol, as far as a part's own structures need it: offset indexes and the heads of pages.

/// Types in field and list headers.
pub(crate) const I32: u8 = 5;
pub(crate) const I64: u8 = 6;
pub(crate) const LIST: u8 = 9;
pub(crate) const STRUCT: u8 = 12;

/// Structures within structures, beyond which nothing is skipped.
const DEPTH_MAX: u8 = 8;

/// What is left of a structure. Every method has none where that makes no sense.
pub(crate) struct Compact<'a>(pub(crate) &'a [u8]);

impl Compact<'_> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The header of the next field, which has the next number and this type.
    pub(crate) fn field(&mut self, of: u8) -> Option<()> {
        (self.byte()? == 0x10 | of).then_some(())
    }

    /// The type of the next field, whose number becomes `last`; none inside at the structure's end.
    pub(crate) fn any_field(&mut self, last: &mut u16) -> Option<Option<u8>> {
        let header = self.byte()?;
        if header == 0 {
            return Some(None);
        }
        *last = match header >> 4 {
            0 => u16::try_from(self.number()?).ok()?,
            further => last.checked_add(u16::from(further))?,
        };
        Some(Some(header & 0xf))
    }

    pub(crate) fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A signed number, whose lowest bit is the sign.
    pub(crate) fn number(&mut self) -> Option<i64> {
        let zigzag = self.varint()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    /// Goes past a field of this type.
    pub(crate) fn skip(&mut self, of: u8) -> Option<()> {
        self.skip_within(of, DEPTH_MAX)
    }

    fn skip_within(&mut self, of: u8, depth: u8) -> Option<()> {
        match of {
            // Yes and no are in the header.
            1 | 2 => Some(()),
            3 => self.byte().map(|_| ()),
            4..=6 => self.varint().map(|_| ()),
            7 => self.past(8),
            8 => {
                let length = self.varint()?;
                self.past(length)
            }
            STRUCT => {
                let (depth, mut last) = (depth.checked_sub(1)?, 0);
                while let Some(of) = self.any_field(&mut last)? {
                    self.skip_within(of, depth)?;
                }
                Some(())
            }
            // Lists, sets and maps do not occur where something is skipped.
            _ => None,
        }
    }

    fn past(&mut self, length: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(length).ok()?..)?;
        Some(())
    }
}
