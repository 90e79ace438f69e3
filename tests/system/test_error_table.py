"""The error table of the agent, line by line: what is saved, what is sent, and the exit code."""

import json
import os
import re
import shutil
import stat

import pytest
from harness import net, programs, trees

NOBODY = 65534


def assert_failure(server, agent, job, code):
    """The run's state, its report on the server, and both telling the same fault."""
    state = agent.state(job)
    assert state["status"] == "failure", state
    assert state["fault"]["code"] == code, state["fault"]
    assert state["fault"]["message"], state["fault"]
    assert state["format"] >= 1
    report = server.reports(device=agent.device_id, job=job)[0]
    assert report["status"] == "failure" and report["fault"]["code"] == code, report
    assert report["error"]
    assert agent.spooled() == [] and agent.marker is None
    return report


# ---- config fetch

def test_no_config_at_all(world, restic):
    agent = world.agent(restic)
    for command in (["backup"], ["retention"], ["snapshots"], ["restore", "latest", "--target", world.room / "t"]):
        refused = agent.run(*command).expect(4)
        assert "install" in refused.err, f"the remedy is to enrol:\n{refused.err}"


@pytest.mark.parametrize("content", ["{ broken", "[]", '"text"', "", '{"enabled": "perhaps", "server_url": 5}'])
def test_a_config_that_cannot_be_read(world, server, restic, content):
    agent = world.enrolled(server, restic, world.folder())
    (agent.home / "config.json").write_text(content)
    refused = agent.run("backup").expect(4)
    assert "config.json" in refused.err


