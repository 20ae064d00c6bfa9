"""The same SQL on the same Parquet files, ours beside DuckDB's.

Ours is timed as a whole command, from its start to its last byte. DuckDB is timed inside Python, around the statement alone: so
its start does not count.
"""

import json
import statistics
from dataclasses import asdict
from pathlib import Path

from . import asking, exchange, process
from .day import day

MEMORY_GB = 4
STATEMENTS = {
    "top sources": "select src_addr, sum(bytes) as b from flows group by src_addr order by b desc, src_addr limit 10",
    "top pairs": "select src_addr, dst_addr, sum(bytes) as b from flows group by src_addr, dst_addr order by b desc limit 10",
    "by port": "select dst_port, count(*) as n, sum(bytes) as b from flows group by dst_port order by b desc, dst_port limit 10",
    "filter": "select count(*) as n, sum(bytes) as b, sum(packets) as p from flows where dst_port = 443 and bytes > 100000",
    "by protocol": "select proto, count(*) as n, sum(bytes) as b, avg(packets) as p from flows group by proto order by proto",
    "by interfaces": "select in_if, out_if, sum(bytes) as b from flows group by in_if, out_if order by b desc limit 20",
}


def run(bench):
    """Times of each statement, both sides; answers are compared first."""
    if bench.peers.duckdb is None:
        raise process.Failed("DuckDB could not be had")
    asked = day(bench)
    result = {"flows": asked.flows, "statements": STATEMENTS}
    for name, statement in STATEMENTS.items():
        ours = [bench.finderscope, "query", statement, "--format", "json", "--data", asked.ours, "--memory-limit", f"{MEMORY_GB}G"]
        found = [plain(json.loads(line)) for line in asking.answer(ours)[0].splitlines()]
        expected = [plain(row) for row in duckdb(bench, asked, statement)["rows"]]
        if not alike(found, expected):
            raise process.Failed(f"{name}: the answers differ\nfinderscope {found[:10]}\nDuckDB      {expected[:10]}")
        mine, others = exchange.pairwise(
            bench.rounds, lambda: asking.timed(bench, ours), lambda: duckdb(bench, asked, statement))
        walls = [statistics.median(run.wall for run in mine), statistics.median(run["wall"] for run in others)]
        bench.say(f"  {name}: {walls[0]:.3f} s beside {walls[1]:.3f} s, {walls[1] / walls[0]:.2f} times as fast")
        result[name] = {"finderscope": [asdict(run) for run in mine],
                        "peer": [{"wall": run["wall"], "cpu": run["cpu"]} for run in others]}
    return result


def duckdb(bench, asked, statement):
    """One run in a process of its own, on as many threads as ours."""
    script = Path(__file__).with_name("duckdb_ask.py")
    return json.loads(process.output([bench.peers.duckdb, script, asked.ours, len(bench.all_cores), MEMORY_GB, statement],
                                     asking.SECONDS))


def plain(row):
    """Values as text, times without their many spellings."""
    return [str(value).replace("T", " ").replace("Z", "").removesuffix("+00:00")[:19] if isinstance(value, str) else value
            for value in row.values()]


def alike(found, expected):
    """Whether two answers are the same, averages but for their last digits."""
    def same(one, other):
        if isinstance(one, float) or isinstance(other, float):
            return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
        return one == other
    return len(found) == len(expected) and all(
        len(one) == len(other) and all(map(same, one, other)) for one, other in zip(found, expected))
