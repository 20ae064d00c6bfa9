#!/usr/bin/env bash
# pmacct's probe as an exporter: reads packets from a capture, sends flows by its plugin nfprobe, and says what it sent.
#
#   tests/services/pmacctd.sh FILE.pcap PORT 5|9|10 TOTALS.json
#
# TOTALS.json gets {"flows": …, "bytes": …, "packets": …} from what nfprobe logs of each flow that it expires.
source "$(dirname "$0")/lib.sh"
want pmacctd python3

capture=$1 port=$2 version=$3 totals=$4
cat >"$scratch/pmacctd.conf" <<CONF
daemonize: false
debug: true
pcap_savefile: $capture
plugins: nfprobe
nfprobe_receiver: 127.0.0.1:$port
nfprobe_version: $version
aggregate: src_host, dst_host, src_port, dst_port, proto, tos
plugin_pipe_size: 8000000
CONF
# It ends by itself some seconds after the file's end.
timeout 60 pmacctd -f "$scratch/pmacctd.conf" >"$scratch/pmacctd.log" 2>&1 </dev/null || true
python3 - "$scratch/pmacctd.log" "$version" "$totals" <<'PY'
import json, re, sys
log, version, path = sys.argv[1:]
totals = {"flows": 0, "bytes": 0, "packets": 0}
flow = re.compile(r"EXPIRED: seq:\d+ \[(\S+)\]:\d+ <> .* octets>:(\d+) packets>:(\d+) octets<:(\d+) packets<:(\d+)")
for source, *counters in flow.findall(open(log, errors="replace").read()):
    if version == "5" and ":" in source:
        continue  # version 5 has no room for IPv6
    for octets, packets in (counters[:2], counters[2:]):
        if int(packets):
            totals["flows"] += 1
            totals["bytes"] += int(octets)
            totals["packets"] += int(packets)
json.dump(totals, open(path, "w"), indent=1)
PY
