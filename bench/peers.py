"""The peers: installed where they are missing, found where they are, with their versions."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

DEBIAN = ("nfdump", "nfdump-sflow", "pmacct", "softflowd", "tshark", "tcpdump", "python3-venv")
GOFLOW2 = "github.com/netsampler/goflow2/v2/cmd/goflow2@latest"
# Debian keeps pmacct's daemons where a user's PATH does not look.
SBIN = ("/usr/sbin", "/usr/local/sbin")


@dataclass
class Peers:
    """Where they are; None where one could not be had."""

    goflow2: Path | None = None
    # A Python that has DuckDB.
    duckdb: Path | None = None
    versions: dict = field(default_factory=dict)


def prepare(root, cache, say, install=True):
    """Installs what is missing (`install`), and finds everything."""
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *SBIN])
    if install:
        subprocess.run([root / "scripts" / "need", "--optional", "benchmarks beside other collectors", *DEBIAN],
                       stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    found = Peers(goflow2=goflow2(cache, say, install), duckdb=duckdb(cache, say, install))
    found.versions = versions(found)
    return found


def goflow2(cache, say, install):
    program = cache / "bin" / "goflow2"
    if not program.exists() and install and shutil.which("go"):
        say("installing goflow2 from Go modules")
        subprocess.run(["go", "install", GOFLOW2], env={**os.environ, "GOBIN": str(program.parent)}, check=False,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr)
    elsewhere = shutil.which("goflow2")
    return program if program.exists() else Path(elsewhere) if elsewhere else None


def duckdb(cache, say, install):
    for python in (Path(sys.executable), cache / "venv" / "bin" / "python"):
        if has_duckdb(python):
            return python
    if not install:
        return None
    say("installing DuckDB from PyPI")
    subprocess.run([sys.executable, "-m", "venv", cache / "venv"], check=False, stdout=sys.stderr)
    subprocess.run([cache / "venv" / "bin" / "pip", "install", "--quiet", "duckdb"], check=False, stdout=sys.stderr)
    return python if has_duckdb(python) else None


def has_duckdb(python):
    return python.exists() and subprocess.run(
        [python, "-c", "import duckdb"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def versions(found):
    """What each says of itself, in a line."""
    asked = {"nfdump": ["nfdump", "-V"], "pmacct": ["nfacctd", "-V"], "softflowd": ["softflowd", "-h"],
             "goflow2": ["go", "version", "-m", str(found.goflow2)] if found.goflow2 else None,
             "DuckDB": [str(found.duckdb), "-c", "import duckdb; print(duckdb.__version__)"] if found.duckdb else None}
    result = {}
    for name, command in asked.items():
        if command is None or shutil.which(command[0]) is None:
            continue
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        if name == "goflow2":
            lines = [line.split("\t")[2] for line in lines if line.startswith("mod\t")]
        result[name] = number(lines)
    return result


def number(lines):
    """The first word that looks like a version."""
    words = (word.strip("().,") for line in lines for word in line.split())
    return next((word for word in words if re.search(r"\d+\.\d", word)), "unknown")
