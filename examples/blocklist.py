#!/usr/bin/env python3
"""Tells which sampled packets go to or come from addresses of a block list.

    finderscope tshark -n -l -T ek | examples/blocklist.py list.txt
    finderscope tshark -n -l -T ek | examples/blocklist.py https://example.org/drop.txt --json

A list has an address or a network (192.0.2.1, 198.51.100.0/24, 2001:db8::/32) on each line, first; what stands behind it, and lines
that begin with # or ;, are comments. Each packet that has a listed address, in any of its IP headers, gives a line.
"""

import argparse
import ipaddress
import json
import signal
import sys
import urllib.request


def lines_of(place):
    if "://" in place:
        with urllib.request.urlopen(place, timeout=30) as answer:
            return answer.read().decode("utf-8", "replace").splitlines()
    with open(place, encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


class BlockList:
    """Networks by version and length, so that a look-up takes a step for each length that occurs."""

    def __init__(self):
        self.networks = {}
        self.count = 0

    def read(self, place):
        for number, line in enumerate(lines_of(place), 1):
            words = line.replace(",", " ").replace(";", " ;").split()
            if not words or words[0][0] in "#;":
                continue
            try:
                network = ipaddress.ip_network(words[0], strict=False)
            except ValueError:
                print(f"blocklist: {place}, line {number}: {words[0]!r} is no address", file=sys.stderr)
                continue
            of_length = self.networks.setdefault((network.version, network.prefixlen), set())
            of_length.add(int(network.network_address) >> (network.max_prefixlen - network.prefixlen))
            self.count += 1

    def find(self, text):
        """The longest network of the list that has the address, or none."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return None
        bits = address.max_prefixlen
        for (version, length), found in sorted(self.networks.items(), reverse=True):
            if version == address.version and int(address) >> (bits - length) in found:
                return str(ipaddress.ip_network((address, length), strict=False))
        return None


def values(layers, layer, name):
    """A field's values: tunnels make several layers, or several values, of a kind."""
    for one in layers if isinstance(layers := layers.get(layer, []), list) else [layers]:
        value = one.get(name, [])
        yield from value if isinstance(value, list) else [value]


def hits(packet, blocked):
    layers = packet.get("layers", {})
    for layer, side in (("ip", "src"), ("ip", "dst"), ("ipv6", "src"), ("ipv6", "dst")):
        for address in values(layers, layer, f"{layer}_{layer}_{side}"):
            if entry := blocked.find(address):
                yield {"side": side, "address": address, "entry": entry}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", nargs="+", help="a file or a URL")
    parser.add_argument("--json", action="store_true", help="an object for each line")
    args = parser.parse_args()
    blocked = BlockList()
    try:
        for place in args.list:
            blocked.read(place)
    except OSError as error:
        sys.exit(f"blocklist: {place}: {error}")
    print(f"blocklist: {blocked.count} entries", file=sys.stderr)
    # Ctrl-C ends tshark, and what it still has to say is wanted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    packets = found = 0
    for line in sys.stdin:
        packet = json.loads(line) if line.strip() else {}
        if "layers" not in packet:
            continue  # the line before each packet, which is for Elasticsearch
        packets += 1
        for hit in hits(packet, blocked):
            found += 1
            ends = [next((a for layer in ("ip", "ipv6") for a in values(packet["layers"], layer, f"{layer}_{layer}_{side}")), "?")
                    for side in ("src", "dst")]
            hit = {"time_ms": int(packet["timestamp"]), "src": ends[0], "dst": ends[1], **hit}
            print(json.dumps(hit) if args.json else "{time_ms} {src} -> {dst}: {side} {address} is in {entry}".format(**hit), flush=True)
    print(f"blocklist: {packets} packets, {found} hits", file=sys.stderr)


if __name__ == "__main__":
    main()
