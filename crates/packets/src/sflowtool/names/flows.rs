//! Flow records: what is known about one packet or operation.

use finderscope_wire::sflow::Tag;

use super::{Row, rows};

/// The rows, in the order of their tags.
pub(in super::super) static FLOWS: &[Row] = rows! {
    0:1008 ["mpls_tunnel_lsp_name", "mpls_tunnel_id", "mpls_tunnel_cos"]
    0:1009 ["mpls_vc_name", "mpls_vll_vc_id", "mpls_vc_cos"]
    0:1010 ["mpls_ftn_descr", "mpls_ftn_mask"]
    0:1011 ["mpls_fec_addr_prefix_len"]
    0:1013 ["cipher_suite", ""]
    0:1014 ["rx_SSID", "rx_BSSID", "rx_version", "rx_channel", "rx_speed", "rx_rsni", "rx_rcpi", "rx_packet_uS"]
    0:1015 [
        "tx_SSID", "tx_BSSID", "tx_version", "tx_transmissions", "tx_packet_uS", "tx_retrans_uS", "tx_channel",
        "tx_speed", "tx_power_mW",
    ]
    0:1020 (extendedType "NAT PORT") ["nat_src_port", "nat_dst_port"]
    0:1027 (extendedType "out_decap") out_ ["decap_inner_header_offset"]
    0:1028 (extendedType "in_decap") in_ ["decap_inner_header_offset"]
    0:1029 (extendedType "out_VNI") out_ ["VNI"]
    0:1030 (extendedType "in_VNI") in_ ["VNI"]
    0:1038 (extendedType "function") ["symbol"]
    0:1039 (extendedType "transit_delay") ["transit_delay_nS"]
    0:1040 (extendedType "queue_depth") ["queue_depth_bytes"]
    0:1041 (extendedType "hw_trap") ["hw_trap_group", "hw_trap_name"]
    0:1042 (extendedType "linux_drop_reason") ["linux_drop_reason"]
    0:1043 (extendedType "timestamp") ["timestamp_nS"]
    0:2100 (extendedType "socket4") [
        "socket4_ip_protocol", "socket4_local_ip", "socket4_remote_ip", "socket4_local_port", "socket4_remote_port",
    ]
    0:2101 (extendedType "socket6") [
        "socket6_ip_protocol", "socket6_local_ip", "socket6_remote_ip", "socket6_local_port", "socket6_remote_port",
    ]
    0:2102 (extendedType "proxy_socket4") [
        "proxy_socket4_ip_protocol", "proxy_socket4_local_ip", "proxy_socket4_remote_ip", "proxy_socket4_local_port",
        "proxy_socket4_remote_port",
    ]
    0:2103 (extendedType "proxy_socket6") [
        "proxy_socket6_ip_protocol", "proxy_socket6_local_ip", "proxy_socket6_remote_ip", "proxy_socket6_local_port",
        "proxy_socket6_remote_port",
    ]
    0:2201 (flowSampleType "http") [
        "http_method", "http_uri", "http_host", "http_referrer", "http_useragent", "http_xff", "http_authuser",
        "http_mimetype", "http_request_bytes", "http_bytes", "http_duration_uS", "http_status",
    ]
    0:2203 ["server_context_application", "server_context_operation", "server_context_attributes"]
    0:2204 ["actor_initiator"]
    0:2205 ["actor_target"]
    0:2206 (flowSampleType "http") [
        "http_method", "http_protocol", "http_uri", "http_host", "http_referrer", "http_useragent", "http_xff",
        "http_authuser", "http_mimetype", "http_request_bytes", "http_bytes", "http_duration_uS", "http_status",
    ]
    0:2210 (extendedType "entities") [
        "entities_src_class", "entities_src_index", "entities_dst_class", "entities_dst_index",
    ]
};
