"""What a wrapped tool does at its end, from outside: signals, times, what is left running.

    wrapped.py FINDERSCOPE SFLOW_CAPTURE

The capture has datagrams of several samples. Each case is a function; all are run, and what failed is told.
"""

import fcntl
import inspect
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import traceback

FINDERSCOPE, CAPTURE = sys.argv[1:3]
# A loaded machine may need this long for what takes milliseconds.
SOON = 15.0
# What is promised of the end at the N-th packet; of several runs the best must keep it, whatever else the machine does.
PROMPT = 0.1
NOT_FOUND = 127


started = []


class Tool:
    """`finderscope TOOL` on a port of its own, as the leader of a process group, as a shell would start it."""

    def __init__(self, tool, *arguments, stdout=subprocess.PIPE, env=None):
        command = [FINDERSCOPE, tool, "--from", "udp://127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                                        process_group=0, env=env)
        started.append(self.process)
        self.told = b""
        self.port = int(self.until(rb"listening on udp://127\.0\.0\.1:(\d+)").group(1))
        self.tool = self.child()
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def until(self, pattern, seconds=30):
        """Reads stderr until it has the pattern."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.told)):
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern} in {self.told}"
            if select.select([self.process.stderr], [], [], left)[0]:
                more = os.read(self.process.stderr.fileno(), 65536)
                assert more, f"ended without {pattern}: {self.told}"
                self.told += more
        return found

    def child(self):
        """The tool's process id, as soon as it is the tool."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
                for child in map(int, children.read().split()):
                    with open(f"/proc/{child}/comm") as comm:
                        if comm.read().strip() in ("tcpdump", "tshark"):
                            return child
            time.sleep(0.01)
        raise AssertionError("the tool was not started")

    def send(self, payloads):
        for payload in payloads:
            self.sender.sendto(payload, ("127.0.0.1", self.port))

    def send_and_settle(self, payloads):
        """Sends, and waits until all of it was taken from the port, and then for what is under way."""
        self.send(payloads)
        deadline = time.monotonic() + 30
        while queued(self.port):
            assert time.monotonic() < deadline, "datagrams are not read"
            time.sleep(0.01)
        time.sleep(0.5)

    def interrupt(self):
        """Ctrl-C: the terminal's signal goes to the group in the foreground."""
        os.killpg(self.process.pid, signal.SIGINT)

    def until_ended(self):
        """Waits for its end, and is there at once."""
        end = os.pidfd_open(self.process.pid)
        assert select.select([end], [], [], 30)[0], "it does not end"
        os.close(end)

    def end(self, seconds=30):
        """Its exit status, output and messages; nothing of it is left."""
        out, err = self.process.communicate(timeout=seconds)
        deadline = time.monotonic() + SOON
        while left := group(self.tool):
            assert time.monotonic() < deadline, f"still there: {left}"
            time.sleep(0.01)
        return self.process.returncode, (out or b"").decode(), (self.told + err).decode()


def queued(port):
    """How many bytes wait in the queue of a UDP port of 127.0.0.1."""
    with open("/proc/net/udp") as table:
        rows = [line.split() for line in table]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{port:04X}"))


def group(leader):
    """The processes of a group."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                line = stat.read()
        except OSError:
            continue
        if int(line.rpartition(")")[2].split()[2]) == leader:
            found.append(line.split(" (")[0] + " " + line.partition("(")[2].partition(")")[0])
    return found


def in_pipe(reader):
    """How many bytes wait in a pipe."""
    return struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))[0]


def datagrams(path):
    """The payloads of a classic capture of UDP over IPv4 in Ethernet frames, as `generate` writes it."""
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at < len(data):
        length, = struct.unpack_from("<I", data, at + 8)
        frame = data[at + 16:at + 16 + length]
        yield frame[14 + (frame[14] & 15) * 4 + 8:]
        at += 16 + length


def packets_in(payload):
    """How many packets a datagram gives, by the program itself."""
    path = os.path.join(os.environ["scratch"], "one.dat")
    with open(path, "wb") as file:
        file.write(payload)
    command = [FINDERSCOPE, "decode", "--datagram", path, "--format", "json"]
    return subprocess.run(command, capture_output=True, check=True).stdout.count(b'"record":"flow"')


def ten_packets():
    """The first datagrams of the capture, as few as have ten packets."""
    payloads, count = [], 0
    for payload in datagrams(CAPTURE):
        if count >= 10:
            return payloads
        payloads.append(payload)
        count += packets_in(payload)
    raise AssertionError("the capture has too few packets")


TEN = ten_packets()


def ends_at_the_tenth_packet(tool):
    took = []
    for _ in range(5):
        run = Tool(tool, "-nn", "-l", "-c", "10")
        # The time that it takes to start is not what is measured.
        run.send(TEN[:-1])
        printed = b""
        while not printed:
            assert select.select([run.process.stdout], [], [], 30)[0], "nothing is printed"
            printed = os.read(run.process.stdout.fileno(), 65536)
            assert printed, "the tool ended before the tenth packet"
        run.send(TEN[-1:])
        sent = time.monotonic()
        run.until_ended()
        took.append(time.monotonic() - sent)
        status, out, err = run.end()
        assert status == 0, (status, err)
        assert len((printed.decode() + out).splitlines()) == 10, out
        assert "packets" in err.splitlines()[-1], err
    took.sort()
    print(f"  {tool} -c 10, the source idle behind the tenth packet: ends after"
          f" {took[0] * 1000:.0f} to {took[-1] * 1000:.0f} ms, in the middle {took[2] * 1000:.0f} ms")
    assert took[0] < PROMPT and took[-1] < SOON, took


def tcpdump_ends_at_the_tenth_packet():
    ends_at_the_tenth_packet("tcpdump")


def tshark_ends_at_the_tenth_packet():
    ends_at_the_tenth_packet("tshark")


def ctrl_c_lets_tcpdump_finish():
    run = Tool("tcpdump", "-nn", "--count")
    run.until(rb"reading from file")
    run.send_and_settle(TEN)
    run.interrupt()
    status, out, err = run.end()
    assert status == 0, (status, err)
    assert re.fullmatch(r"\d+ packets\n", out), out
    assert re.search(rf"\nfinderscope: {out.split()[0]} packets given to tcpdump, {len(TEN)} datagrams?\n$", err), err


def ctrl_c_lets_tshark_say_its_statistics():
    run = Tool("tshark", "-q", "-z", "io,phs")
    run.send_and_settle(TEN)
    run.interrupt()
    status, out, err = run.end()
    assert status == 0, (status, err)
    assert "Protocol Hierarchy Statistics" in out and "eth" in out, out
    assert re.search(r"finderscope: \d+ packets given to tshark, ", err.splitlines()[-1]), err


def sigterm_is_ctrl_c_too():
    run = Tool("tcpdump", "-nn", "--count")
    run.process.terminate()
    status, out, err = run.end()
    assert (status, out) == (0, "0 packets\n"), (status, out, err)


def tshark_stops_by_time():
    run = Tool("tshark", "-n", "-q", "-z", "io,phs", "-a", "duration:1")
    run.send(TEN)
    status, out, err = run.end()
    assert status == 0 and "Protocol Hierarchy Statistics" in out, (status, out, err)


def a_killed_tool_is_told_by_the_status():
    for number in (signal.SIGKILL, signal.SIGSEGV):
        run = Tool("tcpdump", "-nn")
        os.kill(run.tool, number)
        status, _, err = run.end(SOON)
        assert status == 128 + number, (status, err)


def a_stuck_tool_ends_at_the_next_ctrl_c():
    reader, writer = os.pipe()
    run = Tool("tcpdump", "-nn", "-l", stdout=writer)
    os.close(writer)
    # Nobody reads, and all pipes fill up: the tool is stuck when no more comes out of it.
    deadline = time.monotonic() + 60
    held, since = 0, time.monotonic()
    while held < 60_000 or time.monotonic() - since < 1:
        assert time.monotonic() < deadline, f"{held} bytes were printed"
        run.send(TEN)
        time.sleep(0.001)
        if (now := in_pipe(reader)) != held:
            held, since = now, time.monotonic()
    run.interrupt()
    time.sleep(0.5)
    assert run.process.poll() is None, "the tool is not stuck, so that this tests nothing"
    for _ in range(2):
        run.interrupt()
        time.sleep(0.2)
    status, _, err = run.end(SOON)
    os.close(reader)
    # tcpdump ends by itself when a signal comes in the middle of its writing.
    told = "Unable to write output" in err
    assert status in (128 + signal.SIGTERM, 128 + signal.SIGKILL) or (status > 0 and told), (status, err)


def a_closed_output_ends_all():
    run = Tool("tcpdump", "-nn", "-l")
    run.send(TEN)
    run.process.stdout.readline()
    run.process.stdout.close()
    run.process.wait(timeout=SOON)
    run.process.stdout = None
    status, _, err = run.end()
    # tcpdump catches SIGPIPE, and complains.
    assert status in (0, 128 + signal.SIGPIPE) or "Unable to write output: Broken pipe" in err, (status, err)


def a_full_disk_is_the_tools_failure():
    # tcpdump does not look at what becomes of its writing.
    run = Tool("tshark", "-n", "-w", "/dev/full")
    for _ in range(200):
        run.send(TEN)
        time.sleep(0.002)
    time.sleep(0.5)
    run.interrupt()
    status, _, err = run.end()
    assert status not in (0, 3) and "full" in err, (status, err)


def wrong_use_is_told():
    for line in ("tcpdump -i lo", "tcpdump -nnr x", "tcpdump --interface=lo", "tshark -nr x", "tshark -f udp",
                 "tcpdump --from a.pcap -n --from b.pcap", "tcpdump --bpf nonsense"):
        done = subprocess.run([FINDERSCOPE, *line.split()], capture_output=True, timeout=30)
        assert done.returncode == 2, (line, done)
        assert len(done.stderr.splitlines()) == 1, (line, done.stderr)


def a_missing_tool_is_told():
    # tcpdump may lie where every PATH is taken to lead; a name that nobody has does not.
    env = {"PATH": "/nonexistent"}
    for tool in ("tcpdump", "tshark"):
        if any(os.path.exists(f"{folder}/{tool}") for folder in ("/usr/sbin", "/usr/local/sbin", "/sbin")):
            continue
        done = subprocess.run([FINDERSCOPE, tool, "-n"], capture_output=True, env=env, timeout=30)
        assert done.returncode == NOT_FOUND, done
        assert f"apt install {tool}" in done.stderr.decode(), done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


def a_port_that_is_taken_runs_nothing():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        source = f"udp://127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run([FINDERSCOPE, "tcpdump", "--from", source, "-n"], capture_output=True, timeout=30)
    assert done.returncode == 1 and b"is taken" in done.stderr, done
    assert b"reading from" not in done.stderr, done.stderr


def root_runs_it_as_somebody_else():
    if os.geteuid() != 0:
        print("  not root: nobody to become")
        return
    for env, wanted in (({}, "nobody"), ({"SUDO_UID": "12345", "SUDO_GID": "54321"}, 12345)):
        run = Tool("tcpdump", "-nn", env={**os.environ, **env})
        with open(f"/proc/{run.tool}/status") as status:
            fields = {name: value.strip() for name, _, value in (line.partition(":") for line in status)}
        run.interrupt()
        run.end()
        if wanted == "nobody":
            import pwd
            wanted = pwd.getpwnam("nobody").pw_uid
        assert fields["Uid"].split() == [str(wanted)] * 4, fields["Uid"]
        assert fields["Gid"].split()[0] != "0" and fields["Groups"] == "", fields
        assert int(fields["CapEff"], 16) == 0, fields["CapEff"]


def end_all():
    """Ends what a failed case left; its tool ends with it."""
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
    started.clear()


def main():
    failed = 0
    # What runs in groups of its own outlives the signal that ends a test which takes too long.
    signal.signal(signal.SIGTERM, lambda *_: (end_all(), os._exit(1)))
    helpers = (main, ten_packets, end_all)
    cases = [it for _, it in inspect.getmembers(sys.modules[__name__], inspect.isfunction)
             if it not in helpers and not inspect.signature(it).parameters]
    for case in cases:
        try:
            case()
            print("ok:", case.__name__.replace("_", " "))
        except Exception:
            failed += 1
            print("FAILED:", case.__name__.replace("_", " "))
            traceback.print_exc()
        end_all()
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


main()
