#!/usr/bin/env python3
"""Kills a loaded `finderscope serve` again and again, and then counts.

    kill9.py [--kills N] [--seed S] [--merging] [--finderscope PATH]

A sender replays NetFlow v9 without a pause. Some kills come at a random moment, the others are aimed: at a
part that is being written, at a part that has just been put in place, at the manifest growing, at a decoder's state being
written. With --merging parts are merged as soon as four have come together, and kills are aimed at that, too: at the merged part that is
being written, at its index, its totals, and at the moment when it has just taken its sources' place. After every kill the server is started again on the same folder and port.

At the end every datagram (by exporter and sequence number) must be there whole and once, or in a gap that `status` shows;
then data without templates is replayed into a restarted server and must be decoded with the templates from before.
"""
import argparse, collections, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request
from pathlib import Path

p = argparse.ArgumentParser()
p.add_argument("--kills", type=int, default=100)
p.add_argument("--seed", type=int, default=1)
p.add_argument("--rate", type=int, default=2000, help="datagrams a second")
p.add_argument("--merging", action="store_true", help="merge all the time, and aim at it")
p.add_argument("--finderscope", default=os.environ.get("FINDERSCOPE", "target/debug/finderscope"))
a = p.parse_args()
rng = random.Random(a.seed)
FS = str(Path(a.finderscope).resolve())
work = Path(tempfile.mkdtemp(prefix="finderscope-kill9-"))
data = work / "data"


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


UDP, HTTP = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)


