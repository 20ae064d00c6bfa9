"""All flows of one address in a day of flows, beside nfdump on the same flows. Files are warm."""

import json

from . import asking, process
from .day import day

# Ranks among the day's sources: with Zipf's skew the first has a tenth of all flows, and the last of these some hundreds.
RANKS = {"busy": 300, "rare": 5_000}


def run(bench):
    """Times for each kind of address."""
    asked = day(bench)
    rank = max(RANKS.values())
    ranked, _ = asking.answer([bench.finderscope, "top", "src_addr", "--by", "flows", "-n", rank, "--format", "json", "--data",
                               asked.ours])
    addresses = [json.loads(line)["src_addr"] for line in ranked.splitlines()]
    result = {"flows": asked.flows}
    for name, rank in RANKS.items():
        address = addresses[min(rank, len(addresses)) - 1]
        ours = [bench.finderscope, "flows", f"ip {address}", "--format", "csv", "--data", asked.ours]
        theirs = ["nfdump", "-R", asked.theirs, "-q", "-o", "csv", f"ip {address}"]
        mine, others = (asking.answer(command)[0].splitlines() for command in (ours, theirs))
        found, expected = len(mine) - 1, sum(line[:2] == "20" for line in others)
        if found != expected or found == 0:
            raise process.Failed(f"{address}: finderscope has {found} flows, nfdump {expected}")
        bench.say(f"  {name}: {found} flows of {address}")
        result[name] = asking.pair(bench, name, ours, theirs) | {"rows": found}
    return result
