#!/usr/bin/env bash
# fprobe as an exporter: watches packets that are sent over loopback for it, and exports them as flows.
#
#   tests/services/fprobe.sh PORT 1|5|7 TOTALS.json
#
# TOTALS.json gets {"flows": …, "bytes": …, "packets": …} of what was sent. It needs the right to capture on loopback.
source "$(dirname "$0")/lib.sh"
want fprobe python3

port=$1 version=$2 totals=$3
# Expires flows a second after their last packet. The queue between its threads is short where nobody says otherwise.
start fprobe fprobe -i lo -p -n "$version" -s 1 -d 1 -g 1 -e 30 -q 10000 -l 2 \
    -f "udp and src port $((port - 1)) and dst portrange 7001-7040" "127.0.0.1:$port"
capturing() {
    kill -0 "$last" 2>/dev/null || skip "fprobe cannot capture on loopback: $(tail -n 1 "$scratch/fprobe.log")"
    [ "$(wc -l </proc/net/packet)" -gt 1 ]
}
until_true 5 capturing || fail "fprobe does not capture"

python3 - "$port" "$totals" <<'PY'
import json, socket, sys, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.bind(("127.0.0.1", int(sys.argv[1]) - 1))
totals = {"flows": 0, "bytes": 0, "packets": 0}
for flow in range(40):
    for packet in range(1 + flow % 7):
        payload = 50 + 13 * flow + packet
        sender.sendto(bytes(payload), ("127.0.0.1", 7001 + flow))
        totals["bytes"] += 20 + 8 + payload
        totals["packets"] += 1
        time.sleep(0.002)
    totals["flows"] += 1
json.dump(totals, open(sys.argv[2], "w"), indent=1)
PY
# It sends what has expired some seconds later, and nothing more when it is ended.
sleep "${FPROBE_SECONDS:-9}"
stop "$last" || true
