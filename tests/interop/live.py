"""The readers of live.sh.

    sink PORT FILE          receives datagrams until SIGTERM; their sorted digests
    count PCAP... FILE      the same of the UDP payloads of captures (classic pcap, Ethernet, IPv4); prints how many
    frames PORT TOKEN FILE  reads live packets as frames until the stream ends; how many, and the losses it is told
    nothing PORT TOKEN      asks for live packets and does not read them
"""

import hashlib
import http.client
import json
import signal
import socket
import struct
import sys
import time

# Linux has it; Python does not name it.
SO_RCVBUFFORCE = 33


def write_digests(datagrams, path):
    with open(path, "w") as file:
        file.writelines(sorted(hashlib.sha256(bytes_).hexdigest() + "\n" for bytes_ in datagrams))


def sink(port, path):
    class Ended(Exception):
        pass

    def end(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Ended

    signal.signal(signal.SIGTERM, end)
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Root may have as much as it takes to keep all that comes while the machine does something else.
    for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):
        try:
            receiver.setsockopt(socket.SOL_SOCKET, option, 64 << 20)
        except PermissionError:
            pass
    receiver.bind(("127.0.0.1", int(port)))
    datagrams = []
    try:
        while True:
            datagrams.append(receiver.recv(65536))
    except Ended:
        write_digests(datagrams, path)


def payloads(path):
    data = open(path, "rb").read()
    magic, = struct.unpack_from("<I", data)
    order = "<" if magic in (0xA1B2C3D4, 0xA1B23C4D) else ">"
    at = 24
    while at < len(data):
        held, = struct.unpack_from(order + "I", data, at + 8)
        frame = data[at + 16 : at + 16 + held]
        at += 16 + held
        ip = 14
        udp = ip + 4 * (frame[ip] & 15)
        length, = struct.unpack_from(">H", frame, udp + 4)
        yield frame[udp + 8 : udp + length]


def count(*arguments):
    *captures, path = arguments
    datagrams = [payload for capture in captures for payload in payloads(capture)]
    write_digests(datagrams, path)
    print(len(datagrams))


def stream(port, token_file, path):
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    token = open(token_file).read().strip()
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    return answer


def frames(port, token_file, path):
    answer = stream(port, token_file, "/api/v1/packets?format=frames")
    packets = lost = 0
    while head := answer.read(4):
        length, = struct.unpack("<I", head)
        frame = answer.read(length)
        assert len(frame) == length, "the stream ends inside a frame"
        packets += frame[0] == 1
        lost = struct.unpack("<Q", frame[1:])[0] if frame[0] == 3 else lost
    json.dump({"packets": packets, "lost": lost}, open(path, "w"))


def nothing(port, token_file):
    connection = socket.create_connection(("127.0.0.1", int(port)))
    token = open(token_file).read().strip()
    request = f"GET /api/v1/packets?format=frames HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    connection.sendall(request.encode())
    time.sleep(600)


if __name__ == "__main__":
    {"sink": sink, "count": count, "frames": frames, "nothing": nothing}[sys.argv[1]](*sys.argv[2:])
