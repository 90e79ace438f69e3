"""A machine is lost: another one reads its backups with a recovery token, and takes its place."""

import json
import shutil
import time

import pytest

from harness import trees


@pytest.fixture
def lost(world, restic):
    """A machine with a backup of some files, which burned down: what is left is on the server."""
    server = world.server()
    source = world.folder()
    agent = world.enrolled(server, restic, source, name="burned")
    agent.run("config", "add", "include", source / "of-its-own").expect(0)
    (source / "of-its-own").mkdir()
    (source / "of-its-own" / "note").write_text("added here\n")
    agent.run("backup").expect(0)
    before = trees.survey(source)
    backed_up = {"server": server, "source": source, "before": before, "id": agent.device_id, "key": agent.device_key,
                 "password": agent.password, "config": agent.config}
    shutil.rmtree(agent.home)
    shutil.rmtree(source)
    return backed_up


def token_for(lost, *more):
    made = lost["server"].ask("token", "create", "--recovery", "--device", lost["id"], *more)
    assert made["token"].startswith("xrt_")
    return made


def recover(world, restic, lost, token, *args, agent=None, expect=0, name="successor"):
    agent = agent or world.agent(restic, name)
    outcome = agent.run(
        "recover", "--server", lost["server"].url, *args, environment={"XENTZ_RECOVERY_TOKEN": token}
    ).expect(expect)
    return agent, outcome


def device(lost, device_id):
    return lost["server"].ask("device", "show", device_id)


def restored(target, source):
    return trees.survey(trees.below(target, source))


def test_from_an_empty_home_to_the_next_backup_in_three_commands(world, restic, lost):
    began = time.monotonic()
    token = token_for(lost, "--allow-take-over")["token"]  # 1, by an administrator
    target = world.room / "back"
    agent, said = recover(world, restic, lost, token, "--target", target, "--take-over", "--yes",  # 2
                          "--scheduler", "none")
    assert restored(target, lost["source"]) == lost["before"]
    shutil.copytree(trees.below(target, lost["source"]), lost["source"], symlinks=True)
    agent.run("run-due").expect(0)  # 3: what a timer would have started
    print(f"\nfrom an empty home to the successor's first backup: {time.monotonic() - began:.1f} s")

    assert "Last seen" in said.out and lost["id"] in said.out
    assert agent.device_id != lost["id"]
    old, new = device(lost, lost["id"]), device(lost, agent.device_id)
    assert old["state"] == "revoked" and old["successor_id"] == agent.device_id
    assert new["state"] == "active" and new["predecessor_id"] == lost["id"]
    assert new["last_good_backup_at"] > old["last_good_backup_at"]
    # One line of snapshots of one host, in one repository.
    snapshots = agent.ask("snapshots")
    assert len(snapshots) == 2 and {s["hostname"] for s in snapshots} == {lost["config"]["host"]}
    # What it added to the policy by itself goes with it.
    assert agent.config["include"] == lost["config"]["include"]
    assert not (agent.home / "recovery.json").exists()
    agent.plain_restic().run("check", "--read-data").expect(0)


def test_the_lost_machine_is_sent_away(world, restic, lost):
    token = token_for(lost, "--allow-take-over")["token"]
    alive = world.agent(restic, "stolen")
    recover(world, restic, lost, token, "--take-over", "--yes")
    alive.home.mkdir()
    (alive.home / "restic.pw").write_text(lost["password"])
    alive.config = {**lost["config"], "restic": {**lost["config"]["restic"],
                                                 "password_file": str(alive.home / "restic.pw")}}
    alive.run("backup").expect(6)
    # Nor does what it knew open the repository.
    assert alive.plain_restic().run("snapshots").code != 0


def test_reading_changes_nothing(world, restic, lost):
    token = token_for(lost)["token"]
    target = world.room / "back"
    agent, _ = recover(world, restic, lost, token, "--target", target, "--device", lost["id"])
    assert restored(target, lost["source"]) == lost["before"]
    assert device(lost, lost["id"])["state"] == "active"
    # From now on as on the machine itself, but for what writes.
    assert len(agent.ask("snapshots")) == 1
    assert any(n.endswith("of-its-own/note") for n in agent.run("ls", "latest").expect(0).out.splitlines())
    again = world.room / "again"
    agent.run("restore", "latest", "--target", again).expect(0)
    assert restored(again, lost["source"]) == lost["before"]
    for job in ("backup", "retention", "check"):
        refused = agent.run(job).expect(4)
        assert lost["id"] in refused.err and "recover --take-over" in refused.err
    assert agent.ask("status")["state"] == "recovering"
    snapshot = agent.ask("snapshots")[0]["id"]
    refused = agent.plain_restic().run("forget", snapshot)
    assert refused.code != 0 or "unable to remove" in refused.text, "0.18 says so and ends with 0 all the same"
    assert len(agent.ask("snapshots")) == 1


