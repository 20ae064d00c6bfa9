"""RESULTS.md, from the figures of all rows."""

import statistics

from . import reading
from .reading import Row


def write(data, path):
    """Writes the report of what was measured so far."""
    path.write_text(render(data))


def render(data):
    """The report as text."""
    rows = {name: entry["result"] for name, entry in data["rows"].items() if "result" in entry}
    lines = ["# Finderscope beside its peers", "",
             "Made by `make bench` ([how, and how to read it](README.md)); not edited by hand.", ""]
    lines += machine(data.get("machine", {})) + warnings(data)
    lines += ["## Against the goals", "",
              "Ratios are better above the goal where it says *at least*, below it where it says *at most*. The figures that a"
              " ratio is made of stand beside it, ours first.", "",
              "| what | against | goal | reached | | ours, theirs |", "|---|---|---|---|---|---|"]
    lines += [line(row) for name in reading.READERS if name in rows for row in reading.READERS[name](rows[name])]
    lines += failures(data)
    lines += details(rows)
    lines += unequal()
    return "\n".join(lines) + "\n"


def line(row: Row):
    mark = {True: "yes", False: "**no**", None: "–"}[row.holds()]
    return f"| {row.what} | {row.against} | {row.goal()} | {row.shown()} | {mark} | {row.figures} |"


def machine(facts):
    if not facts:
        return []
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    lines = ["## Machine", "",
             f"{facts['date']}. {facts['cores']} cores of {facts['processor']}, {facts['memory_gb']} GB, {facts['system']}, kernel"
             f" {facts['kernel']}, `net.core.rmem_max` {facts['rmem_max']}; one core copies {facts['memory_copy_gb_s']} GB/s."
             f" {versions}.", ""]
    if facts.get("one_core"):
        lines += ["**Sender and collector shared the only core: rates mean little.**", ""]
    return lines


def warnings(data):
    """What keeps these figures from being quoted."""
    found = []
    entries = [entry for entry in data["rows"].values() if "result" in entry]
    if any(entry["quick"] for entry in entries):
        found.append("Some rows were measured small (`--quick`): for a look, not for quoting.")
    if len({entry["binary"] for entry in entries}) > 1:
        found.append("Not all rows are of one binary: `--again` measures them all.")
    if any(entry["load"][1] > 3 for entry in entries):
        found.append("The machine had other work meanwhile (load over 3).")
    return [f"**{text}**\n" for text in found]


def failures(data):
    failed = {name: entry["failed"] for name, entry in data["rows"].items() if "failed" in entry}
    return ["", *(f"* `{name}` could not be measured: {why.splitlines()[0]}" for name, why in failed.items())] if failed else []


def details(rows):
    """The figures behind the ratios: processor's time by kind and collector."""
    lines = []
    if "collect" in rows:
        lines += ["", "## Collecting, in nanoseconds of the processor for a flow", "",
                  "Medians. In all = user + system, of the collector's whole life; a sample of sFlow counts as a flow. Bytes are what lies"
                  " on the disk when it has ended, before merging.", "",
                  "| | collector | datagrams/s | in all | user | system | merging beside | bytes/flow | peak MB | lost | equal |",
                  "|---|---|---|---|---|---|---|---|---|---|---|"]
        for kind, found in rows["collect"].items():
            for name in ("finderscope", "nfcapd", "finderscope_slow", "goflow2"):
                if found.get(name):
                    lines.append(collector_line(kind, found[name]))
    if "rate" in rows:
        lines += ["", "## Highest rate without loss, in million flows a second", "",
                  "| | finderscope | nfcapd -y | the sender alone reaches |", "|---|---|---|---|"]
        for kind, found in rows["rate"].items():
            ours, theirs = (reading.rates(found[name]) for name in ("finderscope", "nfcapd"))
            lines.append(f"| {kind} | {rated(ours)} | {rated(theirs)} | {max(ours[1], theirs[1]) / 1e6:.2f} |")
    if "size" in rows:
        lines += ["", "## Bytes a flow", "",
                  "| | as cut | merged | index | totals | nfcapd -y | nfcapd -j | merging, ns of the processor |",
                  "|---|---|---|---|---|---|---|---|"]
        for kind, found in rows["size"].items():
            names = ("unmerged", "parts", "index", "totals", "lz4", "bz2")
            lines.append(f"| {kind} | " + " | ".join(f"{found[name] / found['flows']:.1f}" for name in names)
                         + f" | {merging(found)} |")
    for name in ("ask", "lookup", "sql"):
        lines += times(name, rows.get(name))
    return lines


