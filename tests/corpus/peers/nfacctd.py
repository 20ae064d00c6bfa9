"""nfacctd's JSON lines (pmacct's own tests): flows, aggregated where their keys are the same."""

import json

import fields

# nfacctd's name to the element's, or to a column of ours where the element has two names.
ELEMENTS = {
    "iface_in": "in_if", "iface_out": "out_if", "ip_src": "src_addr", "ip_dst": "dst_addr", "port_src": "src_port", "port_dst": "dst_port",
    "mask_src": "src_net", "mask_dst": "dst_net", "mac_src": "src_mac", "mac_dst": "dst_mac", "vlan_in": "vlan_id", "cos": "dot1qPriority",
    "etype": "etype", "tos": "ip_tos", "packets": "packets", "bytes": "bytes", "ip_proto": "proto", "tcp_flags": "tcp_flags",
    "fwd_status": "forwarding_status", "mpls_label_stack": "mpls_label", "net_src": "net_src", "net_dst": "net_dst",
    "timestamp_start": "flowStart", "timestamp_end": "flowEnd",
    "tunnel_ip_src": "tunnel_src_addr", "tunnel_ip_dst": "tunnel_dst_addr", "tunnel_ip_proto": "tunnel_proto",
    "tunnel_port_src": "tunnel_src_port", "tunnel_port_dst": "tunnel_dst_port",
    "srv6_seg_ipv6_list": "srhSegmentIPv6ListSection",
    "mpls_tl_ipv4_address": "mplsTopLabelIPv4Address", "mpls_tl_prefix_length": "mplsTopLabelPrefixLength", "mpls_tl_type": "mplsTopLabelType",
    "vrf_id_egress": "egress_vrf_id", "vrf_id_ingress": "ingress_vrf_id",
}  # fmt: skip
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
FORWARDING = {"UNKNOWN": 0, "FORWARDED": 1, "DROPPED": 2, "CONSUMED": 3}


def records(path):
    for line in path.read_text().splitlines():
        record = json.loads(line) if line.strip() else {}
        if record.get("event_type") == "purge" and "ip_src" not in record:
            continue
        pairs = [*record.pop("custom_primitives", {}).items(), *record.items()]
        yield "flow", [pair(name, raw) for name, raw in pairs], None


def pair(name, raw):
    element = ELEMENTS.get(name, name)
    if name in ("ip_proto", "tunnel_ip_proto"):
        return element, raw if raw == "0" else fields.protocol(raw)
    if name == "tcp_flags":
        return element, sum(1 << FLAGS.index(flag) for flag in raw)
    if name == "etype":
        return element, int(raw, 16)
    if name == "fwd_status":
        return "status", FORWARDING[raw.split()[0]]
    if name == "mpls_label_stack":
        return element, [int(label.split("-")[1]) for label in raw]
    return element, raw


def unsaid(value):
    """nfacctd prints zero, nothing or zeros for a field that the record does not have."""
    return value in (0, "0", "", [], "::", "0.0.0.0", "00:00:00:00:00:00")


# What nfacctd adds flows up by in these tests, as far as the datagrams themselves have it.
KEYS = (
    "exporteraddress", "srcaddr", "dstaddr", "innersrcaddr", "innerdstaddr", "srcport", "dstport", "innersrcport", "innerdstport",
    "proto", "innerproto", "inif", "outif", "iptos", "tcpflags", "ingressvrfid", "egressvrfid", "mplslabel", "mplstoplabelipv4address",
    "mplstoplabelprefixlength", "mplstoplabeltype", "forwardingstatus", "srcmac", "dstmac", "vlanid", "etype", "dot1qpriority",
)  # fmt: skip


def aggregated(ours, path):
    """Our flows added up as nfacctd did where it printed fewer."""
    wanted = [pairs for _, pairs, _ in records(path)]
    flows = [record for record in ours if record["kind"] == "flow"]
    if len(wanted) == len(flows):
        return flows
    by_time = any(element == "flowStart" for element, _ in wanted[0])
    groups = {}
    for record in flows:
        flat = record["flat"]
        key = [str(flat.get(name)) for name in KEYS] + ([flat["timeflowstartns"][0][:19]] if by_time else [])
        first = groups.setdefault(tuple(key), record)
        if first is not record:
            for name in ("bytes", "packets"):
                first["flat"][name][0] += flat[name][0]
    return list(groups.values())
