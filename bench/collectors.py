"""The collectors, ours and the peers', each started and asked in its own way.

All have the same shape: `start`, the socket of `port`, `stop`, and then what was stored. Every one asks the kernel for the
same receive buffer, so that none is forgiven more lateness than another.
"""

import json
import re
import shutil
import signal
import time
import urllib.request
from pathlib import Path

from . import process, sockets, store

# What each asks for; the kernel gives twice that, for its own book-keeping, or less where net.core.rmem_max says so.
RECEIVE_BUFFER = 4_000_000


class Collector:
    """What all have in common."""

    # How the program is called in tables.
    name = ""
    # Which kinds it takes.
    kinds = ("v5", "v9", "ipfix", "sflow")
    # Kinds of which it stores volumes times the sampling rate.
    scales = ()
    # Whether it keeps flows; otherwise `totals` has their number alone.
    stores = True

    def __init__(self, bench, folder):
        self.bench, self.folder, self.port = bench, Path(folder), sockets.free_port()
        self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def command(self, kind):
        raise NotImplementedError

    def start(self, kind, cores):
        self.process = process.Process(self.command(kind), self.folder / "log", cores=cores, nofile=65_536)
        if not sockets.wait_bound(self.port, self.process.alive):
            self.process.stop()
            raise process.Failed(f"{self.name} does not listen\n{self.process.tail()}")
        self.ready()

    def ready(self):
        """Waits for what comes after the socket."""

    def settle(self, flows, seconds=120):
        """Waits until what the kernel queued has been taken; whether it was, in time."""
        return sockets.wait_drained(self.port, seconds)

    def losses(self):
        """What was not taken: drops of the kernel, and of the collector where it says so. Before `stop`."""
        return {"kernel": sockets.drops(self.port)}

    def stop(self):
        return self.process.stop()

    def stored_bytes(self):
        """On the disk, for the flows."""
        return 0

    def totals(self):
        """Flows, bytes and packets that it has now."""
        raise NotImplementedError

    def remove(self):
        if self.process is not None:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


# The hour that is not over yet is not merged: what merging costs is measured by itself, in `size`.
MERGED_LATER = "[store]\nmerge_parts = 1000000\n"


class Finderscope(Collector):
    """`finderscope serve`, with the defaults of its configuration but for what `config` says."""

    name = "finderscope"

    def __init__(self, bench, folder, config=""):
        super().__init__(bench, folder)
        self.http, self.data, self.config = sockets.free_port(), self.folder / "data", config
        self.last = None

    def command(self, kind):
        file = self.folder / "serve.toml"
        file.write_text(self.config)
        return [self.bench.finderscope, "serve", "--config", file, "--data", self.data, "--http", f"127.0.0.1:{self.http}",
                "--listen", f"udp://127.0.0.1:{self.port}?receive_buffer={RECEIVE_BUFFER}"]

    def ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.alive():
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.http}/healthz", timeout=5).read()
                return
            except OSError:
                time.sleep(0.05)
        raise process.Failed(f"serve does not answer\n{self.process.tail()}")

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/api/v1/status", timeout=60) as answer:
            return json.load(answer)

    def losses(self):
        self.last = status = self.status()
        datagrams = status["totals"]["datagrams"]
        return super().losses() | {
            "listener": sum(listener["kernel_drops"] for listener in status["listeners"]),
            "journal": sum(journal.get("refused", 0) for journal in status["journals"]),
            "not decoded": datagrams["received"] - datagrams["decoded"]}

    def stored_bytes(self):
        return sum(path.stat().st_size for path in (self.data / "flows").rglob("*.parquet"))

    def totals(self):
        return store.totals(self.bench, self.data)


class Nfcapd(Collector):
    """nfdump's collectors: nfcapd for NetFlow and IPFIX, sfcapd for sFlow."""

    # The rate of a version 5 header, and that of a sample.
    scales = ("v5", "sflow")

    def __init__(self, bench, folder, compression="-y"):
        super().__init__(bench, folder)
        self.compression, self.name = compression, f"nfcapd {compression}"
        self.flows = self.folder / "flows"

    def command(self, kind):
        program = "sfcapd" if kind == "sflow" else "nfcapd"
        self.name = f"{program} {self.compression}"
        self.flows.mkdir(exist_ok=True)
        return [program, "-p", self.port, "-b", "127.0.0.1", "-w", self.flows, "-B", RECEIVE_BUFFER, "-t", 86_400,
                self.compression]

    def stored_bytes(self):
        return sum(path.stat().st_size for path in self.flows.glob("nfcapd.*"))

    def totals(self):
        return nfdump_totals(self.flows)


