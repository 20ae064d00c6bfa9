#!/usr/bin/env python3
"""What tshark decodes inside the sFlow samples of a capture, and what it reads in a capture of packets: the same?

    packets.py compare SAMPLES.pcap PACKETS.pcap PROTOCOL...   each header of these sFlow protocols, once, in order
    packets.py make OUT.pcap                                   a capture with samples of several links, IPFIX sections and discards
    packets.py quirks OUT.pcap                                 one with lengths and counts that lie
    packets.py send PORT COUNT                                 so many samples to a UDP port of loopback, one a datagram
"""

import io
import socket
import struct
import subprocess
import sys
import xml.etree.ElementTree as xml

# What a packet's headers say, by tshark's names. Names with other meanings inside a capture of their own (streams, expert
# notes) are not among them.
FIELDS = """eth.src eth.dst eth.type eth.len vlan.id vlan.etype mpls.label ip.src ip.dst ip.proto ip.len ip.ttl ip.id
ipv6.src ipv6.dst ipv6.nxt ipv6.plen arp.opcode tcp.srcport tcp.dstport tcp.seq_raw tcp.flags udp.srcport udp.dstport
udp.length icmp.type icmp.code icmpv6.type vxlan.vni ppp.protocol wlan.fc.type_subtype wlan.sa wlan.da""".split()
LAYERS = {"eth", "vlan", "mpls", "ip", "ipv6", "arp", "tcp", "udp", "icmp", "icmpv6", "vxlan", "ppp", "wlan", "llc"}


def pdml(path):
    """tshark's packets of a capture, one element each. Ports of samples and of what is in them are the same: sFlow's."""
    command = ["tshark", "-n", "-r", path, "-T", "pdml", "-d", "udp.port==6343,sflow"]
    command += ["-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "ip.defragment:FALSE"]
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    for _, element in xml.iterparse(io.BytesIO(out)):
        if element.tag == "packet":
            yield element


def headers(element):
    """Layers and fields in order, without what is inside other samples."""
    found = []
    for child in element.iter():
        name = child.get("name")
        if child.tag == "proto" and name in LAYERS:
            found.append(name)
        elif child.tag == "field" and name in FIELDS:
            found.append((name, child.get("show")))
    return found


def sampled(path, protocols):
    """Each sampled header: the length that its sample says, its bytes, what tshark finds in it."""
    for packet in pdml(path):
        for record in packet.iter("field"):
            inside = {child.get("name"): child for child in record if child.tag == "field"}
            header = inside.get("sflow_245.header")
            if header is None or int(inside["sflow_245.header_protocol"].get("show")) not in protocols:
                continue
            length = int(inside["sflow_245.header.frame_length"].get("show"))
            held = int(inside["sflow_245.header.sampled_header_length"].get("show"))
            yield max(length, held), header.get("value")[: 2 * held], headers(header)


def read(path):
    """Each packet of a capture, as its own tshark run finds it."""
    for packet in pdml(path):
        frame = {field.get("name"): field.get("show") for field in packet.find("proto[@name='geninfo']")}
        length, held = int(frame["len"]), int(frame["caplen"])
        protos = [proto for proto in packet if proto.get("name") not in ("geninfo", "frame")]
        found = []
        for proto in protos:
            found += headers(proto)
        yield length, held, found


def compare(samples, packets, protocols):
    expected, found = list(sampled(samples, protocols)), list(read(packets))
    with open(packets, "rb") as file:
        bytes_held = list(records(file.read()))
    assert len(bytes_held) == len(found), "tshark reads another number of packets than there are"
    assert len(expected) == len(found), f"{len(expected)} headers in samples, {len(found)} packets"
    for number, ((length, raw, inside), (told, held, outside), mine) in enumerate(zip(expected, found, bytes_held), 1):
        assert (length, len(raw) // 2) == (told, held), f"packet {number}: lengths {length} {len(raw) // 2}, {told} {held}"
        assert bytes.fromhex(raw) == mine, f"packet {number}: other bytes"
        # Inside a sample tshark does not enter tunnels over UDP.
        entered = outside[len(inside) :][:1] in ([], ["vxlan"])
        if outside[: len(inside)] != inside or not entered:
            raise AssertionError(f"packet {number}: {inside} inside, {outside} outside")
    print(f"{len(found)} packets, each as tshark finds it in its sample")


def records(capture):
    at = 24
    while at < len(capture):
        _, _, held, _ = struct.unpack_from("=IIII", capture, at)
        yield capture[at + 16 : at + 16 + held]
        at += 16 + held
    assert at == len(capture), "the capture ends inside a packet"


def words(*numbers):
    return struct.pack(f">{len(numbers)}I", *numbers)


def item(tag, body):
    return words(tag, len(body)) + body + b"\0" * (-len(body) % 4)


def header(protocol, data, length=None, stripped=4):
    return item(1, words(protocol, len(data) + 4 if length is None else length, stripped, len(data)) + data)


def flow_sample(sequence, *flow_records, index=3):
    head = words(sequence, index, 1000, 1000 * sequence, 0, index, 5, len(flow_records))
    return item(1, head + b"".join(flow_records))


def discarded(sequence, reason, *flow_records):
    return item(5, words(sequence, 0, 3, 0, 3, 0, reason, len(flow_records)) + b"".join(flow_records))


def datagram(sequence, *samples, count=None):
    head = words(5, 1) + bytes([192, 0, 2, 9]) + words(0, sequence, 1000 * sequence)
    return head + words(len(samples) if count is None else count) + b"".join(samples)


def ipv4(number):
    udp = struct.pack(">4H", 40000 + number, 53, 8 + 4, 0) + b"name"
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, bytes([10, 1, 0, number % 256]), bytes([10, 2, 0, 1])) + udp


def ethernet(number):
    return bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]) + ipv4(number)


