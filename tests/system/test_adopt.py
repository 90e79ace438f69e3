"""A folder that restic or rest-server wrote becomes the repository of a device, with real restic before, during and
after."""

import os
import shutil

import pytest
from harness import programs, trees
from harness.server import Restic

OLD_PASSWORD = "the password of the old repository"


@pytest.fixture
def source(world):
    return world.folder()


@pytest.fixture
def old(world, restic, source):
    """What an old server has left on the same disk as the new one's storage: two snapshots, with restic's own names."""
    folder = world.room / "old"
    alone = Restic(restic, world.room, str(folder), OLD_PASSWORD)
    alone.run("init").expect(0)
    alone.run("backup", source).expect(0)
    (source / "large").write_bytes(os.urandom(20 << 20))
    alone.run("backup", source).expect(0)
    alone.check()
    alone.folder = folder
    return alone


def adopt(server, agent, folder, *more):
    return server.admin("repo", "adopt", "--device", agent.device_id, "--from", folder, *more)


def give_old_password(agent):
    (agent.home / "restic.pw").write_text(OLD_PASSWORD + "\n")


def files_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("how", [[], ["--copy"]], ids=["moved", "copied"])
def test_adopted_it_goes_on(world, server, restic, source, old, how):
    agent = world.enrolled(server, restic, source)
    before = [s["id"] for s in old.snapshots()]
    kept = files_of(old.folder)
    outcome = adopt(server, agent, old.folder, *how).expect(0)
    assert f"Adopted {len(kept)} objects" in outcome.out, outcome.text
    assert (files_of(old.folder) == kept) if how else not files_of(old.folder)

    give_old_password(agent)
    agent.run("backup").expect(0)
    plain = agent.plain_restic()
    assert [s["id"] for s in plain.snapshots()][:2] == before and len(plain.snapshots()) == 3
    plain.check()
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    server.ask("repo", "verify", "--device", agent.device_id)
    agent.run("rotate-password").expect(0)
    assert agent.password != OLD_PASSWORD
    agent.run("backup").expect(0)

    place = server.ask("repo", "show", "--device", agent.device_id)["place"]
    agent.plain_restic().run("forget", "--keep-last", "1", "--prune").expect(0)
    server.ask("repo", "undelete", "--device", agent.device_id, "--before", str(place))
    assert before[0] in [s["id"] for s in agent.plain_restic().snapshots()], "what was adopted is guarded like the rest"


def test_a_dry_run_changes_nothing(world, server, restic, source, old):
    agent = world.enrolled(server, restic, source)
    (old.folder / "data" / "notes.txt").write_text("not an object")
    kept = files_of(old.folder)
    done = server.ask("repo", "adopt", "--device", agent.device_id, "--from", old.folder, "--dry-run")
    assert done["objects"] == len(kept) - 1 and done["left"] == [str(old.folder / "data" / "notes.txt")]
    assert files_of(old.folder) == kept and not server.objects("data")


def test_a_damaged_pack_is_named_and_nothing_is_taken(world, server, restic, source, old):
    agent = world.enrolled(server, restic, source)
    pack = next(p for p in (old.folder / "data").rglob("*") if p.is_file())
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-1] + b"?")
    kept = files_of(old.folder)
    outcome = adopt(server, agent, old.folder).expect(1)
    assert pack.name in outcome.err and "another hash" in outcome.err
    assert files_of(old.folder) == kept and not server.objects("data")


def test_refusals(world, server, restic, source, old):
    agent = world.enrolled(server, restic, source)
    assert "no restic repository" in adopt(server, agent, world.room).expect(2).err
    holder = old.hold_lock()
    outcome = adopt(server, agent, old.folder).expect(1)
    assert "may be at work" in outcome.err
    old.release(holder)
    old.run("unlock", "--remove-all").expect(0)
    agent.run("backup").expect(0)
    outcome = adopt(server, agent, old.folder).expect(1)
    assert "has a repository already" in outcome.err
    old.check()


def test_killed_at_any_moment_the_same_call_goes_on(world, server, restic, source, old):
    keep = world.room / "kept"
    shutil.copytree(old.folder, keep)
    agent = world.enrolled(server, restic, source)
    command = [programs.program("xentz-server"), "repo", "adopt", "--device", agent.device_id, "--from", old.folder,
               "--data-dir", server.data_dir, "--storage", server.storage_address]
    killed = 0
    for delay in (0.02, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3):
        process = programs.begin([str(a) for a in command], server.environment)
        try:
            process.wait(delay)
            break
        except Exception:  # noqa: BLE001
            process.kill()
            process.communicate()
            killed += 1
    assert killed > 2
    if not server.ask("repo", "show", "--device", agent.device_id)["initialised"]:
        adopt(server, agent, old.folder).expect(0)
    give_old_password(agent)
    agent.run("backup").expect(0)
    agent.plain_restic().check()
    assert len(agent.plain_restic().snapshots()) == 3
    shown = server.ask("repo", "show", "--device", agent.device_id)
    assert shown["objects"] == len(agent.repository.everything()) + 1
