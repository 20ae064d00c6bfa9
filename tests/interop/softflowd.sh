# softflowd as a real exporter into `serve`: what it says that it sent is what is stored.
source "$(dirname "$0")/lib.sh"
want softflowd python3
has serve && has query || skip "this binary has no serve or query"

# Packets to make flows of: the corpus where there is one, else what our own exporters sent.
captures=()
for name in ipfixprobe-mixed zeek-http-vlan-0 arkime-v6-http ipfixprobe-tls ndpi-telnet; do
    [ -f "$corpus/probe/$name.pcap" ] && captures+=("$corpus/probe/$name.pcap")
done
if [ ${#captures[@]} = 0 ]; then
    generate v9 30000 3 --exporters 50
    captures=("$scratch/v9-3.pcap")
fi

for capture in "${captures[@]}"; do
    # softflowd sends IPv6 flows in version 9 and IPFIX only.
    for version in 9 10; do
        unset port http
        data=$scratch/$(basename "$capture")-$version
        serve
        "$services/softflowd.sh" "$capture" "$port" $version "$scratch/wanted.json"
        stop_server
        "$finderscope" query --data "$data" --format json \
            "select count(*) as flows, coalesce(sum(bytes), 0) as bytes, coalesce(sum(packets), 0) as packets from flows" \
            >"$scratch/found.json" 2>"$scratch/query.log"
        echo "$(basename "$capture") by softflowd -v $version"
        compare "$scratch/wanted.json" "$scratch/found.json"
    done
done
