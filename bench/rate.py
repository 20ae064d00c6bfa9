"""The highest rate at which nothing is lost, the collector alone on one core.

The sender is tried unpaced first: what it reaches is its ceiling, and a collector that loses nothing then has no rate of its
own to be found. Otherwise the rate is halved in between, some steps, each of them for some seconds: a socket's buffer must not
be what carries it.
"""

import math
import os
import re
import socket

from . import exchange, process, workload
from .collect import told
from .collectors import Finderscope, Nfcapd

# Loops of a sender beside another.
LOOPS = 20
FLOWS = {"v5": 600_000, "v9": 500_000, "ipfix": 400_000, "sflow": 100_000}


def run(bench):
    """By kind, for each collector: the rates found, one a round, in flows a second."""
    result = {kind: one(bench, kind) for kind in workload.KINDS}
    if program := os.environ.get("FINDERSCOPE_BLAST"):
        result["v5"]["senders"] = senders(bench, program)
    return result


def one(bench, kind):
    taken = workload.capture(bench, kind, FLOWS[kind] // (4 if bench.quick else 1))
    per_datagram = taken.flows / taken.datagrams
    steps, seconds = (3, 1.5) if bench.quick else (6, 5)
    bench.say(f"rate {kind}: {steps} steps of {seconds} s, {bench.rounds} rounds")
    ours, theirs = exchange.pairwise(
        bench.rounds,
        lambda: highest(bench, Finderscope, taken, steps, seconds),
        lambda: highest(bench, Nfcapd, taken, steps, seconds))
    return {"flows_per_datagram": per_datagram, "finderscope": ours, "nfcapd": theirs}


def highest(bench, collector, taken, steps, seconds):
    """Bisects. Rates in flows a second."""
    per_datagram = taken.flows / taken.datagrams

    def trial(rate, guess):
        loops = max(1, math.ceil(guess * seconds / taken.datagrams))
        return told(bench, exchange.once(bench, collector(bench, bench.scratch / "collector"), taken, rate, loops))

    unpaced = trial(None, 60_000)
    ceiling = unpaced.rate
    found = {"ceiling": ceiling * per_datagram, "unpaced_lost": lost_share(unpaced), "trials": []}
    if unpaced.lossless and unpaced.equal:
        return found | {"rate": ceiling * per_datagram, "at_ceiling": True}

    def attempt(rate):
        done = trial(rate, rate)
        held = done.lossless and done.equal
        found["trials"].append([done.rate * per_datagram, held])
        return done.rate, held

    return found | {"rate": bisect(attempt, ceiling, steps) * per_datagram, "at_ceiling": False}


def senders(bench, program):
    """Datagrams a second that `replay` and another program send, unpaced, to a socket that nobody reads: one pair a round."""
    taken = workload.capture(bench, "v5", FLOWS["v5"])

    def ours(port):
        return exchange.send(bench, taken, port, loops=LOOPS)[1]

    def theirs(port):
        log = bench.log("sender")
        log.unlink(missing_ok=True)
        process.run([program, taken.path, "127.0.0.1", port, "--loops", LOOPS], log, 300, cores=bench.sender_cores)
        if not (found := re.search(r"\brate=([\d.]+)", log.read_text())):
            raise process.Failed(f"{program} does not say its rate=: {log.read_text()[-200:]}")
        return float(found[1])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        replay, other = exchange.pairwise(bench.rounds, lambda: ours(port), lambda: theirs(port))
    bench.say(f"  senders: replay {replay} datagrams/s, {program} {other}")
    return {"replay": replay, "other": other}


def bisect(attempt, ceiling, steps):
    """The highest rate reached of those that held; `attempt` gives the rate that was reached, and whether it held."""
    low, high, best = 0.0, ceiling, 0.0
    for _ in range(steps):
        rate = (low + high) / 2
        reached, held = attempt(rate)
        if held:
            low, best = rate, max(best, reached)
        else:
            high = rate
    return best


def lost_share(done):
    """How much the collector's socket dropped, of what was sent."""
    return done.losses["kernel"] / done.datagrams
