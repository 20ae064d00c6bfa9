# DuckDB reads the folder while `serve` writes into it, and in the end counts what we count.
source "$(dirname "$0")/lib.sh"
want python3
has serve && has query || skip "this binary has no serve or query"

# The machine's own duckdb, else one in an environment that stays for the next run.
python=python3
if ! python3 -c 'import duckdb' 2>/dev/null; then
    venv=${XDG_CACHE_HOME:-$HOME/.cache}/finderscope-test-venv
    { [ -x "$venv/bin/python" ] || python3 -m venv "$venv"; } && "$venv/bin/pip" install --quiet duckdb ||
        skip "duckdb could not be installed from PyPI"
    python=$venv/bin/python
fi

generate v9 200000 31 --exporters 4
serve
RATE=1000 send "$scratch/v9-31.pcap" >"$scratch/replay.log" &
sender=$!

# While rows come in, no count ever goes down, and none is over what was sent.
before=0 reads=0
while kill -0 $sender 2>/dev/null; do
    if ls "$data"/flows/*/*/*.parquet >/dev/null 2>&1; then
        rows=$("$python" "$services/duckdb_count.py" "$data" |
            "$python" -c 'import json, sys; print(sum(t["flows"] for t in json.load(sys.stdin).values()))')
        [ "$rows" -ge "$before" ] && [ "$rows" -le 200000 ] || fail "DuckDB counted $before, then $rows flows"
        before=$rows reads=$((reads + 1))
    fi
    sleep 0.2
done
wait $sender || fail "replay: $(cat "$scratch/replay.log")"
echo "$reads reads by DuckDB while rows came in, the last saw $before flows"

# Every row can be asked for within five seconds, by us and by DuckDB, and still the server runs.
stored() {
    totals "$scratch/ours.json"
    python3 "$here/compare.py" --last-two --fields flows "$scratch/v9-31.json" "$scratch/ours.json" >/dev/null
}
until_true 7 stored || fail "rows are not there within five seconds"
"$python" "$services/duckdb_count.py" "$data" >"$scratch/duckdb.json"
echo "DuckDB beside a running server, against finderscope query"
compare --fields $all_fields "$scratch/ours.json" "$scratch/duckdb.json"
compare --last-two --fields $all_fields "$scratch/v9-31.json" "$scratch/duckdb.json"
stop_server
