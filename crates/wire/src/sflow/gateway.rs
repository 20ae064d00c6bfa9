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
        Ok(Self {
            nexthop: xdr::address(r, "extended_gateway.nexthop")?,
            router_as: r.u32("extended_gateway.as")?,
            src_as: r.u32("extended_gateway.src_as")?,
            src_peer_as: r.u32("extended_gateway.src_peer_as")?,
            dst_as_path: AsPath::read(r)?,
            communities: xdr::numbers(r, "extended_gateway.communities")?,
            local_pref: r.u32("extended_gateway.localpref")?,
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
    count: u32,
    bytes: &'a [u8],
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
        Ok(Self { count, bytes })
    }

    /// The segments in order.
    pub fn segments(&self) -> impl Iterator<Item = AsPathSegment<'a>> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        (0..self.count).map_while(move |_| AsPathSegment::read(&mut reader).ok())
    }

    /// All numbers of all segments, in order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.segments().flat_map(|segment| segment.numbers.iter())
    }

    /// How many segments there are.
    pub const fn segment_count(&self) -> u32 {
        self.count
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