def ipv6(number):
    udp = struct.pack(">4H", 40000 + number, 53, 8, 0)
    return struct.pack(">IHBB16s16s", 6 << 28, len(udp), 17, 64, b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", b"\x20\x01\x0d\xb8" + bytes(11) + b"\2") + udp


def wifi(number):
    return bytes([8, 2, 0, 0]) + bytes([1] * 6 + [2] * 6 + [3] * 6) + bytes([0, 0, 0xAA, 0xAA, 3, 0, 0, 0, 8, 0]) + ipv4(number)


def write(path, datagrams):
    """A capture of datagrams from one exporter: sFlow's port, or IPFIX's."""
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, payload in enumerate(datagrams):
            port = 4739 if payload[:2] == b"\0\x0a" else 6343
            udp = struct.pack(">4H", 50000, port, 8 + len(payload), 0) + payload
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0, bytes([192, 0, 2, 9]), bytes([192, 0, 2, 1]))
            frame = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0]) + ip + udp
            file.write(struct.pack("=IIII", 1767225600 + number, 123456, len(frame), len(frame)) + frame)


def ipfix(sets):
    body = b"".join(struct.pack(">HH", number, 4 + len(data)) + data for number, data in sets)
    return struct.pack(">HHIII", 10, 16 + len(body), 1767225600, 0, 7) + body


def make(path):
    port_name = item(2, words(1, 3, 2) + item(1005, words(4) + b"swp3") + item(1, words(3, 6) + struct.pack(">Q", 10**10) + bytes(72)))
    template = struct.pack(">8H", 256, 4, 312, 2, 10, 4, 14, 4) + struct.pack(">HH", 315, 0xFFFF)
    sections = b"".join(struct.pack(">HIIB", len(ethernet(n)), 3, 4, len(ethernet(n))) + ethernet(n) for n in (200, 201))
    datagrams = [datagram(0, port_name)]
    for n in range(1, 41):
        datagrams.append(datagram(
            n,
            flow_sample(n, header(1, ethernet(n), 1518)),
            flow_sample(n, header(11, ipv4(n), stripped=0), header(12, ipv6(n), stripped=0)),
            flow_sample(n, header(15, wifi(n)), header(7, b"\xff\x03\x00\x21" + ipv4(n))),
            flow_sample(n, item(1001, words(1, 0, 2, 0))),
            discarded(n, 258, header(1, ethernet(100 + n))),
        ))
    datagrams.append(ipfix([(2, template), (256, sections)]))
    write(path, datagrams)


def quirks(path):
    whole = datagram(1, flow_sample(1, header(1, ethernet(1))), flow_sample(2, header(1, ethernet(2))))
    lying = words(1, 64, 4, 0xFFFFFFFF) + ethernet(9)
    write(path, [
        whole,
        whole[: len(whole) - 30],
        datagram(2, flow_sample(3, header(1, ethernet(3))), count=0xFFFFFFFF),
        datagram(3, item(1, words(4, 3, 1000, 0, 0, 3, 5, 0xFFFFFFFF) + header(1, ethernet(4)))),
        datagram(4, flow_sample(5, item(1, lying), header(1, ethernet(5)))),
        b"\0\0\0\5",
    ])


def send(port, count):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(count):
        out.sendto(datagram(number, flow_sample(number, header(1, ethernet(number)))), ("127.0.0.1", port))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["compare", samples, packets, *protocols]:
            compare(samples, packets, {int(it) for it in protocols})
        case ["make", path]:
            make(path)
        case ["quirks", path]:
            quirks(path)
        case ["send", port, count]:
            send(int(port), int(count))
        case _:
            sys.exit(__doc__)
