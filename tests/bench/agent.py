"""What `xentz-agent backup` costs beside the plain restic that it runs: wall time, and the agent's own memory.

Time: alternating pairs of both, on the same folder and the same server, so that what else the machine does meets both
alike; first of data that no repository has seen (each run a fresh repository), then of an unchanged folder. Memory: the
largest RssAnon of the agent's process during a backup whose restic is a script that prints as many files as asked for.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from harness import programs, trees
from harness.agent import Agent
from harness.server import Server


def main():
    options = argparse.ArgumentParser(prog="script/bench agent")
    options.add_argument("--pairs", type=int, default=9)
    options.add_argument("--files", type=int, default=2000)
    options.add_argument("--mebibytes", type=int, default=1024)
    options.add_argument("--only", choices=["first", "unchanged", "memory"])
    asked = options.parse_args()
    room = pathlib.Path(tempfile.mkdtemp(prefix="xentz-bench-"))
    server = Server(room)
    try:
        server.tenant("bench")
        server.policy("bench", {})
        server.start()
        source = room / "source"
        trees.make_small(source, asked.files)
        trees.make_bulk(source / "bulk", asked.mebibytes)
        restic = programs.restic_programs()[-1]
        print(f"restic {programs.restic_version(restic)}; medians of {asked.pairs} alternating pairs, "
              "in brackets the least and the most")
        if asked.only in (None, "first"):
            first(asked, room, server, source, restic)
        if asked.only in (None, "unchanged"):
            unchanged(asked, room, server, source, restic)
        if asked.only in (None, "memory"):
            memory(room, server, restic)
    finally:
        server.close()
        shutil.rmtree(room)


def timed(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def told(title, theirs, ours):
    median_theirs, median_ours = statistics.median(theirs), statistics.median(ours)
    print(title)
    for name, times in (("restic backup", theirs), ("xentz-agent backup", ours)):
        print(f"  {name:20} {statistics.median(times):8.3f} s   [{min(times):.3f} to {max(times):.3f}]")
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"  ratio of medians     {median_ours / median_theirs:8.3f}     (median of the pairs' ratios "
          f"{statistics.median(ratios):.3f})")


def as_the_agent(agent):
    """The options that the agent gives to restic, so that both do the same."""
    return ["backup", "--json", "--cleanup-cache", "--host", agent.config["host"], "--tag", "xentz", "--"]


def first(asked, room, server, source, restic):
    """Each run makes a fresh repository before the clock starts, so that only the backup itself is measured."""
    ours, theirs = [], []
    for pair in range(asked.pairs):
        devices = []
        for name in ("with", "without"):
            agent = Agent(room, restic, f"first-{name}-{pair}")
            seed = room / "seed"
            seed.mkdir(exist_ok=True)
            (seed / "file").write_text("pins the repository")
            agent.install(server.url, server.token("bench"), seed)
            agent.run("backup").expect(0)
            agent.config = {**agent.config, "include": [str(source)]}
            devices.append(agent)
        with_agent, without = devices
        plain = without.plain_restic()
        plain.run("snapshots").expect(0)

        def agent_run():
            with_agent.run("backup").expect(0)

        def restic_run():
            plain.run(*as_the_agent(without), source, room / "seed").expect(0)

        for one, times in ((agent_run, ours), (restic_run, theirs))[:: 1 if pair % 2 else -1]:
            times.append(timed(one))
            # A disk that holds the gibibyte of one run is slower to take that of the next: each finds it as the other.
            for pack in (server.storage / "repositories").rglob("data/*/*"):
                if pack.stat().st_size > 1 << 20:
                    pack.unlink()
            os.sync()
        for agent in devices:
            repository = agent.repository.path.split("/")[-3]
            server.admin("device", "revoke", repository)
        for folder in (server.storage / "repositories").iterdir():
            shutil.rmtree(folder)
    told(f"{asked.files} files and {asked.mebibytes} MiB that the repository has not seen", theirs, ours)


def unchanged(asked, room, server, source, restic):
    """Both on one repository: restic makes the derivation of a key as slow as it finds right for the machine when the
    repository is made, so that two repositories differ by a tenth of a second for each run."""
    agent = Agent(room, restic, "unchanged")
    agent.install(server.url, server.token("bench"), source)
    agent.run("backup").expect(0)
    plain = agent.plain_restic()

    def agent_run():
        agent.run("backup").expect(0)

    def restic_run():
        plain.run(*as_the_agent(agent), source).expect(0)

    restic_run()  # fills its cache
    ours, theirs = [], []
    for pair in range(asked.pairs):
        for one, times in ((agent_run, ours), (restic_run, theirs))[:: 1 if pair % 2 else -1]:
            times.append(timed(one))
    told(f"{asked.files} files and {asked.mebibytes} MiB unchanged", theirs, ours)


# Prints what restic prints while it works through so many files, each with a path of its own; everything else is left
# to the real restic, whose snapshot it then claims.
PRINTER = """#!/usr/bin/python3
import os, subprocess, sys
if "backup" not in sys.argv:
    os.execv({restic!r}, [{restic!r}] + sys.argv[1:])
real = subprocess.run([{restic!r}] + sys.argv[1:], stdout=subprocess.PIPE, text=True)
files = int(open({count!r}).read())
out = sys.stdout
for n in range(files):
    out.write('{{"message_type":"status","percent_done":%f,"total_files":%d,"files_done":%d,"total_bytes":%d,'
              '"bytes_done":%d,"current_files":["/srv/data/folder-%d/file-%d","/srv/data/other-%d"]}}\\n'
              % (n / files, files, n, files * 1000, n * 1000, n // 100, n, n))
    if n % 10 == 0:
        sys.stderr.write('{{"message_type":"error","error":{{"message":"open: permission denied"}},'
                         '"during":"archival","item":"/srv/data/folder-%d/secret-%d"}}\\n' % (n // 100, n))
out.write(real.stdout.strip().split("\\n")[-1] + "\\n")
out.flush()
os._exit(3)
"""


def memory(room, server, restic):
    seed = room / "one-file"
    seed.mkdir()
    (seed / "file").write_text("one file")
    count = room / "count"
    printer = room / "printer"
    printer.write_text(PRINTER.format(restic=restic, count=str(count)))
    printer.chmod(0o755)
    agent = Agent(room, restic, "memory")
    agent.install(server.url, server.token("bench"), seed)
    agent.run("backup").expect(0)
    agent.environment["XENTZ_RESTIC"] = str(printer)
    peaks = {}
    for files in (1_000, 1_000_000):
        count.write_text(str(files))
        peaks[files] = max(anonymous_peak(agent) for _ in range(3))
        print(f"anonymous memory of the agent, {files:>9,} files: {peaks[files] / 1024:6.2f} MiB at its peak")
    print(f"  a million files cost {(peaks[1_000_000] - peaks[1_000]) / 1024:+.2f} MiB more than a thousand")


def anonymous_peak(agent):
    """The largest RssAnon in KiB that is seen of the agent while it runs, a hundred looks a second."""
    running = subprocess.Popen([agent.binary, "backup"], env=agent.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while running.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{running.pid}/status").read_text()
        except OSError:
            break
        for line in status.splitlines():
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.01)
    assert running.wait() == 3, "the printing restic makes the backup partial"
    return peak


if __name__ == "__main__":
    main()
