"""One pass: a sender on one core, a collector on the other, everything counted on both sides."""

import re
import statistics
from dataclasses import asdict, dataclass, field

from . import process

# Datagrams and copies of what the sender prints.
SENT = re.compile(r"(\d+) datagrams, (\d+) bytes sent to \S+(?: in ([\d.]+) s, (\d+) a second)?, (\d+) errors")
LOAD_SECONDS = 300


@dataclass
class Pass:
    """What one pass was and cost."""

    collector: str
    flows: int
    datagrams: int
    # Datagrams a second that the sender reached.
    rate: float
    user: float
    system: float
    peak_kb: int
    losses: dict
    totals: dict
    stored_bytes: int
    merging: float = 0.0
    equal: bool = False
    notes: list = field(default_factory=list)

    @property
    def cpu(self):
        return self.user + self.system

    @property
    def lossless(self):
        return not any(self.losses.values())

    def ns(self):
        """Nanoseconds of the processor for a flow: in all, user, system."""
        return tuple(seconds * 1e9 / self.flows for seconds in (self.cpu, self.user, self.system))

    def record(self):
        """For the results."""
        return asdict(self) | {"lossless": self.lossless}


def send(bench, capture, port, rate=None, loops=1, cores=None):
    """Sends a capture; datagrams, how many a second, and what it cost."""
    log = bench.log("replay")
    log.unlink(missing_ok=True)
    command = [bench.finderscope, "replay", capture.path, "--to", f"udp://127.0.0.1:{port}", "--loops", loops]
    if rate:
        command += ["--rate", int(rate)]
    seconds = LOAD_SECONDS + (capture.datagrams * loops / rate if rate else 600)
    usage = process.run(command, log, seconds, cores=cores or bench.sender_cores, nofile=65_536)
    found = SENT.search(log.read_text())
    if not found:
        raise process.Failed(f"replay said nothing of what it sent:\n{log.read_text()[-500:]}")
    sent, _, _, per_second, errors = found.groups()
    if int(errors) or int(sent) != capture.datagrams * loops:
        raise process.Failed(f"replay sent {sent} of {capture.datagrams * loops} datagrams, {errors} errors")
    return int(sent), float(per_second or sent) / (1 if per_second else max(usage.wall, 1e-9)), usage


def once(bench, collector, capture, rate=None, loops=1):
    """Starts the collector, sends, waits until all was taken, ends it, and counts."""
    flows = capture.flows * loops
    try:
        collector.start(capture.kind, bench.collector_cores)
        sent, reached, _ = send(bench, capture, collector.port, rate, loops)
        drained = collector.settle(flows)
        losses = collector.losses()
        peak_kb = collector.peak_kb() if hasattr(collector, "peak_kb") else collector.process.peak_kb()
        usage = collector.stop()
        if usage.status not in (0, -2, -15):
            raise process.Failed(f"{collector.name} ended with status {usage.status}\n{collector.process.tail()}")
        done = Pass(collector.name, flows, sent, reached, usage.user, usage.system, max(peak_kb, usage.peak_kb), losses,
                    collector.totals(), collector.stored_bytes(), merging_seconds(collector))
        if not drained:
            done.notes.append("did not take everything in time")
        expected = capture.expected(loops, capture.kind in collector.scales)
        done.equal = all(done.totals[name] == expected[name] for name in done.totals)
        if not done.equal:
            done.notes.append(f"expected {expected}, found {done.totals}")
        return done
    finally:
        collector.remove()


def merging_seconds(collector):
    """The processor's time that went into merging, where the collector does that beside and says so."""
    keeping = (getattr(collector, "last", None) or {}).get("store", {}).get("keeping") or {}
    return float(keeping.get("cpu_seconds", 0.0))


def median(values):
    return statistics.median(values)


def pairwise(rounds, *makers):
    """Each maker once a round, the order turned round every time: what drifts, drifts for all."""
    results = [[] for _ in makers]
    for turn in range(rounds):
        order = range(len(makers)) if turn % 2 == 0 else reversed(range(len(makers)))
        for place in order:
            results[place].append(makers[place]())
    return results
