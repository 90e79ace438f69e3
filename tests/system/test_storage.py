"""The disk under the repositories: if it is not there, or another one is, nothing may look like an empty repository."""

from harness import net, programs, trees


def swap(server):
    """What an unmounted disk leaves behind: an empty folder of the same name."""
    kept = server.storage.with_name("kept")
    server.storage.rename(kept)
    server.storage.mkdir()
    return kept


def assert_not_served(server, agent):
    assert net.request(server.url + "/readyz").status == 503
    assert net.request(server.url + "/healthz").status == 200, "the process itself is well"
    repository = agent.repository
    for rest in ("config", "data/", "snapshots/", "keys/"):
        answer = repository.request(rest)
        assert answer.status == 503, f"{rest}: {answer}"
        assert answer.problem
    assert repository.request("config", "POST", b"config").status == 503
    agent.run("backup", limit=300).expect(7)
    assert agent.state("backup")["status"] == "failure"
    assert not [p for p in server.storage.rglob("*") if p.is_file()], "no repository may be made on the wrong disk"


def test_swapped_while_it_serves(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    assert net.request(server.url + "/readyz").status == 200
    kept = swap(server)
    assert_not_served(server, agent)

    server.storage.rename(server.room / "wrong")
    kept.rename(server.storage)
    assert net.request(server.url + "/readyz").status == 200, "the disk is back: no restart is needed"
    agent.run("backup").expect(0)
    statuses = [r["status"] for r in server.reports(device=agent.device_id)]
    assert statuses == ["success", "failure", "success"]
    agent.plain_restic().check()
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))


def test_swapped_before_it_starts(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    server.stop()
    swap(server)
    server.begin()
    # It may refuse to start or serve without being ready; it may not serve an empty repository.
    programs.wait_until(lambda: server.url or not server.running, "the server to be ready or to end")
    if server.running and server.url:
        assert_not_served(server, agent)
    else:
        assert server.wait() == 1 and "storage" in server.log
        assert not list(server.storage.iterdir())
        assert agent.run("backup", limit=300).code == 7


def test_the_storage_of_another_installation(world, restic):
    first = world.server()
    agent = world.enrolled(first, restic, world.folder())
    agent.run("backup").expect(0)
    second = world.server(serve=False)
    first.stop()
    first.storage.rename(first.storage.with_name("kept"))
    second.storage.rename(first.storage)
    first.begin()
    programs.wait_until(lambda: first.url or not first.running, "the server to be ready or to end")
    if first.running and first.url:
        assert net.request(first.url + "/readyz").status == 503
        assert agent.repository.request("config").status == 503
    else:
        assert first.wait() == 1 and "storage" in first.log


def test_never_initialised_looks_empty_and_initialised_never_does(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    assert agent.repository.request("config").status == 404
    agent.run("backup").expect(0)
    config = [path for path in server.stored_files() if path.endswith("/config")]
    (server.storage / config[0]).unlink()
    assert agent.repository.request("config").status == 503
    assert agent.repository.request("config", "HEAD").status == 503
