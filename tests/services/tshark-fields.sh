#!/usr/bin/env bash
# What tshark reads in a capture of NetFlow or IPFIX: flows, bytes and packets for each exporter.
#
#   tests/services/tshark-fields.sh FILE.pcap PORT TOTALS.json
source "$(dirname "$0")/lib.sh"
want tshark python3

tshark -r "$1" -d "udp.port==$2,cflow" -T fields -E 'aggregator=;' -e ip.src -e cflow.octets -e cflow.packets \
    >"$scratch/fields.tsv" 2>"$scratch/tshark.log"
python3 - "$scratch/fields.tsv" "$3" <<'PY'
import json, sys
totals = {}
for line in open(sys.argv[1]):
    source, octets, packets = (line.rstrip("\n").split("\t") + [""] * 2)[:3]
    octets, packets = ([int(n) for n in cell.split(";") if n] for cell in (octets, packets))
    total = totals.setdefault(source, {"flows": 0, "bytes": 0, "packets": 0})
    total["flows"] += len(octets)
    total["bytes"] += sum(octets)
    total["packets"] += sum(packets)
json.dump(totals, open(sys.argv[2], "w"), indent=1)
PY
