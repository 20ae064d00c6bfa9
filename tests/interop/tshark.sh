# What `generate` writes is what its --truth says, by tshark's reading.
source "$(dirname "$0")/lib.sh"
want tshark python3

for pair in v1:2055 v5:2055 v7:2055 v8:2055 v9:2055 ipfix:4739; do
    kind=${pair%:*}
    generate "$kind" 40000 11 --exporters 15 --templates 7
    echo "$kind, read by tshark"
    "$services/tshark-fields.sh" "$scratch/$kind-11.pcap" "${pair#*:}" "$scratch/found.json"
    compare "$scratch/$kind-11.json" "$scratch/found.json"
done