def nfdump_totals(flows):
    """What nfdump counts when it reads every record."""
    return parse_nfdump_totals(process.output(["nfdump", "-R", flows, "-N", "-s", "proto", "-n", 1], 3600))


def parse_nfdump_totals(text):
    found = re.search(r"Summary: total flows: (\d+), total bytes: (\d+), total packets: (\d+)", text)
    if not found:
        raise process.Failed(f"nfdump gave no summary:\n{text[-500:]}")
    return dict(zip(("flows", "bytes", "packets"), map(int, found.groups())))


class Goflow2(Collector):
    """goflow2 with protobuf to /dev/null. It stores nothing; its metrics say how many flows it made.

    One worker, on its one core: with more it decodes data before the template that came first, and loses these flows.
    """

    name = "goflow2 -format bin"
    stores = False

    def __init__(self, bench, folder):
        super().__init__(bench, folder)
        self.http, self.kind, self.counted = sockets.free_port(), None, {}

    def command(self, kind):
        self.kind = kind
        scheme = "sflow" if kind == "sflow" else "netflow"
        return [self.bench.peers.goflow2, "-listen", f"{scheme}://127.0.0.1:{self.port}?count=1&workers=1",
                "-format", "bin",
                "-transport.file", "/dev/null", "-addr", f"127.0.0.1:{self.http}"]

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=60) as answer:
            return answer.read().decode()

    def settle(self, flows, seconds=120):
        """Beside the kernel's it has a queue of its own: waits until the flows are made, or no more come."""
        sockets.wait_drained(self.port, seconds)
        before, deadline = -1, time.monotonic() + seconds
        while (now := goflow2_flows(self.metrics(), self.kind)) < flows and time.monotonic() < deadline:
            if now == before:
                break
            before = now
            time.sleep(2)
        return now >= flows

    def losses(self):
        metrics = self.metrics()
        self.counted = {"flows": goflow2_flows(metrics, self.kind)}
        dropped = sum(value for name, _, value in samples(metrics) if name == "goflow2_flow_dropped_packets_total")
        return super().losses() | {"queue": int(dropped)}

    def totals(self):
        return self.counted


def goflow2_flows(metrics, kind):
    """Its counter of flows has another name for each protocol."""
    name, label = {"v5": ("goflow2_flow_process_nf_flowset_total", "DataFlowSet"),
                   "sflow": ("goflow2_flow_process_sf_samples_total", "FlowSample")}.get(
        kind, ("goflow2_flow_process_nf_flowset_records_total", "DataFlowSet"))
    return int(sum(value for found, labels, value in samples(metrics) if found == name and f'type="{label}"' in labels))


def samples(metrics):
    """(name, labels, value) of each line of a Prometheus text."""
    for line in metrics.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? ([-+.\deE]+|NaN)", line)
        if found:
            yield found[1], found[2] or "", float(found[3])


class Nfacctd(Collector):
    """pmacct's collectors, adding up by exporter, with the memory table written at the end."""

    # Its core hands records to a plugin in the background, and nothing tells when that is done.
    PLUGIN_SECONDS = 3

    def __init__(self, bench, folder):
        super().__init__(bench, folder)
        self.name, self.out = "nfacctd", self.folder / "out.json"

    def command(self, kind):
        self.name = "sfacctd" if kind == "sflow" else "nfacctd"
        config = self.folder / "pmacct.conf"
        config.write_text(f"""daemonize: false
{self.name}_ip: 127.0.0.1
{self.name}_port: {self.port}
{self.name}_pipe_size: {RECEIVE_BUFFER}
plugins: print
plugin_pipe_size: 64000000
plugin_buffer_size: 64000
aggregate: peer_src_ip, proto, tos
print_output: json
print_output_file: {self.out}
print_refresh_time: 86400
""")
        return [self.name, "-f", config]

    def settle(self, flows, seconds=120):
        drained = super().settle(flows, seconds)
        time.sleep(self.PLUGIN_SECONDS)
        return drained

    def peak_kb(self):
        """Of the core and the plugin together."""
        return sum(process.status_kb(pid, "VmHWM") for pid in [self.process.pid, *process.children(self.process.pid)])

    def stop(self):
        return self.process.stop(signal.SIGINT)

    def totals(self):
        totals = {"bytes": 0, "packets": 0}
        for line in self.out.read_text().splitlines():
            row = json.loads(line)
            totals["bytes"] += int(row["bytes"])
            totals["packets"] += int(row["packets"])
        return totals
