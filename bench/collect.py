"""Collecting: what the processor spends on a flow until it lies in a file that questions read.

Ours, nfcapd and goflow2 get the same capture from the same sender at the same rate, one that none of them drops at. The
processor's time is that of the collector's whole life: starting, receiving, sealing at SIGTERM.
"""

from . import exchange, process, workload
from .collectors import MERGED_LATER, Finderscope, Goflow2, Nfcapd

# Datagrams a second: about half of what the slowest collector that stores takes on one core.
RATES = {"v5": 24_000, "v9": 24_000, "ipfix": 24_000, "sflow": 60_000}
GOFLOW2_RATES = {"v5": 4_000, "v9": 3_000, "ipfix": 3_000, "sflow": 10_000}
# goflow2 is slow enough to be measured on less.
GOFLOW2_SHARE = 4


def run(bench, kinds=workload.KINDS):
    """Results by kind: passes of each collector."""
    return {kind: one(bench, kind) for kind in kinds}


def one(bench, kind):
    flows = bench.flows // (4 if kind == "sflow" else 1)
    loops = 1 if bench.quick else 3
    taken = workload.capture(bench, kind, flows)
    result = {"kind": kind, "loops": loops, "rate": RATES[kind]}
    bench.say(f"collect {kind}: {taken.flows * loops} flows in {taken.datagrams * loops} datagrams, {bench.rounds} rounds")
    rate = lossless_rate(bench, Nfcapd, taken, RATES[kind])
    ours, theirs = exchange.pairwise(
        bench.rounds,
        lambda: told(bench, exchange.once(bench, Finderscope(bench, bench.scratch / "ours", MERGED_LATER), taken, rate, loops)),
        lambda: told(bench, exchange.once(bench, Nfcapd(bench, bench.scratch / "theirs"), taken, rate, loops)))
    result |= {"rate": rate, "finderscope": records(ours), "nfcapd": records(theirs)}
    if bench.peers.goflow2 is None:
        result["goflow2"] = []
        return result
    small = workload.capture(bench, kind, max(flows // GOFLOW2_SHARE, 20_000))
    slow = lossless_rate(bench, Goflow2, small, GOFLOW2_RATES[kind])
    beside, goflow2 = exchange.pairwise(
        bench.rounds,
        lambda: told(bench, exchange.once(bench, Finderscope(bench, bench.scratch / "ours", MERGED_LATER), small, slow)),
        lambda: told(bench, exchange.once(bench, Goflow2(bench, bench.scratch / "theirs"), small, slow)))
    return result | {"goflow2_rate": slow, "finderscope_slow": records(beside), "goflow2": records(goflow2)}


def lossless_rate(bench, peer, taken, rate):
    """Goes down from `rate` until the peer loses nothing: then ours is asked for the same."""
    for _ in range(5):
        done = exchange.once(bench, peer(bench, bench.scratch / "theirs"), taken, rate)
        if done.lossless and done.equal:
            return rate
        bench.say(f"  {done.collector} loses {done.losses} at {rate} datagrams/s; trying less")
        rate = rate * 2 // 3
    raise process.Failed(f"{peer.__name__} loses datagrams even at {rate} a second")


def told(bench, done):
    """Says how a pass went, while it goes on."""
    if not done.lossless:
        bench.say(f"  {done.collector:22} lost {done.losses} of {done.datagrams} datagrams at {done.rate:.0f} a second")
        return done
    cpu, user, system = done.ns()
    bench.say(f"  {done.collector:22} {cpu:7.0f} ns/flow (user {user:.0f}, system {system:.0f})"
              f"  {done.stored_bytes / done.flows:5.1f} B/flow  peak {done.peak_kb / 1024:.0f} MB"
              f"  {done.rate * done.flows / done.datagrams / 1e6:.2f} M flows/s"
              + ("" if done.equal else "  NOT EQUAL: " + "; ".join(done.notes)))
    return done


def records(passes):
    return [done.record() for done in passes]
