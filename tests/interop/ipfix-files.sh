# IPFIX files (RFC 5655): ipfixDump reads what `generate` writes, and `import` reads it too; both count what its --truth
# says. Real files of the corpus have as many records for both.
source "$(dirname "$0")/lib.sh"
want ipfixDump python3

"$finderscope" generate ipfix --flows 50000 --seed 17 --exporters 5 --templates 6 -o "$scratch/flows.ipfix" \
    --truth "$scratch/truth.json"
ipfixDump -d -i "$scratch/flows.ipfix" | python3 -c '
import json, re, sys
totals = {"flows": 0, "bytes": 0, "packets": 0}
# What has no bytes is a record of options.
for line in sys.stdin:
    if match := re.match(r"\s+\((\d+)\)\s+\w+DeltaCount : (\d+)", line):
        totals[{"1": "bytes", "2": "packets"}[match[1]]] += int(match[2])
        totals["flows"] += match[1] == "1"
json.dump(totals, open(sys.argv[1], "w"))' "$scratch/dumped.json"
python3 - "$scratch/truth.json" "$scratch/wanted.json" <<'PY'
import json, sys
truth = json.load(open(sys.argv[1])).values()
json.dump({name: sum(total[name] for total in truth) for name in ("flows", "bytes", "packets")}, open(sys.argv[2], "w"))
PY
echo "an IPFIX file of ours, read by ipfixDump"
compare "$scratch/wanted.json" "$scratch/dumped.json"

if has import && has query; then
    data=$scratch/imported
    "$finderscope" import "$scratch/flows.ipfix" --data "$data"
    sums "$scratch/found.json"
    echo "the same file, imported"
    compare "$scratch/wanted.json" "$scratch/found.json"
fi

for file in "$corpus"/ipfix/ipfixcol-0*.ipfix "$corpus"/ipfix/ipfixcol2-example_flows.ipfix; do
    [ -f "$file" ] || continue
    records=$(ipfixDump -s -i "$file" | sed -n 's/.* \([0-9]*\) Data Records.*/\1/p')
    ours=$("$finderscope" decode --stats "$file" | python3 -c 'import json, sys
stats = json.load(sys.stdin); print(stats["by_protocol"]["IPFIX"]["records"] + stats["options"])')
    [ "$records" = "$ours" ] || fail "$(basename "$file"): ipfixDump counts $records data records, decode $ours"
    echo "$(basename "$file"): $records data records, as ipfixDump counts"
done