def merging(found):
    return f"{1e9 * found['merging_cpu'] / found['flows']:.0f}" if found["merging_cpu"] is not None else "–"


def collector_line(kind, passes):
    middle = {name: statistics.median(one[name] for one in passes) for name in
              ("rate", "user", "system", "flows", "stored_bytes", "peak_kb", "merging")}
    ns = [1e9 * seconds / middle["flows"] for seconds in (middle["user"] + middle["system"] - middle["merging"],
                                                          middle["user"], middle["system"], middle["merging"])]
    lost = sum(sum(one["losses"].values()) for one in passes)
    equal = "yes" if all(one["equal"] for one in passes) else "**no**"
    stored = f"{middle['stored_bytes'] / middle['flows']:.1f}" if middle["stored_bytes"] else "–"
    return (f"| {kind} | {passes[0]['collector']} | {middle['rate']:.0f} | {ns[0]:.0f} | {ns[1]:.0f} | {ns[2]:.0f} | {ns[3]:.0f} |"
            f" {stored} | {middle['peak_kb'] / 1024:.0f} | {lost} | {equal} |")


def rated(found):
    return f"{found[0] / 1e6:.2f}" + (" (all that is sent)" if found[2] else "")


def times(name, found):
    """Seconds of each question."""
    asked = {what: value for what, value in (found or {}).items() if isinstance(value, dict) and "peer" in value}
    if not asked:
        return []
    titles = {"ask": "Questions", "lookup": "One address", "sql": "SQL beside DuckDB"}
    lines = ["", f"## {titles[name]}, over {found['flows'] / 1e6:g} M flows, in seconds", "",
             "| | ours | theirs | processor, ours | theirs |", "|---|---|---|---|---|"]
    for what, value in asked.items():
        figures = [statistics.median(run[figure] for run in value[side]) for figure in ("wall", "cpu")
                   for side in ("finderscope", "peer")]
        lines.append(f"| {what} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return lines


def unequal():
    """What a reader must know before quoting."""
    return ["", "## What is not equal, and why", "", *(f"* {text}" for text in UNEQUAL)]


UNEQUAL = (
    "Finderscope writes each datagram into a journal first, syncs that every second and each part as it is cut; nfcapd and goflow2 sync"
    " nothing. The journal's cost is in our figures.",
    "Finderscope keeps what nfcapd throws away: receive and export times in nanoseconds, where a sampling rate is known from, sFlow's"
    " counters, and every header field and element of a template. nfcapd keeps what its extensions know.",
    "goflow2 writes to /dev/null and so stores nothing; its flows are counted by its own metrics. It is measured at the rate that"
    " it can take, and ours beside it at the same.",
    "nfdump multiplies bytes and packets of version 5 and sFlow by the sampling rate as it receives; ours when it is asked."
    " Totals are compared with that in mind. Flows of a day come from exporters that do not sample, so that answers are the same number.",
    "For a day, nfcapd received over UDP within minutes what ours `import`ed with the capture's receive times. Both have the flows'"
    " own times, and a file or more for each hour.",
    "nfdump uses one core for most of a question, ours all; the table has the processor's time beside the clock's.",
    "DuckDB's times leave out its start; ours are whole commands. DuckDB's first run in a process, files warm, as ours.",
    "nfdump -o json writes its own selection of fields over many lines; ours every column that has a value, one line a flow.",
    "nfacctd adds up in memory and writes a table at the end; its memory is the core's and the plugin's together.",
)
