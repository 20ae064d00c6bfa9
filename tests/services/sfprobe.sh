#!/usr/bin/env bash
# pmacct's sFlow probe as an exporter: reads packets from a capture and samples every one by its plugin sfprobe.
#
#   tests/services/sfprobe.sh FILE.pcap PORT TOTALS.json
#
# The datagrams pass through here on their way: TOTALS.json gets {"flows": …, "bytes": …, "packets": …} of the samples
# that tshark reads in them. (What sfprobe holds when it ends, it does not send, so its own count would say too much.)
source "$(dirname "$0")/lib.sh"
want pmacctd tshark python3

capture=$1 port=$2 totals=$3
between=$(free_port)
cat >"$scratch/pass.py" <<'PY'
import socket, struct, sys
between, port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", between))
with open(path, "wb", buffering=0) as file:
    file.write(struct.pack("!IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # raw IP
    while True:
        datagram, _ = receiver.recvfrom(65535)
        receiver.sendto(datagram, ("127.0.0.1", port))
        udp = struct.pack("!4H", 6343, 6343, 8 + len(datagram), 0) + datagram
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4)) + udp
        file.write(struct.pack("!4I", 0, 0, len(ip), len(ip)) + ip)
PY
start pass python3 "$scratch/pass.py" "$between" "$port" "$scratch/passed.pcap"
until_true 5 udp_bound "$between" || fail "nothing listens for sfprobe"
cat >"$scratch/pmacctd.conf" <<CONF
daemonize: false
pcap_savefile: $capture
plugins: sfprobe
sfprobe_receiver: 127.0.0.1:$between
sampling_rate: 1
aggregate: src_host, dst_host
plugin_pipe_size: 8000000
CONF
timeout 60 pmacctd -f "$scratch/pmacctd.conf" >"$scratch/pmacctd.log" 2>&1 </dev/null || true
until_true 5 udp_drained "$between" || fail "datagrams of sfprobe are left behind"
stop "$last" || true
tshark -r "$scratch/passed.pcap" -d udp.port==6343,sflow -T fields -E 'aggregator=;' -e sflow_245.header.frame_length \
    >"$scratch/lengths" 2>"$scratch/tshark.log"
python3 - "$scratch/lengths" "$totals" <<'PY'
import json, sys
lengths = [int(length) for line in open(sys.argv[1]) for length in line.strip().split(";") if length]
json.dump({"flows": len(lengths), "bytes": sum(lengths), "packets": len(lengths)}, open(sys.argv[2], "w"))
PY
