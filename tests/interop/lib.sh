# What tests between the real binary and real peers share. Sourced, after the peers' own.
#
# The binary is $FINDERSCOPE, else target/debug/finderscope.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
services=$here/../services
source "$services/lib.sh"

finderscope=${FINDERSCOPE:-$here/../../target/debug/finderscope}
[ -x "$finderscope" ] || fail "$finderscope is missing: cargo build -p finderscope-cli, or set FINDERSCOPE"
corpus=${FINDERSCOPE_CORPUS:-$here/../../../shared/corpus}

# has COMMAND: whether this binary has the subcommand.
has() { "$finderscope" "$1" --help >/dev/null 2>&1; }

compare() { python3 "$here/compare.py" "$@" || fail "the totals differ"; }

# generate KIND FLOWS SEED [ARGUMENT...]: $scratch/KIND-SEED.pcap and .json
generate() {
    local kind=$1 flows=$2 seed=$3
    shift 3
    "$finderscope" generate "$kind" --flows "$flows" --seed "$seed" -o "$scratch/$kind-$seed.pcap" \
        --truth "$scratch/$kind-$seed.json" "$@"
}

# serve ARGUMENT...: a server on $port with its folder $data; $server is its process id.
serve() {
    port=${port:-$(free_port)}
    http=${http:-$(free_port)}
    data=${data:-$scratch/data}
    start serve "$finderscope" serve --listen "udp://127.0.0.1:$port" --http "127.0.0.1:$http" --data "$data" "$@"
    server=$last
    until_true 30 serving || fail "serve does not answer"
}

serving() {
    kill -0 "$server" 2>/dev/null || fail "serve ended by itself"
    udp_bound "$port" && python3 - "$http" 2>/dev/null <<'PY'
import sys, urllib.request
urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/healthz", timeout=2).read()
PY
}

# Ends the server as systemd would; what it still holds is stored by then.
stop_server() {
    local dropped
    until_true 30 udp_drained "$port" || fail "serve does not keep up"
    dropped=$(udp_drops "$port")
    [ "$dropped" = 0 ] || fail "the kernel dropped $dropped datagrams: the test sends too fast for this machine"
    stop "$server" || fail "serve ended with status $?"
}

send() { "$finderscope" replay "$1" --to "udp://127.0.0.1:$port" --rate "${RATE:-3000}" "${@:2}"; }

# totals FILE: what finderscope has for each exporter.
totals() {
    "$finderscope" query --data "$data" --format json \
        "select exporter_address, count(*) as flows, sum(bytes) as bytes, sum(packets) as packets,
                sum(bytes_scaled) as bytes_scaled, sum(packets_scaled) as packets_scaled
         from flows group by exporter_address" >"$scratch/rows.json" 2>"$scratch/query.log"
    python3 - "$scratch/rows.json" "$1" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
json.dump({row.pop("exporter_address"): row for row in rows}, open(sys.argv[2], "w"), indent=1)
PY
}

# small_disk SIZE: a file system of its own at $small, taken away at the end. To be asked for first: whoever may not mount one
# begins the test anew where it is root of its own mounts. Fails where that is not to be had either.
small_disk() {
    small=$scratch/small
    mkdir "$small"
    if mount -t tmpfs -o "size=$1" tmpfs "$small" 2>/dev/null; then
        trap unmount EXIT
        return
    fi
    if [ -z "${OWN_MOUNTS:-}" ] && unshare --user --map-root-user --mount true 2>/dev/null; then
        rm -rf "$scratch"
        OWN_MOUNTS=1 exec unshare --user --map-root-user --mount bash "$0"
    fi
    return 1
}

unmount() {
    local status=$?
    umount -l "$small" 2>/dev/null
    (exit $status)
    finish
}

# ask EXPRESSION: of the server's status, in Python: `s` is all of it, `d` its datagrams, `r` its records.
ask() {
    python3 - "$http" "$1" <<'PY'
import json, sys, urllib.request
with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/api/v1/status", timeout=20) as answer:
    s = json.load(answer)
d, r = s["totals"]["datagrams"], s["totals"]["records"]
dropped = sum(count for _, count in d["dropped"])
print(eval(sys.argv[2]))
PY
}

# is EXPRESSION: whether that is so.
is() { [ "$(ask "$1")" = True ]; }

all_fields=flows,bytes,packets,bytes_scaled,packets_scaled

# sums FILE: what finderscope has in all.
sums() {
    "$finderscope" query --data "$data" --format json \
        "select count(*) as flows, coalesce(sum(bytes), 0) as bytes, coalesce(sum(packets), 0) as packets from flows" \
        >"$1" 2>"$scratch/query.log"
}
