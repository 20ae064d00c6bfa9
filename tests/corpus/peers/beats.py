"""Elastic Beats' golden events: one a record, fields by element name in snake_case, byte strings in base64."""

import json

import fields

# Beats' own names, where they are not IANA's, to the vendors' (docs/elements.md).
ELEMENTS = {
    "nat_inside_svcid": "aluInsideServiceId", "nat_outside_svcid": "aluOutsideServiceId", "nat_sub_string": "aluNatSubString",
    "vmware_egress_interface_attr": "egressInterfaceAttr", "vmware_ingress_interface_attr": "ingressInterfaceAttr",
    "vmware_vxlan_export_role": "vxlanExportRole",
}  # fmt: skip


def records(path):
    for event in json.loads(path.read_text()).get("events") or ():
        netflow = event["Fields"]["netflow"]
        exporter = netflow["exporter"]
        start = fields.nanoseconds(exporter["timestamp"]) - exporter["uptime_millis"] * 10**6
        kind = "options" if netflow["type"] == "netflow_options" else "flow"
        pairs = [(name, value) for name, value in netflow.items() if name not in ("exporter", "type", "options", "scope")]
        for part in ("scope", "options"):
            pairs += netflow.get(part, {}).items()
        pairs = [(ELEMENTS.get(name, name), value) for name, value in pairs]
        yield kind, pairs, start if exporter["version"] == 9 else None
