//! Counter records.

use finderscope_wire::sflow::Tag;

use super::{Row, rows};

/// The rows, in the order of their tags.
pub(in super::super) static COUNTERS: &[Row] = rows! {
    0:1 [
        "ifIndex", "networkType", "ifSpeed", "ifDirection", "ifStatus", "ifInOctets", "ifInUcastPkts",
        "ifInMulticastPkts", "ifInBroadcastPkts", "ifInDiscards", "ifInErrors", "ifInUnknownProtos", "ifOutOctets",
        "ifOutUcastPkts", "ifOutMulticastPkts", "ifOutBroadcastPkts", "ifOutDiscards", "ifOutErrors",
        "ifPromiscuousMode",
    ]
    0:2 [
        "dot3StatsAlignmentErrors", "dot3StatsFCSErrors", "dot3StatsSingleCollisionFrames",
        "dot3StatsMultipleCollisionFrames", "dot3StatsSQETestErrors", "dot3StatsDeferredTransmissions",
        "dot3StatsLateCollisions", "dot3StatsExcessiveCollisions", "dot3StatsInternalMacTransmitErrors",
        "dot3StatsCarrierSenseErrors", "dot3StatsFrameTooLongs", "dot3StatsInternalMacReceiveErrors",
        "dot3StatsSymbolErrors",
    ]
    0:3 [
        "dot5StatsLineErrors", "dot5StatsBurstErrors", "dot5StatsACErrors", "dot5StatsAbortTransErrors",
        "dot5StatsInternalErrors", "dot5StatsLostFrameErrors", "dot5StatsReceiveCongestions",
        "dot5StatsFrameCopiedErrors", "dot5StatsTokenErrors", "dot5StatsSoftErrors", "dot5StatsHardErrors",
        "dot5StatsSignalLoss", "dot5StatsTransmitBeacons", "dot5StatsRecoverys", "dot5StatsLobeWires",
        "dot5StatsRemoves", "dot5StatsSingles", "dot5StatsFreqErrors",
    ]
    0:4 [
        "dot12InHighPriorityFrames", "dot12InHighPriorityOctets", "dot12InNormPriorityFrames",
        "dot12InNormPriorityOctets", "dot12InIPMErrors", "dot12InOversizeFrameErrors", "dot12InDataErrors",
        "dot12InNullAddressedFrames", "dot12OutHighPriorityFrames", "dot12OutHighPriorityOctets",
        "dot12TransitionIntoTrainings", "dot12HCInHighPriorityOctets", "dot12HCInNormPriorityOctets",
        "dot12HCOutHighPriorityOctets",
    ]
    0:5 ["in_vlan", "octets", "ucastPkts", "multicastPkts", "broadcastPkts", "discards"]
    0:6 [
        "dot11TransmittedFragmentCount", "dot11MulticastTransmittedFrameCount", "dot11FailedCount", "dot11RetryCount",
        "dot11MultipleRetryCount", "dot11FrameDuplicateCount", "dot11RTSSuccessCount", "dot11RTSFailureCount",
        "dot11ACKFailureCount", "dot11ReceivedFragmentCount", "dot11MulticastReceivedFrameCount",
        "dot11FCSErrorCount", "dot11TransmittedFrameCount", "dot11WEPUndecryptableCount",
        "dot11QoSDiscardedFragmentCount", "dot11AssociatedStationCount", "dot11QoSCFPollsReceivedCount",
        "dot11QoSCFPollsUnusedCount", "dot11QoSCFPollsUnusableCount", "dot11QoSCFPollsLostCount",
    ]
    0:11 ["PFC_requests", "PFC_indications", "PFC_pause_duration", "PFC_storm_detected", "PFC_storm_restored"]
    0:1001 ["5s_cpu", "1m_cpu", "5m_cpu", "total_memory_bytes", "free_memory_bytes"]
    0:1002 ["radio_elapsed_time", "radio_on_channel_time", "radio_on_channel_busy_time"]
    0:1004 ["openflow_datapath_id", "openflow_port"]
    0:1005 ["ifName"]
    0:2000 ["hostname", "UUID", "machine_type", "os_name", "os_release"]
    0:2002 ["parent_dsClass", "parent_dsIndex"]
    0:2003 [
        "cpu_load_one", "cpu_load_five", "cpu_load_fifteen", "cpu_proc_run", "cpu_proc_total", "cpu_num", "cpu_speed",
        "cpu_uptime", "cpu_user", "cpu_nice", "cpu_system", "cpu_idle", "cpu_wio", "cpuintr", "cpu_sintr",
        "cpuinterrupts", "cpu_contexts", "cpu_steal", "cpu_guest", "cpu_guest_nice",
    ]
    0:2004 [
        "mem_total", "mem_free", "mem_shared", "mem_buffers", "mem_cached", "swap_total", "swap_free", "page_in",
        "page_out", "swap_in", "swap_out",
    ]
    0:2005 [
        "disk_total", "disk_free", "disk_partition_max_used", "disk_reads", "disk_bytes_read", "disk_read_time",
        "disk_writes", "disk_bytes_written", "disk_write_time",
    ]
    0:2006 [
        "nio_bytes_in", "nio_pkts_in", "nio_errs_in", "nio_drops_in", "nio_bytes_out", "nio_pkts_out", "nio_errs_out",
        "nio_drops_out",
    ]
    0:2007 [
        "ipForwarding", "ipDefaultTTL", "ipInReceives", "ipInHdrErrors", "ipInAddrErrors", "ipForwDatagrams",
        "ipInUnknownProtos", "ipInDiscards", "ipInDelivers", "ipOutRequests", "ipOutDiscards", "ipOutNoRoutes",
        "ipReasmTimeout", "ipReasmReqds", "ipReasmOKs", "ipReasmFails", "ipFragOKs", "ipFragFails", "ipFragCreates",
    ]
    0:2008 [
        "icmpInMsgs", "icmpInErrors", "icmpInDestUnreachs", "icmpInTimeExcds", "icmpInParamProbs", "icmpInSrcQuenchs",
        "icmpInRedirects", "icmpInEchos", "icmpInEchoReps", "icmpInTimestamps", "icmpInAddrMasks",
        "icmpInAddrMaskReps", "icmpOutMsgs", "icmpOutErrors", "icmpOutDestUnreachs", "icmpOutTimeExcds",
        "icmpOutParamProbs", "icmpOutSrcQuenchs", "icmpOutRedirects", "icmpOutEchos", "icmpOutEchoReps",
        "icmpOutTimestamps", "icmpOutTimestampReps", "icmpOutAddrMasks", "icmpOutAddrMaskReps",
    ]
    0:2009 [
        "tcpRtoAlgorithm", "tcpRtoMin", "tcpRtoMax", "tcpMaxConn", "tcpActiveOpens", "tcpPassiveOpens",
        "tcpAttemptFails", "tcpEstabResets", "tcpCurrEstab", "tcpInSegs", "tcpOutSegs", "tcpRetransSegs", "tcpInErrs",
        "tcpOutRsts", "tcpInCsumErrors",
    ]
    0:2010 [
        "udpInDatagrams", "udpNoPorts", "udpInErrors", "udpOutDatagrams", "udpRcvbufErrors", "udpSndbufErrors",
        "udpInCsumErrors",
    ]
    0:2100 ["vnode_mhz", "vnode_cpus", "vnode_memory", "vnode_memory_free", "vnode_num_domains"]
    0:2101 ["vcpu_state", "vcpu_cpu_mS", "vcpu_cpuCount"]
    0:2102 ["vmem_memory", "vmem_maxMemory"]
    0:2103 [
        "vdsk_capacity", "vdsk_allocation", "vdsk_available", "vdsk_rd_req", "vdsk_rd_bytes", "vdsk_wr_req",
        "vdsk_wr_bytes", "vdsk_errs",
    ]
    0:2104 [
        "vnio_bytes_in", "vnio_pkts_in", "vnio_errs_in", "vnio_drops_in", "vnio_bytes_out", "vnio_pkts_out",
        "vnio_errs_out", "vnio_drops_out",
    ]
    0:2105 ["jvm_name", "jvm_vendor", "jvm_version"]
    0:2106 [
        "heap_mem_initial", "heap_mem_used", "heap_mem_committed", "heap_mem_max", "non_heap_mem_initial",
        "non_heap_mem_used", "non_heap_mem_committed", "non_heap_mem_max", "gc_count", "gc_mS", "classes_loaded",
        "classes_total", "classes_unloaded", "compilation_mS", "threads_live", "threads_daemon", "threads_started",
        "fds_open", "fds_max",
    ]
    0:2200 [
        "memcache_uptime", "memcache_rusage_user", "memcache_rusage_system", "memcache_curr_connections",
        "memcache_total_connections", "memcache_connection_structures", "memcache_cmd_get", "memcache_cmd_set",
        "memcache_cmd_flush", "memcache_get_hits", "memcache_get_misses", "memcache_delete_misses",
        "memcache_delete_hits", "memcache_incr_misses", "memcache_incr_hits", "memcache_decr_misses",
        "memcache_decr_hits", "memcache_cas_misses", "memcache_cas_hits", "memcache_cas_badval", "memcache_auth_cmds",
        "memcache_auth_errors", "memcache_bytes_read", "memcache_bytes_written", "memcache_limit_maxbytes",
        "memcache_accepting_conns", "memcache_listen_disabled_num", "memcache_threads", "memcache_conn_yields",
        "memcache_bytes", "memcache_curr_items", "memcache_total_items", "memcache_evictions",
    ]
    0:2201 [
        "http_method_option_count", "http_method_get_count", "http_method_head_count", "http_method_post_count",
        "http_method_put_count", "http_method_delete_count", "http_method_trace_count", "http_methd_connect_count",
        "http_method_other_count", "http_status_1XX_count", "http_status_2XX_count", "http_status_3XX_count",
        "http_status_4XX_count", "http_status_5XX_count", "http_status_other_count",
    ]
    0:2202 [
        "application", "status_OK", "errors_OTHER", "errors_TIMEOUT", "errors_INTERNAL_ERROR", "errors_BAD_REQUEST",
        "errors_FORBIDDEN", "errors_TOO_LARGE", "errors_NOT_IMPLEMENTED", "errors_NOT_FOUND", "errors_UNAVAILABLE",
        "errors_UNAUTHORIZED",
    ]
    0:2203 [
        "user_time", "system_time", "memory_used", "memory_max", "files_open", "files_max", "connections_open",
        "connections_max",
    ]
    0:2204 [
        "memcache_cmd_set", "memcache_cmd_touch", "memcache_cmd_flush", "memcache_get_hits", "memcache_get_misses",
        "memcache_delete_hits", "memcache_delete_misses", "memcache_incr_hits", "memcache_incr_misses",
        "memcache_decr_hits", "memcache_decr_misses", "memcache_cas_hits", "memcache_cas_misses",
        "memcache_cas_badval", "memcache_auth_cmds", "memcache_auth_errors", "memcache_threads",
        "memcache_conn_yields", "memcache_listen_disabled_num", "memcache_curr_connections",
        "memcache_rejected_connections", "memcache_total_connections", "memcache_connection_structures",
        "memcache_evictions", "memcache_reclaimed", "memcache_curr_items", "memcache_total_items",
        "memcache_bytes_read", "memcache_bytes_written", "memcache_bytes", "memcache_limit_maxbytes",
    ]
    0:2205 [
        "vdi_sessions_current", "vdi_sessions_total", "vdi_sessions_duration", "vdi_rx_bytes", "vdi_tx_bytes",
        "vdi_rx_packets", "vdi_tx_packets", "vdi_rx_packets_lost", "vdi_tx_packets_lost", "vdi_rtt_min_ms",
        "vdi_rtt_max_ms", "vdi_rtt_avg_ms", "vdi_audio_rx_bytes", "vdi_audio_tx_bytes", "vdi_audio_tx_limit",
        "vdi_img_rx_bytes", "vdi_img_tx_bytes", "vdi_img_frames", "vdi_img_qual_min", "vdi_img_qual_max",
        "vdi_img_qual_avg", "vdi_usb_rx_bytes", "vdi_usb_tx_bytes",
    ]
    0:2206 ["workers_active", "workers_idle", "workers_max", "requests_delayed", "requests_dropped"]
    0:2207 ["OVS_dp_hits", "OVS_dp_misses", "OVS_dp_lost", "OVS_dp_mask_hits", "OVS_dp_flows", "OVS_dp_masks"]
    4413:3 [
        "bcm_asic_host_entries", "bcm_host_entries_max", "bcm_ipv4_entries", "bcm_ipv4_entries_max",
        "bcm_ipv6_entries", "bcm_ipv6_entries_max", "bcm_ipv4_ipv6_entries", "bcm_ipv4_ipv6_entries_max",
        "bcm_long_ipv6_entries", "bcm_long_ipv6_entries_max", "bcm_total_routes", "bcm_total_routes_max",
        "bcm_ecmp_nexthops", "bcm_ecmp_nexthops_max", "bcm_mac_entries", "bcm_mac_entries_max", "bcm_ipv4_neighbors",
        "bcm_ipv6_neighbors", "bcm_ipv4_routes", "bcm_ipv6_routes", "bcm_acl_ingress_entries",
        "bcm_acl_ingress_entries_max", "bcm_acl_ingress_counters", "bcm_acl_ingress_counters_max",
        "bcm_acl_ingress_meters", "bcm_acl_ingress_meters_max", "bcm_acl_ingress_slices",
        "bcm_acl_ingress_slices_max", "bcm_acl_egress_entries", "bcm_acl_egress_entries_max",
        "bcm_acl_egress_counters", "bcm_acl_egress_counters_max", "bcm_acl_egress_meters",
        "bcm_acl_egress_meters_max", "bcm_acl_egress_slices", "bcm_acl_egress_slices_max",
    ]
    5703:1 [
        "nvml_device_count", "nvml_processes", "nvml_gpu_mS", "nvml_mem_mS", "nvml_mem_bytes_total",
        "nvml_mem_bytes_free", "nvml_ecc_errors", "nvml_energy_mJ", "nvml_temperature_C", "nvml_fan_speed_pc",
    ]
};
