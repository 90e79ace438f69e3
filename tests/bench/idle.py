"""How much slower a backup is beside 2,000 idle connections, 50 slow writers and 50 slow readers, and how much memory
the server has then.

Alternating pairs of a first backup of the same folder by restic into a fresh repository, alone and beside the crowd, so
that what else the machine does meets both alike.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import statistics
import tempfile
import time

from harness import certificates, programs, trees
from harness.crowd import Crowd
from harness.fleet import Fleet
from harness.server import Restic, Server


def main():
    options = argparse.ArgumentParser(prog="script/bench idle")
    options.add_argument("--pairs", type=int, default=7)
    options.add_argument("--files", type=int, default=1000)
    options.add_argument("--mebibytes", type=int, default=256)
    options.add_argument("--tls", action="store_true")
    asked = options.parse_args()
    room = pathlib.Path(tempfile.mkdtemp(prefix="xentz-bench-"))
    key, certificate = certificates.make(room)
    server = Server(room, options=["--tls-cert", certificate, "--tls-key", key] if asked.tls else [])
    try:
        server.tenant("acme")
        server.policy("acme", {})
        server.start()
        measure(asked, room, server, certificate if asked.tls else None)
    finally:
        server.close()
        shutil.rmtree(room)


def measure(asked, room, server, ca_file):
    source = room / "source"
    trees.make_small(source, asked.files)
    trees.make_bulk(source / "bulk", asked.mebibytes)
    program = programs.restic_programs()[-1]
    fleet = Fleet(server, ca_file=ca_file)
    large = os.urandom(16 << 20)
    name = hashlib.sha256(large).hexdigest()
    assert fleet.repository.request(f"data/{name}", "POST", large, ca_file=ca_file).status == 200
    alone, beside, memory = [], [], []
    for _ in range(asked.pairs):
        alone.append(backup(room, server, program, source, ca_file))
        with Crowd(fleet.repository, name, ca_file=ca_file):
            beside.append(backup(room, server, program, source, ca_file))
            memory.append(resident_mebibytes(server.process.pid))
    print(f"restic {programs.restic_version(program)}, {'TLS' if asked.tls else 'plain'}; medians of {asked.pairs} "
          "alternating pairs, in brackets the least and the most")
    for title, times in (("alone", alone), ("beside a crowd", beside)):
        print(f"  {title:16} {statistics.median(times):8.3f} s   [{min(times):.3f} to {max(times):.3f}]")
    ratios = [b / a for a, b in zip(alone, beside)]
    print(f"  ratio of medians {statistics.median(beside) / statistics.median(alone):8.3f}     (median of the pairs' "
          f"ratios {statistics.median(ratios):.3f})")
    print(f"  server's memory  {max(memory):8.1f} MiB resident, at most, with the crowd")


def backup(room, server, program, source, ca_file):
    """A repository of its own, made before the clock starts, so that each backup sends everything."""
    fleet = Fleet(server, ca_file=ca_file, fill=False)
    restic = Restic(program, room, fleet.repository.address, "a password")
    trust = ["--cacert", ca_file] if ca_file else []
    restic.run("init", *trust).expect(0)
    started = time.perf_counter()
    restic.run("backup", source, *trust).expect(0)
    taken = time.perf_counter() - started
    shutil.rmtree(restic.room)
    return taken


def resident_mebibytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


if __name__ == "__main__":
    main()
