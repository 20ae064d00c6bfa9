# Merging on a disk that fills up at any point of it changes nothing, says so, and succeeds when there is room.
source "$(dirname "$0")/lib.sh"
want python3 mount
has compact || skip "this binary has no compact"

small_disk 64m || skip "nobody may mount a small disk here"

# Parts as a server cuts them, none of them merged.
generate v9 120000 44 --exporters 3
printf 'shards = 1\nstore.merge_parts = 1000\nstore.cut_seconds = 1\n' >"$scratch/fs.toml"
data=$small/data
serve --config "$scratch/fs.toml"
RATE=700 send "$scratch/v9-44.pcap" >/dev/null
stop_server
rm -rf "$data/journal/"*/*.spare 2>/dev/null || true
sums "$scratch/before.json"

parts() { find "$data/flows" -name '*.parquet' | sort; }
parts >"$scratch/parts"
[ "$(wc -l <"$scratch/parts")" -ge 4 ] || fail "too few parts for a merge: $(wc -l <"$scratch/parts")"
used=$(find "$data/flows" -name '*.parquet' -printf '%s\n' | awk '{ bytes += $1 } END { print bytes }')

# From no room at all to almost enough: for the part, its index, its totals, the manifest.
failed=0
for share in 0 2 5 10 20 30 40 45 50 55 60 65 70 75 80; do
    dd if=/dev/zero of="$small/ballast" bs=4k 2>/dev/null || true
    truncate -s "-$((used * share / 100))" "$small/ballast"
    status=0
    "$finderscope" compact --data "$data" >"$scratch/compact.log" 2>&1 || status=$?
    rm "$small/ballast"
    [ "$status" = 0 ] && break
    failed=$((failed + 1))
    [ "$status" = 1 ] || fail "exit $status with room for $share % of the parts"
    grep -Eqi 'no space left|bytes of room' "$scratch/compact.log" || fail "it does not say what is wrong: $(tail -n 3 "$scratch/compact.log")"
    parts | cmp -s - "$scratch/parts" || fail "parts changed with room for $share %"
    sums "$scratch/after.json"
    cmp -s "$scratch/before.json" "$scratch/after.json" || fail "other rows with room for $share %"
    strays=$( (find "$data/incoming" "$data/index" "$data/totals" -type f 2>/dev/null || true) | wc -l)
    [ "$strays" = 0 ] || fail "$strays files are left behind with room for $share %"
done
[ "$failed" -ge 3 ] || fail "the disk was never full: $failed failures"
"$finderscope" compact --data "$data" >"$scratch/compact.log" 2>&1 || fail "it does not merge when there is room"
sums "$scratch/after.json"
cmp -s "$scratch/before.json" "$scratch/after.json" || fail "other rows after merging"
[ "$(parts | wc -l)" -lt "$(wc -l <"$scratch/parts")" ] || fail "nothing was merged"
echo "$failed merges on a full disk left $(wc -l <"$scratch/parts") parts as they were; then they became $(parts | wc -l)"
