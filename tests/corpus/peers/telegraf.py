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
    "fwd_status": "status", "icmp_type": "icmpTypeIPv4", "icmp_code": "icmpCodeIPv4", "seq_number": "sequence_num",
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
        yield kind(line, tags, raw), [pair(name, text) for name, text in raw.items()], start(raw)


def kind(line, tags, raw):
    if line.startswith("netflow_options"):
        return "options"
    if tags.get("version") == "sFlowV5" and "src" not in raw:
        return "counters"
    return "flow"


def start(raw):
    return None


def pair(name, text):
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
    if match := re.fullmatch(r"type_(\d+)_(?:(rev)_)?(\d+)", name):
        return f"{match[1]}/{match[3]}", value
    return ELEMENTS.get(name, name), value
