# What `replay` sends is what other collectors receive: every kind into nfcapd or sfcapd, and into pmacct.
source "$(dirname "$0")/lib.sh"
want nfcapd sfcapd nfdump python3

into() { # COLLECTOR KIND FIELDS [OPTION]
    echo "$2 into $1 $4"
    "$services/$1.sh" $4 "$scratch/found.json" bash -c \
        "'$finderscope' replay '$scratch/$2-7.pcap' --to udp://127.0.0.1:\$PEER_PORT --rate 3000"
    compare --last-two --fields "$3" "$scratch/$2-7.json" "$scratch/found.json"
}

# An IPFIX file has no senders: all its messages come from one address, in a domain for each exporter.
file_into() { # COLLECTOR
    echo "an IPFIX file into $1"
    "$services/$1.sh" "$scratch/found.json" bash -c \
        "'$finderscope' replay '$scratch/flows.ipfix' --to udp://127.0.0.1:\$PEER_PORT --rate 3000"
    sum "$scratch/ipfix-7.json" "$scratch/sums.json"
    sum "$scratch/found.json" "$scratch/found-sums.json"
    compare "$scratch/sums.json" "$scratch/found-sums.json"
}

sum() { # TOTALS.json SUMS.json
    python3 - "$1" "$2" <<'PY'
import json, sys
totals = json.load(open(sys.argv[1])).values()
json.dump({name: sum(total[name] for total in totals) for name in ("flows", "bytes", "packets")}, open(sys.argv[2], "w"))
PY
}

for kind in v1 v5 v7 v9 ipfix sflow; do generate $kind 60000 7 --exporters 6; done
for kind in v1 v7 v9 ipfix; do into nfcapd $kind flows,bytes,packets ""; done
# nfdump multiplies by the sampling rate of a v5 header and of sFlow samples as it receives.
into nfcapd v5 flows,bytes_scaled=bytes,packets_scaled=packets ""
into nfcapd sflow flows,bytes_scaled=bytes,packets_scaled=packets --sflow

"$finderscope" generate ipfix --flows 60000 --seed 7 --exporters 6 -o "$scratch/flows.ipfix"
file_into nfcapd

command -v nfacctd >/dev/null || { echo "pmacct is not installed: nfdump's collectors alone"; exit 0; }
# nfacctd's core and its plugin share a ring without a lock: one time in some forty it has a record once more, or not at all, of the
# same datagrams. What it finds right once was sent right.
once_of_three() { # COMMAND...
    for _ in 1 2 3; do
        rm -f "$scratch/found.json"
        if ("$@"); then return; fi
        echo "nfacctd counts once more"
    done
    fail "nfacctd never finds what was sent"
}
for kind in v5 v9 ipfix; do once_of_three into nfacctd $kind flows,bytes,packets ""; done
once_of_three file_into nfacctd
