#!/usr/bin/env python3
"""Holds our counts against tshark's, file by file, and every difference against tests/corpus-notes.tsv.

A difference without a note fails, and so does a note without its difference: notes may not outlive their reason.
At most one file in twenty may have one, data before its template apart.
"""

import sys

import corpus

NOTES = corpus.HERE.parent / "corpus-notes.tsv"
LATE = "late template"


def differences(path):
    ours, theirs = corpus.share(path), corpus.tshark()[path]
    pairs = [
        ("data_records", ours["flows"] + ours["options"] + ours["events"]),
        ("templates", ours["templates"]),
        ("flow_samples", ours["flow_samples"]),
        ("counter_samples", ours["counter_samples"]),
    ]
    return {name: (int(theirs[name]), count) for name, count in pairs if int(theirs[name]) != count}


def main():
    if not corpus.there():
        print(f"corpus: skipped, {corpus.ROOT} has no MANIFEST.tsv")
        sys.exit(77)
    notes = {(note["path"], note["count"]): note for note in corpus.table(NOTES)}
    files = list(corpus.manifest())
    failed, noted, late, seen = [], set(), set(), set()
    for path in files:
        for name, (theirs, ours) in differences(path).items():
            note = notes.get((path, name))
            seen.add((path, name))
            if note and (int(note["tshark"]), int(note["ours"])) == (theirs, ours):
                (late if note["kind"] == LATE else noted).add(path)
            else:
                failed.append(f"{path}: {name}: tshark {theirs}, ours {ours}" + (", the note says otherwise" if note else ""))
    failed += [f"{path}: {name}: a note, and no such difference" for path, name in notes if (path, name) not in seen]
    if len(noted) * 20 > len(files):
        failed.append(f"{len(noted)} of {len(files)} files differ: more than one in twenty")
    print("\n".join(failed))
    print(f"{len(files)} files: {len(noted)} differ for a reason, {len(late)} by a late template, {len(failed)} failures")
    sys.exit(bool(failed or not files))


if __name__ == "__main__":
    main()
