#!/usr/bin/env python3
"""Compares what we decode with what other collectors' projects expect of the same captures, field by field.

A field that differs, or that ours lacks, must stand in tests/peer-notes.tsv with its reason (RFC and section); a note
that nothing needs any more fails as well. At least nine tenths of all fields are compared, or this fails.
"""

import collections
import importlib
import ipaddress
import sys

import corpus
import fields
import meanings

PEERS = {"golden.json": "beats", "netgauze-flow.json": "netgauze", "nfacctd.json": "nfacctd", "expected.out": "telegraf"}
NOTES = corpus.HERE.parent / "peer-notes.tsv"
UPTIME = ("flowStartSysUpTime", "flowEndSysUpTime")
START = {fields.spelled(n) for n in ("flowStartSysUpTime", "flowStartMilliseconds", "flowStartSeconds", "flowStartMicroseconds", "flowStart")}
END = {fields.spelled(n) for n in ("flowEndSysUpTime", "flowEndMilliseconds", "flowEndSeconds", "flowEndMicroseconds", "flowEnd")}
LABELS = ["mplstoplabelstacksection", *(f"mplslabelstacksection{n}" for n in range(2, 11))]


def expected():
    """(file of expectations, its peer, the captures that it is for), each expectation once."""
    found = {}
    for row in corpus.table(corpus.ROOT / "EXPECTED.tsv"):
        peer = next((reader for ending, reader in PEERS.items() if row["path"].endswith(ending)), None)
        if peer:
            name = row["path"].rsplit("/", 1)[1]
            place, _, captures = found.setdefault(name, (row["path"], peer, []))
            captures += [path for path in row["for_files"].split(",") if path not in captures]
    return found.values()


def decoded(captures):
    """Our records, with the other directions of their datagram beside them; captures of different kinds have decoders of their own."""
    kinds = collections.defaultdict(list)
    for path in captures:
        kinds[corpus.manifest()[path]["format"] == "datagram" or path].append(path)
    found = []
    for paths in kinds.values():
        paths.sort(key=lambda path: (int(corpus.tshark()[path]["templates"]) == 0, captures.index(path)))
        for record in corpus.records(paths):
            if record["record"] in ("template", "error"):
                continue
            found.append({"kind": kind(record), "flat": fields.flat(record), "datagram": datagram(record)})
    found = one_a_sample(found)
    others = collections.defaultdict(list)
    for record in found:
        if record["flat"].get("biflow") == ["reverse"]:
            others[record["datagram"]].append(record["flat"])
    found = [record for record in found if record["flat"].get("biflow") != ["reverse"]]
    for record in found:
        record["reverse"] = others[record["datagram"]]
    return found


def one_a_sample(records):
    """The structures of one sFlow counter sample, which are rows of their own here, as one record."""
    samples, merged = {}, []
    for record in records:
        key = str([record["flat"].get(name) for name in ("sourceidindex", "samplesequence")])
        first = samples.setdefault(key, record) if record["kind"] == "counters" else record
        if first is record:
            merged.append(record)
        else:
            for name, values in record["flat"].items():
                first["flat"].setdefault(name, []).extend(values)
    return merged


def datagram(record):
    return tuple(record.get(name) for name in ("exporter_address", "observation_domain_id", "sequence_num", "time_export_ns"))


def kind(record):
    return "flow" if record["record"] == "event" else record["record"]


class Tally:
    """What was compared, and what came of it."""

    def __init__(self, notes):
        self.notes, self.used, self.failures = notes, set(), collections.Counter()
        self.counts = collections.Counter()
        self.examples = {}

    def add(self, place, element, verdict, example):
        self.counts["fields"] += 1
        if verdict == fields.EQUAL:
            self.counts["compared"] += 1
            self.counts["equal"] += 1
            return
        note = next((n for n in ((place, element), ("*", element)) if n in self.notes), None)
        if note:
            self.used.add(note)
            self.counts["compared" if self.notes[note]["kind"] == "differs" else "apart"] += 1
        else:
            self.failures[(place, element, verdict)] += 1
            self.examples.setdefault((place, element, verdict), example)


def compare(place, peer, captures, tally):
    reader = importlib.import_module(f"peers.{peer}")
    ours = decoded(captures)
    if hasattr(reader, "aggregated"):
        ours = reader.aggregated(ours, corpus.ROOT / place)
    ours = Unused(ours)
    for kind, pairs, start in reader.records(corpus.ROOT / place):
        pairs = list(pairs)
        record = ours.take(kind, pairs, start)
        if not record:
            tally.failures[(place, f"a whole record ({kind})", fields.ABSENT)] += 1
            tally.counts["fields"] += len(pairs)
            continue
        for element, value in pairs:
            verdict = judge(element, value, record, pairs, start)
            if verdict == fields.ABSENT and getattr(reader, "unsaid", lambda value: False)(value):
                verdict = fields.EQUAL
            tally.add(place, element, verdict, (value, fields.candidates(element, record["flat"])))


