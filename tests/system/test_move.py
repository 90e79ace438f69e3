"""A repository moves from one storage to another and back, with real restic before, during and after."""

import threading

import pytest
from harness import net, programs, trees
from harness.owner import Owner


class Busy(threading.Thread):
    """Backs up again and again, and sometimes thins out; every run has to succeed."""

    def __init__(self, owner, source):
        super().__init__(daemon=True)
        self.owner, self.source = owner, source
        self.over = threading.Event()
        self.runs, self.failure = 0, None

    def run(self):
        try:
            while not self.over.is_set():
                (self.source / f"file-{self.runs % 5}").write_bytes(bytes([self.runs % 256]) * 300_000)
                self.owner.run("backup", self.source)
                if self.runs % 4 == 3:
                    self.owner.run("forget", "--keep-last", "3", "--prune")
                self.runs += 1
        except AssertionError as e:
            self.failure = e

    def finish(self):
        self.over.set()
        self.join(600)
        assert not self.is_alive() and not self.failure, self.failure


@pytest.fixture
def owner(world, server, restic):
    made = Owner(server, restic, world.room)
    made.run("init")
    return made


def move(server, owner, to):
    return server.ask("repo", "move", "--device", owner.device, "--to", to)


def files_below(folder):
    return [p for p in folder.rglob("*") if p.is_file()]


def storages(server):
    return server.ask("storage", "list")


def test_there_and_back_while_backups_go_on(world, server, owner):
    source = world.folder()
    owner.run("backup", source)
    first = owner.restic.snapshots()[0]["id"]
    (source / "more").write_bytes(b"more")
    owner.run("backup", source)
    busy = Busy(owner, source)
    busy.start()
    second = world.room / "second"
    addresses = [f"file:{second}", "own", f"file:{second}"]
    for address in addresses:
        before = busy.runs
        programs.wait_until(lambda: busy.runs > before or busy.failure, "a backup before the move", limit=300)
        move(server, owner, address)
        after = busy.runs
        programs.wait_until(lambda: busy.runs > after + 1 or busy.failure, "backups after the move", limit=300)
    busy.finish()

    assert busy.runs > 5
    folder = next((second / "repositories").iterdir())
    assert files_below(folder) and not [p for p in files_below(server.storage) if folder.name in p.parts]
    owner.repository.assert_whole()
    owner.restic.check()
    server.ask("repo", "verify", "--device", owner.device, "--trash")
    shown = server.ask("repo", "show", "--device", owner.device)
    assert shown["objects"] == len(owner.repository.everything()) + 1
    assert shown["trash_objects"] == len(files_below(second / "trash"))

    # The trash has come along.
    forgotten = {name for kind, name in owner.trash() if kind == "snapshots"}
    assert first in forgotten
    server.ask("repo", "undelete", "--device", owner.device, "--before", "1970-01-02T00:00:00Z")
    assert first in [s["id"] for s in owner.restic.snapshots()]
    owner.restic.check()
    owner.run("restore", first, "--target", world.room / "restored")
    server.kill()
    server.restart()
    owner.repository.assert_whole()
    owner.run("backup", source)


def test_storages_are_listed_and_follow_a_disk(world, server, owner):
    owner.run("backup", world.folder())
    second = world.room / "second"
    moved = move(server, owner, f"file:{second}")
    listed = storages(server)
    assert [(s["repositories"], s["state"]) for s in listed] == [(0, "ready"), (1, "ready")]
    assert listed[1]["id"] == moved["storage_id"]
    assert move(server, owner, moved["storage_id"])["objects"] == 0, "it lies there already"

    server.stop()
    second.rename(world.room / "third")
    server.start()
    assert owner.repository.request("config").status == 503, "away is not empty"
    assert "is not" in storages(server)[1]["state"] or "no storage" in storages(server)[1]["state"]
    server.admin("storage", "set-address", "--id", moved["storage_id"], "--to",
                 f"file:{world.room / 'third'}").expect(0)
    server.stop()
    server.start()
    owner.restic.check()


def test_a_move_that_is_killed_goes_on(world, server, owner):
    source = world.folder()
    trees.make_bulk(source / "bulk", 24)
    owner.run("backup", source)
    second = world.room / "second"
    command = [programs.program("xentz-server"), "repo", "move", "--device", owner.device, "--to", f"file:{second}",
               "--data-dir", server.data_dir, "--storage", server.storage_address]
    killed = 0
    for delay in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0, 4.0):
        process = programs.begin([str(a) for a in command], server.environment)
        try:
            process.wait(delay)
            break
        except Exception:  # noqa: BLE001
            process.kill()
            process.communicate()
            killed += 1
        owner.repository.assert_whole()
        owner.run("backup", source)
    assert killed > 3
    move(server, owner, f"file:{second}")
    owner.restic.check()
    folder = next((second / "repositories").iterdir())
    assert not [p for p in files_below(server.storage) if folder.name in p.parts]


def test_a_damaged_object_is_named_and_nothing_moves(world, server, owner):
    owner.run("backup", world.folder())
    pack = server.objects("data")[0]
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    outcome = server.admin("repo", "move", "--device", owner.device, "--to", f"file:{world.room / 'second'}").expect(1)
    assert pack.name in outcome.err and "another hash" in outcome.err
    assert owner.repository.request("config").status == 200
    owner.run("backup", world.folder("another"))
    assert net.request(server.url + "/readyz").status == 200


def test_refusals(world, server, owner):
    assert "Use file:DIR" in server.admin("repo", "move", "--device", owner.device, "--to", "ftp://x").expect(2).err
    other = world.server(tenant=None, name="other")
    outcome = server.admin("repo", "move", "--device", owner.device, "--to", other.storage_address).expect(1)
    assert "another storage" in outcome.err or "belongs to" in outcome.err, outcome.err
