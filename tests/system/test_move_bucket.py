"""A repository moves from a disk into a bucket of a real object store and back while backups go on. Label
`object-store`: left out by script/test where there is no store."""

import os

from harness import net, programs
from harness.owner import Owner
from test_move import Busy, files_below, move


def test_into_a_bucket_and_back_while_backups_go_on(world, bucket, restic):
    server = world.server(environment=bucket.environment)
    source = world.folder()
    owner = Owner(server, restic, world.room)
    owner.run("init")
    owner.run("backup", source)
    (source / "large").write_bytes(os.urandom(20 << 20))
    owner.run("backup", source)
    owner.run("forget", "--keep-last", "1", "--prune", "--max-unused", "0")
    trash = owner.trash()
    assert trash
    busy = Busy(owner, source)
    busy.start()
    for address, there in ((bucket.address(), True), ("own", False), (bucket.address(), True)):
        before = busy.runs
        programs.wait_until(lambda: busy.runs > before or busy.failure, "a backup before the move", limit=300)
        move(server, owner, address)
        after = busy.runs
        programs.wait_until(lambda: busy.runs > after + 1 or busy.failure, "backups after the move", limit=300)
        assert bool(bucket.keys("repositories/")) == there
        folder = server.storage / "repositories"
        assert bool(folder.exists() and files_below(folder)) != there
    busy.finish()
    assert owner.trash() >= trash
    owner.repository.assert_whole()
    owner.restic.check()
    server.ask("repo", "verify", "--device", owner.device, "--trash")
    server.ask("repo", "undelete", "--device", owner.device, "--before", "1970-01-02T00:00:00Z")
    owner.restic.check()
    assert net.request(server.url + "/readyz").status == 200


def test_two_servers_agree_on_where_it_lies(world, bucket, database, restic):
    """One believes for half a second what the other knows better; nothing that either acknowledges is lost."""
    first = world.server(name="first", database=database, storage_address=bucket.address(f"{bucket.prefix}-first"),
                         environment=bucket.environment)
    second = first.twin("second")
    world.servers.append(second.start())
    owners = [Owner(first, restic, world.room), Owner(second, restic, world.room)]
    busy = []
    for owner in owners:
        owner.run("init")
        busy.append(Busy(owner, world.folder(f"source-{owner.device}")))
    for one in busy:
        one.start()
    for address in (bucket.address(f"{bucket.prefix}-second"), "own"):
        for owner in owners:
            move(first, owner, address)
    for one in busy:
        programs.wait_until(lambda: one.runs > 1 or one.failure, "backups", limit=300)  # noqa: B023
        one.finish()
    for owner in owners:
        owner.repository.assert_whole()
        owner.restic.check()
        first.ask("repo", "verify", "--device", owner.device, "--trash")
    assert [s["repositories"] for s in first.ask("storage", "list")] == [2, 0]
