"""sflowtool's forms beside tshark's reading of the same bytes, and what sflowtool sends beside what it read."""

import ipaddress
import json
import re
import socket
import struct
import subprocess
import sys
import threading
import time

# Linux has it; Python does not name it.
SO_RCVBUFFORCE = 33


def tool(binary, *arguments):
    return subprocess.run([binary, "sflowtool", *arguments], check=True, capture_output=True).stdout


def tshark(capture, fields, *arguments):
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a",
               "-E", "aggregator=,", *arguments]
    for field in fields:
        command += ["-e", field]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [dict(zip(fields, line.split("|"))) for line in out.splitlines()]


def equal(what, ours, theirs):
    if ours != theirs:
        sys.exit(f"{what}: {ours!r} here, {theirs!r} by tshark")


def samples_of(objects):
    return [sample for datagram in objects for sample in datagram["samples"]]


def forms(binary, capture, scratch):
    objects = [json.loads(line) for line in tool(binary, "-r", capture, "-j").splitlines()]
    text = tool(binary, "-r", capture, "-J").decode()
    indented = [json.loads(part) for part in text.split("\n\n") if part.strip()]
    equal("-J", indented, objects)
    text_samples(binary, capture, objects)

    # As datagrams of their own port, which is how tshark knows them.
    datagrams = f"{scratch}/datagrams.pcap"
    open(datagrams, "wb").write(tool(binary, "-r", capture, "-M"))
    frames = tshark(datagrams, ["sflow_245.sequence_number", "sflow_245.sysuptime", "sflow_245.numsamples",
                                "sflow.flow_sample.sampling_rate", "sflow.flow_sample.sample_pool",
                                "sflow_245.header.frame_length"])
    equal("datagrams", len(objects), len(frames))
    for datagram, frame in zip(objects, frames):
        equal("packetSequenceNo", datagram["packetSequenceNo"], frame["sflow_245.sequence_number"].split(",")[0])
        equal("sysUpTime", datagram["sysUpTime"], frame["sflow_245.sysuptime"])
        equal("samplesInPacket", datagram["samplesInPacket"], frame["sflow_245.numsamples"])
        flows = [it for it in datagram["samples"] if it.get("sampleType") == "FLOWSAMPLE"]
        for ours, theirs in (("meanSkipCount", "sampling_rate"), ("samplePool", "sample_pool")):
            equal(ours, ",".join(it[ours] for it in flows), frame[f"sflow.flow_sample.{theirs}"])
        sizes = [element["sampledPacketSize"] for it in flows for element in it["elements"]
                 if element.get("flowSampleType") == "HEADER"]
        equal("sampledPacketSize", ",".join(sizes), frame["sflow_245.header.frame_length"])
    packets(binary, capture, scratch, objects)


def text_samples(binary, capture, objects):
    """Text has the values of JSON, in the same order."""
    lines = [line.split(" ", 1) for line in tool(binary, "-r", capture).decode().splitlines()]
    values = [value for name, value in lines if not name.startswith(("start", "end"))]

    def walk(part):
        for name, value in part.items():
            if isinstance(value, str):
                yield value
            else:
                for item in value:
                    yield from [item] if isinstance(item, str) else walk(item)

    equal("text", values, [value for datagram in objects for value in walk(datagram)])


