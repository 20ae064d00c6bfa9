# People look on while `serve` stores: every reader gets every packet, a slow one loses its own and nobody else's, what is sent
# on is what came, byte for byte, and the store's totals stay true.
source "$(dirname "$0")/lib.sh"
want python3 curl tcpdump
has serve && has replay || skip "this binary has no serve or replay"

url() { echo "http://127.0.0.1:$http$1"; }
ask() { curl -sS -H "Authorization: Bearer $token" "$@"; }
live() { ask "$(url /api/v1/status)" | python3 -c "import json, sys; status = json.load(sys.stdin); print($1)"; }
readers() { [ "$(live 'len(status["live"]["subscribers"])')" = "$1" ]; }
received() { [ "$(live 'status["totals"]["datagrams"]["received"]')" = "$1" ]; }

generate sflow 60000 31 --exporters 7
generate sflow 2000 32 --exporters 3 --start 2026-01-01T01:00:00Z
printf '[live]\nqueue = "1049k"\n' >"$scratch/serve.toml"
serve --config "$scratch/serve.toml"
token=$(cat "$data/http.token")

# Without the token there is nothing, and the answer says where it is.
status=$(curl -sS -o "$scratch/refusal" -w '%{http_code}' "$(url /api/v1/packets)")
[ "$status" = 401 ] && grep -q "$data/http.token" "$scratch/refusal" || fail "no token, and the answer is $status: $(cat "$scratch/refusal")"

# Two who read, one who reads nothing, and one to whom everything is sent on.
sink_port=$(free_port)
start sink python3 "$here/live.py" sink "$sink_port" "$scratch/sink.sha"
sink=$last
until_true 10 udp_bound "$sink_port" || fail "the sink is not there"
status=$(ask -o /dev/null -w '%{http_code}' -X PUT -d "{address:'127.0.0.1', port:$sink_port}" "$(url /forwarding/sink/json)")
[ "$status" = 204 ] || fail "the sink is no target: $status"
start frames python3 "$here/live.py" frames "$http" "$data/http.token" "$scratch/frames.json"
frames=$last
start pcap bash -c "curl -sS -N -H 'Authorization: Bearer $token' '$(url /api/v1/packets)' | tcpdump -nn --number -r - 2>'$scratch/tcpdump.err' | sed -n 's/^ *\([0-9]\+\)  .*/\1/p' | tail -n 1 >'$scratch/pcap.count'"
pcap=$last
start slow python3 "$here/live.py" nothing "$http" "$data/http.token"
# Who would listen on the server's port is brought to the server; it finds the token by itself.
start attached env STATE_DIRECTORY="$data" "$finderscope" packets --from "udp://127.0.0.1:$port" -w "$scratch/attached.pcap"
attached=$last
start named "$finderscope" packets --from "http://127.0.0.1:$http" --token-file "$data/http.token" -w "$scratch/named.pcapng"
named=$last
until_true 20 readers 5 || fail "not all readers are there"

send "$scratch/sflow-31.pcap" --verbatim >"$scratch/sent-31"
send "$scratch/sflow-32.pcap" --verbatim >"$scratch/sent-32"
datagrams=$(python3 "$here/live.py" count "$scratch/sflow-31.pcap" "$scratch/sflow-32.pcap" "$scratch/wanted.sha")
until_true 30 received "$datagrams" || fail "not all $datagrams datagrams were received"

live 'json.dumps(status["live"], indent=1) + json.dumps(status["forwarding"], indent=1)' >"$scratch/live.log"
[ "$(live 'sum(1 for it in status["live"]["subscribers"] if it["lost"])')" = 1 ] || fail "not the slow reader alone has lost something"
[ "$(live 'sum(it["kernel_drops"] for it in status["listeners"])')" = 0 ] || fail "the server lost datagrams"
lost=$(live 'status["live"]["lost"]')

# SIGTERM ends the streams behind the last datagram, also beside a reader that does not read.
began=$SECONDS
stop_server
[ $((SECONDS - began)) -le 30 ] || fail "the end took $((SECONDS - began)) s"
wait "$frames" || fail "the stream of frames did not end well"
wait "$attached" && wait "$named" || fail "those who read from the server by themselves did not end well"
grep -q "a server has udp port $port; reading from http://127.0.0.1:$http" "$scratch/attached.log" || fail "nobody said who has the port"
for capture in attached.pcap named.pcapng; do
    [ "$(tcpdump -nn --number -r "$scratch/$capture" 2>/dev/null | sed -n 's/^ *\([0-9]\+\)  .*/\1/p' | tail -n 1)" = 62000 ] ||
        fail "$capture has not every packet"
done
wait "$pcap" || fail "the capture did not end well"

flows=62000
sums "$scratch/sums.json"
python3 - "$scratch" "$flows" <<'PY'
import json, sys
scratch, flows = sys.argv[1], int(sys.argv[2])
stored = json.load(open(f"{scratch}/sums.json"))["flows"]
frames = json.load(open(f"{scratch}/frames.json"))
pcap = int(open(f"{scratch}/pcap.count").read())
print(f"stored {stored}, in frames {frames}, in the capture {pcap}")
assert (stored, frames["packets"], frames["lost"], pcap) == (flows, flows, 0, flows), "not every reader has every packet"
PY
stop "$sink" || true
cmp "$scratch/wanted.sha" "$scratch/sink.sha" || fail "what was sent on is not what came"
echo "$datagrams datagrams, $flows packets for each reader; the slow one lost $lost datagrams"
