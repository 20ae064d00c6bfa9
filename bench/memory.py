"""Resident memory at its highest (VmHWM) while two million flows a second come in, or as many as the sender can send."""

import math

from . import collect, exchange, workload
from .collectors import Finderscope, Nfacctd, Nfcapd

FLOWS_PER_SECOND = 2_000_000


def run(bench):
    """Passes of each collector."""
    taken = workload.capture(bench, "v5", 600_000 // (4 if bench.quick else 1))
    seconds = 3 if bench.quick else 20
    rate = FLOWS_PER_SECOND * taken.datagrams / taken.flows
    loops = max(1, math.ceil(rate * seconds / taken.datagrams))
    bench.say(f"memory: v5 at {rate:.0f} datagrams/s for {seconds} s, {bench.rounds} rounds")
    passes = exchange.pairwise(bench.rounds, *(
        (lambda maker=maker: collect.told(bench, exchange.once(
            bench, maker(bench, bench.scratch / "collector"), taken, rate, loops)))
        for maker in (Finderscope, Nfcapd, Nfacctd)))
    return {"rate": rate, "seconds": seconds} | dict(zip(("finderscope", "nfcapd", "nfacctd"), map(collect.records, passes)))
