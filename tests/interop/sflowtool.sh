# sflowtool's forms: what they say is what tshark reads, scripts read them line by line, and what is sent on arrives.
source "$(dirname "$0")/lib.sh"
want tshark python3 awk
has sflowtool && has generate || skip "this binary has no sflowtool or generate"

export TZ=UTC
generate sflow 20000 5 --exporters 7
mapfile -t captures < <(ls "$corpus"/sflow/*.pcap 2>/dev/null || true)
for capture in "$scratch/sflow-5.pcap" "${captures[@]}"; do
    echo "$(basename "$capture"): forms beside tshark"
    python3 "$here/sflowtool.py" forms "$finderscope" "$capture" "$scratch" || fail "the forms differ"
done

echo "awk reads text and lines"
"$finderscope" sflowtool -r "$scratch/sflow-5.pcap" | awk '
    /^startDatagram/ { datagrams++; open++ } /^endDatagram/ { open-- }
    /^startSample/ { samples++ } /^endSample/ { samples_ended++ }
    NF < 2 { bad++ } $1 == "meanSkipCount" { rates++ }
    END { if (open || bad || samples != samples_ended || !rates) exit 1; print datagrams, samples }' >"$scratch/awk" ||
    fail "awk lost count of text"
read -r _ samples <"$scratch/awk"
lines=$("$finderscope" sflowtool -r "$scratch/sflow-5.pcap" -l | awk -F, '
    $1 == "FLOW" && NF == 20 || $1 == "CNTR" && NF == 21 { good++; next } { bad++ } END { print bad ? "bad" : good }')
[ "$lines" = "$samples" ] || fail "$samples samples, $lines lines"

for version in 5 9; do
    echo "NetFlow v$version, read by tshark"
    python3 "$here/sflowtool.py" netflow "$finderscope" "$scratch/sflow-5.pcap" "$scratch" $version || fail "flows differ"
done

echo "forwarding to two"
python3 "$here/sflowtool.py" forward "$finderscope" "$scratch/sflow-5.pcap" "$scratch" || fail "datagrams differ"

echo "one waits for its port and sends on to another"
python3 "$here/sflowtool.py" relay "$finderscope" "$scratch/sflow-5.pcap" "$scratch" || fail "the relay"

# A network of its own, where a group of receivers needs no link but loopback.
alone='ip link set lo up && ip route add 239.255.63.43/32 dev lo && exec "$@"'
if command -v ip >/dev/null && unshare -n bash -c "$alone" alone true 2>/dev/null; then
    echo "NetFlow from the agents' own addresses"
    unshare -n bash -c "$alone" alone python3 "$here/sflowtool.py" spoof "$finderscope" "$scratch/sflow-5.pcap" "$scratch" ||
        fail "the sources"
else
    echo "only root may send from others' addresses"
fi

echo "versions, and what is damaged"
"$finderscope" sflowtool -z 2>"$scratch/version" && "$finderscope" sflowtool --version 2>>"$scratch/version" >"$scratch/nothing"
[ "$(sort -u "$scratch/version")" = "finderscope $("$finderscope" --version | awk '{ print $2 }')" ] && [ ! -s "$scratch/nothing" ] ||
    fail "-z says $(cat "$scratch/version")"
port=$(free_port)
start damaged "$finderscope" sflowtool -4 -b 127.0.0.1 -l -p "$port"
damaged=$last
until_true 20 udp_bound "$port" || fail "sflowtool does not listen"
python3 - "$port" <<'PY'
import socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for at in range(322):
    out.sendto(b"\0\0\0\5\0\0", ("127.0.0.1", int(sys.argv[1])))
    if at % 50 == 0:
        time.sleep(0.01)
PY
until_true 20 udp_drained "$port" || fail "sflowtool does not keep up"
stop "$damaged" || fail "sflowtool ended with status $?"
[ "$(grep -c 'is damaged' "$scratch/damaged.log")" = 10 ] && grep -q 'and 312 more like it' "$scratch/damaged.log" ||
    fail "a flood of damage: $(tail -3 "$scratch/damaged.log")"

echo "live: lines come at once, a reader's end and SIGTERM end it"
port=$(free_port)
start live "$finderscope" sflowtool -4 -b 127.0.0.1 -l -p "$port"
live=$last
until_true 20 udp_bound "$port" || fail "sflowtool does not listen"
"$finderscope" replay "$scratch/sflow-5.pcap" --to "udp://127.0.0.1:$port" --rate 2000 >"$scratch/replay.log" 2>&1
until_true 20 udp_drained "$port" || fail "sflowtool does not keep up"
all_lines() { [ "$(grep -c '^FLOW\|^CNTR' "$scratch/live.log")" = "$samples" ]; }
until_true 30 all_lines || fail "$(grep -c '^FLOW\|^CNTR' "$scratch/live.log") of $samples lines came"
stop "$live" || fail "sflowtool ended with status $?"
port=$(free_port)
start pipe bash -c "'$finderscope' sflowtool -p $port -l | head -n 1"
reader=$last
until_true 20 udp_bound "$port" || fail "sflowtool does not listen"
"$finderscope" replay "$scratch/sflow-5.pcap" --to "udp://127.0.0.1:$port" --rate 500 --seconds 1 >"$scratch/replay.log" 2>&1 || true
ended() { ! kill -0 "$reader" 2>/dev/null; }
until_true 30 ended || fail "sflowtool outlives its reader"

if has serve; then
    echo "a server has the port: its datagrams are read from it"
    unset port http
    serve
    STATE_DIRECTORY=$data start served "$finderscope" sflowtool -l -p "$port"
    served=$last
    until_true 20 grep -q "reading from" "$scratch/served.log" || fail "sflowtool does not find the server"
    until_true 20 is 'len(s["live"]["subscribers"]) == 1' || fail "sflowtool does not read from the server"
    send "$scratch/sflow-5.pcap" >"$scratch/replay.log" 2>&1
    served_all() { [ "$(grep -c '^FLOW\|^CNTR' "$scratch/served.log")" = "$samples" ]; }
    until_true 30 served_all || fail "$(grep -c '^FLOW\|^CNTR' "$scratch/served.log") of $samples lines came"
    stop "$served" || fail "sflowtool ended with status $?"
    stop_server
fi