def packets(binary, capture, scratch, objects):
    """The packets of -t by tshark are those of the lines and of the names."""
    path = f"{scratch}/packets.pcap"
    open(path, "wb").write(tool(binary, "-r", capture, "-t"))
    fields = ["frame.len", "eth.src", "eth.dst", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.id", "ip.len",
              "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "ip.ttl", "ipv6.hlim"]
    frames = tshark(path, fields)
    flows = [sample for sample in samples_of(objects) if sample.get("sampleType") == "FLOWSAMPLE"]
    lines = [line.split(",") for line in tool(binary, "-r", capture, "-l").decode().splitlines()]
    lines = [line for line in lines if line[0] == "FLOW"]
    equal("lines", len(lines), len(flows))
    both = [(element, line) for sample, line in zip(flows, lines) for element in sample["elements"]
            if element.get("flowSampleType") == "HEADER"]
    equal("packets", len(both), len(frames))

    def first(frame, *names):
        found = [frame[name].split(",")[0] for name in names if frame[name]]
        return found[0] if found else None

    for (header, line), frame in zip(both, frames):
        mac = lambda name: first(frame, name).replace(":", "")
        equal("sampledPacketSize", header["sampledPacketSize"], frame["frame.len"])
        equal("srcMAC", (header["srcMAC"], line[4]), (mac("eth.src"),) * 2)
        equal("dstMAC", (header["dstMAC"], line[5]), (mac("eth.dst"),) * 2)
        source = first(frame, "ip.src", "ipv6.src")
        if source is None:
            equal("srcIP", line[9], "-")
            continue
        exploded = lambda name6, name4: ipaddress.ip_address(first(frame, name4, name6)).exploded
        six = "srcIP6" in header
        names = ("srcIP6", "dstIP6") if six else ("srcIP", "dstIP")
        equal("source", (header[names[0]], line[9]), (exploded("ipv6.src", "ip.src"),) * 2)
        equal("destination", (header[names[1]], line[10]), (exploded("ipv6.dst", "ip.dst"),) * 2)
        equal("IPTTL", (header["IPTTL"], line[13]), (first(frame, "ip.ttl", "ipv6.hlim"),) * 2)
        if not six:
            equal("IPID", int(header["IPID"]), int(first(frame, "ip.id"), 0))
            equal("ip.tot_len", header["ip.tot_len"], first(frame, "ip.len"))
        for ours, column, theirs in (("TCPSrcPort", 14, "tcp.srcport"), ("TCPDstPort", 15, "tcp.dstport"),
                                     ("UDPSrcPort", 14, "udp.srcport"), ("UDPDstPort", 15, "udp.dstport")):
            if ours in header:
                equal(ours, (header[ours], line[column]), (first(frame, theirs),) * 2)


class Receiver:
    """A socket that keeps what comes until nothing does."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Root may have as much as it takes to keep all that comes while the machine does something else.
        for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):
            try:
                self.socket.setsockopt(socket.SOL_SOCKET, option, 1 << 26)
            except PermissionError:
                pass
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.datagrams = []
        self.done = False
        self.socket.settimeout(1)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            try:
                self.datagrams.append(self.socket.recv(65535))
            except TimeoutError:
                if self.done:
                    return

    def all(self):
        self.done = True
        self.thread.join()
        return self.datagrams


def payloads(path):
    """The UDP payloads of a capture that -M wrote: 16 bytes of record, 42 of headers."""
    data = open(path, "rb").read()
    at, found = 24, []
    while at < len(data):
        held, = struct.unpack_from("<I", data, at + 8)
        found.append(data[at + 16 + 42:at + 16 + held])
        at += 16 + held
    return found


def forward(binary, capture, scratch):
    receivers = [Receiver(), Receiver()]
    targets = [word for it in receivers for word in ("-f", f"127.0.0.1/{it.port}")]
    path = f"{scratch}/forwarded.pcap"
    open(path, "wb").write(tool(binary, "-r", capture, "-M", *targets))
    for receiver in receivers:
        received = receiver.all()
        if received != payloads(path):
            sys.exit(f"{len(received)} datagrams came, {len(payloads(path))} were sent")


def write_capture(path, datagrams, port):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for bytes_ in datagrams:
            udp = struct.pack(">HHHH", port, port, 8 + len(bytes_), 0) + bytes_
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
            frame = bytes(12) + b"\x08\x00" + ip + udp
            out.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def netflow(binary, capture, scratch, version):
    receiver = Receiver()
    tool(binary, "-r", capture, "-c", "127.0.0.1", "-d", str(receiver.port), "-N", version)
    datagrams = receiver.all()
    path = f"{scratch}/netflow.pcap"
    write_capture(path, datagrams, 2055)
    fields = ["cflow.srcaddr", "cflow.srcaddrv6", "cflow.dstaddr", "cflow.dstaddrv6", "cflow.packets", "cflow.octets",
              "cflow.srcport", "cflow.dstport", "cflow.protocol", "cflow.tos", "cflow.inputint", "cflow.sequence"]
    theirs = tshark(path, fields, "-d", "udp.port==2055,cflow")
    expected = []
    objects = [json.loads(line) for line in tool(binary, "-r", capture, "-j").splitlines()]
    for sample in samples_of(objects):
        for header in sample.get("elements", []):
            six = "srcIP6" in header
            if sample.get("sampleType") != "FLOWSAMPLE" or "IPSize" not in header or "IPFragmentOffset" in header:
                continue
            if six and version == "5":
                continue
            rate = int(sample["meanSkipCount"])
            size = int(header.get("UDPBytes", 0)) or int(header["IPSize"])
            ports = [header.get(f"{kind}{end}Port") for end in ("Src", "Dst") for kind in ("TCP", "UDP")]
            found = [port for port in ports if port] or [header.get("ICMPType", "0"), header.get("ICMPCode", "0")]
            expected.append((ipaddress.ip_address(header["srcIP6" if six else "srcIP"]),
                             ipaddress.ip_address(header["dstIP6" if six else "dstIP"]),
                             rate, rate * size, *map(int, found), int(header["IPProtocol"]), int(header["IPTOS"])))
    found = []
    for at, flow in enumerate(theirs):
        equal("sequence", int(flow["cflow.sequence"]), at)
        one = lambda *names: next(flow[name].split(",")[-1] for name in names if flow[name])
        found.append((ipaddress.ip_address(one("cflow.srcaddr", "cflow.srcaddrv6")),
                      ipaddress.ip_address(one("cflow.dstaddr", "cflow.dstaddrv6")),
                      int(one("cflow.packets")), int(one("cflow.octets")), int(one("cflow.srcport")),
                      int(one("cflow.dstport")), int(one("cflow.protocol")), int(one("cflow.tos"), 0)))
    if len(found) < 1000:
        sys.exit(f"only {len(found)} flows came")
    equal("flows", len(expected), len(found))
    for ours, theirs in zip(expected, found):
        equal("flow", ours, theirs)


def agents_of_flows(objects):
    """The agent of each sample that NetFlow v5 can tell."""
    for it in objects:
        for sample in it["samples"]:
            if sample.get("sampleType") != "FLOWSAMPLE":
                continue
            if any("IPSize" in header and "srcIP" in header and "IPFragmentOffset" not in header
                   for header in sample["elements"]):
                yield it["agent"]


GROUP = "239.255.63.43"


def spoof(binary, capture, scratch):
    """Raw packets from each agent's address, to one collector and to a group of them."""
    objects = [json.loads(line) for line in tool(binary, "-r", capture, "-j").splitlines()]
    wanted = list(agents_of_flows(objects))
    for collector in ["127.0.0.1", GROUP]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 27)
            receiver.bind((collector, 0))
            if collector == GROUP:
                member = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
                receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            port = receiver.getsockname()[1]
            tool(binary, "-r", capture, "-c", collector, "-d", str(port), "-S")
            receiver.settimeout(1)
            sources = []
            try:
                while True:
                    payload, source = receiver.recvfrom(65535)
                    assert payload[:2] == b"\0\5" and source[1] == port, (payload, source)
                    sources.append(source[0])
            except TimeoutError:
                pass
        if len(wanted) < 1000 or sources != wanted:
            sys.exit(f"{collector}: {len(sources)} flows of {set(sources)} came, not {len(wanted)} of {set(wanted)}")
        print(f"  {collector}: {len(sources)} flows, each from its agent's address")


