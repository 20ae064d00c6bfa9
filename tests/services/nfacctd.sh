#!/usr/bin/env bash
# pmacct's nfacctd (or sfacctd) as the collector of what a command sends.
#
#   tests/services/nfacctd.sh [--sflow] TOTALS.json COMMAND...
#
# The command finds the port in $PEER_PORT. TOTALS.json gets flows, bytes and packets for each exporter.
source "$(dirname "$0")/lib.sh"

collector=nfacctd
if [ "$1" = --sflow ]; then collector=sfacctd; shift; fi
totals=$1
shift
want $collector python3

PEER_PORT=$(free_port)
export PEER_PORT
cat >"$scratch/pmacct.conf" <<CONF
daemonize: false
${collector}_ip: 127.0.0.1
${collector}_port: $PEER_PORT
plugins: print
aggregate: peer_src_ip, flows
print_output: json
print_output_file: $scratch/out.json
print_refresh_time: 3600
${collector}_pipe_size: 16000000
plugin_pipe_size: 8000000
CONF
start $collector $collector -f "$scratch/pmacct.conf"
until_true 10 udp_bound "$PEER_PORT" || fail "$collector does not listen"

"$@"

until_true 20 udp_drained "$PEER_PORT" || fail "$collector does not keep up"
drops=$(udp_drops "$PEER_PORT")
[ "$drops" = 0 ] || fail "the kernel dropped $drops datagrams before $collector: send slower"
# Its core hands flows to the plugin in the background, and nothing tells when that is done.
sleep 2
# It writes its table when it is interrupted.
pkill -INT -P "$last" -x "$collector" || true
until_true 10 test -s "$scratch/out.json" || fail "$collector wrote nothing"
until_true 10 sh -c "! kill -0 $last 2>/dev/null" || true
python3 - "$scratch/out.json" "$totals" <<'PY'
import json, sys
totals = {}
for line in open(sys.argv[1]):
    row = json.loads(line)
    total = totals.setdefault(row["peer_ip_src"], {"flows": 0, "bytes": 0, "packets": 0})
    for name in total:
        total[name] += int(row[name])
json.dump(totals, open(sys.argv[2], "w"), indent=1)
PY
