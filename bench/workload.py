"""The traffic: captures made by `finderscope generate`, kept for the next run, with their true totals."""

import json
from dataclasses import dataclass
from pathlib import Path

from . import process

KINDS = ("v5", "v9", "ipfix", "sflow")


@dataclass(frozen=True)
class Capture:
    """A capture and what is in it."""

    kind: str
    path: Path
    flows: int
    datagrams: int
    # Raw, and times the sampling rate: nfdump multiplies as it receives where the header or the sample says the rate.
    totals: dict

    def expected(self, loops, scaled):
        """Totals of so many loops."""
        suffix = "_scaled" if scaled else ""
        return {"flows": self.totals["flows"] * loops,
                "bytes": self.totals["bytes" + suffix] * loops,
                "packets": self.totals["packets" + suffix] * loops}


def capture(bench, kind, flows, seed=1, **options):
    """The capture of these arguments; made where it is not there yet."""
    words = [f"--{name}={value}" for name, value in sorted(options.items())]
    name = "-".join([kind, str(flows), str(seed), *(f"{key}{value}" for key, value in sorted(options.items()))])
    path = bench.folder("captures") / f"{name.replace(':', '')}.pcap"
    truth = path.with_suffix(".json")
    if not (path.exists() and truth.exists()):
        bench.say(f"generating {path.name}")
        making = path.with_suffix(".making")
        process.run([bench.finderscope, "generate", kind, "--flows", flows, "--seed", seed, *words,
                     "-o", making, "--truth", truth], bench.log("generate"), 3600)
        making.rename(path)
    return Capture(kind, path, flows, count_datagrams(path), sums(json.loads(truth.read_text())))


def forget(taken):
    """Frees the room of a capture that is not asked for again."""
    taken.path.unlink(missing_ok=True)
    taken.path.with_suffix(".json").unlink(missing_ok=True)


def sums(truth):
    """All exporters' totals together."""
    names = ("flows", "bytes", "packets", "bytes_scaled", "packets_scaled")
    return {name: sum(totals[name] for totals in truth.values()) for name in names}


def count_datagrams(path):
    """Frames of a classic capture, little-endian as `generate` writes it."""
    count, place = 0, 24
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(place)
        buffer, base = b"", place
        while place < size:
            if place - base + 16 > len(buffer):
                file.seek(place)
                buffer, base = file.read(1 << 22), place
            at = place - base
            place += 16 + int.from_bytes(buffer[at + 8:at + 12], "little")
            count += 1
    return count
