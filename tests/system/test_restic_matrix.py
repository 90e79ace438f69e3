"""What people do with restic, with each restic (XENTZ_TEST_RESTICS), in each mode of protection: it works, or it is
refused where the mode says so and leaves everything as it was."""

import signal

import pytest
from harness import programs, trees
from harness.owner import Owner

class Watcher(Owner):
    """An owner who looks at what is stored."""

    def everything(self):
        """What is stored but for locks, which come and go."""
        return self.repository.request("config").body, {
            k: v for k, v in self.repository.everything().items() if k[0] != "locks"}

    def refused(self, *args):
        """A command that the mode forbids. restic before 0.17 would try for a minute: it is ended at the first no."""
        def refusals():
            return self.server.log.count("403 append-only")

        before, said = self.everything(), refusals()
        running = self.restic.begin(*args)
        programs.wait_until(lambda: running.poll() is not None or refusals() > said,
                            f"{args[0]} to be refused")
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
        outcome = programs.finish(running, [str(a) for a in args])
        assert refusals() > said, outcome.text
        assert self.everything() == before, "what was refused changes nothing"
        # A prune that could not remove anything may have left its lock.
        self.run("unlock", "--remove-all")

    def keys(self):
        return {k["id"]: k["current"] for k in self.restic.run("key", "list", "--json").expect(0).data}


@pytest.fixture(params=["full", "append-only", "guarded"])
def mode(request):
    return request.param


@pytest.fixture
def owners(world, server, restic, mode):
    server.admin("tenant", "set", "acme", f"protection={mode}").expect(0)
    return [Watcher(server, restic, world.room) for _ in range(2)]


def test_the_life_of_a_repository(world, server, owners, mode):
    owner, other = owners
    forbidden = mode == "append-only"
    source = world.folder()
    owner.run("init", "--repository-version", "1")
    owner.run("backup", source)
    (source / "changing").write_bytes(b"x" * 300_000)
    owner.run("backup", source)
    first, second = (s["id"] for s in owner.restic.snapshots())

    # migrate: replaces the config.
    if forbidden:
        owner.refused("migrate", "upgrade_repo_v2")
    else:
        owner.run("migrate", "upgrade_repo_v2")
        assert '"version": 2' in owner.run("cat", "config").out

    # key add and remove
    new = owner.restic.room / "new"
    new.write_text("another password")
    keys = owner.keys()
    if forbidden:
        owner.refused("key", "add", "--new-password-file", new)
        owner.refused("key", "passwd", "--new-password-file", new)
    else:
        owner.run("key", "add", "--new-password-file", new)
        added, = set(owner.keys()) - set(keys)
        owner.run("key", "remove", added)
    assert set(owner.keys()) == set(keys)

    # copy, into a repository of the same kind
    origin = ["--from-repository-file", owner.restic.room / "address",
              "--from-password-file", owner.restic.room / "password"]
    other.run("init", *origin, "--copy-chunker-params")
    other.run("copy", *origin)
    assert len(other.restic.snapshots()) == 2

    # forget and prune
    before = owner.everything()
    place = server.ask("repo", "show", "--device", owner.device)["place"]
    if forbidden:
        owner.refused("forget", first)
        owner.refused("forget", "--keep-last", "1", "--prune")
    else:
        owner.run("forget", "--keep-last", "1")
        owner.run("prune", "--max-unused", "0")
    kept = [first, second] if forbidden else [second]
    assert [s["id"] for s in owner.restic.snapshots()] == kept

    # unlock, of a lock that a killed restic left
    owner.restic.release(owner.restic.hold_lock())
    assert owner.repository.names("locks")
    owner.run("unlock", "--remove-all")
    assert owner.repository.names("locks") == {}

    for each in owners:
        each.restic.check()
    target = world.room / "restored"
    owner.run("restore", "latest", "--target", target)
    trees.assert_same(source, trees.below(target, source))
    assert " 500 " not in server.log

    # What the mode makes of all that was deleted.
    gone = set(before[1]) - set(owner.everything()[1])
    assert bool(gone) == (not forbidden)
    if mode == "guarded":
        assert gone <= owner.trash()
        server.admin("repo", "undelete", "--device", owner.device, "--before", str(place)).expect(0)
        assert {first, second} <= {s["id"] for s in owner.restic.snapshots()}
        owner.restic.check()
    else:
        assert not owner.trash()
