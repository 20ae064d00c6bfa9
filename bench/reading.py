"""The goals, and how each is read from a row's figures. Pure: figures in, lines of the table out."""

import statistics
from dataclasses import dataclass

MB = 1e6


@dataclass
class Row:
    """A goal and what was reached."""

    what: str
    against: str
    # "least" or "most", and the number; None where the peer's figure decides.
    sense: str
    wanted: float
    reached: float | None
    figures: str
    unit: str = "times"

    def goal(self):
        return f"at {self.sense} {self.wanted:g} {self.unit}"

    def shown(self):
        return "–" if self.reached is None else f"{self.reached:.3g} {self.unit}"

    def holds(self):
        if self.reached is None:
            return None
        return self.reached >= self.wanted if self.sense == "least" else self.reached <= self.wanted


def middle(passes, figure):
    return statistics.median(figure(one) for one in passes)


def cost(passes):
    """Nanoseconds of the processor for a flow, merging apart."""
    return middle(passes, lambda one: 1e9 * (one["user"] + one["system"] - one.get("merging", 0.0)) / one["flows"])


def sound(*sides):
    """Whether the work was equal: the same stored by both, nothing lost."""
    return all(one["equal"] and one["lossless"] for passes in sides for one in passes)


def collect(kinds):
    """Flows per second of the processor, beside nfcapd's and goflow2's."""
    for kind, found in kinds.items():
        ours, theirs = found["finderscope"], found["nfcapd"]
        yield ratio(f"{kind} over UDP into a durable compressed store", theirs[0]["collector"], 2, ours, theirs)
    for kind, found in kinds.items():
        if found.get("goflow2"):
            yield ratio(f"{kind}, the same", "goflow2 -format bin to /dev/null", 15, found["finderscope_slow"], found["goflow2"])


def ratio(what, against, wanted, ours, theirs):
    mine, others = cost(ours), cost(theirs)
    note = "" if sound(ours, theirs) else "; **not equal, see below**"
    return Row(what, against, "least", wanted, others / mine if sound(ours, theirs) else None,
               f"{1e3 / mine:.2f}, {1e3 / others:.2f} M flows per processor second{note}")


def rates(rounds):
    """Median rate and sender's ceiling, in flows a second, and whether the ceiling was always reached."""
    return (statistics.median(found["rate"] for found in rounds), statistics.median(found["ceiling"] for found in rounds),
            all(found["at_ceiling"] for found in rounds))


def rate(kinds):
    """The highest rate without loss."""
    for kind, found in kinds.items():
        ours, theirs = rates(found["finderscope"]), rates(found["nfcapd"])
        yield Row(f"{kind}: highest rate with nothing lost, one core", "nfcapd -y", "least", 1, ours[0] / max(theirs[0], 1),
                  f"{ours[0] / 1e6:.2f}, {theirs[0] / 1e6:.2f} M flows/s")
        if kind == "v5":
            yield Row("v5: the same", "what the sender can send", "least", 1, 1.0 if ours[2] else ours[0] / ours[1],
                      f"{ours[0] / 1e6:.2f} of {ours[1] / 1e6:.2f} M flows/s")
        if senders := found.get("senders"):
            replay, other = (statistics.median(senders[name]) for name in ("replay", "other"))
            yield Row("`replay` as a sender, v5", "the sender of FINDERSCOPE_BLAST", "least", 1, replay / other,
                      f"{replay / 1e3:.0f}, {other / 1e3:.0f} thousand datagrams/s")


def size(kinds):
    """Bytes a flow after merging: parts alone; indexes and totals are beside, in the table of sizes."""
    for kind, found in kinds.items():
        flows = found["flows"]
        for against, name, wanted in (("nfcapd -j", "bz2", 0.75), ("nfcapd -y", "lz4", 0.4)):
            note = "" if found["merging_cpu"] is not None else "; not merged"
            yield Row(f"{kind}: bytes a flow after merging", against, "most", wanted, found["parts"] / found[name],
                      f"{found['parts'] / flows:.1f}, {found[name] / flows:.1f} bytes{note}")


def walls(found):
    return [statistics.median(run["wall"] for run in found[side]) for side in ("finderscope", "peer")]


