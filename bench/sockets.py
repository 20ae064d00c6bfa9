"""The kernel's own table of UDP sockets: who listens, what is queued, what was dropped."""

import socket
import time
from pathlib import Path

TABLES = ("/proc/net/udp", "/proc/net/udp6")


def parse(table, port):
    """(queued bytes, drops) of each socket on a port, of the text of /proc/net/udp."""
    found = []
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) >= 13 and int(words[1].rpartition(":")[2], 16) == port:
            found.append((int(words[4].partition(":")[2], 16), int(words[12])))
    return found


def on_port(port):
    return [entry for table in TABLES for entry in parse(Path(table).read_text(), port)]


def drops(port):
    return sum(entry[1] for entry in on_port(port))


def wait_bound(port, alive, seconds=60):
    """Waits until somebody listens."""
    deadline = time.monotonic() + seconds
    while not on_port(port):
        if not alive() or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def wait_drained(port, seconds=60):
    """Waits until what was queued has been read."""
    deadline = time.monotonic() + seconds
    while any(entry[0] for entry in on_port(port)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def free_port():
    """A port that nobody has, for UDP and TCP, outside those that a sender binds for its exporters (50,000 and on)."""
    for port in range(20_000, 32_000):
        # Another bench on the machine begins elsewhere.
        port = 20_000 + (port * 7 + time.monotonic_ns() // 1000) % 12_000
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
                return port
        except OSError:
            continue
    raise OSError("no free port")
