# sFlow among tshark's interfaces: a link in its extcap folder, asked and captured from as Wireshark does.
source "$(dirname "$0")/lib.sh"
want python3 tshark
has extcap || skip "this binary has no extcap"

mkdir "$scratch/extcap"
link=$scratch/extcap/sflow-by-finderscope
ln -s "$(realpath "$finderscope")" "$link"
export WIRESHARK_EXTCAP_DIR=$scratch/extcap

# Wireshark takes no folder from root's environment.
tshark=(tshark)
if [ "$(id -u)" = 0 ]; then
    want setpriv
    chmod 755 "$scratch" "$scratch/extcap"
    export HOME=/nonexistent
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    tshark=("${as_nobody[@]}" tshark)
    # Where folders above the program are root's alone, a copy of it will do.
    "${as_nobody[@]}" "$link" --extcap-interfaces >/dev/null 2>&1 || cp --remove-destination "$finderscope" "$link"
    "${as_nobody[@]}" "$link" --extcap-interfaces >/dev/null 2>&1 || skip "nobody may not run $finderscope"
fi

"${tshark[@]}" -D 2>/dev/null | grep 'sflow (sFlow: packets that devices sampled)' || fail "tshark -D has no sflow"
"${tshark[@]}" -i sflow -L 2>&1 | grep 'EN10MB (Ethernet)' || fail "tshark -L has no Ethernet"

generate sflow 20000 41
mkfifo -m 666 "$scratch/fifo"
for format in pcapng pcap; do
    # As Wireshark calls it; the reader has enough after ten.
    "$link" --capture --extcap-interface sflow --fifo "$scratch/fifo" --from "$scratch/sflow-41.pcap" --format $format \
        --extcap-capture-filter tcp 2>"$scratch/extcap.log" &
    capturing=$!
    found=$("${tshark[@]}" -n -r "$scratch/fifo" -c 10 -T fields -e tcp.srcport 2>/dev/null | grep -c . || true)
    wait $capturing || fail "extcap ended with $?"
    [ "$found" = 10 ] || fail "$format: not ten packets of TCP: $found"
    [ ! -s "$scratch/extcap.log" ] || fail "what is on stderr, Wireshark shows as an error"
done

# A live capture by tshark itself; its settings come from its preferences.
port=$(free_port)
"${tshark[@]}" -i sflow -o "extcap.sflow.from:udp://127.0.0.1:$port" -n -c 10 -T fields -e frame.interface_name -e ip.src \
    >"$scratch/live.txt" 2>"$scratch/live.log" &
live=$!
started+=($live)
until_true 30 udp_bound "$port" || fail "nobody listens: $(cat "$scratch/live.log")"
send "$scratch/sflow-41.pcap" >/dev/null
wait $live || fail "tshark ended with $?: $(cat "$scratch/live.log")"
[ "$(wc -l <"$scratch/live.txt")" = 10 ] || fail "not ten packets: $(cat "$scratch/live.txt")"
until_true 30 eval '! udp_bound "$port"' || fail "extcap goes on without a reader"
head -n 2 "$scratch/live.txt"
echo "tshark -i sflow: ten packets, live, and nothing left"
