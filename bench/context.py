"""What every row is given: where things are, how big the run is, which cores."""

import hashlib
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import peers, process

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Bench:
    """One run of the benchmarks."""

    finderscope: Path
    decoding: Path | None
    cache: Path
    scratch: Path
    rounds: int
    quick: bool
    # Flows of a collector's pass; flows of the day that is asked.
    flows: int
    day_flows: int
    peers: "peers.Peers" = None
    sender_cores: tuple = ()
    collector_cores: tuple = ()
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self):
        cores = sorted(os.sched_getaffinity(0))
        # With one core both have it, and the report says so.
        self.sender_cores, self.collector_cores = (cores[0],), (cores[-1],)
        self.all_cores = tuple(cores)

    def folder(self, name):
        """A folder that stays for the next run."""
        path = self.cache / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, name):
        self.scratch.mkdir(parents=True, exist_ok=True)
        return self.scratch / f"{name}.log"

    def say(self, text):
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"[{minutes:3}:{seconds:02}] {text}", file=sys.stderr, flush=True)

    def identity(self):
        """What tells one binary from another."""
        digest = hashlib.sha256()
        with open(self.finderscope, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()[:16]


def build(profile, say):
    """The binary and the decoding example, built as `profile` says; paths of both."""
    folder = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / ("debug" if profile == "dev" else profile)
    say(f"building finderscope, profile {profile} (the first release build takes a quarter of an hour)")
    for what in (["-p", "finderscope-cli"], ["-p", "finderscope-intake", "--example", "rate"]):
        process.run(["cargo", "build", "--locked", "--quiet", "--profile", profile, *what], "/dev/stderr", 7200,
                    env={**os.environ})
    return folder / "finderscope", folder / "examples" / "rate"
