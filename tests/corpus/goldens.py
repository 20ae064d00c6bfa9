#!/usr/bin/env python3
"""Holds what `decode` prints of every file of the corpus against tests/corpus/golden/.

    goldens.py [--bless] [PATH...]

A golden has the counts, the complaints, the exit status, each kind of record with its number and the digest of all its
lines, and the first lines of each kind, so that a change is seen whole and read at its beginning. --bless writes them.
"""

import argparse
import difflib
import hashlib
import json
import sys

import corpus

GOLDEN = corpus.HERE / "golden"
FIRST = 3
# A bare datagram has no time of its own: its records get the time of the file, which a checkout makes anew.
UNTIMED = ("time_received_ns", "time_flow_start_ns", "time_flow_end_ns", "time_source")


def stable(record, timed):
    if not timed:
        record = {name: value for name, value in record.items() if name not in UNTIMED}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def golden(path):
    """What one file decodes to, as text; its group's templates come first, so that its data can be read."""
    before = corpus.group_before(path)
    timed = corpus.manifest()[path]["format"] in ("pcap", "pcapng")
    counts = corpus.share(path)
    _, complaints, status = corpus.decode([path])
    kinds = {}
    for record in corpus.records([*before, path])[len(corpus.records(before)) if before else 0 :]:
        kinds.setdefault(record["record"], []).append(stable(record, timed))
    lines = [f"file {path}", *(f"after {mate}" for mate in before), f"status {status}"]
    lines += [f"complaint {line}" for line in complaints.splitlines()]
    lines.append("counts " + json.dumps(counts, ensure_ascii=False))
    for kind, records in kinds.items():
        digest = hashlib.sha256("\n".join(records).encode()).hexdigest()[:16]
        lines += [f"{kind}: {len(records)}, sha256 {digest}", *("  " + record for record in records[:FIRST])]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bless", action="store_true", help="write the goldens anew")
    parser.add_argument("paths", nargs="*", help="files of the corpus; all of them if none is named")
    args = parser.parse_args()
    if not corpus.there():
        print(f"corpus: skipped, {corpus.ROOT} has no MANIFEST.tsv")
        sys.exit(77)
    different = 0
    for path in args.paths or corpus.manifest():
        found, place = golden(path), GOLDEN / (path + ".txt")
        wanted = place.read_text() if place.exists() else ""
        if found == wanted:
            continue
        different += 1
        if args.bless:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(found)
        else:
            show(path, wanted, found)
    print(f"{len(args.paths or corpus.manifest())} files, {different} {'written' if args.bless else 'differ from their golden'}")
    sys.exit(bool(different) and not args.bless)


def show(path, wanted, found):
    if not wanted:
        print(f"{path}: no golden; goldens.py --bless {path} writes it")
        return
    print("\n".join(line[:300] for line in difflib.unified_diff(wanted.splitlines(), found.splitlines(), f"{path} (golden)", f"{path} (now)", lineterm="", n=0)))


if __name__ == "__main__":
    main()