def test_a_disabled_device_does_nothing_until_it_is_enabled(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    proxy = world.control_proxy(server)
    agent.run("backup").expect(0)
    server.admin("device", "disable", agent.device_id).expect(0)
    refused = agent.run("backup").expect(6)
    assert "disabled" in refused.err
    agent.run("retention").expect(6)
    assert len(agent.repository.names("snapshots")) == 1
    # The word of the server is remembered.
    agent.config = {**agent.config, "server_url": proxy.url}
    proxy.down()
    agent.run("backup").expect(6)
    proxy.up()
    server.admin("device", "enable", agent.device_id).expect(0)
    agent.run("backup").expect(0)
    assert len(agent.ask("snapshots")) == 2


def test_a_revoked_device_stops_and_remembers(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    proxy = world.control_proxy(server)
    agent.run("backup").expect(0)
    repository = agent.repository
    server.admin("device", "revoke", agent.device_id).expect(0)
    refused = agent.run("backup").expect(6)
    assert "revoked" in refused.err
    assert net.request(server.url + "/v1/config", headers=net.bearer(agent.device_key)).problem["type"].endswith(
        "device-revoked")
    programs.wait_until(lambda: repository.request("config").status in (401, 403), "its credential to be void too", limit=1)
    agent.config = {**agent.config, "server_url": proxy.url}
    proxy.down()
    agent.run("backup").expect(6)
    assert [d["state"] for d in server.devices()] == ["revoked"]


# ---- backup

def test_backup_of_folders_that_are_all_missing(world, server, restic):
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    shutil.rmtree(source)
    failed = agent.run("backup").expect(1)
    assert str(source) in failed.err
    assert_failure(server, agent, "backup", "source-missing")
    assert len(agent.ask("snapshots")) == 1


def test_one_of_two_folders_is_missing(world, server, restic):
    """A backup is made, and nobody is told that it was complete: restic 0.14 would."""
    source = world.folder()
    missing = world.room / "unmounted"
    agent = world.enrolled(server, restic, source, missing)
    partial = agent.run("backup").expect(3)
    assert str(missing) in partial.err
    assert len(agent.ask("snapshots")) == 1
    assert agent.state("backup")["status"] == "partial"
    report, = server.reports(device=agent.device_id)
    assert report["status"] == "partial" and str(missing) in report["error"]


def test_files_that_cannot_be_read(world, server, restic):
    """As an ordinary user: root reads everything."""
    source = world.folder()
    secret = source / "not for you"
    secret.write_bytes(b"secret")
    room = world.room
    room.chmod(0o755)
    user = NOBODY if os.geteuid() == 0 else None
    binary = room / "xentz-agent"
    shutil.copy(programs.program("xentz-agent"), binary)
    own_restic = room / "restic"
    shutil.copy(restic, own_restic)
    if user:
        for parent, folders, names in os.walk(os.fsencode(source)):
            for name in [b"."] + folders + names:
                os.chown(os.path.join(parent, name), user, user)
    secret.chmod(0)
    agent = world.agent(str(own_restic), user=user, binary=binary)
    agent.install(server.url, server.token("acme"), source)
    partial = agent.run("backup").expect(3)
    assert "not for you" in partial.err
    report, = server.reports(device=agent.device_id)
    assert report["status"] == "partial"
    assert report["metrics"]["files_unreadable"] == 1 and report["metrics"]["snapshot_id"]
    assert agent.state("backup")["status"] == "partial"
    target = room / "restored"
    target.mkdir()
    if user:
        os.chown(target, user, user)
    agent.run("restore", "latest", "--target", target).expect(0)
    wanted = trees.survey(source)
    del wanted[b"not for you"]
    assert not trees.differences(wanted, trees.survey(trees.below(target, source)))


def test_nothing_to_back_up_is_no_success(world, server, restic):
    agent = world.agent(restic)
    agent.install(server.url, server.token("acme"))
    refused = agent.run("backup")
    assert refused.code != 0, refused.text
    assert "include" in refused.err
    assert agent.state("backup")["status"] == "failure"
    assert [r["status"] for r in server.reports(device=agent.device_id)] == ["failure"]


def test_repository_unreachable(world, restic):
    server = world.server(serve=False)
    line = world.tcp_proxy(server.port)
    server.start("--public-url", line.url)
    agent = world.enrolled(server, restic, world.folder(), url=f"http://127.0.0.1:{server.port}")
    agent.run("backup").expect(0)
    line.close()
    failed = agent.run("backup", limit=60).expect(7)
    assert failed.seconds < 45, "an unreachable repository is found out before restic tries for minutes"
    assert f"127.0.0.1:{line.port}" in failed.err
    assert_failure(server, agent, "backup", "repository-unreachable")
    agent.run("retention", limit=60).expect(7)
    assert_failure(server, agent, "retention", "repository-unreachable")
    agent.run("snapshots", limit=60).expect(7)


def test_wrong_password(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    file = agent.home / "restic.pw"
    assert str(file) == agent.config["restic"]["password_file"]
    right = file.read_text()
    file.write_text("0" * 64)
    agent.run("backup").expect(8)
    assert_failure(server, agent, "backup", "wrong-password")
    agent.run("retention").expect(8)
    agent.run("snapshots").expect(8)
    file.write_text(right)
    agent.run("backup").expect(0)


def test_missing_password_file(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    (agent.home / "restic.pw").unlink()
    failed = agent.run("backup").expect(8)
    assert "restic.pw" in failed.err
    assert_failure(server, agent, "backup", "password-missing")


def test_wrong_credentials_of_the_repository(world, server, restic):
    """The address comes with the config; here its secret is spoilt on the way."""
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    agent.run("backup").expect(0)
    right = agent.repository.secret
    wrong = ("0" if right[0] != "0" else "1") + right[1:]

    def spoil(answer):
        return net.Answer(answer.status, answer.headers, answer.body.replace(right.encode(), wrong.encode()))

    proxy.hook = lambda method, path, body: spoil if path == "/v1/config" else None
    failed = agent.run("backup", limit=120).expect(8)
    assert wrong not in failed.text
    assert_failure(server, agent, "backup", "repository-refused")


def test_restic_missing(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    failed = agent.run("backup", environment={"XENTZ_RESTIC": str(world.room / "no-restic")}).expect(1)
    assert "restic" in failed.err
    assert_failure(server, agent, "backup", "restic-missing")


def test_restic_that_crashes(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    crashing = world.room / "crashing-restic"
    crashing.write_text(f'#!/bin/sh\ncase "$1$2$3" in *version*) exec {restic} version;; esac\nkill -SEGV $$\n')
    crashing.chmod(0o755)
    agent.run("backup", environment={"XENTZ_RESTIC": str(crashing)}).expect(1)
    report = server.reports(device=agent.device_id, job="backup")[0]
    assert report["status"] == "failure" and report["fault"]["code"] in ("restic-crashed", "restic-killed")
    agent.run("backup").expect(0)


def test_repository_locked_by_someone_alive(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    plain = agent.plain_restic()
    holder = plain.hold_lock()
    try:
        agent.run("backup").expect(0)  # a shared lock does not keep a backup off
        refused = agent.run("retention").expect(5)
        assert "lock" in refused.err
        assert_failure(server, agent, "retention", "repository-locked")
        assert len(agent.repository.names("locks")) == 1, "the lock of a live process is not removed"
    finally:
        plain.release(holder)
    agent.run("retention").expect(0)


def test_a_repository_that_lost_its_config_is_not_made_anew(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    before = server.stored_files()
    gone = [path for path in before if path.endswith("/config")]
    assert len(gone) == 1
    (server.storage / gone[0]).unlink()
    assert agent.repository.request("config").status == 503, "initialised once: 503, never 404"
    agent.run("backup", limit=300).expect(7)
    assert agent.state("backup")["status"] == "failure"
    assert set(server.stored_files()) == set(before) - set(gone), "nothing may be written, no config made"
    assert server.reports(device=agent.device_id)[0]["status"] == "failure"


# ---- report

def test_a_failed_run_is_spooled_as_one(world, restic):
    server = world.server()
    proxy = world.control_proxy(server)
    source = world.folder()
    agent = world.enrolled(server, restic, source, url=proxy.url)
    agent.run("backup").expect(0)
    shutil.rmtree(source)
    proxy.down()
    agent.run("backup").expect(1)
    assert re.search(r"-backup-failure\.json$", agent.spool_names()[0])
    proxy.up()
    agent.run("backup").expect(1)
    assert agent.spooled() == []
    assert [r["status"] for r in server.reports(device=agent.device_id)] == ["failure", "failure", "success"]


def test_a_report_that_cannot_be_sent_does_not_fail_the_run(world, server, restic):
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    proxy.hook = lambda method, path, body: (
        net.Answer(503, {"content-type": "text/plain"}, b"busy") if path == "/v1/report" else None
    )
    agent.run("backup").expect(0)
    assert len(agent.spooled()) == 1
    for path in (agent.home / "spool").glob("*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


# ---- retention

def test_retention_that_fails(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    failing = world.room / "failing-restic"
    failing.write_text(
        f'#!/bin/sh\nfor word; do [ "$word" != forget ] || {{ echo "Fatal: the sky fell" >&2; exit 1; }}; done\n'
        f'exec {restic} "$@"\n'
    )
    failing.chmod(0o755)
    failed = agent.run("retention", environment={"XENTZ_RESTIC": str(failing)}).expect(1)
    assert "the sky fell" in failed.err
    report = assert_failure(server, agent, "retention", "restic-failed")
    assert "the sky fell" in report["error"]
    agent.run("backup").expect(0)


def test_retention_that_would_keep_nothing_never_runs(world, server, restic):
    """The server takes no such policy; an agent that is told so all the same does not obey."""
    refused = server.room / "nothing.json"
    refused.write_text('{"retention": {"keep_last": 0, "keep_daily": 0, "keep_weekly": 0, "keep_monthly": 0, '
                       '"keep_yearly": 0, "prune": true}}')
    assert server.admin("policy", "apply", refused, "--tenant", "acme").code != 0
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    agent.run("backup").expect(0)

    def spoil(answer):
        config = answer.data
        config["retention"] = {"prune": True}
        return net.Answer(answer.status, answer.headers, json.dumps(config).encode())

    proxy.hook = lambda method, path, body: spoil if path == "/v1/config" else None
    (agent.home / "config.cached.json").unlink(missing_ok=True)
    assert agent.run("retention").code not in (0, 3)
    proxy.hook = None
    assert len(agent.ask("snapshots")) == 1


# ---- wrong usage

@pytest.mark.parametrize("words", [
    [], ["backups"], ["backup", "--nonsense"], ["restore", "latest"], ["install"], ["ls"],
    ["install", "--token", "xit_x"], ["install", "--server", "http://127.0.0.1:1"],
])
def test_wrong_usage(world, restic, words):
    agent = world.agent(restic)
    outcome = agent.run(*words) if words else programs.run([agent.binary], agent.environment)
    outcome.expect(2)
    assert outcome.err.strip() or not words
    assert not agent.home.exists() or not list(agent.home.rglob("config*.json"))


def test_help_is_there_for_every_command(world, restic):
    agent = world.agent(restic)
    overview = agent.run("--help").expect(0)
    for command in ("install", "backup", "retention", "restore", "snapshots", "ls", "status", "config", "version"):
        assert command in overview.out
        assert agent.run(command, "--help").expect(0).out
