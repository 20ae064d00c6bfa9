# A server whose disk is slow stays small, keeps what it took, and counts the rest.
source "$(dirname "$0")/lib.sh"
want python3 strace
has serve || skip "this binary has no serve"
strace -e trace=fsync -e inject=fsync:delay_enter=1000 true 2>/dev/null || skip "strace may not trace here"

# Every sync takes half a second, every write ten milliseconds.
cat >"$scratch/slow" <<SH
#!/bin/sh
exec strace -f --seccomp-bpf -qq -o /dev/null -e trace=fsync,fdatasync,pwrite64 \\
    -e inject=fsync,fdatasync:delay_enter=500000 -e inject=pwrite64:delay_enter=10000 "$finderscope" "\$@"
SH
chmod +x "$scratch/slow"
generate v9 600000 45 --exporters 4
printf 'shards = 1\nstore.merge_parts = 4\nstore.cut_seconds = 1\n' >"$scratch/fs.toml"
quick=$finderscope
finderscope=$scratch/slow serve --config "$scratch/fs.toml"
finderscope=$quick
# The server is strace's child, and that is timeout's.
tracer=$(pgrep -P "$server") && traced=$(pgrep -P "$tracer") || fail "the traced server is not there"

sent=$(RATE=20000 send "$scratch/v9-45.pcap" | grep -o '^[0-9]* datagrams' | cut -d' ' -f1)
until_true 60 udp_drained "$port" || fail "the queue is not emptied"
sleep 1
kernel=$(udp_drops "$port")
is "d['received'] + $kernel == $sent" || fail "of $sent datagrams $(ask "d['received']") were taken and $kernel dropped"
is "d['received'] == d['decoded'] + d['duplicate'] + dropped + sum(n for _, n in d['refused'] + d['malformed'])" ||
    fail "the datagrams do not balance"
peak=$(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$traced/status")
echo "of $sent datagrams the kernel dropped $kernel; at most $peak MB were resident"
[ "$peak" -le 200 ] || fail "$peak MB resident"
everything_stored() { is "r['in_memory'] == 0 and r['stored'] == r['received']"; }
until_true 90 everything_stored || fail "rows are not stored"
lost=$(ask "$kernel + dropped")
kill -TERM "$traced"
wait "$server" 2>/dev/null || true
sums "$scratch/sums.json"
python3 - "$scratch/sums.json" "$lost" <<'PY' || fail "the rows are not those that were sent"
import json, sys
flows, lost = json.loads(open(sys.argv[1]).readline())["flows"], int(sys.argv[2])
print(f"{flows} of 600000 flows are stored, {lost} datagrams were lost and counted")
sys.exit(not 0 < flows <= 600000 or (flows == 600000) != (lost == 0))
PY
