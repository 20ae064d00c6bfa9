//! The structures that can be a flow record (`flow_data` in the public list at sflow.org).

use super::{Field, FieldType, Layout, Tag, layouts};

layouts! {
    /// Flow structures, by tag.
    FLOWS
    0:1 sampled_header { protocol: u32, frame_length: u32, stripped: u32, header: opaque }
    0:2 sampled_ethernet { length: u32, src_mac: mac, dst_mac: mac, type: u32 }
    0:3 sampled_ipv4 {
        length: u32, protocol: u32, src_ip: ipv4, dst_ip: ipv4, src_port: u32, dst_port: u32, tcp_flags: u32,
        tos: u32
    }
    0:4 sampled_ipv6 {
        length: u32, protocol: u32, src_ip: ipv6, dst_ip: ipv6, src_port: u32, dst_port: u32, tcp_flags: u32,
        priority: u32
    }
    0:1001 extended_switch { src_vlan: u32, src_priority: u32, dst_vlan: u32, dst_priority: u32 }
    0:1002 extended_router { nexthop: address, src_mask_len: u32, dst_mask_len: u32 }
    0:1003 extended_gateway {
        nexthop: address, as: u32, src_as: u32, src_peer_as: u32, dst_as_path: [kind: u32, numbers: [number: u32]],
        communities: [value: u32], localpref: u32
    }
    0:1004 extended_user { src_charset: u32, src_user: opaque, dst_charset: u32, dst_user: opaque }
    0:1005 extended_url { direction: u32, url: text, host: text }
    0:1006 extended_mpls { nexthop: address, in_stack: [label: u32], out_stack: [label: u32] }
    0:1007 extended_nat { src_address: address, dst_address: address }
    0:1008 extended_mpls_tunnel { tunnel_lsp_name: text, tunnel_id: u32, tunnel_cos: u32 }
    0:1009 extended_mpls_vc { vc_instance_name: text, vll_vc_id: u32, vc_label_cos: u32 }
    0:1010 extended_mpls_FTN { mpls_ftn_descr: text, mpls_ftn_mask: u32 }
    0:1011 extended_mpls_LDP_FEC { mpls_fec_addr_prefix_length: u32 }
    0:1012 extended_vlantunnel { stack: [value: u32] }
    0:1013 extended_80211_payload { ciphersuite: u32, data: opaque }
    0:1014 extended_80211_rx {
        ssid: text, bssid: mac, version: u32, channel: u32, speed: u64, rsni: u32, rcpi: u32, packet_duration: u32
    }
    0:1015 extended_80211_tx {
        ssid: text, bssid: mac, version: u32, transmissions: u32, packet_duration: u32, retrans_duration: u32,
        channel: u32, speed: u64, power: u32
    }
    0:1016 extended_80211_aggregation { pdus: [flow_records: [tag: u32, data: opaque]] }
    0:1017 extended_openflow_v1 { flow_cookie: u64, flow_match: u32, flow_actions: u32 }
    0:1018 extended_fc { src_mask_len: u32, dst_mask_len: u32, next_hop: (3), metric: u32 }
    0:1019 extended_queue_length { queue_index: u32, queue_length: u32 }
    0:1020 extended_nat_port { src_port: u32, dst_port: u32 }
    0:1021 extended_L2_tunnel_egress { length: u32, src_mac: mac, dst_mac: mac, type: u32 }
    0:1022 extended_L2_tunnel_ingress { length: u32, src_mac: mac, dst_mac: mac, type: u32 }
    0:1023 extended_ipv4_tunnel_egress {
        length: u32, protocol: u32, src_ip: ipv4, dst_ip: ipv4, src_port: u32, dst_port: u32, tcp_flags: u32,
        tos: u32
    }
    0:1024 extended_ipv4_tunnel_ingress {
        length: u32, protocol: u32, src_ip: ipv4, dst_ip: ipv4, src_port: u32, dst_port: u32, tcp_flags: u32,
        tos: u32
    }
    0:1025 extended_ipv6_tunnel_egress {
        length: u32, protocol: u32, src_ip: ipv6, dst_ip: ipv6, src_port: u32, dst_port: u32, tcp_flags: u32,
        priority: u32
    }
    0:1026 extended_ipv6_tunnel_ingress {
        length: u32, protocol: u32, src_ip: ipv6, dst_ip: ipv6, src_port: u32, dst_port: u32, tcp_flags: u32,
        priority: u32
    }
    0:1027 extended_decapsulate_egress { inner_header_offset: u32 }
    0:1028 extended_decapsulate_ingress { inner_header_offset: u32 }
    0:1029 extended_vni_egress { vni: u32 }
    0:1030 extended_vni_ingress { vni: u32 }
    0:1031 extended_ib_lrh {
        src_vl: u32, src_sl: u32, src_dlid: u32, src_slid: u32, src_lnh: u32, dst_vl: u32, dst_sl: u32,
        dst_dlid: u32, dst_slid: u32, dst_lnh: u32
    }
    0:1032 extended_ib_grh { flow_label: u32, tc: u32, s_gid: (16), d_gid: (16), next_header: u32, length: u32 }
    0:1033 extended_ib_bth { pkey: u32, dst_qp: u32, opcode: u32 }
    0:1034 extended_vlanin { stack: [value: u32] }
    0:1035 extended_vlanout { stack: [value: u32] }
    0:1036 extended_egress_queue { queue: u32 }
    0:1037 extended_acl { number: u32, name: text, direction: u32 }
    0:1038 extended_function { symbol: text }
    0:1039 extended_transit { delay: u32 }
    0:1040 extended_queue { depth: u32 }
    0:1041 extended_hw_trap { group: text, trap: text }
    0:1042 extended_linux_drop_reason { reason: text }
    0:1043 extended_timestamp { nanoseconds: u64 }
    0:2000 transaction { direction: u32, wait: u32, duration: u32, status: u32, bytes_received: u64, bytes_send: u64 }
    0:2001 extended_nfs_storage_transaction { path: opaque, operation: u32, status: u32 }
    0:2002 extended_scsi_storage_transaction { lun: u32, operation: u32, status: u32 }
    0:2003 extended_http_transaction {
        url: text, host: text, referer: text, useragent: text, user: text, status: u32
    }
    0:2100 extended_socket_ipv4 { protocol: u32, local_ip: ipv4, remote_ip: ipv4, local_port: u32, remote_port: u32 }
    0:2101 extended_socket_ipv6 { protocol: u32, local_ip: ipv6, remote_ip: ipv6, local_port: u32, remote_port: u32 }
    0:2102 extended_proxy_socket_ipv4 {
        protocol: u32, local_ip: ipv4, remote_ip: ipv4, local_port: u32, remote_port: u32
    }
    0:2103 extended_proxy_socket_ipv6 {
        protocol: u32, local_ip: ipv6, remote_ip: ipv6, local_port: u32, remote_port: u32
    }
    0:2200 memcache_operation {
        protocol: u32, cmd: u32, key: text, nkeys: u32, value_bytes: u32, duration_us: u32, status: u32
    }
    0:2201 http_request {
        method: u32, uri: text, host: text, referer: text, useragent: text, xff: text, authuser: text,
        mime_type: text, req_bytes: u64, resp_bytes: u64, duration_us: u32, status: i32
    }
    0:2202 app_operation {
        application: text, operation: text, attributes: text, status_descr: text, req_bytes: u64, resp_bytes: u64,
        duration_us: u32, status: u32
    }
    0:2203 app_parent_context { application: text, operation: text, attributes: text }
    0:2204 app_initiator { actor: text }
    0:2205 app_target { actor: text }
    0:2206 http_request {
        method: u32, protocol: u32, uri: text, host: text, referer: text, useragent: text, xff: text,
        authuser: text, mime_type: text, req_bytes: u64, resp_bytes: u64, duration_us: u32, status: i32
    }
    0:2207 extended_proxy_request { uri: text, host: text }
    0:2208 extended_nav_timing {
        type: u32, redirect_count: u32, navigation_start: u32, unload_event_start: u32, unload_event_end: u32,
        redirect_start: u32, redirect_end: u32, fetch_start: u32, domain_lookup_start: u32, domain_lookup_end: u32,
        connect_start: u32, connect_end: u32, secure_connection_start: u32, request_start: u32, response_start: u32,
        response_end: u32, dom_loading: u32, dom_interactive: u32, dom_content_loaded_event_start: u32,
        dom_content_loaded_event_end: u32, dom_complete: u32, load_event_start: u32, load_event_end: u32
    }
    0:2209 extended_tcp_info {
        dir: u32, snd_mss: u32, rcv_mss: u32, unacked: u32, lost: u32, retrans: u32, pmtu: u32, rtt: u32,
        rttvar: u32, snd_cwnd: u32, reordering: u32, min_rtt: u32
    }
    0:2210 extended_entities { src_ds_class: u32, src_ds_index: u32, dst_ds_class: u32, dst_ds_index: u32 }
    4413:1 extended_bst_egress_queue { queue: u32 }
    43874:1 extended_class { class: (16) }
    43874:2 extended_tag { tag: u64, tag2: u64 }
    43874:3 extended_class2 { master_protocol: u32, app_protocol: u32 }
}