def run(*args):
    done = subprocess.run([FS, *map(str, args)], capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(f"finderscope {' '.join(map(str, args))}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def serve():
    log = open(work / "serve.log", "a")
    child = subprocess.Popen([FS, "serve", "--data", data, "--listen", f"udp://127.0.0.1:{UDP}", "--http",
                              f"127.0.0.1:{HTTP}", "--config", work / "fs.toml"], stdout=log, stderr=log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if child.poll() is not None:
            sys.exit(f"serve ended with {child.returncode}:\n" + (work / "serve.log").read_text()[-3000:])
        try:
            return child, status()
        except OSError:
            time.sleep(0.02)
    sys.exit("serve did not answer within 60 s")


def status():
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP}/api/v1/status", timeout=5) as answer:
        return json.load(answer)


def files(folder):
    return {str(path) for path in data.glob(folder)}


AIMS = {
    "a part being written": lambda: files("incoming/*"),
    "a part in place": lambda: files("*/day=*/hour=*/*.parquet"),
    "the manifest": lambda: {(data / "manifest").stat().st_size if (data / "manifest").exists() else 0},
    "a decoder's state": lambda: files("state/*"),
    "the journal": lambda: files("journal/*/*"),
}


if a.merging:
    AIMS |= {
        "a merged part being written": lambda: files("incoming/merged-*"),
        "an index": lambda: files("index/day=*/hour=*/*"),
        "totals": lambda: files("totals/day=*/*"),
        "a merged part in place": lambda: files("*/day=*/hour=*/merged-*"),
    }


def wait_for(aim):
    """Until what is aimed at changes, or some seconds have passed."""
    before, deadline = AIMS[aim](), time.monotonic() + (8 if a.merging else 2.5)
    while time.monotonic() < deadline:
        if AIMS[aim]() - before:
            return
        time.sleep(0.0005)


def main():
    (work / "fs.toml").write_text("store.cut_seconds = 1\n" + ("store.merge_parts = 4\n" if a.merging else ""))
    run("generate", "v9", "--flows", 120_000, "--seed", a.seed, "--exporters", 6, "-o", work / "load.pcap")
    server, _ = serve()
    loops = 1 + (a.kills * (9 if a.merging else 3) + 60 * a.merging) * a.rate // 5_000
    sender = subprocess.Popen([FS, "replay", work / "load.pcap", "--to", f"udp://127.0.0.1:{UDP}", "--rate", str(a.rate),
                               "--loops", str(loops)], stdout=subprocess.PIPE, text=True)
    aims = collections.Counter()
    for n in range(a.kills):
        aim = rng.choice(["a random moment", *AIMS])
        if aim == "a random moment":
            time.sleep(rng.uniform(0.0, 2.0))
        else:
            wait_for(aim)
            time.sleep(rng.choice([0, 0, 0.001, 0.005]))
        server.send_signal(signal.SIGKILL)
        server.wait()
        aims[aim] += 1
        server, _ = serve()
    still_merges()
    sender.terminate()
    sender.wait()
    time.sleep(2.5)  # two publications of the figures, so that they include the last datagram
    last = status()
    server.send_signal(signal.SIGTERM)
    if server.wait(timeout=60):
        sys.exit("serve did not end well on SIGTERM")
    no_strays()
    check(last, aims)
    templates_survive()


def check(last, aims):
    rows = run("query", "--data", data, "--format", "json",
               "select exporter_address, observation_domain_id, sequence_num, count(*) as n from flows group by 1, 2, 3")
    seen = collections.defaultdict(dict)
    for line in rows.splitlines():
        row = json.loads(line)
        seen[row["exporter_address"]][row["sequence_num"]] = row["n"]
    expected = flows_per_datagram()
    gaps = {e["address"]: sum(d["lost"] for d in e["domains"]) for e in last["exporters"]}
    failures, datagrams, missing = [], 0, 0
    for exporter, sequences in seen.items():
        cycle = expected[exporter]
        for sequence, n in sequences.items():
            if n != cycle[sequence % len(cycle)]:
                failures.append(f"{exporter} datagram {sequence}: {n} rows instead of {cycle[sequence % len(cycle)]}")
        holes = max(sequences) + 1 - len(sequences)
        datagrams += len(sequences)
        missing += holes
        if holes != gaps.get(exporter, 0):
            failures.append(f"{exporter}: {holes} datagrams are missing, status shows a gap of {gaps.get(exporter)}")
    balance(last, failures)
    print(f"{sum(aims.values())} kills: " + ", ".join(f"{count} at {aim}" for aim, count in sorted(aims.items())))
    print(f"{datagrams} datagrams whole and once, {missing} in gaps that status shows, {len(failures)} failures")
    if failures or not datagrams:
        sys.exit("\n".join(failures[:20]) or "nothing came")


def still_merges():
    """The last server, too, merges what the killed ones left."""
    if not a.merging:
        return
    merged = last_merged()
    print(f"{merged} parts were merged by the last server")
    if not merged:
        sys.exit("nothing was merged")


def last_merged():
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        merged = status()["store"]["keeping"]["merged_parts"]
        if merged:
            return merged
        time.sleep(0.5)
    return 0


def no_strays():
    """After a clean end and a last start, each file in the folder is one that the manifest names."""
    named = set()
    for line in (data / "manifest").read_text().splitlines():
        record = json.loads(line)
        named -= set(record.get("removed", []))
        for part in record.get("parts", []) + record.get("totals", []) * (record["record"] == "replace"):
            named.add(part["path"])
        named |= {record[kept]["path"] for kept in ("part", "totals") if record["record"] in ("kept", "kept_totals") and kept in record}
    indexes = {path for path in files("index/day=*/hour=*/*")}
    there = {str(Path(path).relative_to(data)) for path in files("*/day=*/**/*.parquet")}
    strays = [path for path in there ^ named]
    merged = {Path(path).stem for path in named if path.startswith("flows/") and "/merged-" in path}
    strays += [path for path in indexes if Path(path).stem not in merged]
    strays += files("incoming/*")
    if strays:
        sys.exit("files that nobody names: " + ", ".join(strays[:5]))


def flows_per_datagram():
    """Rows of each datagram of the capture, by exporter and place; loops repeat them."""
    cycle = collections.defaultdict(lambda: collections.Counter())
    first = {}
    for line in run("decode", work / "load.pcap", "--format", "json").splitlines():
        row = json.loads(line)
        if row["record"] == "flow":
            cycle[row["exporter_address"]][row["sequence_num"]] += 1
    aliases = {}
    for exporter, counts in cycle.items():
        low = exporter.split(".")[2:]
        aliases[f"127.1.{low[0]}.{low[1]}"] = [counts[n] for n in range(max(counts) + 1)]
    return aliases


def balance(status, failures):
    total = lambda reasons: sum(count for _, count in reasons)
    for who, ledger in [("all", status["totals"])] + [(e["address"], e["ledger"]) for e in status["exporters"]]:
        d, s, r = ledger["datagrams"], ledger["sets"], ledger["records"]
        if d["received"] != d["decoded"] + d["duplicate"] + total(d["refused"]) + total(d["malformed"]) + total(d["dropped"]):
            failures.append(f"{who}: datagrams do not balance: {d}")
        if s["received"] != s["decoded"] + s["waiting"] + total(s["expired"]) + total(s["unknown"]) + total(s["malformed"]):
            failures.append(f"{who}: sets do not balance: {s}")
        if r["received"] != r["stored"] + r["in_memory"] + total(r["skipped"]) + total(r["lost"]):
            failures.append(f"{who}: records do not balance: {r}")


def templates_survive():
    """Data without any template, into a server that was started anew."""
    run("generate", "v9", "--flows", 120_000, "--seed", a.seed + 1, "--exporters", 6, "-o", work / "next.pcap")
    data_only(work / "next.pcap", work / "data-only.pcap")
    server, before = serve()
    out = run("replay", work / "data-only.pcap", "--to", f"udp://127.0.0.1:{UDP}", "--rate", 3000)
    time.sleep(2.5)
    after = status()
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=60)
    sets, records = after["totals"]["sets"], after["totals"]["records"]["received"] - before["totals"]["records"]["received"]
    print(f"data only: {out.strip()}; {records} records decoded, {sets['waiting']} sets waiting")
    if sets["waiting"] or not records:
        sys.exit("templates from before the restart were not used")


def data_only(source, target):
    """Copies the datagrams that have no template set (NetFlow v9 set id 0 or 1 first)."""
    raw, out, at = source.read_bytes(), bytearray(), 24
    out += raw[:24]
    while at < len(raw):
        length = int.from_bytes(raw[at + 8:at + 12], "little")
        payload = at + 16 + 42
        if int.from_bytes(raw[payload + 20:payload + 22], "big") > 1:
            out += raw[at:at + 16 + length]
        at += 16 + length
    target.write_bytes(out)


try:
    main()
finally:
    shutil.rmtree(work, ignore_errors=True)
