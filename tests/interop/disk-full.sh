# A server whose disk is full refuses datagrams, counts them, says so now and then, and goes on by itself when there is room.
source "$(dirname "$0")/lib.sh"
want python3 mount
has serve || skip "this binary has no serve"

small_disk 96m || skip "nobody may mount a small disk here"

for seed in 41 42 43; do generate v9 60000 $seed --exporters 2; done
printf 'shards = 1\njournal.segment = "1M"\nstore.merge_parts = 4\nstore.cut_seconds = 1\n' >"$scratch/fs.toml"
data=$small/data
serve --config "$scratch/fs.toml"

before=0
settled() { is "d['received'] >= $before + 1 and r['in_memory'] == 0 and r['stored'] == r['received'] and r['received'] > 0"; }

send "$scratch/v9-41.pcap" >/dev/null
until_true 20 settled || fail "the first rows are not stored"
first=$(ask "r['stored']")

dd if=/dev/zero of="$small/ballast" bs=64k 2>/dev/null || true
before=$(ask "d['received']")
lines=$(wc -l <"$scratch/serve.log")
send "$scratch/v9-42.pcap" >/dev/null
until_true 20 is "dropped > 0" || fail "a full disk refuses nothing"
sleep 3
refused=$(ask dropped)
said=$(($(wc -l <"$scratch/serve.log") - lines))
echo "while the disk was full: $refused datagrams refused and counted, $said lines said"
[ "$said" -le 12 ] || fail "$said lines while the disk was full"
is "d['received'] == d['decoded'] + d['duplicate'] + dropped + sum(n for _, n in d['refused'] + d['malformed'])" ||
    fail "the datagrams do not balance"
is "any('journal' in p['what'] or 'store rows' in p['what'] for p in s['problems'])" || fail "status does not name the disk"
[ "$(ask "r['stored']")" -ge "$first" ] || fail "rows went away"

rm "$small/ballast"
healthy() { python3 -c 'import sys, urllib.request; urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/healthz", timeout=2)' "$http" 2>/dev/null; }
until_true 60 healthy || fail "it does not go on when there is room"
# What the journal could not take when it noticed that there was room is counted, too; from here on nothing is.
sleep 1
refused=$(ask dropped)
before=$(ask "d['received']")
send "$scratch/v9-43.pcap" >/dev/null
until_true 30 settled || fail "rows are not stored after there was room again"
is "dropped == $refused" || fail "datagrams are still refused"
merged() { is "s['store']['keeping']['merged_parts'] > 0"; }
until_true 60 merged || fail "nothing is merged"
records=$(ask "r['stored']")
stop_server
sums "$scratch/sums.json"
python3 - "$scratch/sums.json" "$records" <<'PY' || fail "the rows are not those that were counted"
import json, sys
flows = json.loads(open(sys.argv[1]).readline())["flows"]
print(f"{flows} flows are stored, {sys.argv[2]} were counted")
sys.exit(flows != int(sys.argv[2]))
PY
