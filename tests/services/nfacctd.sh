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

# Its core hands flows to its plugin through a ring, and goes on writing where the plugin has not read yet: flows are then missing, or
# there twice. So the ring has room for all that any test sends.
ring_bytes=200000000

# Its processes: whether each runs, and the processor's time that it has had.
work() {
    local pid
    for pid in $(pgrep -g "$last"); do
        sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 1,12,13 || true
    done
}

# On a machine that has much to do a process may wait long for its turn: all must sleep, and go on doing so.
is_idle() {
    local before
    before=$(work)
    for _ in 1 2 3; do
        sleep 1
        [ "$before" = "$(work)" ] && ! grep -qv '^S' <<<"$before" || return 1
    done
}

has_ended() { ! pgrep -g "$last" >/dev/null; }

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
plugin_pipe_size: $ring_bytes
CONF
start $collector $collector -f "$scratch/pmacct.conf"
until_true 10 udp_bound "$PEER_PORT" || fail "$collector does not listen"

"$@"

until_true 20 udp_drained "$PEER_PORT" || fail "$collector does not keep up"
drops=$(udp_drops "$PEER_PORT")
[ "$drops" = 0 ] || fail "the kernel dropped $drops datagrams before $collector: send slower"
# Nothing tells when the plugin has read all, but that nobody does anything any more.
until_true 60 is_idle || fail "$collector does not come to rest"
# It writes its table when it is interrupted.
pkill -INT -P "$last" -x "$collector" || true
until_true 60 has_ended || fail "$collector does not end"
[ -s "$scratch/out.json" ] || fail "$collector wrote nothing"
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
