"""No secret in a log, an error, a report, `config show` or a process list, whatever happens."""

import json
import re
import shutil

from harness import net, programs, trees


def assert_nowhere(secrets, places):
    for name, secret in secrets.items():
        assert len(secret) >= 16, f"{name} is {secret!r}"
        for place, text in places.items():
            raw = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
            assert secret.encode() not in raw, f"the {name} stands in {place}"


def everything_that_can_be_seen(server, agent):
    return {
        "the server's log": server.log,
        "the agent's output": agent.transcript,
        "the list of reports": json.dumps(server.reports()),
        "the list of reports for people": server.admin("report", "list").text,
        "the list of devices": json.dumps(server.devices()),
        "the device for people": server.admin("device", "show", agent.device_id).text,
        "the list of tokens": server.admin("token", "list", "--json").text,
        "config show": agent.run("config", "show").text,
        "config show --json": agent.run("config", "show", "--json").text,
        "status": agent.run("status").text,
        "status --json": agent.run("status", "--json").text,
        "metrics": net.request(server.url + "/metrics").body,
        **{f"the agent's file {name}": text for name, text in agent.everything_written().items()},
    }


def test_good_and_bad_runs_show_no_secret(world, restic):
    server = world.server(policy={"restic": {"limit_upload_kib": 8192}})
    proxy = world.control_proxy(server)
    source = world.folder()
    trees.make_bulk(source / "bulk", 8)
    agent = world.agent(restic)
    token = server.token("acme")

    with programs.ProcessWatch(restic) as watch:
        agent.install(proxy.url, token, source)
        agent.run("backup", "--verbose").expect(0)
        agent.run("snapshots").expect(0)
        agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
        agent.run("retention").expect(0)
    secrets = {
        "install token": token,
        "device key": agent.device_key,
        "repository secret": agent.repository.secret,
        "repository password": agent.password,
        "master key": server.master_key(),
    }

    # What fails talks most.
    right = agent.config["restic"]["password_file"]
    kept = open(right).read()
    open(right, "w").write("1" * 64)
    agent.run("backup").expect(8)
    open(right, "w").write(kept)
    proxy.hook = lambda *_: net.Answer(500, {"content-type": "text/plain"}, token.encode() + agent.device_key.encode())
    agent.run("backup").expect(0)
    proxy.hook = None
    server.kill()
    agent.run("backup", limit=120).expect(7)
    server.restart()
    shutil.rmtree(source)
    agent.run("backup").expect(1)
    again = world.agent(restic)
    again.install(server.url, token, expect=(1,))
    assert agent.spooled() == []

    assert watch.environments, "restic was never seen at work"
    assert any(b"xentz-agent" in line for line in watch.command_lines)
    assert_nowhere(secrets, everything_that_can_be_seen(server, agent))
    assert_nowhere(secrets, {"the second agent's output": again.transcript})
    assert_nowhere(secrets, {f"the process list: {line[:200]!r}": line for line in watch.command_lines})
    assert_nowhere(secrets, {"restic's environment": text for text in watch.environments})


