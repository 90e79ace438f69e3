"""Where a server's CPU time goes while a work runs, by perf's samples of its process."""

import collections
import os
import re
import signal
import subprocess

SYMBOLS = 40
# As perf prints it with -F: the part, then "[k]" or "[.]" and the symbol, or an address where there is none.
LINE = re.compile(r"\s*([\d.]+)%\s+(.*?)\s*$")


def begin(pid, room):
    """Returns once perf takes samples, and not when it has only been started. perf takes the processor's counter where there is one, and the clock otherwise (virtual machines)."""
    counts = subprocess.run(["perf", "stat", "-e", "cycles", "true"], capture_output=True, text=True, check=False)
    event = "cpu-clock" if counts.returncode or "<not supported>" in counts.stderr else "cycles"
    orders, answers = room / "perf.orders", room / "perf.answers"
    for pipe in (orders, answers):
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
    record = ["perf", "record", "-e", event, "-F", "997", "-g", "-p", str(pid), "-o", str(room / "perf.data"),
              "--delay", "-1", "--control", f"fifo:{orders},{answers}"]
    recording = subprocess.Popen(record, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with orders.open("w") as told, answers.open() as answered:
        told.write("enable\n")
        told.flush()
        assert "ack" in answered.readline(), "perf does not record"
    return recording


def finish(recording, room):
    recording.send_signal(signal.SIGINT)
    recording.wait(60)
    data = room / "perf.data"
    by_symbol = _parts(data, "overhead,symbol,dso", "--no-children")
    assert by_symbol, "perf took no samples"
    lines = ["the server's CPU time by symbol", *_most(by_symbol)]
    lines += ["by program and library", *_most(_parts(data, "overhead,dso", "--no-children"))]
    calls = collections.Counter()
    for name, part in _parts(data, "overhead_children,symbol", "--children").items():
        # Of a call, perf may see the entry, or only the function that the entry ends in.
        if match := re.match(r"\[k\] (?:__x64_sys_|__do_sys_|ksys_|__sys_)(\w+)$", name):
            calls[match[1]] = max(calls[match[1]], part)
    lines += ["by call of the system, with all that it does", *_most(calls)]
    data.unlink()
    return lines


def _parts(data, fields, flag):
    """A library without symbols has a line for each address: here they are one."""
    told = subprocess.run(["perf", "report", "--stdio", flag, "-g", "none", "-F", fields, "-i", str(data)],
                          capture_output=True, text=True, check=True).stdout
    found = collections.Counter()
    for line in told.splitlines():
        if match := LINE.match(line):
            found[re.sub(r"\s{2,}", "  ", re.sub(r"0x[0-9a-f]{16}", "(no symbol)", match[2]))] += float(match[1])
    return found


def _most(parts):
    return [f"  {part:6.2f} %  {name[:140]}" for name, part in collections.Counter(parts).most_common(SYMBOLS)]
