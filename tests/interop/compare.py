#!/usr/bin/env python3
"""Compares totals of exporters, prints both sides, and fails where they differ.

    compare.py [--fields flows,bytes,packets] [--last-two] WANTED.json FOUND.json

A file is {"ADDRESS": {"flows": N, "bytes": N, ...}, ...}, or one such object of totals without an address.
--fields may rename: bytes=bytes_scaled compares the wanted bytes with the found bytes_scaled.
--last-two names exporters by the last two bytes of their address, which is all that replay keeps of it on loopback.
"""

import argparse
import ipaddress
import json
import sys


def read(path, last_two):
    totals = json.load(open(path))
    if totals and not isinstance(next(iter(totals.values())), dict):
        return {"all": totals}
    if not last_two:
        return totals
    return {".".join(str(b) for b in ipaddress.ip_address(address).packed[-2:]): t for address, t in totals.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fields", default="flows,bytes,packets")
    parser.add_argument("--last-two", action="store_true")
    parser.add_argument("wanted")
    parser.add_argument("found")
    args = parser.parse_args()
    wanted, found = read(args.wanted, args.last_two), read(args.found, args.last_two)
    fields = [(field.split("=") * 2)[:2] for field in args.fields.split(",")]
    if not wanted:
        sys.exit("nothing is wanted: that would compare nothing")
    bad = 0
    sums = {field: 0 for field, _ in fields}
    for address in sorted(wanted.keys() | found.keys()):
        for field, as_found in fields:
            want, have = (side.get(address, {}).get(name) for side, name in ((wanted, field), (found, as_found)))
            sums[field] += want or 0
            if want != have:
                bad += 1
                print(f"  {address}: {field} wanted {want}, found {have}")
    shown = ", ".join(f"{field} {total:,}" for field, total in sums.items())
    print(f"  {len(wanted)} exporters, {shown}: {'equal' if not bad else f'{bad} DIFFER'}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
