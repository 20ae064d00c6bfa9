# What `replay` sends is what other collectors receive: every kind into nfcapd or sfcapd, and into pmacct.
source "$(dirname "$0")/lib.sh"
want nfcapd sfcapd nfdump python3

into() { # COLLECTOR KIND FIELDS [OPTION]
    echo "$2 into $1 $4"
    "$services/$1.sh" $4 "$scratch/found.json" bash -c \
        "'$finderscope' replay '$scratch/$2-7.pcap' --to udp://127.0.0.1:\$PEER_PORT --rate 3000"
    compare --last-two --fields "$3" "$scratch/$2-7.json" "$scratch/found.json"
}

for kind in v5 v9 ipfix sflow; do generate $kind 60000 7 --exporters 6; done
for kind in v9 ipfix; do into nfcapd $kind flows,bytes,packets ""; done
# nfdump multiplies by the sampling rate of a v5 header and of sFlow samples as it receives.
into nfcapd v5 flows,bytes_scaled=bytes,packets_scaled=packets ""
into nfcapd sflow flows,bytes_scaled=bytes,packets_scaled=packets --sflow

command -v nfacctd >/dev/null || { echo "pmacct is not installed: nfdump's collectors alone"; exit 0; }
for kind in v5 v9 ipfix; do into nfacctd $kind flows,bytes,packets ""; done
