# The packets that `packets` writes are those that tshark decodes inside the samples; and streams begin and end as they should.
source "$(dirname "$0")/lib.sh"
want tshark tcpdump capinfos python3
has packets || skip "this binary has no packets"

tool() { python3 "$here/packets.py" "$@"; }
packets() { "$finderscope" packets "$@"; }

# same SAMPLES PROTOCOLS [ARGUMENT...]: the packets of these protocols, as tshark sees them inside and outside.
same() {
    local samples=$1 protocols=$2
    shift 2
    packets --from "$samples" -w "$scratch/packets.pcap" "$@" 2>"$scratch/packets.log" || [ $? = 3 ] || fail "packets ended with $?"
    tool compare "$samples" "$scratch/packets.pcap" $protocols || fail "$samples: other packets"
}

if [ -d "$corpus/sflow" ]; then
    for capture in "$corpus"/sflow/*.pcap; do
        echo "$(basename "$capture"):"
        same "$capture" 1
    done
else
    echo "no corpus here: $corpus"
fi
for kind in sflow sflow2 sflow4; do
    generate $kind 1000 7
    echo "$kind, generated:"
    same "$scratch/$kind-7.pcap" 1
done

tool make "$scratch/made.pcap"
echo "other links:"
same "$scratch/made.pcap" "11 12" --link-type raw
same "$scratch/made.pcap" 11 --link-type ipv4
same "$scratch/made.pcap" 12 --link-type ipv6
same "$scratch/made.pcap" 15 --link-type ieee802_11
same "$scratch/made.pcap" 7 --link-type ppp

# count FILTER [ARGUMENT...]: how many packets tcpdump finds.
count() {
    local filter=$1
    shift
    packets --from "$scratch/made.pcap" "$@" 2>"$scratch/packets.log" | tcpdump -nn -r - "$filter" 2>/dev/null | wc -l
}
[ "$(count 'udp port 53')" = 42 ] || fail "40 sampled frames and 2 sections of IPFIX, not $(count '')"
grep -q '42 packets, 42 datagrams, 40 discarded packets left out (--discards), 40 packets of PPP left out (--link-type ppp), 40 packets of IPv4 left out (--link-type raw), 40 packets of IPv6 left out (--link-type raw), 40 packets of 802.11 left out (--link-type ieee802_11), 40 samples without a header' "$scratch/packets.log" ||
    fail "the line at the end: $(cat "$scratch/packets.log")"
[ "$(count '' --discards)" = 82 ] || fail "40 discarded packets more"
[ "$(count 'udp port 53' --make-ethernet)" = 202 ] || fail "all links under an Ethernet header"
[ "$(count '' --bpf 'src host 10.1.0.7')" = 1 ] || fail "a filter that one packet fits"
[ "$(count '' --link-type raw --bpf 'ip6')" = 40 ] || fail "a filter for packets without link"
status=0
packets --from "$scratch/made.pcap" --bpf 'prot 7' >/dev/null 2>"$scratch/packets.log" || status=$?
[ $status = 2 ] && grep -q "syntax error" "$scratch/packets.log" || fail "a wrong filter: $status, $(cat "$scratch/packets.log")"

echo "pcapng:"
packets --from "$scratch/made.pcap" -w "$scratch/packets.pcapng" --discards 2>/dev/null
capinfos "$scratch/packets.pcapng" | grep -q "Number of packets: *82" || fail "capinfos: $(capinfos "$scratch/packets.pcapng")"
capinfos "$scratch/packets.pcapng" | grep -q "Capture length = 65535" || fail "another snap length"
tshark -r "$scratch/packets.pcapng" -T fields -e frame.interface_name -e frame.len -e frame.comment -e frame.packet_flags_direction 2>/dev/null >"$scratch/fields"
printf 'swp3\t1514\tagent=192.0.2.9 rate=1000 in=3 out=5 drops=0\t0x00000001\n' >"$scratch/expected"
printf 'swp3\t46\tagent=192.0.2.9 in=3 drops=0 reason=acl\t0x00000001\n' >>"$scratch/expected"
head -2 "$scratch/fields" | diff - "$scratch/expected" || fail "what tshark says of pcapng"
[ "$(tcpdump -nn -r "$scratch/packets.pcapng" 2>/dev/null | wc -l)" = 82 ] || fail "tcpdump stops inside pcapng"
[ "$(stat -c %a "$scratch/packets.pcapng")" = 600 ] || fail "a capture that others can read"

echo "rotation:"
packets --from "$scratch/made.pcap" -w "$scratch/ring.pcap" --rotate 500 --keep 3 --discards 2>/dev/null
[ "$(ls "$scratch"/ring_*.pcap | wc -l)" = 3 ] || fail "three files are kept, not $(ls "$scratch"/ring_*)"
for file in "$scratch"/ring_*.pcap; do
    [ "$(stat -c %s "$file")" -le 500 ] && tshark -r "$file" >/dev/null 2>&1 || fail "$file is no whole capture of 500 bytes"
done
packets --from "$scratch/made.pcap" -w "$scratch/times.pcap" --rotate 10s 2>/dev/null
[ "$(ls "$scratch"/times_*.pcap | wc -l)" = 5 ] || fail "41 seconds in files of ten"

echo "damage:"
tool quirks "$scratch/quirks.pcap"
status=0
packets --from "$scratch/quirks.pcap" -w "$scratch/packets.pcap" 2>"$scratch/packets.log" || status=$?
[ $status = 3 ] || fail "damage in a file: status $status"
grep -q '6 packets, 6 datagrams, 1 datagram malformed, 3 samples malformed, 1 record malformed' "$scratch/packets.log" ||
    fail "the line at the end: $(cat "$scratch/packets.log")"
[ "$(tcpdump -nn -r "$scratch/packets.pcap" 2>/dev/null | wc -l)" = 6 ] || fail "what is sound is there"

echo "a port, idle after the tenth packet:"
port=$(free_port)
python3 - "$finderscope" "$here/packets.py" "$port" <<'PY' || fail "a live stream"
import os, select, subprocess, sys, time
finderscope, tool, port = sys.argv[1:]

def until_ended(process):
    end = os.pidfd_open(process.pid)
    assert select.select([end], [], [], 30)[0], "it does not end"
    os.close(end)
    return process.wait()

def ends_after():
    ours = subprocess.Popen([finderscope, "packets", "--from", f"udp://127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"listening" in ours.stderr.readline()
    theirs = subprocess.Popen(["tcpdump", "-nn", "-l", "-r", "-", "-c", "10"], stdin=ours.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ours.stdout.close()
    # The head is there before any packet.
    assert b"link-type EN10MB" in theirs.stderr.readline()
    subprocess.run([sys.executable, tool, "send", port, "10"], check=True)
    for _ in range(10):
        assert b"10.1.0." in theirs.stdout.readline()
    began = time.monotonic()
    assert until_ended(theirs) == 0
    assert until_ended(ours) == 0
    took = time.monotonic() - began
    # Who may not have a large receive buffer is told so when it begins.
    said = [line for line in ours.stderr.read().splitlines() if b"net.core.rmem_max" not in line]
    assert said == [], f"a closed pipe is quiet: {said}"
    return took

# The best of several is what the program takes; the others are what else the machine does.
took = sorted(ends_after() for _ in range(5))
assert took[0] < 0.1, f"{took} s after the tenth packet"
print(f"ended {1000 * took[0]:.0f} to {1000 * took[-1]:.0f} ms after the tenth packet was printed")
ours = subprocess.Popen([finderscope, "packets", "--from", f"udp://127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
ours.stderr.readline()
subprocess.run([sys.executable, tool, "send", port, "3"], check=True)
head = ours.stdout.read(24 + 3 * (16 + 46))
ours.send_signal(2)
rest, said = ours.communicate(timeout=30)
assert (len(rest), ours.returncode) == (0, 0) and b"3 packets, 3 datagrams" in said, (rest, said, ours.returncode)
PY

echo "a full disk:"
# Who may not mount one may do so among mounts of its own; only this is left out where that is not to be had either.
cat >"$scratch/full-disk.sh" <<'SH'
# full-disk.sh FOLDER COPY COMMAND...: gives the command a disk of a megabyte, and keeps the capture that it wrote there.
small=$1 copy=$2
shift 2
mount -t tmpfs -o size=1m tmpfs "$small" 2>/dev/null || exit 77
status=0
"$@" || status=$?
cp "$small/packets.pcap" "$copy"
umount "$small"
exit $status
SH
small=$scratch/small
mkdir "$small"
generate sflow 100000 8
full_disk() {
    status=0
    "$@" bash "$scratch/full-disk.sh" "$small" "$scratch/full.pcap" \
        "$finderscope" packets --from "$scratch/sflow-8.pcap" -w "$small/packets.pcap" 2>"$scratch/packets.log" || status=$?
    [ $status != 77 ]
}
if ! full_disk && ! { unshare --user --map-root-user --mount true 2>/dev/null && full_disk unshare --user --map-root-user --mount; }; then
    echo "left out: nobody may mount a small disk here"
    exit 0
fi
[ $status = 1 ] && [ "$(wc -l <"$scratch/packets.log")" = 1 ] && grep -q "No space left" "$scratch/packets.log" ||
    fail "a full disk: status $status, $(cat "$scratch/packets.log")"
tshark -r "$scratch/full.pcap" >/dev/null 2>"$scratch/tshark.err" || fail "the file ends inside a packet: $(cat "$scratch/tshark.err")"
