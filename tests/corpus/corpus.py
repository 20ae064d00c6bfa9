"""The corpus of foreign captures: its files, its groups, and what `finderscope decode` makes of them."""

import csv
import functools
import json
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
ROOT = pathlib.Path(os.environ.get("FINDERSCOPE_CORPUS") or PROJECT.parent / "shared" / "corpus")
BINARY = os.environ.get("FINDERSCOPE") or str(PROJECT / "target" / "debug" / "finderscope")

COUNTED = ("flows", "options", "events", "templates", "flow_samples", "counter_samples")


def table(path):
    """Rows of a tab-separated file with a header; lines that begin with # are remarks."""
    with open(path, encoding="utf-8") as lines:
        return list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"))


def there():
    return (ROOT / "MANIFEST.tsv").is_file()


@functools.cache
def manifest():
    return {row["path"]: row for row in table(ROOT / "MANIFEST.tsv")}


@functools.cache
def tshark():
    return {row["path"]: row for row in table(ROOT / "tshark-counts.tsv")}


def group_before(path):
    """The files of the same export session that a decoder must have seen: those with templates first."""
    row = manifest()[path]
    mates = [p for p, r in manifest().items() if r["group"] == row["group"] != "-"] or [path]
    templates = {mate: int(tshark()[mate]["templates"]) for mate in mates}
    mates.sort(key=lambda mate: (templates[mate] == 0, mate))
    return mates[: mates.index(path)] if any(templates.values()) else []


def command(paths, *arguments):
    """`decode` over these files with one decoder."""
    datagrams = {manifest()[path]["format"] == "datagram" for path in paths}
    if len(datagrams) > 1:
        raise ValueError(f"{paths}: a group of captures and bare datagrams")
    flags = ["--datagram"] if datagrams == {True} else []
    return [BINARY, "decode", *flags, *arguments, *(str(ROOT / path) for path in paths)]


def decode(paths, *arguments, timeout=120):
    """What `decode` prints, its complaints, and its exit status (a signal or a time-out is an exception)."""
    done = subprocess.run(command(paths, *arguments), capture_output=True, timeout=timeout, check=False)
    if done.returncode < 0:
        raise RuntimeError(f"{paths}: decode died of signal {-done.returncode}: {done.stderr[-500:]!r}")
    return done.stdout.decode(), done.stderr.decode(errors="replace").replace(str(ROOT) + "/", ""), done.returncode


def stats(paths):
    """The counts of `decode --stats`; nothing of an empty list of files."""
    if not paths:
        return dict.fromkeys(COUNTED, 0)
    out, complaints, status = decode(paths, "--stats")
    if not out:
        return {**dict.fromkeys(COUNTED, 0), "refused": complaints.strip(), "status": status}
    return {**json.loads(out), "status": status}


def share(path):
    """What this file adds to its group: the counts with it less the counts of those before it."""
    before = group_before(path)
    less, more = stats(before), stats([*before, path])
    return {**more, **{name: more[name] - less[name] for name in COUNTED}}


def records(paths):
    """The records of `decode --format json`, in the order in which they were decoded."""
    out, _, _ = decode(paths, "--format", "json")
    return [json.loads(line) for line in out.splitlines()]


@functools.cache
def columns():
    """Element name to the columns that it fills, as the manual says."""
    found = {}
    row = re.compile(r"^\| [^|]+ \| (\w+) \|(?:[^|]*\|)*? *((?:`\w+`(?:, )?)+) \|$")
    for line in (PROJECT / "docs" / "elements.md").read_text().splitlines():
        if match := row.match(line):
            found[match[1]] = re.findall(r"`(\w+)`", match[2])
    return found


@functools.cache
def elements():
    """An enterprise's element, as pen/number, to its name; reverse ones (RFC 5103) after those of IANA."""
    found, enterprise = {}, None
    for line in (PROJECT / "docs" / "elements.md").read_text().splitlines():
        if match := re.match(r"^## (?:.*\((\d+)\)|(IANA))$", line):
            enterprise = match[1] or "0"
        elif (match := re.match(r"^\| (\d+) \| (\w+) \|", line)) and enterprise:
            found[f"{enterprise}/{match[1]}"] = match[2]
            if enterprise == "0":
                found[f"29305/{match[1]}"] = "reverse" + match[2][0].upper() + match[2][1:]
    return found
