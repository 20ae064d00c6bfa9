# fprobe as a real exporter of versions 1, 5 and 7 into `serve`: the packets that it saw are the packets that are stored.
source "$(dirname "$0")/lib.sh"
want fprobe python3
has serve && has query || skip "this binary has no serve or query"

for version in 1 5 7; do
    unset port http
    data=$scratch/v$version
    serve
    "$services/fprobe.sh" "$port" $version "$scratch/wanted.json"
    stop_server
    sums "$scratch/found.json"
    echo "fprobe, version $version"
    compare "$scratch/wanted.json" "$scratch/found.json"
done
