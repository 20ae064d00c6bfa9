//! Where the fields of sFlow's structures are found in the tables: what the manual's page on structures is made from.
//!
//! A test sends every structure and looks for its values where this says.

use finderscope_flow::Column as C;
use finderscope_wire::sflow::{Layout, Tag};

/// Where a field is found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In a column, or in one of several, by what the packet is.
    Columns(&'static [C]),
    /// In the column `extra`, under this name.
    Extra(String),
    /// Elsewhere, or nowhere, and why.
    Told(&'static str),
}

const HEADER: &str = "every column of a packet's headers: `src_mac`, `vlan_id`, `src_addr`, `proto`, `src_port`, …";
const HOW: &str = "says how the header is read";
const FRAMES: &str = "`extra`, each frame's records as `pdu.N.STRUCTURE.FIELD`";

/// Where the flow tables (`flows`, `drops`) have a field of a flow structure.
pub fn flow_place(layout: &Layout, field: &str) -> Place {
    if layout.tag.enterprise == 0
        && let Some(place) = typed(layout.tag.format, field)
    {
        return place;
    }
    Place::Extra(format!("{}.{field}", layout.name))
}

/// Where the table `counters` has a field of a counter structure, in the row whose `structure` is its name.
pub fn counter_place(layout: &Layout, field: &str) -> Place {
    match C::by_name(field) {
        Some(column) if layout.tag == Tag::new(0, 1) => columns_of(column),
        _ => Place::Extra(field.to_owned()),
    }
}

/// The generic interface counters have the columns of their names.
fn columns_of(column: C) -> Place {
    let place = C::ALL.iter().position(|&other| other == column);
    place.map_or(Place::Told("no column"), |at| Place::Columns(&C::ALL[at..=at]))
}

/// Structures whose fields have columns.
fn typed(format: u32, field: &str) -> Option<Place> {
    let columns: &[C] = match (format, field) {
        (1, "protocol") => return Some(Place::Told(HOW)),
        (1, "frame_length") | (2..=4, "length") => &[C::Bytes],
        (1, "stripped") => return Some(Place::Told("is taken off in `bytes_l3`")),
        (1, "header") => return Some(Place::Told(HEADER)),
        (2, "src_mac") => &[C::SrcMac],
        (2, "dst_mac") => &[C::DstMac],
        (2, "type") => &[C::Etype],
        (3 | 4, "protocol") => &[C::Proto],
        (3 | 4, "src_ip") => &[C::SrcAddr],
        (3 | 4, "dst_ip") => &[C::DstAddr],
        (3 | 4, "src_port") => &[C::SrcPort, C::IcmpType],
        (3 | 4, "dst_port") => &[C::DstPort, C::IcmpCode],
        (3 | 4, "tcp_flags") => &[C::TcpFlags],
        (3, "tos") | (4, "priority") => &[C::IpTos],
        (1001, "src_vlan") => &[C::SrcVlan],
        (1001, "dst_vlan") => &[C::DstVlan],
        (1002 | 1006, "nexthop") => &[C::NextHop],
        (1002, "src_mask_len") => &[C::SrcNet],
        (1002, "dst_mask_len") => &[C::DstNet],
        (1003, "nexthop") => &[C::BgpNextHop],
        (1003, "src_as") => &[C::SrcAs],
        (1003, "dst_as_path") => &[C::AsPath, C::NextHopAs, C::DstAs],
        (1003, "communities") => &[C::BgpCommunities],
        (1004, "src_user") => &[C::UserName],
        (1006, "in_stack") => &[C::MplsLabel],
        (1007, "src_address") => &[C::PostNatSrcAddr],
        (1007, "dst_address") => &[C::PostNatDstAddr],
        (1020, "src_port") => &[C::PostNaptSrcPort],
        (1020, "dst_port") => &[C::PostNaptDstPort],
        (1016, _) => return Some(Place::Told(FRAMES)),
        _ => return extra(format, field).map(|name| Place::Extra(name.to_owned())),
    };
    Some(Place::Columns(columns))
}

/// Names in `extra` that are shorter than structure and field.
fn extra(format: u32, field: &str) -> Option<&'static str> {
    Some(match (format, field) {
        (1001, "src_priority") => "src_priority",
        (1001, "dst_priority") => "dst_priority",
        (1003, "as") => "router_as",
        (1003, "src_peer_as") => "src_peer_as",
        (1003, "localpref") => "local_pref",
        (1004, "src_charset") => "src_charset",
        (1004, "dst_charset") => "dst_charset",
        (1004, "dst_user") => "dst_user",
        (1005, "direction") => "url_direction",
        (1005, "url") => "url",
        (1005, "host") => "host",
        (1006, "out_stack") => "mpls_out_labels",
        (1036, "queue") => "egress_queue",
        _ => return None,
    })
}