def test_config_show_masks_and_still_helps(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    shown = agent.run("config", "show").expect(0).out
    assert agent.device_id in shown and server.url in shown
    assert agent.repository.host in shown, "where the repository is may be seen, its secret may not"
    masked = agent.ask("config", "show")
    assert agent.device_key not in json.dumps(masked) and agent.repository.secret not in json.dumps(masked)
    assert masked["local"]["device_id"] == agent.device_id and masked["effective"]["retention"]["keep_last"] == 10


def test_a_malformed_repository_address_is_never_shown(world, server, restic):
    """restic prints an address that it cannot parse whole, password and all."""
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    agent.run("backup").expect(0)
    secret = "deadc0de" * 8
    for bad in (
        f"rest:http://device:{secret}@127.0.0.1:notaport/repo/",
        f"rest:http://device:{secret}@[::1/repo/",
        f"rest:ftp://device:{secret}@127.0.0.1/repo/",
        f"nonsense://device:{secret}@127.0.0.1/repo/",
        f"rest:http://device:{secret}%zz@127.0.0.1:1/repo/",
        f"rest:device:{secret}@127.0.0.1",
    ):
        def spoil(answer, bad=bad):
            config = answer.data
            config["restic"]["repository"] = bad
            config["version"] = "spoilt-" + bad[5:9]
            headers = {k: v for k, v in answer.headers.items() if k != "etag"}
            return net.Answer(200, headers, json.dumps(config).encode())

        def hook(method, path, body, spoil=spoil):
            return spoil if path == "/v1/config" else None

        proxy.hook = hook
        (agent.home / "config.cached.json").unlink(missing_ok=True)
        before = len(server.reports())
        failed = agent.run("backup", limit=120)
        assert failed.code not in (0, 3), f"{bad}: {failed.text}"
        assert len(server.reports()) == before + 1
        proxy.hook = None
        assert_nowhere({"secret": secret}, everything_that_can_be_seen(server, agent))
    agent.run("backup").expect(0)


def test_a_malformed_address_in_legacy_mode(world, restic):
    secret = "deadc0de" * 8
    password = world.room / "password"
    password.write_text("a password of one's own\n")
    agent = world.agent(restic)
    source = world.folder()
    address = f"rest:http://device:{secret}@127.0.0.1:notaport/"
    agent.run("install", "--repo", address, "--password-file", password, "--include", source, "--scheduler", "none")
    agent.run("install", "--repo", world.room / "repo", "--password-file", password, "--include", source,
              "--scheduler", "none", "--again").expect(0)
    agent.config = {**agent.config, "restic": {**agent.config["restic"], "repository": address}}
    for command in ("backup", "backup --auto-init", "retention", "snapshots", "status", "config show"):
        agent.run(*command.split(), "--verbose", limit=120)
    assert agent.run("backup").code not in (0, 3)
    assert_nowhere({"secret": secret}, {"output": agent.transcript, **agent.everything_written()})
    assert_nowhere({"password": "a password of one's own"}, {"output": agent.transcript, **agent.everything_written()})


def test_the_token_may_come_from_a_file_or_the_environment(world, server, restic):
    for way in ("--token-file", "environment"):
        token = server.token("acme")
        file = world.room / "token"
        file.write_text(token + "\n")
        agent = world.agent(restic)
        words = ["install", "--server", server.url, "--scheduler", "none"]
        with programs.ProcessWatch(restic) as watch:
            if way == "--token-file":
                agent.run(*words, "--token-file", file).expect(0)
            else:
                agent.run(*words, environment={"XENTZ_INSTALL_TOKEN": token}).expect(0)
        assert any(b"install" in line for line in watch.command_lines)
        assert not any(token.encode() in line for line in watch.command_lines)
        assert token not in agent.transcript
        assert not any(token in p.read_text(errors="replace") for p in agent.home.rglob("*") if p.is_file())


def test_what_is_stored_of_keys_and_tokens_opens_nothing(world, server, restic):
    """The database and the data folder, but for the master key's own file, hold no key, token, password or secret."""
    agent = world.agent(restic)
    token = server.token("acme")
    agent.install(server.url, token, world.folder())
    agent.run("backup").expect(0)
    server.stop()
    secrets = [token, agent.device_key, agent.repository.secret, agent.password]
    files = [p for p in server.data_dir.rglob("*") if p.is_file()]
    assert any(p.suffix == ".db" or "db" in p.name for p in files)
    for path in files:
        raw = path.read_bytes()
        for secret in secrets:
            digits = re.sub("^x.._", "", secret)
            assert digits.encode() not in raw and bytes.fromhex(digits) not in raw, path
    key = server.master_key()
    holding = [p for p in files if key.encode() in p.read_bytes()]
    assert len(holding) == 1 and (holding[0].stat().st_mode & 0o777) == 0o600
