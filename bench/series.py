"""A year of minutes of one interface, as `series` answers them.

The year is real but thin: a flow a second, `import`ed month by month on its own clock and merged, so that every hour has its totals.
An answer out of totals costs the same whatever the number of flows behind them, and out of rows it could not: how many flows there
are stands beside the result. Sums of all bins must be what SQL says of the rows.
"""

import json
import shutil
from dataclasses import asdict

from . import asking, process, store, workload

INTERFACE = 7
MONTHS, DAYS = 12, 365
DAY_SECONDS = 86_400
# 2025-01-01T00:00:00Z
BEGIN = 1_735_689_600


def run(bench):
    """Times of the question."""
    days = 10 if bench.quick else DAYS
    year = make(bench, days)
    question = [bench.finderscope, "series", "--every", "1m", "--filter", f"in if {INTERFACE}", "--format", "json", "--data", year]
    bins = [json.loads(line) for line in asking.answer(question)[0].splitlines()]
    check(bench, year, bins)
    runs = [asking.timed(bench, question) for _ in range(bench.rounds)]
    bench.say(f"  {len(bins)} minutes: {', '.join(f'{run.wall:.2f}' for run in runs)} s")
    return {"days": days, "flows": days * DAY_SECONDS, "bins": len(bins), "runs": [asdict(run) for run in runs]}


def make(bench, days):
    """The store, made where this binary has not made it yet."""
    folder = bench.folder("years") / str(days)
    year, note = folder / "ours", folder / "made-by"
    if note.exists() and note.read_text() == bench.identity():
        return year
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    months = MONTHS if days == DAYS else 1
    for month in range(months):
        first, end = (BEGIN + days * at // months * DAY_SECONDS for at in (month, month + 1))
        bench.say(f"a year of {days} days: part {month + 1} of {months}")
        taken = workload.capture(bench, "ipfix", end - first, 500 + month, hosts=1, start=first, rate=1)
        process.run([bench.finderscope, "import", taken.path, "--data", year], bench.log("import"), 7200)
        workload.forget(taken)
    store.merge(bench, year)
    note.write_text(bench.identity())
    return year


def check(bench, year, bins):
    """All bins together are all rows of the interface."""
    rows = json.loads(process.output([
        bench.finderscope, "query", "--data", year, "--format", "json",
        "select count(*) as flows, sum(bytes_scaled) as bytes_scaled, sum(packets_scaled) as packets_scaled"
        f" from flows where in_if = {INTERFACE}"]))
    sums = {name: sum(int(one[name] or 0) for one in bins) for name in rows}
    if sums != {name: int(value) for name, value in rows.items()}:
        raise process.Failed(f"the series sums up to {sums}, and the rows are {rows}")
