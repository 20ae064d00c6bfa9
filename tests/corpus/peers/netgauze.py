"""NetGauze's JSON: every message with its sets, every record with its fields by element name."""

import json

import fields

FORWARDING = {"Unknown": 0, "Forwarded": 1, "Dropped": 2, "Consumed": 3}
FORWARDING_REASON = {"Unknown": 0, "Forus": 3}
DIRECTION = {"ingress": 0, "egress": 1}
END_REASON = {"idletimeout": 1, "activetimeout": 2, "endofFlowdetected": 3, "forcedend": 4, "lackofresources": 5}
ALGORITHM = {"RandomnoutofNSampling": 3}
LABEL_TYPE = {"Unknown": 0, "TEMIDPT": 1, "Pseudowire": 2, "VPN": 3, "BGP": 4, "LDP": 5}
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")


def records(path):
    """(kind, fields, moment) of each data record, in order; a field is (element, value)."""
    for message in messages(path):
        ((version, content),) = message.items()
        for part in content["sets"]:
            for record in part.get("Data", {}).get("records", []):
                found = [field for place in ("scope_fields", "fields") for field in record[place]]
                pairs = [(name, value(name, raw)) for field in found for name, raw in field.items()]
                yield ("options" if record["scope_fields"] else "flow"), vendors(pairs), moments(version, content)


def messages(path):
    decoder, text, at = json.JSONDecoder(), path.read_text(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        message, at = decoder.raw_decode(text, at)
        yield message


def moments(version, content):
    """What turns an uptime into a time: the device's start in ns, or None where the header has no uptime."""
    if version != "NetFlowV9":
        return None
    return fields.nanoseconds(content["unix_time"]) - content["sys_up_time"] * 10**6


def vendors(pairs):
    for name, raw in pairs:
        if isinstance(raw, dict) and "Unknown" in raw and "id" in raw["Unknown"]:
            pens = {"Huawei": 2011}
            yield f"{pens.get(name, name)}/{raw['Unknown']['id']}", raw["Unknown"]["value"]
        else:
            yield name, raw


def value(name, raw):
    if name == "protocolIdentifier":
        return fields.protocol(raw)
    if name == "tcpControlBits":
        return sum(1 << bit for bit, flag in enumerate(FLAGS) if raw[flag])
    if name == "flowDirection":
        return DIRECTION[raw] if isinstance(raw, str) else raw["Unassigned"]
    if name == "forwardingStatus":
        ((status, reason),) = raw.items()
        return reason["Unassigned"] if isinstance(reason, dict) else FORWARDING[status] << 6 | FORWARDING_REASON[reason]
    for table, names in ((END_REASON, ("flowEndReason",)), (ALGORITHM, ("selectorAlgorithm",)), (LABEL_TYPE, ("mplsTopLabelType",))):
        if name in names:
            return table.get(raw, raw)
    return raw
