//! `extended_gateway`: what BGP knows about the packet's way.

use std::net::IpAddr;

use super::xdr::{self, Numbers};
use crate::{Reader, WireError};

/// `extended_gateway` (0:1003). The path and the communities stay on the wire until they are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedGateway<'a> {
    /// The border router that is next.
    pub nexthop: Option<IpAddr>,
    /// The AS of the agent's own router.
    pub router_as: u32,
    /// The AS of the source.
    pub src_as: u32,
    /// The AS from which the packet came.
    pub src_peer_as: u32,
    /// The path to the destination.
    pub dst_as_path: AsPath<'a>,
    /// The route's communities.
    pub communities: Numbers<'a>,
    /// The route's local preference.
    pub local_pref: u32,
}

impl<'a> ExtendedGateway<'a> {
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let nexthop = xdr::address(r, "extended_gateway.nexthop")?;
        Ok(Self { nexthop, ..Self::read_v4(r)? })
    }

    /// The form of version 4, which has no next hop.
    pub(super) fn read_v4(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            nexthop: None,
            router_as: r.u32("extended_gateway.as")?,
            src_as: r.u32("extended_gateway.src_as")?,
            src_peer_as: r.u32("extended_gateway.src_peer_as")?,
            dst_as_path: AsPath::read(r)?,
            communities: xdr::numbers(r, "extended_gateway.communities")?,
            local_pref: r.u32("extended_gateway.localpref")?,
        })
    }

    /// The form of version 2, whose path has no segments, and which ends after it.
    pub(super) fn read_v2(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            nexthop: None,
            router_as: r.u32("extended_gateway.as")?,
            src_as: r.u32("extended_gateway.src_as")?,
            src_peer_as: r.u32("extended_gateway.src_peer_as")?,
            dst_as_path: AsPath { path: Path::Flat(xdr::numbers(r, "extended_gateway.dst_as_path")?) },
            communities: Numbers::default(),
            local_pref: 0,
        })
    }

    /// The AS of the destination: the end of the path. None for a route of one's own AS, whose path is empty.
    pub fn dst_as(&self) -> Option<u32> {
        self.dst_as_path.segments().filter_map(|segment| segment.numbers.last()).last()
    }

    /// The AS to which the packet goes next: the beginning of the path.
    pub fn dst_peer_as(&self) -> Option<u32> {
        self.dst_as_path.segments().find_map(|segment| segment.numbers.first())
    }
}

/// A path of AS numbers, in segments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AsPath<'a> {
    path: Path<'a>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Path<'a> {
    /// Kind and numbers of so many segments.
    Segments(u32, &'a [u8]),
    /// Version 2's: one sequence of numbers.
    Flat(Numbers<'a>),
}

impl<'a> AsPath<'a> {
    /// Walks over the path once, so that later walks cannot fail. A segment takes at least eight bytes, which bounds the walk.
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let count = r.u32("extended_gateway.dst_as_path")?;
        let start = *r;
        for _ in 0..count {
            AsPathSegment::read(r)?;
        }
        let bytes = start.rest().get(..start.len() - r.len()).unwrap_or_default();
        Ok(Self { path: Path::Segments(count, bytes) })
    }

    /// The segments in order. A path of version 2 is one sequence.
    pub fn segments(&self) -> impl Iterator<Item = AsPathSegment<'a>> + use<'a> {
        let (bytes, flat) = match self.path {
            Path::Segments(_, bytes) => (bytes, None),
            Path::Flat(numbers) => (&[][..], Some(AsPathSegment { kind: AsPathSegment::SEQUENCE, numbers })),
        };
        let mut reader = Reader::new(bytes);
        (0..self.segment_count()).map_while(move |_| flat.or_else(|| AsPathSegment::read(&mut reader).ok()))
    }

    /// All numbers of all segments, in order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.segments().flat_map(|segment| segment.numbers.iter())
    }

    /// How many segments there are.
    pub const fn segment_count(&self) -> u32 {
        match self.path {
            Path::Segments(count, _) => count,
            Path::Flat(numbers) => !numbers.is_empty() as u32,
        }
    }
}

/// One segment of a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AsPathSegment<'a> {
    /// 1 a set, 2 a sequence.
    pub kind: u32,
    /// Its AS numbers.
    pub numbers: Numbers<'a>,
}

impl<'a> AsPathSegment<'a> {
    /// The kind of a segment without order.
    pub const SET: u32 = 1;
    /// The kind of a segment in the order of the way.
    pub const SEQUENCE: u32 = 2;

    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            kind: r.u32("extended_gateway.as_path_type")?,
            numbers: xdr::numbers(r, "extended_gateway.as_path")?,
        })
    }
}
