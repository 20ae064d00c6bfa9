# What scripts that start real peers share. Sourced.
#
# Every peer runs on loopback, on a port that was free, in a folder of its own, for a bounded time, and is ended by
# its process id when the script ends, however it ends.

set -euo pipefail

# Where the peers' files lie; gone at the end.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/finderscope-test.XXXXXX")
started=()

finish() {
    local status=$?
    trap - EXIT
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ $status != 0 ] && [ $status != 77 ]; then
        # What the peers had to say is the best hint that there is.
        for log in "$scratch"/*.log; do
            if [ -s "$log" ]; then echo "-- end of $(basename "$log"):"; tail -n 15 "$log"; fi
        done >&2
    fi
    rm -rf "$scratch"
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Exit status 77 means skipped, as automake has it.
skip() {
    echo "skipped: $*"
    exit 77
}

want() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || skip "$program is not installed"
    done
}

# start NAME COMMAND...: in the background, its output in $scratch/NAME.log, its process id in $last.
start() {
    local name=$1
    shift
    timeout --kill-after=10 "${PEER_SECONDS:-300}" "$@" >>"$scratch/$name.log" 2>&1 </dev/null &
    last=$!
    started+=("$last")
}

# stop PID: asks it to end, and gives its exit status.
stop() {
    local status=0
    kill -TERM "$1"
    wait "$1" || status=$?
    local left=()
    for pid in "${started[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
    started=("${left[@]}")
    return $status
}

# until_true SECONDS COMMAND...: as soon as the command succeeds; fails when it did not in time.
until_true() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

# A port that nobody has, for UDP and TCP.
free_port() {
    python3 - <<'PY'
import socket
while True:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    port = udp.getsockname()[1]
    try:
        socket.socket().bind(("127.0.0.1", port))
    except OSError:
        continue
    # Not one that the kernel, or replay for its exporters, is about to hand out.
    if port % 10 != 0:
        print(port)
        break
PY
}

# The kernel's table of UDP sockets on a port: local address, queue, drops.
udp_sockets() {
    local hex
    hex=$(printf ':%04X' "$1")
    awk -v port="$hex" 'substr($2, length($2) - 4) == port { split($5, queue, ":"); print $2, queue[2], $NF }' \
        /proc/net/udp /proc/net/udp6
}

udp_bound() { [ -n "$(udp_sockets "$1")" ]; }

udp_drained() { ! udp_sockets "$1" | awk '{ print $2 }' | grep -qv '^00000000$'; }

udp_drops() { udp_sockets "$1" | awk '{ sum += $3 } END { print sum + 0 }'; }
