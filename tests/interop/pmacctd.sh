# pmacct's probe as a real exporter into `serve`: what nfprobe says that it sent is what is stored, and of sfprobe's
# samples what tshark reads in the datagrams.
source "$(dirname "$0")/lib.sh"
want pmacctd python3
has serve && has query || skip "this binary has no serve or query"

captures=()
for name in ipfixprobe-mixed arkime-v6-http ndpi-telnet; do
    [ -f "$corpus/probe/$name.pcap" ] && captures+=("$corpus/probe/$name.pcap")
done
if [ ${#captures[@]} = 0 ]; then
    generate v9 30000 3 --exporters 50
    captures=("$scratch/v9-3.pcap")
fi

for capture in "${captures[@]}"; do
    for version in 5 9 10; do
        # Version 5 has no room for IPv6, which is all that this one has.
        [ "$version $(basename "$capture")" = "5 arkime-v6-http.pcap" ] && continue
        unset port http
        data=$scratch/$(basename "$capture")-$version
        serve
        "$services/pmacctd.sh" "$capture" "$port" $version "$scratch/wanted.json"
        stop_server
        sums "$scratch/found.json"
        echo "$(basename "$capture") by pmacctd, nfprobe version $version"
        compare "$scratch/wanted.json" "$scratch/found.json"
    done
done

command -v tshark >/dev/null || { echo "tshark is not installed: nfprobe alone"; exit 0; }
for capture in "${captures[@]}"; do
    unset port http
    data=$scratch/$(basename "$capture")-sflow
    serve
    "$services/sfprobe.sh" "$capture" "$port" "$scratch/wanted.json"
    stop_server
    sums "$scratch/found.json"
    echo "$(basename "$capture") by pmacctd, sfprobe"
    compare "$scratch/wanted.json" "$scratch/found.json"
done