def test_a_token_serves_one_machine_again_and_again(world, restic, lost):
    token = token_for(lost, "--allow-take-over")["token"]
    first, _ = recover(world, restic, lost, token, "--target", world.room / "one")
    _, refused = recover(world, restic, lost, token, "--target", world.room / "two", expect=1, name="thief")
    assert "used already" in refused.err
    # The machine that has it may go on: once more, and then in the other's place.
    recover(world, restic, lost, token, "--target", world.room / "three", agent=first)
    recover(world, restic, lost, token, "--take-over", "--yes", agent=first)
    assert device(lost, lost["id"])["successor_id"] == first.device_id
    listed = lost["server"].ask("token", "list")
    mine = next(t for t in listed if t["kind"] == "recovery")
    assert mine["state"] == "used" and mine["successor_id"] == first.device_id


def test_what_a_token_does_not_allow(world, restic, lost):
    server = lost["server"]
    plain = token_for(lost)
    _, refused = recover(world, restic, lost, plain["token"], "--take-over", "--yes", expect=1, name="agent-a")
    assert "allows no take-over" in refused.err
    other = token_for(lost)["token"]
    agent, refused = recover(world, restic, lost, other, "--target", world.room / "b", "--device", "dev_other",
                             expect=1, name="agent-b")
    assert "another device" in refused.err
    recover(world, restic, lost, other, "--target", world.room / "b", agent=agent)  # nothing was used up
    revoked = token_for(lost)
    server.admin("token", "revoke", revoked["id"]).expect(0)
    _, refused = recover(world, restic, lost, revoked["token"], "--target", world.room / "c", expect=1, name="agent-c")
    assert "revoked" in refused.err
    _, refused = recover(world, restic, lost, "xrt_" + "0" * 64, "--target", world.room / "d", expect=1, name="agent-d")
    assert "not known" in refused.err
    _, refused = recover(world, restic, lost, server.token("acme"), "--target", world.room / "e", expect=1, name="agent-e")
    assert "not known" in refused.err
    assert device(lost, lost["id"])["state"] == "active"


def test_a_take_over_is_meant(world, restic, lost):
    token = token_for(lost, "--allow-take-over")["token"]
    agent, asked = recover(world, restic, lost, token, "--target", world.room / "x", "--take-over", expect=2)
    assert "--yes" in asked.err and not (world.room / "x").exists()
    assert device(lost, lost["id"])["state"] == "active"
    # A restore that cannot be made ends no machine's life.
    full = world.room / "full"
    full.mkdir()
    (full / "of somebody").write_text("else")
    recover(world, restic, lost, token, "--target", full, "--take-over", "--yes", agent=agent, expect=2)
    assert device(lost, lost["id"])["state"] == "active"


def test_a_machine_with_backups_of_its_own_keeps_its_place(world, restic, lost):
    own = world.enrolled(lost["server"], restic, world.folder("files of its own"), name="own")
    before = own.config
    token = token_for(lost)["token"]
    _, refused = recover(world, restic, lost, token, "--target", world.room / "x", agent=own, expect=1)
    assert "XENTZ_AGENT_HOME" in refused.err
    assert own.config == before
    recover(world, restic, lost, token, "--target", world.room / "x")


def test_where_the_machine_had_the_password_it_is_asked_for(world, restic):
    server = world.server()
    server.admin("tenant", "set", "acme", "custody=device").expect(0)
    source = world.folder()
    agent = world.enrolled(server, restic, source, name="burned")
    agent.run("backup").expect(0)
    before = trees.survey(source)
    lost = {"server": server, "id": agent.device_id}
    token = token_for(lost, "--allow-take-over")["token"]
    successor, refused = recover(world, restic, lost, token, "--target", world.room / "a", expect=2)
    assert "--password-file" in refused.err
    wrong = world.room / "wrong"
    wrong.write_text("not it\n")
    recover(world, restic, lost, token, "--target", world.room / "a", "--password-file", wrong, agent=successor,
            expect=8)
    sheet = world.room / "sheet"
    sheet.write_text(agent.password + "\n")
    _, said = recover(world, restic, lost, token, "--target", world.room / "a", "--password-file", sheet,
                      "--take-over", "--yes", "--json", agent=successor)
    told = json.loads(said.out)
    assert told["lost_device_id"] == lost["id"] and told["device_id"] == successor.device_id
    assert told["restore"]["status"] == "success"
    assert restored(world.room / "a", source) == before
    successor.run("backup").expect(0)
    # The server never had it.
    for path in server.data_dir.rglob("*"):
        if path.is_file():
            assert agent.password.encode() not in path.read_bytes()
