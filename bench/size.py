"""Bytes on the disk for a flow, after merging, beside nfdump's files with LZ4 and with bz2.

The flows come over UDP, in real time: a capture's own times are rounder than the kernel's, and would compress better.
"""

import shutil

from . import exchange, process, store, workload
from .collectors import MERGED_LATER, Finderscope, Nfcapd

RATE = {"v5": 12_000, "v9": 12_000, "ipfix": 12_000, "sflow": 20_000}


def run(bench):
    """By kind."""
    return {kind: one(bench, kind) for kind in workload.KINDS}


def one(bench, kind):
    flows = bench.flows // (4 if kind == "sflow" else 1)
    taken = workload.capture(bench, kind, flows)
    bench.say(f"size {kind}: {flows} flows")
    theirs = Keeping(Nfcapd(bench, bench.scratch / "theirs"))
    ours = Keeping(Finderscope(bench, bench.scratch / "ours", MERGED_LATER))
    try:
        result = {"flows": flows}
        for side in (theirs, ours):
            done = exchange.once(bench, side, taken, RATE[kind])
            if not (done.lossless and done.equal):
                raise process.Failed(f"{done.collector}: lost {done.losses}, {'; '.join(done.notes)}")
        result["lz4"] = theirs.stored_bytes()
        result["bz2"] = bz2(bench, theirs.flows)
        result["unmerged"] = ours.stored_bytes()
        merging = store.merge(bench, ours.data)
        result["merging_cpu"] = merging and merging.cpu
        result |= store.sizes(ours.data)
        if (kept := ours.totals()) != taken.expected(1, False):
            raise process.Failed(f"after merging {kept} instead of {taken.expected(1, False)}")
        told = ", ".join(f"{name} {result[name] / flows:.1f}" for name in ("unmerged", "parts", "index", "totals", "lz4", "bz2"))
        bench.say(f"  bytes a flow: {told}")
        return result
    finally:
        ours.really_remove()
        theirs.really_remove()


def bz2(bench, flows):
    """nfdump's own recompression, block for block, of a copy."""
    copy = bench.scratch / "bz2"
    shutil.copytree(flows, copy)
    try:
        for file in copy.glob("nfcapd.*"):
            process.run(["nfdump", "-J", "2", "-r", file], bench.log("nfdump"), 3600)
        return sum(file.stat().st_size for file in copy.glob("nfcapd.*"))
    finally:
        shutil.rmtree(copy)


class Keeping:
    """A collector whose folder stays when a pass is over."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def remove(self):
        """Ends it, and leaves what it stored."""
        if self.inner.process is not None:
            self.inner.process.stop()

    def really_remove(self):
        self.inner.remove()
