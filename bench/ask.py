"""Questions over a day of flows, beside nfdump on the same flows: top-10, a filter on port and prefix, address pairs."""

import csv
import json
from dataclasses import asdict

from . import asking, process
from .day import day

FILTER = "dst port 443 and src net 10.64.0.0/10"


def run(bench):
    """Times of each question, both sides; answers are compared first."""
    asked = day(bench)
    result = {"flows": asked.flows}
    for name, ours, theirs, place in questions(bench, asked):
        mine, _ = asking.answer(ours)
        others, _ = asking.answer(theirs)
        if (found := ranking(mine)) != (expected := place(others)):
            raise process.Failed(f"{name}: the answers differ\nfinderscope {found}\nnfdump      {expected}")
        result[name] = asking.pair(bench, name, ours, theirs)
    # The same pairs with less memory: it must finish, and say the same.
    pairs = top(bench, asked, "src_addr,dst_addr", "--memory-limit", "512M")
    if ranking(asking.answer(pairs)[0]) != ranking(asking.answer(top(bench, asked, "src_addr,dst_addr"))[0]):
        raise process.Failed("pairs: another answer within 512 MB")
    runs = [asking.timed(bench, pairs) for _ in range(bench.rounds)]
    result["pairs_512m"] = [asdict(run) for run in runs]
    bench.say(f"  pairs within 512 MB: {runs[0].wall:.2f} s, peak {runs[0].peak_kb / 1024:.0f} MB")
    return result


def questions(bench, asked):
    """(name, our command, theirs, how to read theirs)"""
    nfdump = ["nfdump", "-R", asked.theirs, "-N", "-q", "-o", "csv"]
    yield "top", top(bench, asked, "src_addr"), [*nfdump, "-s", "srcip/bytes", "-n", 10], statistic
    yield ("filter", top(bench, asked, "src_addr", "--filter", FILTER),
           [*nfdump, "-s", "srcip/bytes", "-n", 10, FILTER], statistic)
    yield ("pairs", top(bench, asked, "src_addr,dst_addr", "--memory-limit", "2G"),
           [*nfdump, "-A", "srcip,dstip", "-O", "bytes", "-n", 10], aggregate)


def top(bench, asked, columns, *words):
    return [bench.finderscope, "top", columns, "--by", "bytes", "-n", 10, "--format", "json", "--data", asked.ours, *words]


def ranking(text):
    """(addresses, bytes) of each line of ours, largest first."""
    found = []
    for line in text.splitlines():
        row = json.loads(line)
        keys = tuple(row[name] for name in ("src_addr", "dst_addr") if name in row)
        measure = next(row[name] for name in ("bytes_scaled", "bytes") if name in row)
        found.append((keys, int(measure)))
    return found


def statistic(text):
    """The same of `nfdump -s … -o csv`: ts,te,td,pr,val,fl,flP,pkt,pktP,byt,…"""
    rows = [row for row in csv.reader(text.splitlines()) if len(row) >= 13 and row[0] != "ts"]
    return [((row[4],), int(row[9])) for row in rows]


def aggregate(text):
    """The same of `nfdump -A srcip,dstip -O bytes -o csv`: ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,…"""
    rows = [row for row in csv.reader(text.splitlines()) if len(row) > 20 and row[0] != "ts"]
    return [((row[3], row[4]), int(row[12])) for row in rows]
