"""A store of ours as a folder: merged by the command for that, and measured."""

import json
import re

from . import process


def merge(bench, data):
    """Merges all that can be merged, where this binary has the command; what it cost."""
    if not has_command(bench, "compact"):
        return None
    return process.run([bench.finderscope, "compact", "--data", data], bench.log("compact"), 7200)


def totals(bench, data):
    """What it has, counted from every row."""
    answer = process.output([bench.finderscope, "query", "--data", data, "--format", "json",
                             "select count(*) as flows, sum(bytes) as bytes, sum(packets) as packets from flows"])
    return {name: int(value or 0) for name, value in json.loads(answer).items()}


def has_command(bench, name):
    """Whether the binary knows a command."""
    return re.search(rf"^  {name}\b", process.output([bench.finderscope, "--help"]), re.MULTILINE) is not None


def sizes(data):
    """Bytes of flows' parts, of their indexes, and of totals."""
    parts = list((data / "flows").rglob("*.parquet"))
    return {"parts": total(parts), "part_files": len(parts), "index": total((data / "index").rglob("*.index")),
            "totals": total((data / "totals").rglob("*.parquet"))}


def total(paths):
    return sum(path.stat().st_size for path in paths)
