"""Where a server's CPU time goes while a work runs, by perf's samples of its process."""

import signal
import subprocess

SYMBOLS = 40


def begin(pid, room):
    """perf takes the processor's counter where there is one, and the clock otherwise (virtual machines)."""
    counts = subprocess.run(["perf", "stat", "-e", "cycles", "true"], capture_output=True, text=True, check=False)
    event = "cpu-clock" if counts.returncode or "<not supported>" in counts.stderr else "cycles"
    record = ["perf", "record", "-e", event, "-F", "997", "-g", "-p", str(pid), "-o", str(room / "perf.data")]
    return subprocess.Popen(record, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(recording, room):
    """The symbols by themselves, and then with what they call."""
    recording.send_signal(signal.SIGINT)
    recording.wait(60)
    lines = []
    for title, flag in (("by itself", "--no-children"), ("with what it calls", "--children")):
        told = subprocess.run(["perf", "report", "--stdio", flag, "-g", "none", "--sort", "symbol,dso", "-i",
                               str(room / "perf.data")], capture_output=True, text=True, check=True).stdout
        shown = [line.rstrip() for line in told.splitlines() if line.strip() and not line.startswith("#")]
        lines += [f"part of the server's CPU time, {title}", *shown[:SYMBOLS]]
    (room / "perf.data").unlink()
    return lines