class Unused:
    """Our records that no record of the peer's was matched with yet."""

    # What tells records apart well enough to look at few: the first of these that a record has.
    KEYS = (("octetDeltaCount", "bytes"), ("octetTotalCount", "bytes"), ("ingressInterface",), ("ingressVRFID",))

    def __init__(self, records):
        self.kinds = collections.defaultdict(dict)
        self.buckets = collections.defaultdict(dict)
        for number, record in enumerate(records):
            self.kinds[record["kind"]][number] = record
            self.buckets[self.key(record["kind"], record["flat"])][number] = record

    def key(self, kind, flat):
        for names in self.KEYS:
            for name in names:
                value = next(iter(fields.candidates(name, flat)), None)
                if value is not None:
                    return kind, names[0], str(value)
        return kind, "", ""

    def take(self, kind, pairs, start):
        """The first that agrees in everything, else the one that agrees most."""
        near = self.buckets[self.key(kind, {fields.spelled(name): [value] for name, value in pairs})]
        number = self.best(near, pairs, start)
        if number is None:
            number = self.best(self.kinds[kind], pairs, start)
        if number is None:
            return None
        record = self.kinds[kind].pop(number)
        self.buckets[self.key(kind, record["flat"])].pop(number)
        return record

    @staticmethod
    def best(records, pairs, start):
        best, most = None, -1
        for number, record in records.items():
            equal = sum(judge(element, value, record, pairs, start) == fields.EQUAL for element, value in pairs)
            if equal > most:
                best, most = number, equal
            if equal == len(pairs):
                break
        return best


def judge(element, value, record, all_pairs, start):
    element = corpus.elements().get(element, element)
    flat, spelled = record["flat"], fields.spelled(element)
    if spelled in START or spelled in END:
        return judge_time(spelled, value, flat, all_pairs, start)
    if spelled in LABELS:
        return judge_label(spelled, value, flat)
    if spelled in ("netsrc", "netdst"):
        return judge_prefix(spelled, value, flat)
    verdict = meanings.verdict(spelled, value, record)
    return fields.verdict(element, value, flat) if verdict is None else verdict


def judge_time(spelled, value, flat, all_pairs, start):
    """Exact where we took the exporter's clock as it is; where it was corrected, by the flow's duration."""
    mine = fields.first("timeflowstartns" if spelled in START else "timeflowendns", flat)
    if mine is None:
        return fields.ABSENT
    source = fields.first("timesource", flat)
    moment = absolute(spelled, value, start)
    if source in ("absolute", "uptime") and moment is not None:
        return fields.EQUAL if near(fields.nanoseconds(mine), moment) else fields.DIFFERENT
    times = {fields.spelled(e): absolute(fields.spelled(e), v, start or 0) for e, v in all_pairs}
    begin, end = (next((t for e, t in times.items() if e in names), None) for names in (START, END))
    if begin is None or end is None:
        return fields.DIFFERENT
    lasted = fields.nanoseconds(flat["timeflowendns"][0]) - fields.nanoseconds(flat["timeflowstartns"][0])
    return fields.EQUAL if near(lasted, end - begin) else fields.DIFFERENT


def near(one, other):
    """nfacctd and Beats print whole seconds or milliseconds."""
    return abs(one - other) < 10**6 or (other % 10**9 == 0 and 0 <= abs(one - other) < 10**9)


def absolute(spelled, value, start):
    if "sysuptime" in spelled:
        return None if start is None else start + int(value) * 10**6
    text = str(value)
    if text.startswith("ns:"):
        return int(text[3:])
    if (moment := fields.nanoseconds(text)) is not None:
        return moment
    try:
        return int(float(text)) * 10**9
    except ValueError:
        return None


def judge_label(spelled, value, flat):
    """A label stack entry is 20 bits of label; ours is the list of those before the bottom of the stack."""
    label = int.from_bytes(bytes(value), "big") >> 4 if isinstance(value, list) else None
    labels, place = fields.first("mplslabel", flat) or [], LABELS.index(spelled)
    if label is None:
        return fields.verdict(spelled, value, flat)
    mine = labels[place] if place < len(labels) else 0
    return fields.EQUAL if mine == label else fields.DIFFERENT


def judge_prefix(spelled, value, flat):
    address, length = (fields.first(n, flat) for n in (("srcaddr", "srcnet") if spelled == "netsrc" else ("dstaddr", "dstnet")))
    if address is None:
        return fields.ABSENT
    try:
        network = ipaddress.ip_network(f"{address}/{length or 0}", strict=False).network_address
    except ValueError:
        return fields.DIFFERENT
    return fields.EQUAL if network == ipaddress.ip_address(value) else fields.DIFFERENT


def main():
    if not corpus.there():
        print(f"corpus: skipped, {corpus.ROOT} has no MANIFEST.tsv")
        sys.exit(77)
    notes = {(note["path"], note["field"]): note for note in corpus.table(NOTES)}
    tally = Tally(notes)
    for place, peer, captures in expected():
        before = dict(tally.counts)
        compare(place, peer, captures, tally)
        print(f"{place}: {tally.counts['equal'] - before.get('equal', 0)} of {tally.counts['fields'] - before.get('fields', 0)} fields equal")
    report(tally)


def report(tally):
    for (place, element, verdict), times in sorted(tally.failures.items()):
        wanted, found = tally.examples.get((place, element, verdict), ("", ""))
        print(f"{place}: {element}: {verdict}, {times} times; wanted {wanted!r}, have {found!r}"[:300])
    stale = [note for note in tally.notes if note not in tally.used]
    print("\n".join(f"{path}: {field}: a note, and no such difference" for path, field in stale))
    counts = tally.counts
    share = counts["compared"] / counts["fields"] if counts["fields"] else 0
    print(f"{counts['fields']} fields of peers: {counts['compared']} compared ({share:.1%}), {counts['equal']} equal")
    sys.exit(bool(tally.failures or stale or share < 0.9))


if __name__ == "__main__":
    main()
