"""What a process costs while something runs: its CPU time to the microsecond, and the most memory it had."""

import os
import pathlib
import re
import threading
import time

from harness import programs

LOOKS_PER_SECOND = 50


def cpu_seconds(pid):
    """User and system time of a process and all its threads and children, also those that have ended. The kernel's own
    clock of the process counts as /proc/PID/stat does, in finer steps."""
    seconds = sum(time.clock_gettime((~one << 3) | 2) for one in [pid, *programs.children_of(pid)])
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return seconds + (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def settle(pid, limit=600):
    """Waits until the process has nothing left to do: less than a hundredth of a processor, half a second long."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = cpu_seconds(pid)
        time.sleep(0.5)
        if cpu_seconds(pid) - before < 0.005:
            return
    raise AssertionError(f"process {pid} is still busy after {limit} s")


class Watch:
    """`with Watch(pid) as seen: ...`, then `seen.cpu` (seconds), `seen.anonymous` and `seen.resident` (MiB, the most;
    the first by looking fifty times a second, the second by the kernel's own mark)."""

    def __init__(self, pid):
        self.pid = pid
        self.cpu = self.anonymous = self.resident = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        self._before = cpu_seconds(self.pid)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self.cpu = cpu_seconds(self.pid) - self._before
        self.resident = self._mebibytes("VmHWM")

    def _look(self):
        while True:
            self.anonymous = max(self.anonymous, self._mebibytes("RssAnon"))
            if self._over.wait(1 / LOOKS_PER_SECOND):
                return

    def _mebibytes(self, what):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) / 1024
