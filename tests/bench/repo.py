"""What xentz-server's repository costs beside the floor (bench_repo_floor), rest-server and rclone, on the same work.

All in one run on one machine and one file system; the servers take turns, in another order each round, so that what
else the machine does meets them alike. docs/benchmarks.md says what is measured, and why so.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass

from harness import certificates, programs
from repository import limits, profile, report, servers, works
from repository.measuring import Watch, settle


@dataclass
class Run:
    """One work, once, by one server."""

    work: str
    tls: bool
    server: str
    round: int
    seconds: float
    cpu: float
    anonymous: float
    resident: float
    gibibytes: float
    requests: int

    @property
    def counts_bytes(self):
        return self.gibibytes > 0


def main():
    asked = read_options()
    # What it stores is much, and goes also where it is ended before its time.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    room = pathlib.Path(tempfile.mkdtemp(prefix="xentz-bench-", dir=asked.folder))
    try:
        print("\n".join(head(asked)), flush=True)
        if not asked.profile:
            print("\n".join(limits.told(room, asked.mebibytes)), flush=True)
        runs = []
        for tls in {"no": [False], "yes": [True], "both": [False, True]}[asked.tls]:
            pair = certificates.make(room) if tls else None
            bench = works.Bench(room, asked)
            for state in dict.fromkeys(work.state for work in asked.works):
                of_state = [work for work in asked.works if work.state == state]
                runs += (on_fresh if state is None else on_prepared)(bench, of_state, pair)
        if asked.json:
            asked.json.write_text(json.dumps([asdict(run) for run in runs], indent=1) + "\n")
    finally:
        shutil.rmtree(room)


def read_options():
    options = argparse.ArgumentParser(prog="script/bench repo")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--mebibytes", type=int, default=1024, help="to upload, back up, download and restore")
    options.add_argument("--small", type=int, default=10_000, help="objects of 4 KiB")
    options.add_argument("--listed", type=int, default=100_000, help="objects in the list")
    options.add_argument("--heads", type=int, default=50_000, help="HEAD requests")
    options.add_argument("--only", help="works, with commas between: " + ", ".join(w.name for w in works.EVERY))
    options.add_argument("--servers", help="with commas between: " + ", ".join(s.name for s in servers.EVERY))
    options.add_argument("--tls", choices=["no", "yes", "both"], default="both")
    options.add_argument("--folder", type=pathlib.Path, help="where everything is stored (default: the temporary one)")
    options.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also writes every single run there")
    options.add_argument("--profile", metavar="WORK", help="only where xentz-server's CPU time goes in this work")
    asked = options.parse_args()
    if asked.profile:
        asked.only, asked.servers, asked.rounds = asked.profile, asked.servers or "xentz-server", 1
        asked.tls = "no" if asked.tls == "both" else asked.tls
    asked.whole = (asked.rounds >= 7 and asked.mebibytes >= 1024 and asked.small >= 10_000 and
                   asked.listed >= 100_000 and asked.heads >= 50_000)
    asked.works = chosen(options, asked.only, works.EVERY)
    asked.served = chosen(options, asked.servers, servers.EVERY)
    asked.missing = [s.name for s in asked.served if s in servers.PEERS and not s.found()]
    asked.served = [s for s in asked.served if s.name not in asked.missing]
    return asked


def chosen(options, text, there):
    known = {one.name: one for one in there}
    names = text.split(",") if text else list(known)
    if unknown := [name for name in names if name not in known]:
        options.error(f"there is no {', '.join(unknown)}; there is {', '.join(known)}")
    return [known[name] for name in names]


def head(asked):
    restic = programs.restic_version(programs.restic_programs()[-1])
    lines = [f"restic {restic}; medians of {asked.rounds} rounds in which the servers alternate, in brackets the least "
             "and the most; ratios of each round by itself"]
    lines += [f"{peer.name}: {peer.version()}" for peer in servers.PEERS if peer in asked.served]
    lines += [f"{name}: not on the PATH, left out" for name in asked.missing]
    if not asked.whole:
        lines.append("A TRIAL: the goals are for 7 rounds, 1024 MiB, 10,000 small objects and 100,000 listed ones")
    return lines


def alternating(served, number):
    """The servers in the order of this round. Over the rounds each of them has each other one before it about equally
    often, since a run leaves the machine's memory and its disk for the next one to find (a Williams design)."""
    count = len(served)
    zigzag = [(at + 1) // 2 if at % 2 else -at // 2 for at in range(count)]
    order = [served[(place + number) % count] for place in zigzag]
    return order[::-1] if number // count % 2 else order


def on_fresh(bench, of_state, tls):
    """Each run finds a server just started over an empty folder, and a disk on which nothing is under way."""
    runs = []
    for work in of_state:
        mine = []
        for number in range(bench.asked.rounds):
            for kind in alternating(bench.asked.served, number):
                aside = left_of(bench, work, kind, number, tls)
                with Running(kind, bench.room / "served", tls, aside) as served:
                    mine.append(measured(bench, work, served, number, tls))
        show(bench, work, mine, tls)
        runs += mine
    return runs


def left_of(bench, work, kind, number, tls):
    """Where to keep what a run of many small files leaves: a file system may look long at what was removed lately before
    it makes the next file, and the next run would pay for that."""
    if not getattr(work, "leaves_many", False):
        return None
    return bench.room / f"left-{work.name}-{number}-{kind.name}-{'tls' if tls else 'plain'}"


def on_prepared(bench, of_state, tls):
    """What is read was put there once for each server; all of them are there for all rounds."""
    runs, all_served = [], []
    try:
        for kind in bench.asked.served:
            all_served.append(Running(kind, bench.room / f"served-{kind.name}", tls))
            of_state[0].fill(bench, all_served[-1].__enter__())
        for work in of_state:
            mine = []
            for number in range(bench.asked.rounds):
                for one in alternating(all_served, number):
                    mine.append(measured(bench, work, one.served, number, tls))
            show(bench, work, mine, tls)
            runs += mine
    finally:
        for one in all_served:
            one.__exit__(None, None, None)
    return runs


class Running:
    """A server in a folder of its own, and neither of them afterwards."""

    def __init__(self, kind, room, tls, aside=None):
        self.kind, self.room, self.tls, self.aside = kind, room, tls, aside
        self.served = None

    def __enter__(self):
        self.room.mkdir()
        self.served = self.kind(self.room, self.tls)
        return self.served

    def __exit__(self, *_):
        if self.served:
            self.served.close()
        if self.aside:
            self.room.rename(self.aside)
        else:
            shutil.rmtree(self.room)
        os.sync()


def measured(bench, work, served, number, tls):
    run = work.prepare(bench, served)
    os.sync()
    settle(served.pid)
    recording = profile.begin(served.pid, bench.room) if bench.asked.profile else None
    with Watch(served.pid) as seen:
        done = run()
    if recording:
        print("\n".join(profile.finish(recording, bench.room)), flush=True)
    return Run(work.name, bool(tls), served.name, number, done.seconds, seen.cpu, seen.anonymous, seen.resident,
               done.gibibytes, done.requests)


def show(bench, work, runs, tls):
    rounds = {kind.name: [run for run in runs if run.server == kind.name] for kind in bench.asked.served}
    title = f"{work.title(bench.asked)}, {'TLS' if tls else 'plain'}"
    print("\n" + "\n".join(report.told(work, title, rounds, bench.asked.whole)), flush=True)


if __name__ == "__main__":
    main()
