# A newcomer's first minute: `demo` answers, with nothing lost and nothing wrong; every command's help has an example.
source "$(dirname "$0")/lib.sh"
has demo || skip "this binary has no demo"

timeout 120 "$finderscope" demo --once >"$scratch/demo.log" 2>&1 </dev/null || fail "demo ended with status $?"
grep -E '^Summary: .* flows' "$scratch/demo.log" | head -n 1
for balance in datagrams sets records; do
    line=$(grep -E "^ +$balance +[1-9][0-9]* = " "$scratch/demo.log") || fail "demo shows no balance of $balance"
    echo "$line"
done
grep -q 'nothing is wrong' "$scratch/demo.log" || fail "demo says: $(grep -A1 '^problem' "$scratch/demo.log")"

commands=$("$finderscope" --help | awk '/^Commands:/ { on = 1; next } /^Options:/ { on = 0 } on && /^  [a-z]/ && $1 != "help" { print $1 }')
for command in $commands; do
    "$finderscope" "$command" --help 2>&1 | grep -q "^ *finderscope $command" || fail "the help of $command has no example"
done
echo "examples in the help of: $(echo $commands)"
