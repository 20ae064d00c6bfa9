"""A day of flows, the same in a store of ours and in nfdump's files.

For each hour a capture is generated, on that hour's clock, with traffic of its own between the same hosts. Ours is `import`ed,
so that rows have the capture's receive times; theirs is replayed over UDP into nfcapd, which keeps the flows' own times but
receives them now. Both end with a file or more for each hour. The exporters are three, since every fourth samples, and
nfdump's totals would not be scaled as ours are.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import exchange, process, store, workload
from .collectors import Nfcapd, nfdump_totals

HOURS = 24
EXPORTERS = 3
# Datagrams a second into nfcapd; where it loses one, the hour is sent again, slower.
RATE = 24_000
START = "2026-01-01T{:02}:00:00Z"


@dataclass
class Day:
    """Both stores."""

    ours: Path
    theirs: Path
    flows: int
    totals: dict


def day(bench):
    """Both stores, made where they are not there yet: ours for this binary, theirs once."""
    folder = bench.folder("days") / str(bench.day_flows)
    ours, theirs, note = folder / "ours", folder / "theirs", folder / "day.json"
    known = json.loads(note.read_text()) if note.exists() else {}
    wanted = {"theirs": True, "ours": bench.identity()}
    if any(known.get(name) != value for name, value in wanted.items()):
        known = make(bench, folder, known)
        note.write_text(json.dumps(known))
    return Day(ours, theirs, known["totals"]["flows"], known["totals"])


def make(bench, folder, known):
    """Fills both, hour by hour, so that there is never more than one hour's capture."""
    ours, theirs = folder / "ours", folder / "theirs"
    shutil.rmtree(ours, ignore_errors=True)
    again = known.get("theirs") is not True
    if again:
        shutil.rmtree(theirs, ignore_errors=True)
    theirs.mkdir(parents=True, exist_ok=True)
    flows = bench.day_flows // HOURS
    totals = {"flows": 0, "bytes": 0, "packets": 0}
    for hour in range(HOURS):
        bench.say(f"a day of {bench.day_flows} flows: hour {hour}")
        taken = workload.capture(bench, "v9", flows, 100 + hour, hosts=1, start=START.format(hour), rate=max(1, flows // 3600),
                                 exporters=EXPORTERS)
        process.run([bench.finderscope, "import", taken.path, "--data", ours], bench.log("import"), 3600)
        if again:
            replay_hour(bench, taken, theirs / f"nfcapd.20260101{hour:02}00")
        for name in totals:
            totals[name] += taken.totals[name]
        workload.forget(taken)
    store.merge(bench, ours)
    check(bench, ours, theirs, totals)
    return {"theirs": True, "ours": bench.identity(), "totals": totals}


def replay_hour(bench, taken, into):
    """An hour into a file of nfdump's."""
    rate = RATE
    for _ in range(4):
        collector = Nfcapd(bench, bench.scratch / "hour")
        try:
            collector.start("v9", bench.collector_cores)
            exchange.send(bench, taken, collector.port, rate)
            collector.settle(taken.flows)
            lost = collector.losses()
            collector.stop()
            if not any(lost.values()) and collector.totals() == taken.expected(1, False):
                [file] = collector.flows.glob("nfcapd.*")
                shutil.move(file, into)
                return
            bench.say(f"  nfcapd lost {lost} at {rate} datagrams/s; again, slower")
            rate //= 2
        finally:
            collector.remove()
    raise process.Failed("nfcapd does not take an hour without loss")


def check(bench, ours, theirs, totals):
    """Both have what was generated."""
    for name, found in (("finderscope", store.totals(bench, ours)), ("nfdump", nfdump_totals(theirs))):
        if found != totals:
            raise process.Failed(f"{name} has {found} of {totals}")
