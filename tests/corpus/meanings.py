"""Fields that a peer and we say differently though we mean the same. Each rule has its reason."""

import base64
import binascii
import ipaddress

import fields

INITIATOR = {"initiatoroctets": "bytes", "initiatorpackets": "packets"}
RESPONDER = {"responderoctets": "bytes", "responderpackets": "packets"}
# The address families' elements of each column: of two, the one that the packet lacks is zeros.
FAMILIES = ("source{}address", "destination{}address", "ipnexthop{}address", "bgpnexthop{}address")


PORTS = {f"{protocol}{end}port" for protocol in ("udp", "tcp") for end in ("source", "destination")}
TUNNELED = {
    "sourceipv4address": "innersrcaddr", "destinationipv4address": "innerdstaddr", "sourceipv6address": "innersrcaddr", "destinationipv6address": "innerdstaddr",
    "srcaddr": "innersrcaddr", "dstaddr": "innerdstaddr", "proto": "innerproto", "srcport": "innersrcport", "dstport": "innerdstport",
    "protocolidentifier": "innerproto", "sourcetransportport": "innersrcport", "destinationtransportport": "innerdstport",
    "tunnelsrcaddr": "srcaddr", "tunneldstaddr": "dstaddr", "tunnelproto": "proto", "tunnelflowlabel": "ipv6flowlabel",
}  # fmt: skip


def verdict(spelled, value, record):
    """EQUAL, DIFFERENT or ABSENT where a rule applies, else None."""
    flat = record["flat"]
    if spelled in INITIATOR:
        return same(value, fields.first(INITIATOR[spelled], flat))
    if spelled in RESPONDER:
        return responder(RESPONDER[spelled], value, record)
    if spelled.startswith("reverse") and spelled not in flat:
        return reverse(spelled.removeprefix("reverse"), value, record)
    if spelled in ("applicationid", "app") and isinstance(value, str):
        return application(value, flat)
    if spelled == "engineid" and "engineid" not in flat:
        return same(value & 0xFF if isinstance(value, int) else int(str(value), 0), int(flat["observationdomainid"][0]) & 0xFF)
    if spelled == "enginetype" and "enginetype" not in flat:
        return same(value, int(flat["observationdomainid"][0]) >> 8)
    if spelled == "octetdeltacount" and "system" in flat:
        # NetFlow v9's scope type 1 is the system (RFC 3954 section 6.1); the peers give it element 1's name.
        return same(value, flat["system"][0])
    if spelled == "status":
        return same(value, int(fields.first("forwardingstatus", flat) or 0) >> 6)
    if spelled in ("bytes", "packets") and "samplingrate" in flat:
        # nfacctd renormalizes by the sampling rate where it is told to.
        said = flat[spelled][0]
        return EITHER[any(fields.same(value, said * factor) for factor in (1, flat["samplingrate"][0]))]
    if spelled == "etype" and "etype" not in flat and "srcaddr" in flat:
        # nfacctd makes it from the version of IP.
        return EITHER[value == (0x86DD if ":" in flat["srcaddr"][0] else 0x0800)]
    if spelled in TUNNELED and any(fields.same(value, found) for found in flat.get(TUNNELED[spelled], ())):
        # nfacctd and NetGauze give the inner packet's field under the outer one's name.
        return fields.EQUAL
    if spelled == "mplsvpnroutedistinguisher" and isinstance(value, list):
        return same(distinguisher(bytes(value)), fields.first(spelled, flat))
    if spelled in PORTS and value == 0:
        # A port for each protocol: the one that the packet is not of is zero, and ours has the other.
        return fields.EQUAL if fields.candidates(spelled, flat) else fields.ABSENT
    if is_unset_family(spelled, value):
        return unset_family(value, fields.candidates(spelled, flat))
    return None


EITHER = {True: fields.EQUAL, False: fields.DIFFERENT}


def same(wanted, found):
    if found is None:
        return fields.ABSENT
    return fields.EQUAL if fields.same(wanted, found) else fields.DIFFERENT


def responder(column, value, record):
    """A responder's counters are the reverse row's; where all of them are zero there is no such row (semantics 4)."""
    return fields.EQUAL if int(value) == 0 else reverse(column, value, record)


def reverse(name, value, record):
    """The other direction is a row of its own, of the same datagram."""
    verdicts = {fields.verdict(name, value, row) for row in record["reverse"]}
    return next((verdict for verdict in (fields.EQUAL, fields.DIFFERENT) if verdict in verdicts), fields.ABSENT)


def application(value, flat):
    """RFC 6759 section 4: one byte of engine, the rest selector; ours is engine:selector."""
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error:
        return None
    if not any(raw):
        return fields.EQUAL if "app" not in flat else None
    wanted = f"{raw[0]}:{int.from_bytes(raw[1:], 'big')}"
    return fields.EQUAL if wanted in flat.get("app", []) + flat.get("applicationid", []) else None


def distinguisher(raw):
    """RFC 4364 section 4.2: a type, then AS and number, or address and number."""
    kind, rest = int.from_bytes(raw[:2], "big"), raw[2:]
    if kind == 1:
        return f"{ipaddress.ip_address(rest[:4])}:{int.from_bytes(rest[4:], 'big')}"
    split = 4 if kind == 2 else 2
    return f"{int.from_bytes(rest[:split], 'big')}:{int.from_bytes(rest[split:], 'big')}"


def is_unset_family(spelled, value):
    names = {name.format(family) for name in FAMILIES for family in ("ipv4", "ipv6")}
    try:
        return spelled in names and ipaddress.ip_address(value).is_unspecified
    except ValueError:
        return False


def unset_family(value, found):
    """Templates with both families fill one and leave the other zero; ours has the one that there is, or zero too."""
    version = ipaddress.ip_address(value).version
    addresses = [ipaddress.ip_address(address) for address in found]
    if not addresses:
        return fields.ABSENT
    return EITHER[all(address.is_unspecified or address.version != version for address in addresses)]
