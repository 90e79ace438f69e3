"""The main job with the rows in PostgreSQL instead of SQLite."""

from harness import net, trees


def test_the_main_job(world, restic, database):
    server = world.server(database=database, policy={"retention": {"keep_last": 1, "prune": True}})
    assert not list(server.data_dir.glob("*.db*"))
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    (source / "more").write_bytes(b"more")
    agent.run("backup").expect(0)
    agent.run("retention").expect(0)
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    server.kill()
    server.restart()
    assert sorted(r["job"] for r in server.reports()) == ["backup", "backup", "restore", "retention"]
    assert net.request(server.url + "/readyz").status == 200
    agent.run("backup").expect(0)
