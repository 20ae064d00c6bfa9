#!/usr/bin/env bash
# softflowd as an exporter: reads packets from a capture, sends flows, and says what it sent.
#
#   tests/services/softflowd.sh FILE.pcap PORT 5|9|10 TOTALS.json
#
# TOTALS.json gets {"flows": …, "bytes": …, "packets": …} from softflowd's own statistics.
source "$(dirname "$0")/lib.sh"
want softflowd python3

capture=$1 port=$2 version=$3 totals=$4
# `-c none`: with a control socket it waits for somebody to connect before it reads a file.
timeout 60 softflowd -d -r "$capture" -n "127.0.0.1:$port" -v "$version" -c none -p "$scratch/pid" \
    >"$scratch/softflowd.log" 2>&1 </dev/null
python3 - "$scratch/softflowd.log" "$totals" <<'PY'
import json, re, sys
log = open(sys.argv[1]).read()
exported, failures = re.search(r"Flows exported: \d+ \((\d+) records\) in \d+ packets \((\d+) failures\)", log).groups()
assert failures == "0", log
# "            tcp (6):          13679           68      55.40s     720.93s"
protocols = re.findall(r"^ *\S+ \(\d+\): +(\d+) +(\d+) +[\d.]+s", log, re.M)
totals = {"flows": int(exported), "bytes": sum(int(b) for b, _ in protocols), "packets": sum(int(p) for _, p in protocols)}
json.dump(totals, open(sys.argv[2], "w"), indent=1)
PY
