"""A peer's field beside ours: names brought to one spelling, values to one form, then compared.

A peer speaks of information elements; a record of ours has columns, and `extra` under the elements' names.
"""

import base64
import datetime
import functools
import ipaddress
import re
import socket

import corpus

EQUAL, DIFFERENT, ABSENT = "equal", "different", "absent"
# Names that Python's table of protocols (from /etc/protocols) may lack or spell otherwise (IANA, Protocol Numbers).
PROTOCOLS = {"ipv4": 4, "ipv6": 41, "ipv6icmp": 58, "ipv6-icmp": 58, "vrrp": 112, "ip": 0, "hopopt": 0}


@functools.cache
def spelled(name):
    """sourceIPv4Address, source_ipv4_address and SOURCE_IPV4_ADDRESS alike."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


BY_SPELLING = {spelled(element): names for element, names in corpus.columns().items()}


def flat(record):
    """One record of ours as {spelled name: values}: columns, extras, and the scope and values of options."""
    found = {}
    scope = record.get("scope")
    pairs = [(name, value) for name, value in record.items() if name not in ("extra", "values", "scope")]
    pairs += [pair for part in ("extra", "values") for pair in record.get(part, {}).items()]
    pairs += [tuple(piece.partition("=")[::2]) for piece in scope.split(",")] if isinstance(scope, str) else []
    for name, value in pairs:
        found.setdefault(spelled(name), []).append(value)
    return found


def first(name, ours):
    """A column's value, or None."""
    return next(iter(ours.get(name, ())), None)


def candidates(element, ours):
    """The values of ours that may hold this element: under its own name, or in the columns that it fills."""
    own = spelled(corpus.elements().get(element, element))
    names = [own, *map(spelled, BY_SPELLING.get(own, ()))]
    return [value for name in names for value in ours.get(name, ())]


def verdict(element, wanted, ours):
    found = candidates(element, ours)
    if not found:
        return ABSENT
    return EQUAL if any(same(wanted, value) for value in found) else DIFFERENT


def same(wanted, found):
    return any(a == b for a in forms(wanted) for b in forms(found))


def forms(value):
    """Every form in which a value may be meant: a number, an address, a time, bytes, text."""
    if isinstance(value, bool):
        return {("number", int(value))}
    if isinstance(value, (int, float)):
        return {("number", value)}
    if isinstance(value, list):
        return {("bytes", bytes(value))} if all(isinstance(v, int) and v < 256 for v in value) else {("list", tuple(map(str, value)))}
    return forms_of_text(str(value).rstrip("\0"))


@functools.cache
def forms_of_text(text):
    return set(text_forms(text))


def text_forms(text):
    yield "text", text
    if re.fullmatch(r"-?\d+", text):
        yield "number", int(text)
    if re.fullmatch(r"0x[0-9a-fA-F]+", text):
        yield "number", int(text, 16)
        yield "bytes", bytes.fromhex(text[2:].rjust(len(text) // 2 * 2, "0"))
    if re.fullmatch(r"([0-9a-fA-F]{2})*", text):
        yield "bytes", bytes.fromhex(text)
    if re.fullmatch(r"([0-9a-fA-F]{2}[:-])+[0-9a-fA-F]{2}", text):
        yield "bytes", bytes.fromhex(re.sub("[:-]", "", text))
    if re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text) and len(text) % 4 == 0:
        yield "bytes", base64.b64decode(text)
    if (moment := nanoseconds(text)) is not None:
        yield "time", moment
        yield "number", moment // 10**6
    try:
        yield "address", ipaddress.ip_address(text)
    except ValueError:
        pass


def nanoseconds(text):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)", text)
    if not match:
        return None
    seconds = datetime.datetime.fromisoformat(match[1] + "+00:00").timestamp()
    return int(seconds) * 10**9 + int((match[2] or "0").ljust(9, "0"))


def protocol(name):
    """The number of a protocol that a peer gives by name."""
    plain = str(name).lower()
    if plain in PROTOCOLS:
        return PROTOCOLS[plain]
    try:
        return socket.getprotobyname(plain)
    except OSError:
        return name
