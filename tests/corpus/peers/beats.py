"""Elastic Beats' golden events: one a record, fields by element name in snake_case, byte strings in base64."""

import json

import fields


def records(path):
    for event in json.loads(path.read_text()).get("events") or ():
        netflow = event["Fields"]["netflow"]
        exporter = netflow["exporter"]
        start = fields.nanoseconds(exporter["timestamp"]) - exporter["uptime_millis"] * 10**6
        kind = "options" if netflow["type"] == "netflow_options" else "flow"
        pairs = [(name, value) for name, value in netflow.items() if name not in ("exporter", "type", "options", "scope")]
        for part in ("scope", "options"):
            pairs += netflow.get(part, {}).items()
        yield kind, pairs, start if exporter["version"] == 9 else None
