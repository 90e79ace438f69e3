"""Restoring: what is asked for, where it is put, and what is never overwritten by accident."""

import os
import shutil

import pytest
from harness import trees


@pytest.fixture
def backed_up(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    return agent, source


def test_a_folder_with_newer_files_is_left_alone(world, server, backed_up):
    agent, source = backed_up
    target = world.room / "target"
    place = trees.below(target, source)
    os.makedirs(place)
    newer = os.path.join(place, "precious")
    with open(newer, "w") as out:
        out.write("newer than the backup")
    before = trees.survey(target)
    refused = agent.run("restore", "latest", "--target", target).expect(2)
    assert "--overwrite" in refused.err and str(target) in refused.err
    assert not trees.differences(before, trees.survey(target)), "nothing may have been written"
    assert agent.state("restore")["fault"]["code"] == "target-not-empty"

    agent.run("restore", "latest", "--target", target, "--overwrite").expect(0)
    with open(newer) as kept:
        assert kept.read() == "newer than the backup", "what the snapshot does not hold stays"
    os.unlink(newer)
    os.utime(place, ns=(0, os.stat(source).st_mtime_ns))
    trees.assert_same(source, place)


def test_an_empty_folder_is_as_good_as_none(world, backed_up):
    agent, source = backed_up
    target = world.room / "empty"
    target.mkdir()
    agent.run("restore", "latest", "--target", target).expect(0)
    trees.assert_same(source, trees.below(target, source))


def test_the_target_is_a_file(world, backed_up):
    agent, _ = backed_up
    target = world.room / "a file"
    target.write_text("content")
    agent.run("restore", "latest", "--target", target).expect(1)
    agent.run("restore", "latest", "--target", target, "--overwrite").expect(1)
    assert target.read_text() == "content"


def test_an_older_snapshot_by_its_id_and_part_of_it(world, backed_up):
    agent, source = backed_up
    shutil.copytree(source, world.room / "older", symlinks=True)
    wanted = trees.survey(source)
    first = agent.ask("snapshots")[0]
    (source / "part 0" / "file 0.bin").write_bytes(b"changed")
    (source / "later").write_bytes(b"later")
    agent.run("backup").expect(0)

    identity = first.get("id") or first["snapshot_id"]
    agent.run("restore", identity[:8], "--target", world.room / "old").expect(0)
    assert not trees.differences(wanted, trees.survey(trees.below(world.room / "old", source)))

    agent.run("restore", "latest", "--target", world.room / "part", "--include", source / "part 0").expect(0)
    restored = trees.below(world.room / "part", source)
    assert os.listdir(restored) == ["part 0"]
    trees.assert_same(source / "part 0", os.path.join(restored, "part 0"))


def test_a_snapshot_that_does_not_exist(world, backed_up):
    agent, _ = backed_up
    target = world.room / "target"
    failed = agent.run("restore", "deadbeef", "--target", target).expect(1)
    assert "deadbeef" in failed.err
    assert not target.exists() or not os.listdir(target)
    assert agent.state("restore")["fault"]["code"] == "snapshot-missing"


def test_nothing_was_ever_backed_up(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    failed = agent.run("restore", "latest", "--target", world.room / "target").expect(1)
    assert "snapshot" in failed.err or "backup" in failed.err
    assert not [f for f in server.stored_files() if f.endswith("/config")], "reading must not make a repository"


def test_the_target_of_a_restore_cannot_be_written(world, backed_up):
    """A restore that is not whole is no success."""
    agent, _ = backed_up
    blocked = world.room / "file"
    blocked.write_text("")
    failed = agent.run("restore", "latest", "--target", blocked / "below").expect(1)
    assert str(blocked) in failed.err
