//! How each record is written.

use super::{ExtendedGateway, FlowRecord, GatewayValue, GenericInterface, xdr};
use crate::Writer;

/// Writes a record's body.
pub(super) fn put(w: &mut Writer<'_>, record: &FlowRecord<'_>) {
    match record {
        FlowRecord::SampledHeader(it) => {
            w.u32(it.protocol.0).u32(it.frame_length).u32(it.stripped);
            xdr::put_opaque(w, it.header);
        }
        FlowRecord::SampledEthernet(it) => {
            w.u32(it.length);
            xdr::put_fixed(w, &it.src_mac);
            xdr::put_fixed(w, &it.dst_mac);
            w.u32(it.etype);
        }
        FlowRecord::SampledIpv4(it) => {
            w.u32(it.length).u32(it.protocol).bytes(&it.src_ip.octets()).bytes(&it.dst_ip.octets());
            w.u32(it.src_port).u32(it.dst_port).u32(it.tcp_flags).u32(it.tos);
        }
        FlowRecord::SampledIpv6(it) => {
            w.u32(it.length).u32(it.protocol).bytes(&it.src_ip.octets()).bytes(&it.dst_ip.octets());
            w.u32(it.src_port).u32(it.dst_port).u32(it.tcp_flags).u32(it.priority);
        }
        FlowRecord::ExtendedSwitch(it) => {
            w.u32(it.src_vlan).u32(it.src_priority).u32(it.dst_vlan).u32(it.dst_priority);
        }
        FlowRecord::ExtendedRouter(it) => {
            xdr::put_address(w, it.nexthop);
            w.u32(it.src_mask_len).u32(it.dst_mask_len);
        }
        FlowRecord::ExtendedGateway(it) => put_gateway_read(w, it),
        FlowRecord::ExtendedUser(it) => {
            w.u32(it.src_charset);
            xdr::put_opaque(w, it.src_user);
            w.u32(it.dst_charset);
            xdr::put_opaque(w, it.dst_user);
        }
        FlowRecord::ExtendedUrl(it) => {
            w.u32(it.direction);
            xdr::put_opaque(w, it.url);
            xdr::put_opaque(w, it.host);
        }
        FlowRecord::ExtendedMpls(it) => {
            xdr::put_address(w, it.nexthop);
            xdr::put_numbers(w, it.in_stack.iter());
            xdr::put_numbers(w, it.out_stack.iter());
        }
        FlowRecord::ExtendedNat(it) => {
            xdr::put_address(w, it.src_address);
            xdr::put_address(w, it.dst_address);
        }
        FlowRecord::Aggregation(it) => _ = w.bytes(it.bytes()),
        FlowRecord::EgressQueue(queue) => _ = w.u32(*queue),
        FlowRecord::Other(block) => _ = w.bytes(block.bytes()),
        FlowRecord::Unknown { body, .. } => _ = w.bytes(body),
    }
}

fn put_gateway_read(w: &mut Writer<'_>, it: &ExtendedGateway<'_>) {
    xdr::put_address(w, it.nexthop);
    w.u32(it.router_as).u32(it.src_as).u32(it.src_peer_as);
    put_route(w, it);
}

/// Writes what follows the numbers of a gateway, from version 4 on.
pub(super) fn put_route(w: &mut Writer<'_>, it: &ExtendedGateway<'_>) {
    w.u32(it.dst_as_path.segment_count());
    for segment in it.dst_as_path.segments() {
        w.u32(segment.kind);
        xdr::put_numbers(w, segment.numbers.iter());
    }
    xdr::put_numbers(w, it.communities.iter());
    w.u32(it.local_pref);
}

/// Writes a gateway from values.
pub(super) fn put_gateway(w: &mut Writer<'_>, it: &GatewayValue<'_>) {
    xdr::put_address(w, it.nexthop);
    w.u32(it.router_as).u32(it.src_as).u32(it.src_peer_as);
    put_route_value(w, it);
}

/// Writes what follows the numbers of a gateway, from version 4 on.
pub(super) fn put_route_value(w: &mut Writer<'_>, it: &GatewayValue<'_>) {
    w.u32(xdr::count(it.dst_as_path.len()));
    for (kind, numbers) in it.dst_as_path {
        w.u32(*kind);
        xdr::put_numbers(w, numbers.iter().copied());
    }
    xdr::put_numbers(w, it.communities.iter().copied());
    w.u32(it.local_pref);
}

/// Writes the generic interface counters.
pub(super) fn put_generic_interface(w: &mut Writer<'_>, it: &GenericInterface) {
    w.u32(it.if_index).u32(it.if_type).u64(it.if_speed).u32(it.if_direction).u32(it.if_status);
    w.u64(it.if_in_octets).u32(it.if_in_ucast_pkts).u32(it.if_in_multicast_pkts).u32(it.if_in_broadcast_pkts);
    w.u32(it.if_in_discards).u32(it.if_in_errors).u32(it.if_in_unknown_protos);
    w.u64(it.if_out_octets).u32(it.if_out_ucast_pkts).u32(it.if_out_multicast_pkts).u32(it.if_out_broadcast_pkts);
    w.u32(it.if_out_discards).u32(it.if_out_errors).u32(it.if_promiscuous_mode);
}
