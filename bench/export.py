"""Every flow of an hour as JSON lines, beside `nfdump -o json`, both to nowhere."""

import subprocess

from . import asking, process
from .day import HOURS, START, day

HOUR = 5


def run(bench):
    """Times, and how many rows and bytes either wrote."""
    asked = day(bench)
    ours = [bench.finderscope, "flows", "--format", "json", "--data", asked.ours, "--since", START.format(HOUR), "--until",
            START.format(HOUR + 1)]
    theirs = ["nfdump", "-r", asked.theirs / f"nfcapd.20260101{HOUR:02}00", "-q", "-o", "json"]
    result = {"flows": asked.flows // HOURS}
    written = {}
    for name, command, mark in (("finderscope", ours, b'"time_received_ns"'), ("peer", theirs, b'"type" :')):
        rows, size = count(command, mark)
        written[name] = rows
        result[name + "_bytes_per_row"] = size / max(rows, 1)
    if len(set(written.values())) != 1:
        raise process.Failed(f"rows written: {written}")
    result["rows"] = written["peer"]
    return result | asking.pair(bench, "export", ours, theirs)


def count(command, mark):
    """How often a mark stands in what a command writes, and how much it writes."""
    rows = size = 0
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
        for line in running.stdout:
            rows += mark in line
            size += len(line)
    if running.returncode != 0:
        raise process.Failed(f"{command[0]}: status {running.returncode}")
    return rows, size
