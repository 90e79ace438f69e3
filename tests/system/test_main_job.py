"""The main job from end to end: enrol, back up, change, back up again, thin out, restore, and read it all back."""

import re

from harness import programs, trees


def test_a_folder_comes_back_as_it_was_and_the_server_knows_of_every_run(world, restic):
    server = world.server(policy={"retention": {"keep_last": 1, "prune": True}})
    source = world.folder(files=300)
    agent = world.agent(restic)
    installed = agent.install(server.url, server.token("acme"), source)
    assert "schedul" in installed.text, "with --scheduler none, install has to say that nothing is scheduled"

    agent.run("backup").expect(0)
    first = agent.state("backup")
    trees.make_bulk(source / "more", 2, pieces=1)
    (source / "part 0" / "file 0.bin").write_bytes(b"changed")
    (source / "part 1" / "file 1.bin").unlink()
    agent.run("backup").expect(0)

    snapshots = agent.ask("snapshots")
    assert len(snapshots) == 2
    retention = agent.run("retention").expect(0)
    assert len(agent.ask("snapshots")) == 1, retention.text

    target = world.room / "restored"
    agent.run("restore", "latest", "--target", target).expect(0)
    trees.assert_same(source, trees.below(target, source))

    reports = server.reports(device=agent.device_id)
    assert sorted(r["job"] for r in reports) == ["backup", "backup", "restore", "retention"]
    assert {r["status"] for r in reports} == {"success"}
    backups = sorted((r for r in reports if r["job"] == "backup"), key=lambda r: r["started_at"])
    before, after = (b["metrics"] for b in backups)
    assert before["files_total"] == 300 + len(trees.ODD_NAMES)
    assert after["files_total"] == before["files_total"]
    assert after["files_new"] == 1 and after["files_changed"] == 1
    assert before["data_added_bytes"] > 500_000
    assert 2 << 20 <= after["data_added_bytes"] < before["data_added_bytes"] // 2 + (2 << 20), (
        "the second backup has to send what changed and no more"
    )
    assert re.fullmatch("[0-9a-f]{8,64}", after["snapshot_id"])
    assert first["job"] == "backup" and first["status"] == "success"
    assert agent.spooled() == [] and agent.marker is None

    agent.plain_restic().check()
    agent.repository.assert_whole()


def test_what_lies_in_a_snapshot_can_be_listed(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    newest = agent.ask("snapshots")[-1]
    identity = newest.get("id") or newest["snapshot_id"]

    listed = agent.run("ls", identity).expect(0)
    assert "file 0.bin" in listed.out and "odd" in listed.out
    inside = agent.run("ls", identity, source / "part 0").expect(0)
    assert "file 0.bin" in inside.out and "file 1.bin" not in inside.out
    assert agent.run("ls", identity[:8]).expect(0).out == listed.out, "a short id names the same snapshot"
    nothing = agent.run("ls", "deadbeef").expect(1)
    assert "deadbeef" in nothing.err

    human = agent.run("snapshots").expect(0)
    assert identity[:8] in human.out


def test_what_a_tenant_excludes_is_not_in_the_snapshot(world, restic):
    source = world.folder()
    (source / "cache").mkdir()
    (source / "cache" / "rubbish").write_bytes(b"rubbish")
    server = world.server(policy={"exclude": ["**/cache"]})
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    target = world.room / "restored"
    agent.run("restore", "latest", "--target", target).expect(0)
    wanted = trees.survey(source)
    del wanted[b"cache"], wanted[b"cache/rubbish"]
    assert not trees.differences(wanted, trees.survey(trees.below(target, source)))


def test_the_policy_of_the_tenant_is_applied_at_the_next_run(world, server, restic):
    """The folders come from the policy as well as from install, and a change needs no visit to the machine."""
    asked, ordered = world.folder("asked"), world.folder("ordered", seed=9)
    agent = world.enrolled(server, restic, asked)
    agent.run("backup").expect(0)
    server.policy("acme", {"include": [str(ordered)], "retention": {"keep_last": 3}})
    agent.run("backup").expect(0)
    target = world.room / "restored"
    agent.run("restore", "latest", "--target", target).expect(0)
    trees.assert_same(asked, trees.below(target, asked))
    trees.assert_same(ordered, trees.below(target, ordered))


def test_retention_can_be_tried_without_removing_anything(world, restic):
    server = world.server(policy={"retention": {"keep_last": 1, "prune": True}})
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    for content in (b"one", b"two", b"three"):
        (source / "changing").write_bytes(content)
        agent.run("backup").expect(0)
    before = agent.repository.everything()
    agent.run("retention", "--dry-run").expect(0)
    assert len(agent.ask("snapshots")) == 3
    assert {k for k in before if k[0] == "data"} == {k for k in agent.repository.everything() if k[0] == "data"}
    agent.run("retention").expect(0)
    assert len(agent.ask("snapshots")) == 1
    assert agent.state("retention")["status"] == "success"
    report = server.reports(device=agent.device_id, job="retention")[0]
    assert report["metrics"]["snapshots_removed"] == 2 and report["metrics"]["snapshots_kept"] == 1


def test_two_devices_of_a_tenant_have_a_repository_each(world, server, restic):
    one, two = world.folder("one"), world.folder("two", seed=5)
    first = world.enrolled(server, restic, one)
    second = world.enrolled(server, restic, two)
    first.run("backup").expect(0)
    second.run("backup").expect(0)
    assert first.repository.url != second.repository.url
    assert first.password != second.password and first.repository.secret != second.repository.secret
    assert len(first.ask("snapshots")) == 1 and len(second.ask("snapshots")) == 1
    assert sorted(d["device_id"] for d in server.devices()) == sorted([first.device_id, second.device_id])


def test_version_names_agent_engine_and_restic(world, restic):
    agent = world.agent(restic)
    told = agent.run("version").expect(0)
    assert "xentz-agent" in told.out and "restic" in told.out and programs.restic_version(restic) in told.out