def relay(binary, capture, scratch):
    """One that sends on to another, which prints: as the capture itself is printed. The first waits for its port (-k)."""
    ports = []
    holders = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for holder in holders:
        holder.bind(("127.0.0.1", 0))
        ports.append(holder.getsockname()[1])
    first, second = ports
    holders[1].close()
    start = lambda *words, **more: subprocess.Popen([binary, "sflowtool", "-4", "-b", "127.0.0.1", *words], text=True,
                                                    stderr=subprocess.PIPE, **more)
    printer = start("-l", "-p", str(second), stdout=subprocess.PIPE)
    assert "listening" in printer.stderr.readline()
    sender = start("-k", "-p", str(first), "-f", f"127.0.0.1/{second}")
    said = sender.stderr.readline()
    assert said.startswith("finderscope: error: ") and str(first) in said, said
    # Some more tries, which are not told.
    time.sleep(0.5)
    holders[0].close()
    said = sender.stderr.readline()
    assert "listening" in said, said
    wanted = tool(binary, "-r", capture, "-l").decode().splitlines()
    subprocess.run([binary, "replay", capture, "--to", f"udp://127.0.0.1:{first}", "--rate", "2000"], check=True,
                   stdout=subprocess.DEVNULL)
    found = [printer.stdout.readline().rstrip("\n") for _ in wanted]
    sender.terminate()
    printer.terminate()
    assert (sender.wait(), printer.wait()) == (0, 0)
    # Exporters send side by side.
    if sorted(found) != sorted(wanted):
        sys.exit(f"{len(set(wanted) - set(found))} of {len(wanted)} lines did not come")
    rest = sender.stderr.read()
    assert re.fullmatch(r"(finderscope: and \d+ more like it\n)?", rest), rest
    print(f"  {len(found)} lines through two of them")


if __name__ == "__main__":
    {"forms": forms, "forward": forward, "netflow": netflow, "spoof": spoof, "relay": relay}[sys.argv[1]](*sys.argv[2:])
