"""Processes whose cost is measured: pinned to a core, ended by their id, with the processor's time of all their children.

A command runs in a process group of its own. What its children leave behind comes to us (`PR_SET_CHILD_SUBREAPER`), so that
`wait4` tells the time of every one of them, also where the parent did not wait.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
# What a process that is asked to end may take for it: nfcapd compresses its last blocks, serve seals everything.
END_SECONDS = 120
# The nice value of everything that is started, where one was asked for.
NICE = None


def become_subreaper():
    """Makes orphans of our children ours. Once, before anything starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@dataclass
class Usage:
    """What a command cost until it had ended."""

    user: float = 0.0
    system: float = 0.0
    wall: float = 0.0
    status: int = 0
    # Kilobytes at the highest moment, as the kernel noted it; of the process alone, without children.
    peak_kb: int = 0

    @property
    def cpu(self):
        return self.user + self.system

    def add(self, usage):
        self.user += usage.ru_utime
        self.system += usage.ru_stime


class Process:
    """A running command and its children."""

    def __init__(self, command, log, cores=None, nofile=None, env=None, stdout=None):
        def prepare():
            if cores is not None:
                os.sched_setaffinity(0, cores)
            if nofile is not None:
                raise_open_files(nofile)
            if NICE is not None:
                be_nice(NICE)

        self.command = [str(word) for word in command]
        self.log = Path(log)
        self.began = time.monotonic()
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=out,
                start_new_session=True, preexec_fn=prepare, env=env)
        self.pid = self.child.pid
        self.usage = None

    def alive(self):
        """Looks without reaping, so that the usage stays to be had."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False  # reaped already

    def peak_kb(self):
        """The largest resident memory so far, of the process itself (`VmHWM`)."""
        return status_kb(self.pid, "VmHWM")

    def stop(self, number=signal.SIGTERM, seconds=END_SECONDS):
        """Asks it to end, waits, and says what all of it cost."""
        if self.usage is None:
            peak_kb = self.peak_kb()
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass
            self.wait(seconds)
            self.usage.peak_kb = max(self.usage.peak_kb, peak_kb)
        return self.usage

    def wait(self, seconds):
        """Waits for the command and for what it left behind; what takes longer than `seconds` is killed."""
        if self.usage is not None:
            return self.usage
        deadline = time.monotonic() + seconds
        usage, peak_kb, killed, running = Usage(), 0, False, True
        looked = time.monotonic()
        while running:
            if self.alive():
                peak_kb = max(peak_kb, self.peak_kb())
            running = self.reap(usage)
            if running and time.monotonic() > deadline:
                # Once is enough: what does not end by SIGKILL hangs in the kernel, and waiting for it is no use either.
                if killed:
                    raise TimeoutError(f"{self.command[0]} cannot be ended, see {self.log}")
                killed, deadline = True, time.monotonic() + 10
                signal_group(self.pid, signal.SIGKILL)
            if running:
                # Fine enough for a command of milliseconds, and rare enough not to disturb one of minutes.
                time.sleep(min(max((time.monotonic() - looked) / 200, 0.0005), 0.02))
        usage.wall = time.monotonic() - self.began
        usage.peak_kb = max(peak_kb, usage.peak_kb)
        if killed:
            usage.status = -signal.SIGKILL
        self.usage = usage
        self.child.returncode = usage.status
        return usage

    def reap(self, usage):
        """Takes what ended of the group; whether something still runs."""
        while True:
            try:
                pid, status, used = os.wait4(-self.pid, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            usage.add(used)
            if pid == self.pid:
                usage.status = os.waitstatus_to_exitcode(status)
                # Before it became the command the process was a copy of us: what is below our own size says nothing.
                if used.ru_maxrss > status_kb(os.getpid(), "VmHWM"):
                    usage.peak_kb = used.ru_maxrss

    def tail(self, lines=15):
        """The end of its log, for errors."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


class Failed(Exception):
    """A command ended badly, or a measurement cannot be had here."""


def run(command, log, seconds, **options):
    """Runs a command to its end. What it cost, and a refusal where its status is not 0."""
    process = Process(command, log, **options)
    usage = process.wait(seconds)
    if usage.status != 0:
        raise Failed(f"{' '.join(process.command)}: status {usage.status}\n{process.tail()}")
    return usage


def output(command, seconds=600, **options):
    """What a command prints; for answers that are not measured."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def status_kb(pid, name):
    """A line of /proc/PID/status in kilobytes; 0 where the process is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def children(pid):
    """The processes below one, by id."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += [int(child), *children(int(child))]
        except OSError:
            continue
    return found


def be_nice(value):
    """Of the process in its session, and of the session among others, which the kernel schedules first."""
    os.setpriority(os.PRIO_PROCESS, 0, value)
    try:
        Path("/proc/self/autogroup").write_text(str(value))
    except OSError:
        pass  # a kernel without autogroups: the process's value is all there is


def raise_open_files(wanted):
    """A sender of ten thousand exporters has a socket for each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return
        except (ValueError, OSError):
            wanted = hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
