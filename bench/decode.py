"""Decoding alone: datagrams in memory to columns in memory, one core, and what share of the memory's bandwidth that is."""

import re
import statistics

from . import machine, process

# Bytes of a flow on the wire in what the example decodes, headers included.
LINE = re.compile(r"^(.*?)\s+([\d.]+) M flows/s\s+([\d.]+) ns/flow", re.MULTILINE)


def run(bench):
    """Million flows a second by name, one value a round, and the bandwidth of a copy."""
    if bench.decoding is None:
        raise process.Failed("the example `rate` is not built: give --decoding, or let this build (no --finderscope)")
    seconds = "1" if bench.quick else "3"
    rounds = {}
    for _ in range(bench.rounds):
        log = bench.log("decode")
        log.unlink(missing_ok=True)
        process.run([bench.decoding, seconds], log, 600, cores=bench.collector_cores)
        for name, rate, _ in LINE.findall(log.read_text()):
            rounds.setdefault(name.strip(), []).append(float(rate))
    if not rounds:
        raise process.Failed(f"the example said nothing: {log.read_text()[-500:]}")
    for name, rates in rounds.items():
        bench.say(f"  {name:24} {statistics.median(rates):6.2f} M flows/s")
    return {"rates": rounds, "memory_copy": machine.memory_copy()}
