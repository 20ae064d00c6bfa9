# Every kind over UDP into `serve`, which is ended and started again while the sender pauses: nothing is lost, nothing
# is there twice, and the scaled forms are right.
source "$(dirname "$0")/lib.sh"
want python3
has serve && has query || skip "this binary has no serve or query"

for kind in v1 v5 v6 v7 v8 v9 ipfix sflow; do
    unset port http
    data=$scratch/$kind
    generate $kind 100000 21 --exporters 7
    generate $kind 100000 22 --exporters 7 --start 2026-01-01T01:00:00Z

    serve
    send "$scratch/$kind-21.pcap"
    stop_server
    serve
    send "$scratch/$kind-22.pcap"
    stop_server

    python3 - "$scratch/$kind-21.json" "$scratch/$kind-22.json" "$scratch/wanted.json" <<'PY'
import json, sys
first, second = (json.load(open(path)) for path in sys.argv[1:3])
sums = {a: {name: first[a][name] + second[a][name] for name in first[a]} for a in first}
json.dump(sums, open(sys.argv[3], "w"))
PY
    totals "$scratch/found.json"
    echo "$kind, over a restart"
    compare --last-two --fields $all_fields "$scratch/wanted.json" "$scratch/found.json"
done
