//! The counters of versions 2 and 4 (RFC 3176 section 4): one number says which structures follow.

use super::layouts::Layout;
use super::plain::Walked;
use super::{Block, GenericInterface, Tag};
use crate::{Problem, Reader, WireError};

/// What a counters sample of version 2 or 4 holds. All but the last begin with the generic interface counters.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CountersVersion {
    /// The generic interface counters alone.
    Generic,
    /// And Ethernet's.
    Ethernet,
    /// And those of the token ring.
    TokenRing,
    /// Nothing more.
    Fddi,
    /// And those of 100BaseVG.
    Vg,
    /// Nothing more.
    Wan,
    /// Those of a VLAN.
    Vlan,
}

impl CountersVersion {
    /// As the sample says it.
    pub const fn number(self) -> u32 {
        match self {
            Self::Generic => 1,
            Self::Ethernet => 2,
            Self::TokenRing => 3,
            Self::Fddi => 4,
            Self::Vg => 5,
            Self::Wan => 6,
            Self::Vlan => 7,
        }
    }

    const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Generic,
            2 => Self::Ethernet,
            3 => Self::TokenRing,
            4 => Self::Fddi,
            5 => Self::Vg,
            6 => Self::Wan,
            7 => Self::Vlan,
            _ => return None,
        })
    }

    /// Whether the generic interface counters come first.
    pub const fn has_generic(self) -> bool {
        !matches!(self, Self::Vlan)
    }

    /// The structure that is special to this kind.
    pub const fn specific(self) -> Option<Tag> {
        match self {
            Self::Generic | Self::Fddi | Self::Wan => None,
            Self::Ethernet => Some(Tag::new(0, 2)),
            Self::TokenRing => Some(Tag::new(0, 3)),
            Self::Vg => Some(Tag::new(0, 4)),
            Self::Vlan => Some(Tag::new(0, 5)),
        }
    }
}

/// The structures of a sample, still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlainCounters<'a> {
    reader: Reader<'a>,
    next: [Option<Tag>; 2],
}

impl<'a> PlainCounters<'a> {
    /// Walks over the structures once, and leaves the reader where the next sample begins.
    pub(super) fn take(reader: &mut Reader<'a>) -> Result<(CountersVersion, Self, Walked), WireError> {
        let start = *reader;
        let number = reader.u32("counters_sample.version")?;
        let version = CountersVersion::from_number(number)
            .ok_or_else(|| start.error("counters_sample.version", Problem::Value(number.into())))?;
        let generic = version.has_generic().then_some(GenericInterface::TAG);
        let counters = Self { reader: *reader, next: [generic, version.specific()] };
        let mut walk = counters;
        let mut walked = Walked { records: 0, sound: true };
        for record in walk.by_ref() {
            walked.add(&record);
        }
        *reader = walk.reader;
        Ok((version, counters, walked))
    }
}

impl<'a> Iterator for PlainCounters<'a> {
    type Item = Result<Block<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        let layout = Layout::counter(self.next.iter_mut().find_map(Option::take)?)?;
        let block = Block::take(layout, &mut self.reader);
        if block.is_err() {
            self.next = [None; 2];
        }
        Some(block)
    }
}
