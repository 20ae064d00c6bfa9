# `finderscope tcpdump` and `finderscope tshark` with the real tools: the packets, the ends, and what is left running.
source "$(dirname "$0")/lib.sh"
want python3 tcpdump tshark
has tcpdump || skip "this binary has no tcpdump"
export scratch

generate sflow 20000 5 --exporters 3

# same NAME COMMAND...: the tool on the stream prints what it prints of the same packets in a file.
same() {
    local capture=$1
    "$finderscope" packets --from "$capture" --make-ethernet -w "$scratch/packets.pcap" 2>>"$scratch/packets.log" || [ $? = 3 ] ||
        fail "packets on $capture ended with $?"
    tcpdump -nn -e -v -r "$scratch/packets.pcap" >"$scratch/wanted" 2>/dev/null
    "$finderscope" tcpdump --from "$capture" -nn -e -v >"$scratch/found" 2>>"$scratch/tcpdump.log" || [ $? = 3 ] ||
        fail "tcpdump on $capture ended with $?"
    cmp "$scratch/wanted" "$scratch/found" || fail "tcpdump on $capture prints something else"
    lines=$((lines + $(wc -l <"$scratch/found")))
}
lines=0 captures=0
for capture in "$scratch/sflow-5.pcap" "$corpus"/sflow/*.pcap; do
    [ -f "$capture" ] || continue
    same "$capture"
    captures=$((captures + 1))
done
echo "$captures captures: tcpdump prints the same $lines lines from the stream as from a file"

# Each packet once, in order: what tshark decodes inside the samples is what it decodes of the stream.
fields=(-T fields -e ip.src -e ip.dst -e ip.len -e ip.proto -e ip.id)
tshark -n -r "$scratch/sflow-5.pcap" -Y sflow -E occurrence=a -T fields \
    -e ip.src -e ip.dst -e ip.len -e ip.proto -e ip.id 2>/dev/null >"$scratch/inside.txt"
"$finderscope" tshark --from "$scratch/sflow-5.pcap" -n "${fields[@]}" >"$scratch/stream.txt" 2>>"$scratch/tshark.log"
python3 - "$scratch/inside.txt" "$scratch/stream.txt" <<'PY' || fail "tshark sees other packets in the stream"
import sys
inside = []
for line in open(sys.argv[1]):
    # The first value of each is the export datagram's own.
    inside += zip(*(field.split(",")[1:] for field in line.rstrip("\n").split("\t")))
stream = [tuple(line.rstrip("\n").split("\t")) for line in open(sys.argv[2])]
stream = [row for row in stream if row[0]]
print(f"tshark: {len(inside)} IPv4 packets in the samples, {len(stream)} in the stream, {'the same' if inside == stream else 'DIFFERENT'}")
sys.exit(inside != stream or not inside)
PY

python3 "$here/wrapped.py" "$finderscope" "$scratch/sflow-5.pcap" || fail "a tool's end is not as it should be"

# The example of the manual: who talks to a listed address.
python3 - "$scratch/stream.txt" >"$scratch/list.txt" <<'PY'
import sys
addresses = sorted({line.split("\t")[0] for line in open(sys.argv[1]) if line.split("\t")[0]})
print(f"# a list\n{addresses[0]} ; one\n{addresses[1]}/32,another\n\nno address\n192.0.2.255")
PY
wanted=$(python3 - "$scratch/stream.txt" "$scratch/list.txt" <<'PY'
import sys
listed = {word.split("/")[0] for word in open(sys.argv[2]).read().replace(",", " ").split()}
print(sum(address in listed for line in open(sys.argv[1]) for address in line.split("\t")[:2]))
PY
)
"$finderscope" tshark --from "$scratch/sflow-5.pcap" -n -l -T ek -J 'ip ipv6' 2>>"$scratch/tshark.log" |
    python3 "$here/../../examples/blocklist.py" "$scratch/list.txt" >"$scratch/hits.txt" 2>"$scratch/blocklist.log"
grep -q "line 5: 'no' is no address" "$scratch/blocklist.log" || fail "a bad line is not told"
[ "$(wc -l <"$scratch/hits.txt")" = "$wanted" ] || fail "blocklist.py has $(wc -l <"$scratch/hits.txt") hits instead of $wanted"
echo "blocklist.py: $wanted hits"