def speed(what, against, wanted, found):
    mine, others = walls(found)
    return Row(what, against, "least", wanted, others / mine, f"{mine:.3f}, {others:.3f} s")


def ask(found):
    """Questions over a day."""
    over = f"over {found['flows'] / 1e6:g} M flows"
    yield speed(f"top-10 by bytes {over}", "nfdump", 10, found["top"])
    yield speed(f"the same, filtered by port and prefix, {over}", "nfdump", 10, found["filter"])
    yield speed(f"address pairs {over}, 2 GB", "nfdump", 5, found["pairs"])
    within = found["pairs_512m"]
    yield Row(f"address pairs {over} within 512 MB", "–", "most", 512, statistics.median(run["peak_kb"] for run in within) * 1024 / MB,
              f"{statistics.median(run['wall'] for run in within):.1f} s; resident memory at its highest", "MB")


def lookup(found):
    """One address in a day."""
    for name in (name for name, value in found.items() if isinstance(value, dict)):
        rows = found[name]["rows"]
        yield Row(f"one address in a day of {found['flows'] / 1e6:g} M flows ({rows} of them), warm", "–", "most", 100,
                  walls(found[name])[0] * 1e3, "the whole command", "ms")
        yield speed("the same", "nfdump", 20, found[name])


def sql(found):
    """Statements beside DuckDB."""
    for name in found["statements"]:
        if name in found:
            yield speed(f"SQL, {name}, on the same Parquet parts", "DuckDB", 1, found[name])


def export(found):
    """All rows as JSON."""
    yield speed(f"export of {found['rows'] / 1e6:.1f} M flows as JSON lines", "nfdump -o json", 20, found)


def memory(found):
    """Resident memory under load."""
    peaks = {name: middle(found[name], lambda one: one["peak_kb"]) * 1024 / MB for name in ("finderscope", "nfcapd", "nfacctd")}
    reached = middle(found["finderscope"], lambda one: one["rate"] * one["flows"] / one["datagrams"]) / 1e6
    lost = "" if sound(found["finderscope"]) else "; **it lost flows at this rate**"
    yield Row(f"resident memory at {reached:.1f} M flows/s", "nfacctd, nfcapd", "most", 96, peaks["finderscope"],
              f"{peaks['finderscope']:.0f}, nfacctd {peaks['nfacctd']:.0f}, nfcapd {peaks['nfcapd']:.0f} MB{lost}", "MB")


# What the example `rate` calls them, and bytes of a flow on the wire, headers included.
DECODED = {"netflow v9, 18 fields": ("v9", 20, 47), "netflow v5": ("v5", 30, 49)}


def decode(found):
    """Decoding alone. The share is of what a flow's bytes on the wire would take to copy."""
    for name, (kind, wanted, wire) in DECODED.items():
        if name in found["rates"]:
            reached = statistics.median(found["rates"][name])
            share = reached * 1e6 * wire / found["memory_copy"]
            yield Row(f"decode {kind} only, columns in memory, one core", "–", "least", wanted, reached,
                      f"{share:.0%} of the rate at which this core copies the datagrams", "M flows/s")


def exporters(found):
    """Ten thousand exporters."""
    many, few = found["many"], found["few"]
    what = f"{found['exporters']} exporters with {found['templates']} templates each"
    peak = middle(many, lambda one: one["peak_kb"]) * 1024 / MB
    few_peak = middle(few, lambda one: one["peak_kb"]) * 1024 / MB
    yield Row(f"{what}: resident memory", "–", "most", 400, peak if sound(many) else None, f"{few_peak:.0f} MB with 8", "MB")
    yield Row(f"{what}: cost of a flow", "8 exporters", "most", 1, cost(many) / cost(few) if sound(many, few) else None,
              f"{cost(many):.0f}, {cost(few):.0f} ns")


def series(found):
    """A year of minutes."""
    yield Row("a year of minute series for one interface", "–", "most", 1, statistics.median(run["wall"] for run in found["runs"]),
              f"{found['bins']} bins of {found['days']} days, {found['flows'] / 1e6:.1f} M flows behind them", "s")


READERS = {"collect": collect, "rate": rate, "size": size, "ask": ask, "lookup": lookup, "sql": sql, "export": export,
           "memory": memory, "decode": decode, "exporters": exporters, "series": series}
