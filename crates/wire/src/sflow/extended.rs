//! Flow records that say what the device did with the packet.

use std::net::IpAddr;

use super::xdr::{self, Numbers, Padding};
use crate::{Reader, WireError};

/// `extended_switch`: VLANs on both sides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedSwitch {
    /// The VLAN on which the packet came.
    pub src_vlan: u32,
    /// Its priority there.
    pub src_priority: u32,
    /// The VLAN on which it went.
    pub dst_vlan: u32,
    /// Its priority there.
    pub dst_priority: u32,
}

impl ExtendedSwitch {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            src_vlan: r.u32("extended_switch.src_vlan")?,
            src_priority: r.u32("extended_switch.src_priority")?,
            dst_vlan: r.u32("extended_switch.dst_vlan")?,
            dst_priority: r.u32("extended_switch.dst_priority")?,
        })
    }
}

/// `extended_router`: the route that was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedRouter {
    /// The next router.
    pub nexthop: Option<IpAddr>,
    /// Bits of the source's prefix.
    pub src_mask_len: u32,
    /// Bits of the destination's prefix.
    pub dst_mask_len: u32,
}

impl ExtendedRouter {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            nexthop: xdr::address(r, "extended_router.nexthop")?,
            src_mask_len: r.u32("extended_router.src_mask_len")?,
            dst_mask_len: r.u32("extended_router.dst_mask_len")?,
        })
    }
}

/// `extended_user`: who is behind the addresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedUser<'a> {
    /// The source's character set, as IANA numbers it.
    pub src_charset: u32,
    /// The source's user.
    pub src_user: &'a [u8],
    /// The destination's character set.
    pub dst_charset: u32,
    /// The destination's user.
    pub dst_user: &'a [u8],
}

impl<'a> ExtendedUser<'a> {
    pub(super) fn read(r: &mut Reader<'a>, padding: Padding) -> Result<Self, WireError> {
        Ok(Self {
            src_charset: r.u32("extended_user.src_charset")?,
            src_user: xdr::opaque(r, "extended_user.src_user", padding)?,
            dst_charset: r.u32("extended_user.dst_charset")?,
            dst_user: xdr::opaque(r, "extended_user.dst_user", padding)?,
        })
    }

    /// The form of versions 2 and 4, without character sets.
    pub(super) fn read_plain(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            src_charset: 0,
            src_user: xdr::opaque(r, "extended_user.src_user", Padding::Present)?,
            dst_charset: 0,
            dst_user: xdr::opaque(r, "extended_user.dst_user", Padding::Present)?,
        })
    }
}

/// `extended_url`: the address on the web.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedUrl<'a> {
    /// Whether the URL belongs to the source (1) or the destination (2).
    pub direction: u32,
    /// The URL.
    pub url: &'a [u8],
    /// The host in the request.
    pub host: &'a [u8],
}

impl<'a> ExtendedUrl<'a> {
    pub(super) fn read(r: &mut Reader<'a>, padding: Padding) -> Result<Self, WireError> {
        Ok(Self {
            direction: r.u32("extended_url.direction")?,
            url: xdr::opaque(r, "extended_url.url", padding)?,
            host: xdr::opaque(r, "extended_url.host", padding)?,
        })
    }

    /// The form of versions 2 and 4, without a host.
    pub(super) fn read_plain(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            direction: r.u32("extended_url.direction")?,
            url: xdr::opaque(r, "extended_url.url", Padding::Present)?,
            host: &[],
        })
    }
}

/// `extended_mpls`: label stacks on both sides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedMpls<'a> {
    /// The next router.
    pub nexthop: Option<IpAddr>,
    /// The stack with which the packet came; whole 32-bit entries, the top first.
    pub in_stack: Numbers<'a>,
    /// The stack with which it went.
    pub out_stack: Numbers<'a>,
}

impl<'a> ExtendedMpls<'a> {
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            nexthop: xdr::address(r, "extended_mpls.nexthop")?,
            in_stack: xdr::numbers(r, "extended_mpls.in_stack")?,
            out_stack: xdr::numbers(r, "extended_mpls.out_stack")?,
        })
    }
}

/// `extended_nat`: the addresses after translation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedNat {
    /// From.
    pub src_address: Option<IpAddr>,
    /// To.
    pub dst_address: Option<IpAddr>,
}

impl ExtendedNat {
    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            src_address: xdr::address(r, "extended_nat.src_address")?,
            dst_address: xdr::address(r, "extended_nat.dst_address")?,
        })
    }
}
