"""A large and odd tree: 20,000 files, 1 GiB, everything that a restore can get wrong."""

import os

from harness import trees


def test_twenty_thousand_files_come_back_identical(world, server, restic):
    source = world.room / "source"
    trees.make_large(source)
    files = [os.path.join(p, n) for p, _, names in os.walk(os.fsencode(source)) for n in names]
    regular = [os.lstat(f) for f in files if os.path.isfile(f) and not os.path.islink(f)]
    assert len(files) >= 20_000 and sum(i.st_blocks * 512 for i in regular) >= 1 << 30, "the tree itself is too small"
    assert max(i.st_size for i in regular) == 300 << 20

    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    target = world.room / "restored"
    agent.run("restore", "latest", "--target", target).expect(0)

    trees.assert_same(source, trees.below(target, source))
    agent.plain_restic().check()
    assert {r["status"] for r in server.reports(device=agent.device_id)} == {"success"}
