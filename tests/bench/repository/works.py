"""The works that every server is given. A work with a `state` reads what was put there once; one without finds an empty
repository of a server that was just started, each time."""

import hashlib
import json
import os
import pathlib
import shutil
from dataclasses import dataclass

from harness import programs, trees
from harness.server import Restic

from repository import goals

GIB = 1 << 30
PACK_MEBIBYTES = 16  # restic's own size of a pack
LARGE_MEBIBYTES = 64
LARGE_COUNT = 32


@dataclass
class Done:
    """What one run came to, as the client saw it."""

    seconds: float
    gibibytes: float = 0
    requests: int = 0


class Bench:
    """What all works share: how much there is to do, the load client and restic."""

    def __init__(self, room, asked):
        self.room, self.asked = room, asked
        self.restic_program = programs.restic_programs()[-1]
        self.source = room / "source"
        self.verified = set()

    def load(self, served, mode, *options):
        """A run of the load client; a single failed answer fails the bench."""
        repository = served.repository
        trust = ["--ca", repository.ca_file] if repository.ca_file else []
        told = programs.run([programs.program("bench_repo_load"), mode, "--url", repository.url, "--authorization",
                             repository.headers["Authorization"], "--names", self.names(served), *options, *trust],
                            programs.clean_environment()).expect(0).data
        assert told["failures"] == 0, told
        return told

    def names(self, served):
        return self.room / f"names-{served.name}"

    def upload(self, served, connections, objects, size):
        told = self.load(served, "upload", "--connections", connections, "--objects", objects, "--bytes", size)
        assert told["requests"] == objects and told["bytes"] == objects * size, told
        return Done(told["seconds"], told["bytes"] / GIB, told["requests"])

    def download(self, served, connections, *options):
        told = self.load(served, "download", "--connections", connections, *options)
        return Done(told["seconds"], told["bytes"] / GIB, told["requests"])

    def pack_bytes(self, connections):
        """Smaller ones in a trial with few bytes, so that every connection has something to do."""
        return max(1, min(PACK_MEBIBYTES, self.asked.mebibytes // connections)) << 20

    def restic(self, served, room):
        restic = Restic(self.restic_program, room, served.repository.address, "a password")
        trust = ["--cacert", served.repository.ca_file] if served.repository.ca_file else []
        return lambda *words: restic.run("--no-cache", *trust, *words).expect(0)

    def make_source(self):
        if not self.source.exists():
            trees.make_bulk(self.source, self.asked.mebibytes)
        return self.source


class Upload:
    state = None
    goals = goals.UPLOAD

    def __init__(self, connections):
        self.connections = connections
        self.name = f"upload-{connections}"

    def title(self, asked):
        return f"{asked.mebibytes} MiB in new packs by a plain client over {self.connections} connections"

    def prepare(self, bench, served):
        size = bench.pack_bytes(self.connections)
        objects = max(1, (bench.asked.mebibytes << 20) // size)
        return lambda: bench.upload(served, self.connections, objects, size)


class Backup:
    name = "backup"
    state = None
    goals = (*goals.UPLOAD, *goals.NOT_SLOWER)

    def title(self, asked):
        return f"first backup of {asked.mebibytes} MiB by restic"

    def prepare(self, bench, served):
        run = bench.restic(served, bench.room)
        run("init")
        source = bench.make_source()
        return lambda: Done(run("backup", source).seconds, bench.asked.mebibytes / 1024)


class Small:
    state = None
    leaves_many = True
    goals = goals.SMALL

    def __init__(self, connections):
        self.connections = connections
        self.name = f"small-{connections}"

    def title(self, asked):
        return f"{asked.small:,} new objects of 4 KiB over {self.connections} connections"

    def prepare(self, bench, served):
        def run():
            # It is the number that matters, not the bytes.
            done = bench.upload(served, self.connections, bench.asked.small, 4096)
            return Done(done.seconds, requests=done.requests)

        return run


class Large:
    name = "memory"
    state = None
    goals = goals.MEMORY

    def title(self, _):
        return f"{LARGE_COUNT} objects of {LARGE_MEBIBYTES} MiB up and down over {LARGE_COUNT} connections at once"

    def prepare(self, bench, served):
        def run():
            up = bench.upload(served, LARGE_COUNT, LARGE_COUNT, LARGE_MEBIBYTES << 20)
            down = bench.download(served, LARGE_COUNT)
            return Done(up.seconds + down.seconds, up.gibibytes + down.gibibytes)

        return run


class Download:
    state = "packs"
    goals = goals.DOWNLOAD

    def __init__(self, connections):
        self.connections = connections
        self.name = f"download-{connections}"

    def title(self, asked):
        return f"{asked.mebibytes} MiB of packs to a plain client over {self.connections} connections"

    @staticmethod
    def fill(bench, served):
        size = bench.pack_bytes(32)
        bench.upload(served, 5, max(1, (bench.asked.mebibytes << 20) // size), size)
        bench.download(served, 5, "--verify")

    def prepare(self, bench, served):
        return lambda: bench.download(served, self.connections)


class Restore:
    name = "restore"
    state = "snapshot"
    goals = (*goals.DOWNLOAD, *goals.NOT_SLOWER)

    def title(self, asked):
        return f"restore of {asked.mebibytes} MiB by restic"

    @staticmethod
    def fill(bench, served):
        run = bench.restic(served, bench.room)
        run("init")
        run("backup", bench.make_source())
        target = bench.room / "restored"
        run("restore", "latest", "--target", target)
        trees.assert_same(bench.source, trees.below(target, bench.source))
        shutil.rmtree(target)

    def prepare(self, bench, served):
        run = bench.restic(served, bench.room)
        target = bench.room / "restored"
        shutil.rmtree(target, ignore_errors=True)
        os.sync()
        return lambda: Done(run("restore", "latest", "--target", target).seconds, bench.asked.mebibytes / 1024)


class _Many:
    state = "many"

    @staticmethod
    def fill(bench, served):
        """Puts the objects there behind the server's back, which takes them in when it starts: a hundred thousand
        uploads would take longer than all the rest."""
        served.stop()
        with bench.names(served).open("w") as names:
            for number in range(bench.asked.listed):
                content = b"%d" % number
                name = hashlib.sha256(content).hexdigest()
                _put(served.data / name[:2] / name, content)
                names.write(f"{name} {len(content)}\n")
        served.again()


def _put(path, content):
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(file, content)
    os.close(file)


class List(_Many):
    name = "list"
    goals = goals.LIST

    def title(self, asked):
        return f"a list of {asked.listed:,} objects"

    def prepare(self, bench, served):
        return lambda: Done(bench.load(served, "list")["seconds"], requests=1)


class Heads(_Many):
    goals = ()

    def __init__(self, connections):
        self.connections = connections
        self.name = f"head-{connections}"

    def title(self, asked):
        return f"{asked.heads:,} HEAD requests over {self.connections} connections"

    def prepare(self, bench, served):
        options = ("--connections", self.connections, "--requests", bench.asked.heads)
        return lambda: Done(bench.load(served, "head", *options)["seconds"], requests=bench.asked.heads)


EVERY = (Upload(1), Upload(5), Upload(32), Backup(), Small(5), Small(32), Large(), Download(1), Download(5),
         Download(32), Restore(), List(), Heads(5), Heads(32))
