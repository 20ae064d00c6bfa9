# A hundred exporters that send from twenty ports each stay whole, and a second collector takes nothing from the first.
source "$(dirname "$0")/lib.sh"
want python3
has serve && has query || skip "this binary has no serve or query"

serve
echo "100 exporters, 20 ports each"
python3 - "$port" "$scratch/wanted.json" <<'PY'
# NetFlow v9: the template comes from the first port only, data from all of them, in one sequence.
import json, socket, struct, sys, time

collector = ("127.0.0.1", int(sys.argv[1]))
fields = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4)]
template = struct.pack("!4H", 0, 8 + 4 * len(fields), 256, len(fields)) + b"".join(struct.pack("!2H", *f) for f in fields)
wanted, now = {}, int(time.time())
for number in range(100):
    address = f"127.1.{number // 50}.{number % 50 + 1}"
    total = wanted[address] = {"flows": 0, "bytes": 0, "packets": 0}
    sequence = 0
    def send(sock, sets, count):
        global sequence
        sock.sendto(struct.pack("!HHIIII", 9, count, 60_000, now, sequence, 0) + sets, collector)
        sequence += 1
    for at in range(20):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
            if at == 0:
                send(sock, template, 1)
            for turn in range(3):
                records = b""
                for flow in range(10):
                    octets, packets = 100 + number + 7 * flow, flow + turn + 1
                    records += struct.pack("!4s4sHHBII", bytes([10, number, at, flow]), bytes(4), at, 443, 6, packets, octets)
                    for name, value in (("flows", 1), ("bytes", octets), ("packets", packets)):
                        total[name] += value
                body = records + bytes(-len(records) % 4)
                send(sock, struct.pack("!2H", 256, 4 + len(body)) + body, 10)
    time.sleep(0.005)
json.dump(wanted, open(sys.argv[2], "w"))
PY

# Somebody else wants the port while we have it.
status=0
"$finderscope" serve --listen "udp://127.0.0.1:$port" --http off --data "$scratch/second" \
    >"$scratch/second.log" 2>&1 </dev/null || status=$?
grep -i finderscope "$scratch/second.log" | head -n 3
[ $status = 1 ] || fail "a second collector on port $port ended with $status, not 1"
grep -q "$port" "$scratch/second.log" || fail "the refusal does not name the port"
grep -qE "finderscope.*$server|$server.*finderscope|\b$(pgrep -P "$server" || echo "$server")\b" "$scratch/second.log" ||
    fail "the refusal does not name the holder"
echo "a second collector was refused, and told who holds the port"

# And somebody who wants the same folder.
status=0
"$finderscope" serve --listen "udp://127.0.0.1:$(free_port)" --http off --data "$data" \
    >"$scratch/third.log" 2>&1 </dev/null || status=$?
[ $status = 1 ] && grep -q "$(pgrep -P "$server" || echo "$server")" "$scratch/third.log" ||
    fail "a second server on the folder ended with $status: $(cat "$scratch/third.log")"
echo "a second server on the folder was refused, and told who holds it"

stop_server
totals "$scratch/found.json"
compare "$scratch/wanted.json" "$scratch/found.json"
