#!/usr/bin/env bash
# nfcapd (or sfcapd) as the collector of what a command sends.
#
#   tests/services/nfcapd.sh [--sflow] TOTALS.json COMMAND...
#
# The command finds the port in $PEER_PORT. TOTALS.json gets flows, bytes and packets for each exporter.
source "$(dirname "$0")/lib.sh"

collector=nfcapd
if [ "$1" = --sflow ]; then collector=sfcapd; shift; fi
totals=$1
shift
want $collector nfdump python3

PEER_PORT=$(free_port)
export PEER_PORT
mkdir "$scratch/flows"
start $collector $collector -p "$PEER_PORT" -b 127.0.0.1 -w "$scratch/flows" -B 16000000 -t 3600 -y
until_true 5 udp_bound "$PEER_PORT" || fail "$collector does not listen"

"$@"

until_true 20 udp_drained "$PEER_PORT" || fail "$collector does not keep up"
drops=$(udp_drops "$PEER_PORT")
[ "$drops" = 0 ] || fail "the kernel dropped $drops datagrams before $collector: send slower"
stop "$last" || true

nfdump -R "$scratch/flows" -s router/flows -o csv -n 0 >"$scratch/counts.csv"
python3 - "$scratch/counts.csv" "$totals" <<'PY'
import csv, json, sys
# ts,te,td,pr,val,fl,flP,pkt,pktP,byt,…: the names depend on the order, the places do not.
rows = [row for row in csv.reader(open(sys.argv[1])) if len(row) == 14 and row[0] != "ts"]
totals = {row[4]: {"flows": int(row[5]), "packets": int(row[7]), "bytes": int(row[9])} for row in rows}
json.dump(totals, open(sys.argv[2], "w"), indent=1)
PY
