//! One sampled packet as a row, in few bytes: what nearly all samples say, and no more.

use std::net::IpAddr;

use finderscope_wire::packet::{Brief, HeaderProtocol};
use finderscope_wire::sflow::{ExtendedRouter, ExtendedSwitch, FlowHeader, Interface, SampledHeader};

use crate::sampling::Rate;

/// Ethernet's check sequence, which a frame's length includes and agents seldom send.
const FCS_BYTES: u32 = 4;

/// A row. A field that `has` does not name is zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// The fields that are there: those of `packet` in the lower half.
    pub(super) has: u64,
    pub(super) packet: Brief,
    pub(super) rate: Rate,
    pub(super) sequence: u32,
    pub(super) class: u32,
    pub(super) index: u32,
    pub(super) pool: u32,
    pub(super) drops: u32,
    pub(super) in_if: u32,
    pub(super) out_if: u32,
    pub(super) length: u32,
    pub(super) length_l3: u32,
    /// Zeros behind an address of four bytes.
    pub(super) next_hop: [u8; 16],
    pub(super) src_vlan: u16,
    pub(super) dst_vlan: u16,
    pub(super) src_net: u8,
    pub(super) dst_net: u8,
}

macro_rules! bits {
    ($($(#[$doc:meta])* $name:ident $bit:literal;)*) => {
        impl Row { $($(#[$doc])* pub(super) const $name: u64 = 1 << (Brief::BITS + $bit);)* }
    };
}

bits! {
    LENGTH 0;
    LENGTH_L3 1;
    IN_IF 2;
    OUT_IF 3;
    NEXT_HOP 4;
    NEXT_HOP_LONG 5;
    SRC_VLAN 6;
    DST_VLAN 7;
    SRC_NET 8;
    DST_NET 9;
    /// What every row has.
    ALWAYS 10;
}

/// What a sample's records say, where that is all in the columns of a [`Row`].
pub(super) struct Said<'a> {
    pub(super) header: Option<&'a SampledHeader<'a>>,
    /// The packet's, where it is one.
    pub(super) length: Option<u32>,
    pub(super) packet: Brief,
    pub(super) switch: Option<&'a ExtendedSwitch>,
    pub(super) router: Option<&'a ExtendedRouter>,
}

impl Row {
    #[inline(always)]
    pub(super) fn new(head: &FlowHeader, rate: Rate, said: &Said<'_>) -> Self {
        let length_l3 = said.header.and_then(|header| bytes_l3(header, said.packet.l3()?));
        let mut row = Self {
            has: u64::from(said.packet.has) | Self::ALWAYS,
            packet: said.packet,
            rate,
            sequence: head.sequence_number,
            class: head.source.class,
            index: head.source.index,
            pool: head.sample_pool,
            drops: head.drops,
            in_if: 0,
            out_if: 0,
            length: 0,
            length_l3: 0,
            next_hop: [0; 16],
            src_vlan: 0,
            dst_vlan: 0,
            src_net: 0,
            dst_net: 0,
        };
        row.has |= put(&mut row.in_if, head.input.if_index(), Self::IN_IF);
        row.has |= put(&mut row.out_if, head.output.if_index(), Self::OUT_IF);
        row.has |= put(&mut row.length, said.length, Self::LENGTH);
        row.has |= put(&mut row.length_l3, length_l3, Self::LENGTH_L3);
        if let Some(switch) = said.switch {
            row.has |= put(&mut row.src_vlan, u16::try_from(switch.src_vlan).ok(), Self::SRC_VLAN);
            row.has |= put(&mut row.dst_vlan, u16::try_from(switch.dst_vlan).ok(), Self::DST_VLAN);
        }
        if let Some(router) = said.router {
            row.route(router);
        }
        row
    }

    #[inline(always)]
    fn route(&mut self, router: &ExtendedRouter) {
        self.has |= put(&mut self.src_net, u8::try_from(router.src_mask_len).ok(), Self::SRC_NET);
        self.has |= put(&mut self.dst_net, u8::try_from(router.dst_mask_len).ok(), Self::DST_NET);
        match router.nexthop {
            Some(IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                self.next_hop = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                self.has |= Self::NEXT_HOP;
            }
            Some(IpAddr::V6(address)) => {
                self.next_hop = address.octets();
                self.has |= Self::NEXT_HOP | Self::NEXT_HOP_LONG;
            }
            None => {}
        }
    }
}

#[inline]
fn put<T>(field: &mut T, value: Option<T>, bit: u64) -> u64 {
    match value {
        Some(value) => {
            *field = value;
            bit
        }
        None => 0,
    }
}

/// Whether an interface is told by its index, or not known.
#[inline]
pub(super) const fn has_index(interface: Interface) -> bool {
    interface.format == 0 && !interface.is_internal()
}

/// Whether a switch says nothing but VLANs.
#[inline]
pub(super) fn has_no_priorities(switch: Option<&ExtendedSwitch>) -> bool {
    let is_told = |priority: u32| priority != 0 && priority != u32::MAX;
    !switch.is_some_and(|switch| is_told(switch.src_priority) || is_told(switch.dst_priority))
}

/// The frame without its link header, check sequence and what the agent took off. Of an IP packet that was
/// reported by its fields, the length is the IP length already.
#[inline]
pub(super) fn bytes_l3(header: &SampledHeader<'_>, l3_offset: u32) -> Option<u32> {
    let stripped = match header.protocol {
        HeaderProtocol::ETHERNET => header.stripped.max(FCS_BYTES),
        _ => header.stripped,
    };
    header.frame_length.checked_sub(l3_offset.checked_add(stripped)?)
}
