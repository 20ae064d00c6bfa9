"""What the figures were measured on."""

import os
import platform
import subprocess
import time
from pathlib import Path

from . import context


def describe(bench):
    """Facts for the report; nothing that names the machine."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "system": system(), "kernel": platform.release(), "processor": processor(), "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "rmem_max": setting("net/core/rmem_max"),
        "memory_copy_gb_s": round(memory_copy() / 1e9, 1),
        "versions": {"finderscope": version(bench)} | bench.peers.versions,
        "one_core": bench.sender_cores == bench.collector_cores,
    }


def system():
    for line in read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def processor():
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def setting(name):
    return int(read(f"/proc/sys/{name}") or 0)


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def version(bench):
    """Of the binary, and of the sources that it was built from where git tells."""
    text = subprocess.run([bench.finderscope, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    commit = subprocess.run(["git", "-C", context.ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                            check=False).stdout.strip()
    return f"{text.split()[-1] if text else 'unknown'} ({commit or 'no git'})"


def memory_copy(size=1 << 28, times=5):
    """Bytes a second that one core copies (each is read once and written once), of far more than the caches hold."""
    source, target = bytearray(size), bytearray(size)
    # Of a view into a view there is no copy in between.
    out, view, best = memoryview(target), memoryview(source), 0.0
    for _ in range(times):
        began = time.perf_counter()
        out[:] = view
        best = max(best, size / (time.perf_counter() - began))
    return best
