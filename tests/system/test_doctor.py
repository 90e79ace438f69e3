"""`doctor` finds what is broken on a machine, says what to do, and finds nothing on one that is well."""

import json
import os
import shutil

from harness import net


def examined(agent, code, **options):
    outcome = agent.run("doctor", "--json", **options).expect(code)
    data = outcome.data
    assert data["format"] == 1 and data["healthy"] is (code == 0)
    for finding in data["findings"]:
        assert set(finding) == {"check", "state", "message", "remedy"}
        assert finding["state"] in ("good", "warning", "problem", "not-checked"), finding
        assert finding["message"] and (finding["remedy"] or finding["state"] in ("good", "not-checked")), finding
    return data["findings"]


def problems(agent, **options):
    return {f["check"]: f["message"] for f in examined(agent, 1, **options) if f["state"] == "problem"}


def test_a_machine_that_is_well(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    examined(agent, 0)  # also before the first backup: it would make the repository
    agent.run("backup").expect(0)
    found = examined(agent, 0)
    states = {f["check"]: f["state"] for f in found}
    assert {name for name, state in states.items() if state != "good"} <= {"schedule"}, found
    assert {"restic", "config-file", "permissions", "control-plane", "device-key", "config", "repository", "password",
            "clock", "include", "space-home", "cache", "logs", "reports", "run", "last-backup"} <= set(states)
    told = agent.run("doctor").expect(0).out
    assert "Nothing stops the next backup" in told and "\x1b" not in told
    assert agent.device_key not in told and agent.repository.secret not in told


def test_a_machine_that_is_not_enrolled(world, restic):
    agent = world.agent(restic)
    assert set(problems(agent)) == {"config-file"}
    assert not agent.home.exists(), "looking makes nothing"


def test_restic_is_missing_or_none(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    assert "restic" in problems(agent, environment={"XENTZ_RESTIC": "/nowhere/restic"})
    assert "restic" in problems(agent, environment={"XENTZ_RESTIC": "/bin/false"})


def test_folders_passwords_and_rights(world, server, restic):
    source, other = world.folder(), world.folder("other")
    agent = world.enrolled(server, restic, source, other)
    agent.run("backup").expect(0)
    shutil.rmtree(other)
    (agent.home / "config.json").chmod(0o644)
    password = agent.home / "restic.pw"
    right = password.read_text()
    password.write_text("not the password\n")
    found = problems(agent)
    assert set(found) == {"include", "permissions", "password"}, found
    assert str(other) in found["include"] and "0644" in found["permissions"]
    password.unlink()
    assert "password" in problems(agent)
    password.write_text(right)
    password.chmod(0o600)
    (agent.home / "config.json").chmod(0o600)
    other.mkdir()
    examined(agent, 0)
    server.policy("acme", {"exclude": [f"{source}/"], "retention": {"keep_last": 1}})
    assert str(source) in problems(agent)["include"]


def test_servers_that_are_away_or_refuse(world, server, restic):
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    agent.run("backup").expect(0)
    proxy.down()
    found = {f["check"]: f["state"] for f in examined(agent, 0)}
    assert found["control-plane"] == "warning" and found["repository"] == "good"
    proxy.up()
    config = agent.config
    agent.config = {**config, "device_api_key": "xdk_" + "0" * 64}
    (agent.home / "config.json").chmod(0o600)
    assert set(problems(agent)) == {"device-key"}
    agent.config = config
    (agent.home / "config.json").chmod(0o600)

    def wrong_credential(method, path, body):
        def spoil(answer):
            data = answer.data
            data["restic"]["repository"] = data["restic"]["repository"].replace(agent.repository.secret, "0" * 64)
            headers = {k: v for k, v in answer.headers.items() if k != "etag"}
            return net.Answer(200, headers, json.dumps({**data, "version": "spoilt"}).encode())
        return spoil if path == "/v1/config" else None

    proxy.hook = wrong_credential
    (agent.home / "config.cached.json").unlink()
    assert set(problems(agent)) == {"repository"}
    proxy.hook = None
    (agent.home / "config.cached.json").unlink()
    server.admin("device", "disable", agent.device_id).expect(0)
    assert set(problems(agent)) == {"enabled"}
    server.admin("device", "enable", agent.device_id).expect(0)
    server.admin("device", "revoke", agent.device_id).expect(0)
    assert "device-key" in problems(agent)


def test_a_clock_that_is_wrong(world, server, restic):
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)

    def other_time(method, path, body):
        def shift(answer):
            headers = {k: v for k, v in answer.headers.items() if k.lower() != "date"}
            return net.Answer(answer.status, {**headers, "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, answer.body)
        return shift if path == "/v1/config" else None

    proxy.hook = other_time
    found = problems(agent)
    assert set(found) == {"clock"} and "ahead" in found["clock"], found
    proxy.hook = None
    examined(agent, 0)
    server.kill()
    assert {f["check"]: f["state"] for f in examined(agent, 1)}["clock"] == "not-checked"


def test_reports_and_runs_that_were_killed(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    (agent.home / "spool" / "20260101T000000.000000Z-backup-failure.json").write_text("{}")
    rejected = agent.home / "spool" / "rejected" / "20260101T000000.000000Z-backup-failure.json"
    (agent.home / "state" / "running.json").write_text(json.dumps(
        {"format": 1, "job": "backup", "started_at": "2026-01-01T00:00:00Z", "report_id": "rep_1", "process_id": 1}))
    found = {f["check"]: f for f in examined(agent, 0)}
    assert found["reports"]["state"] == "warning" and found["run"]["state"] == "warning"
    rejected.write_text("{}")
    assert "rejected" in {f["check"]: f for f in examined(agent, 0)}["reports"]["remedy"]


def test_a_repository_of_ones_own(world, restic):
    password = world.room / "password"
    password.write_text("a password of one's own\n")
    os.chmod(password, 0o600)
    agent = world.agent(restic)
    agent.run("install", "--scheduler", "none", "--repo", str(world.room / "repository"), "--password-file", str(password),
              "--include", str(world.folder())).expect(0)
    assert "--auto-init" in {f["check"]: f for f in examined(agent, 1)}["repository"]["remedy"]
    agent.run("backup", "--auto-init").expect(0)
    examined(agent, 0)
    password.write_text("another\n")
    assert set(problems(agent)) == {"password"}
