"""The command: which rows, how big, where; and the results as they come."""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from . import (
    ask, collect, context, decode, export, exporters, lookup, machine, memory, peers, process, rate, report, series, size, sql)

# In the order of the goals.
ROWS = {
    "collect": collect.run, "rate": rate.run, "size": size.run, "ask": ask.run, "lookup": lookup.run, "sql": sql.run,
    "export": export.run, "memory": memory.run, "decode": decode.run, "exporters": exporters.run,
    "series": series.run}


def main(words=None):
    args = parse(words)
    process.become_subreaper()
    process.NICE = args.nice
    args.cache.mkdir(parents=True, exist_ok=True)
    results = Results(args.cache / ("results-quick.json" if args.quick else "results.json"))
    if args.report:
        report.write(results.data, args.output)
        return 0
    scratch = Path(tempfile.mkdtemp(prefix="finderscope-bench-"))
    try:
        bench = prepare(args, scratch)
        failed = [name for name in args.only or ROWS if not row(bench, results, name, args)]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    bench.say(f"results in {results.path}")
    if failed:
        bench.say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def parse(words):
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(prog="python3 -m bench", description="Finderscope beside its peers.")
    parser.add_argument("--only", type=names, metavar="ROW,...", help=f"these rows: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="small, in some minutes: for a look, not for quoting")
    parser.add_argument("--rounds", type=int, metavar="N", help="passes of each side (3; quick: 1)")
    parser.add_argument("--flows", type=int, metavar="N", help="flows of a collector's pass, before loops (4 M; quick: 400 k)")
    parser.add_argument("--day-flows", type=int, metavar="N", help="flows of the day that is asked (100 M; quick: 2 M)")
    parser.add_argument("--again", action="store_true", help="also rows that have a result of this binary and size")
    parser.add_argument("--report", action="store_true", help="measure nothing; write RESULTS.md of what there is")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the report (bench/RESULTS.md; quick: bench/results-quick.md)")
    parser.add_argument("--profile", default="release", help="what to build (release)")
    parser.add_argument("--finderscope", type=Path, metavar="FILE", default=os.environ.get("FINDERSCOPE"),
                        help="this binary instead of building one")
    parser.add_argument("--decoding", type=Path, metavar="FILE", default=os.environ.get("FINDERSCOPE_RATE"),
                        help="the built example `rate` of finderscope-intake, beside --finderscope")
    parser.add_argument("--cache", type=Path, metavar="DIR", default=home / "finderscope-bench",
                        help="captures, stores, peers and results of earlier runs")
    parser.add_argument("--nice", type=int, metavar="N", help="nice value of both sides; below 0 helps on a busy machine (root)")
    parser.add_argument("--no-install", action="store_true", help="only the peers that are there")
    args = parser.parse_args(words)
    if args.output is None:
        args.output = context.ROOT / "bench" / ("results-quick.md" if args.quick else "RESULTS.md")
    return args


def names(text):
    wanted = text.split(",")
    if unknown := [name for name in wanted if name not in ROWS]:
        raise argparse.ArgumentTypeError(f"no row is called {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return wanted


def prepare(args, scratch):
    """Everything that a row needs, built and installed."""
    bench = context.Bench(
        finderscope=args.finderscope, decoding=args.decoding, cache=args.cache, scratch=scratch,
        rounds=args.rounds or (1 if args.quick else 3), quick=args.quick,
        flows=args.flows or (400_000 if args.quick else 4_000_000),
        day_flows=args.day_flows or (2_000_000 if args.quick else 100_000_000))
    if bench.finderscope is None:
        bench.finderscope, bench.decoding = context.build(args.profile, bench.say)
    bench.finderscope = Path(bench.finderscope).resolve()
    bench.peers = peers.prepare(context.ROOT, args.cache, bench.say, not args.no_install)
    return bench


def row(bench, results, name, args):
    """Measures one row and keeps what came out at once; whether it went well."""
    key = {"binary": bench.identity(), "quick": bench.quick, "rounds": bench.rounds, "flows": bench.flows,
           "day_flows": bench.day_flows}
    if not args.only and not args.again and results.has(name, key):
        bench.say(f"{name}: there already, of this binary (--again measures it again)")
        return True
    bench.say(f"== {name}")
    began = time.monotonic()
    try:
        result = ROWS[name](bench)
    except KeyboardInterrupt:
        raise
    except Exception as error:  # one row's trouble is not the next one's
        bench.say(f"{name} FAILED: {error}")
        if not isinstance(error, process.Failed):
            traceback.print_exc()
        results.put(name, key | {"failed": str(error)})
        report.write(results.data, args.output)
        return False
    results.put(name, key | {"result": result, "seconds": round(time.monotonic() - began, 1), "load": os.getloadavg()})
    results.put_machine(machine.describe(bench))
    report.write(results.data, args.output)
    return True


class Results:
    """All rows' figures, in one JSON file."""

    def __init__(self, path):
        self.path = path
        self.data = json.loads(path.read_text()) if path.exists() else {"rows": {}}

    def has(self, name, key):
        found = self.data["rows"].get(name, {})
        return "result" in found and all(found.get(field) == value for field, value in key.items())

    def put(self, name, entry):
        self.data["rows"][name] = entry | {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self.write()

    def put_machine(self, described):
        self.data["machine"] = described
        self.write()

    def write(self):
        # In one step: a run that is broken off leaves the results of the rows before.
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.data, indent=1))
        new.replace(self.path)
