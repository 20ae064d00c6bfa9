"""What rows that time whole commands share: warm files, both sides in turn, answers compared before times."""

import statistics
import subprocess
import time
from dataclasses import asdict, dataclass

from . import exchange, process

# What a question may take: nfdump's pairs of a day are slow.
SECONDS = 1800


@dataclass
class Timed:
    """One run of a command."""

    wall: float
    cpu: float
    peak_kb: int


def timed(bench, command, seconds=SECONDS):
    """Runs a command with its answer thrown away, on all cores."""
    usage = process.run(command, bench.log("asking"), seconds, cores=bench.all_cores, stdout=subprocess.DEVNULL)
    return Timed(usage.wall, usage.cpu, usage.peak_kb)


def answer(command, seconds=SECONDS):
    """What a command answers; this run is also the one that warms the files up."""
    began = time.monotonic()
    text = process.output(command, seconds)
    return text, time.monotonic() - began


def pair(bench, name, ours, theirs):
    """Both in turn; their times, and the ratio of the medians."""
    mine, others = exchange.pairwise(bench.rounds, lambda: timed(bench, ours), lambda: timed(bench, theirs))
    result = {"finderscope": [asdict(run) for run in mine], "peer": [asdict(run) for run in others]}
    told = [statistics.median(run.wall for run in runs) for runs in (mine, others)]
    cpu = [statistics.median(run.cpu for run in runs) for runs in (mine, others)]
    bench.say(f"  {name}: {told[0]:.3f} s beside {told[1]:.3f} s, {told[1] / told[0]:.1f} times as fast"
              f" (processor {cpu[0]:.2f} s beside {cpu[1]:.2f} s)")
    return result
