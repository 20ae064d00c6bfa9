"""Telegraf's influx lines: one a record, fields by Telegraf's own names."""

import re

import fields

# Telegraf's name to the element's (plugins/inputs/netflow/README.md of Telegraf).
ELEMENTS = {
    "protocol": "protocolIdentifier", "src": "sourceIPv4Address", "dst": "destinationIPv4Address",
    "src_port": "sourceTransportPort", "dst_port": "destinationTransportPort",
    "in_bytes": "octetDeltaCount", "in_packets": "packetDeltaCount", "in_total_bytes": "octetTotalCount", "in_total_packets": "packetTotalCount",
    "src_tos": "ipClassOfService", "tcp_flags": "tcpControlBits", "in_snmp": "ingressInterface", "out_snmp": "egressInterface",
    "next_hop": "ipNextHopIPv4Address", "bgp_src_as": "bgpSourceAsNumber", "bgp_dst_as": "bgpDestinationAsNumber",
    "src_mask": "sourceIPv4PrefixLength", "dst_mask": "destinationIPv4PrefixLength", "direction": "flowDirection",
    "flow_end_reason": "flowEndReason", "vlan_src": "vlanId", "flows": "deltaFlowCount", "flow_start_ms": "flowStartMilliseconds",
    "flow_end_ms": "flowEndMilliseconds", "first_switched": "flowStartSysUpTime", "last_switched": "flowEndSysUpTime",
    "engine_type": "engineType", "engine_id": "engineId", "interface": "interfaceName", "interface_desc": "interfaceDescription",
    "interface_type": "if_type", "speed": "if_speed", "in_unicast_packets_total": "if_in_ucast_pkts", "in_mcast_packets_total": "if_in_multicast_pkts",
    "in_broadcast_packets_total": "if_in_broadcast_pkts", "in_dropped_packets": "if_in_discards", "in_errors": "if_in_errors",
    "in_unknown_protocol": "if_in_unknown_protos", "out_bytes": "if_out_octets", "out_unicast_packets_total": "if_out_ucast_pkts",
    "out_mcast_packets_total": "if_out_multicast_pkts", "out_broadcast_packets_total": "if_out_broadcast_pkts", "out_dropped_packets": "if_out_discards",
    "out_errors": "if_out_errors", "promiscuous": "if_promiscuous_mode", "agent_ip": "sampler_address", "agent_subid": "sub_agent_id",
    "in_src_mac": "src_mac", "out_dst_mac": "dst_mac", "ttl": "ip_ttl", "vlan_dst": "dst_vlan", "ipv4_id": "fragment_id",
    "sampling_drops": "sample_drops", "l2_bytes": "bytes", "fragment_offset": "fragmentOffset", "event_time": "observationTimeMilliseconds",
    "exporter": "exporterIPv4Address", "exporting_pid": "exportingProcessId", "dropped_packets_total": "droppedPacketTotalCount",
    "ignored_packet_total": "ignoredPacketTotalCount", "notsent_packet_total": "notSentPacketTotalCount", "system_init_ms": "systemInitTimeMilliseconds",
    "total_flows_exported": "exportedFlowRecordTotalCount", "padding": "paddingOctets", "icmp_type": "icmpTypeIPv4", "icmp_code": "icmpCodeIPv4",
    "seq_number": "sequence_num",
}  # fmt: skip
# What the same words mean in sFlow's lines.
SFLOW = {
    "in_snmp": "in_if", "out_snmp": "out_if", "vlan_src": "src_vlan", "in_bytes": "if_in_octets", "interface": "if_index", "seq_number": "sample_sequence",
    "sampling_interval": "sampling_rate", "in_total_packets": "sample_pool", "ipv4_total_len": "bytes_l3", "port_name": "name",
    "deferred": "dot3StatsDeferredTransmissions", "errors_alignment": "dot3StatsAlignmentErrors", "errors_carrier_sense": "dot3StatsCarrierSenseErrors",
    "errors_fcs": "dot3StatsFCSErrors", "errors_frame_too_long": "dot3StatsFrameTooLongs", "errors_symbols": "dot3StatsSymbolErrors",
    "errors_internal_mac_rx": "dot3StatsInternalMacReceiveErrors", "errors_internal_mac_tx": "dot3StatsInternalMacTransmitErrors",
    "errors_sqetest": "dot3StatsSQETestErrors", "collisions_excessive": "dot3StatsExcessiveCollisions", "collisions_late": "dot3StatsLateCollisions",
    "collision_frames_single": "dot3StatsSingleCollisionFrames", "collision_frames_multi": "dot3StatsMultipleCollisionFrames",
}  # fmt: skip
REASONS = {"idle timeout": 1, "active timeout": 2, "end of flow": 3, "forced end": 4, "lack of resources": 5}
DIRECTIONS = {"ingress": 0, "egress": 1}
FLAGS = "FSRPAUEC"


def records(path):
    for line in path.read_text().splitlines():
        if not line.startswith("netflow"):
            continue
        head, _, rest = line.partition(" ")
        tags = dict(re.findall(r"(\w+)=(\w+)", head))
        raw = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^, ]+)', rest))
        yield kind(line, tags, raw), [pair(name, text, tags) for name, text in raw.items()], start(raw)


def kind(line, tags, raw):
    if line.startswith("netflow_options"):
        return "options"
    if tags.get("version") == "sFlowV5" and "src" not in raw:
        return "counters"
    return "flow"


def start(raw):
    return None


def pair(name, text, tags):
    value = text[1:-1] if text.startswith('"') else int(text.rstrip("ui"))
    if name == "protocol":
        return ELEMENTS[name], fields.protocol(value)
    if name == "tcp_flags":
        return ELEMENTS[name], sum(1 << bit for bit, mark in enumerate(reversed(value)) if mark != ".")
    if name == "flow_end_reason":
        return ELEMENTS[name], REASONS[value]
    if name == "direction":
        return ELEMENTS[name], DIRECTIONS[value]
    if name in ("flow_start_ms", "flow_end_ms"):
        return ELEMENTS[name], f"ns:{value * 10**6}"
    if match := re.fullmatch(r"type_(\d+)_(rev_)?(\d+)", name):
        # "rev": the bit for the other direction (RFC 5103 section 6.1.2). Some numbers still have the enterprise bit.
        return f"{match[1]}/{int(match[3]) & 0x7FFF | (0x4000 if match[2] else 0)}", value
    if tags.get("version") == "sFlowV5" and name in SFLOW:
        return SFLOW[name], value
    return ELEMENTS.get(name, name), value
