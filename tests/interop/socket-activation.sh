# `serve` on sockets that systemd, or who speaks its protocol, has opened: what came before it ran is stored, too.
source "$(dirname "$0")/lib.sh"
want python3
has serve && has query || skip "this binary has no serve or query"

if command -v systemd-analyze >/dev/null; then
    # The program lies elsewhere here, and the user is not there; all else must be right.
    mkdir "$scratch/units"
    cp "$here"/../../packaging/systemd/finderscope.{service,socket} "$scratch/units"
    sed -i "s|/usr/local/bin/finderscope|$(realpath "$finderscope")|" "$scratch/units/finderscope.service"
    complaints=$(systemd-analyze verify "$scratch"/units/finderscope.service "$scratch"/units/finderscope.socket 2>&1 |
        grep 'finderscope' | grep -v 'Failed to\|man page' || true)
    [ -z "$complaints" ] || fail "systemd-analyze: $complaints"
    echo "systemd-analyze finds nothing wrong with the units"
fi

# One that fits into any socket's queue, and one that does not.
generate sflow 400 31 --exporters 5
generate sflow 20000 32 --exporters 5

# activate.py SOCKETS ADDRESS PORT FILE COMMAND...: opens the sockets, as systemd does, and makes FILE; when there is FILE.go it
# becomes the command.
cat >"$scratch/activate.py" <<'PY'
import os, socket, sys, time
count, address, port, early = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
sockets = []
# `any` is one socket of each family.
addresses = ["0.0.0.0", "::"] if address == "any" else [address] * count
for address in addresses:
    it = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    if ":" in address:
        it.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    elif count > 1 and addresses[0] == addresses[1]:
        it.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    it.bind((address, port))
    sockets.append(it)
open(early, "w").close()
while not os.path.exists(early + ".go"):
    time.sleep(0.05)
for number, it in enumerate(sockets):
    kept = os.dup2(it.fileno(), 100 + number)
for number in range(count):
    os.dup2(100 + number, 3 + number)
    os.set_inheritable(3 + number, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count))
os.execv(sys.argv[5], sys.argv[5:])
PY

for sockets in 1 2; do
    port=$(free_port) http=$(free_port) data=$scratch/data-$sockets
    start "serve-$sockets" python3 "$scratch/activate.py" "$sockets" 127.0.0.1 "$port" "$scratch/early-$sockets" \
        "$finderscope" serve --listen "udp://127.0.0.1:$port" --http "127.0.0.1:$http" --data "$data"
    server=$last
    until_true 10 test -e "$scratch/early-$sockets" || fail "the sockets were not opened"
    if [ "$sockets" = 1 ]; then
        # Before there is a collector at all.
        send "$scratch/sflow-31.pcap"
    fi
    touch "$scratch/early-$sockets.go"
    until_true 30 serving || fail "serve does not answer"
    [ "$sockets" = 1 ] || send "$scratch/sflow-32.pcap"
    until_true 30 udp_drained "$port"
    stop "$server" || fail "serve ended with status $?"
    grep -q "with $sockets sockets" "$scratch/serve-$sockets.log" || fail "there are not $sockets shards"
    totals "$scratch/found.json"
    echo "$sockets passed sockets"
    compare --last-two --fields $all_fields "$scratch/sflow-3$sockets.json" "$scratch/found.json"
done

# Both families of one port: two addresses of one listener, and one shard.
port=$(free_port) http=$(free_port) data=$scratch/data-any
touch "$scratch/early-any.go"
start serve-any python3 "$scratch/activate.py" 2 any "$port" "$scratch/early-any" \
    "$finderscope" serve --listen "udp://:$port" --http "127.0.0.1:$http" --data "$data"
server=$last
until_true 30 serving || fail "serve does not answer"
send "$scratch/sflow-31.pcap"
until_true 30 udp_drained "$port"
stop "$server" || fail "serve ended with status $?"
[ "$(grep -c "listening on udp://.*:$port with 1 sockets" "$scratch/serve-any.log")" = 2 ] || fail "not two addresses with a socket each"
totals "$scratch/found.json"
echo "a passed socket of each family"
compare --last-two --fields $all_fields "$scratch/sflow-31.json" "$scratch/found.json"

# A socket that no listener wants is told; the listener opens its own.
port=$(free_port) http=$(free_port) data=$scratch/data-other other=$(free_port)
touch "$scratch/early-other.go"
start serve-other python3 "$scratch/activate.py" 1 127.0.0.1 "$other" "$scratch/early-other" \
    "$finderscope" serve --listen "udp://127.0.0.1:$port" --http "127.0.0.1:$http" --data "$data"
server=$last
until_true 30 serving || fail "serve does not answer"
stop "$server" || fail "serve ended with status $?"
grep "udp://127.0.0.1:$other was passed" "$scratch/serve-other.log" || fail "the other socket is not told of"
