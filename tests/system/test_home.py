"""The agent's home: who may read it, what stays in it, and what is never lost."""

import os
import re
import stat

from harness import net


def modes(home):
    return {str(p.relative_to(home)): stat.S_IMODE(p.lstat().st_mode) for p in [home, *home.rglob("*")]}


def test_nobody_else_reads_it(world, server, restic):
    proxy = world.control_proxy(server)
    agent = world.agent(restic)
    # Whatever the person's umask is.
    old = os.umask(0)
    try:
        agent.install(proxy.url, server.token("acme"), world.folder())
        agent.run("backup").expect(0)
        proxy.down()
        agent.run("backup").expect(0)
        agent.run("retention").expect(0)
    finally:
        os.umask(old)
    found = modes(agent.home)
    assert {"config.json", "config.cached.json", "restic.pw", "state/backup.json", "state/retention.json"} <= set(found)
    assert len([n for n in found if n.startswith("spool/")]) >= 2 and any(n.startswith("logs/") for n in found)
    for name, mode in found.items():
        path = agent.home / name
        # restic's own cache keeps restic's own modes, inside a folder that nobody else may enter.
        if not path.is_symlink() and "cache" not in name.split("/")[:1]:
            assert mode == (0o700 if path.is_dir() else 0o600), f"{name}: {oct(mode)}"


def test_what_the_agent_does_not_know_is_kept(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.config = {**agent.config, "note_of_the_owner": {"rack": 7}}
    agent.run("backup").expect(0)
    agent.install(server.url, server.token("acme"), options=["--again"])
    assert agent.config["note_of_the_owner"] == {"rack": 7}


def test_the_files_say_which_format_they_have(world, server, restic):
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    proxy.down()
    (agent.home / "config.cached.json").exists()
    proxy.up()
    agent.run("backup").expect(0)
    proxy.down()
    agent.run("backup").expect(0)
    assert agent.config["format"] == 1 and agent.state("backup")["format"] == 1
    assert agent.spooled()[0]["format"] == 1
    assert re.fullmatch(r"\d{4}-?\d\d-?\d\dT?.*-backup-success\.json", agent.spool_names()[0])


def test_an_older_password_is_never_overwritten(world, server, restic):
    """Enrolling again makes another device with another repository; the password of the first may be the only key
    to what lies there."""
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    first = agent.password
    token = server.token("acme")
    refused = agent.install(server.url, token, world.room / "source", expect=(1, 2))
    assert "--again" in refused.err and agent.password == first, "not by accident"
    agent.install(server.url, token, world.room / "source", options=["--again"])
    assert agent.password != first
    kept = [p for p in agent.home.iterdir() if p.name.startswith("restic.pw") and p.name != "restic.pw"]
    assert [p.read_text().strip() for p in kept] == [first]
    assert re.search(r"20\d\d", kept[0].name) and stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    agent.run("backup").expect(0)


def test_the_device_keeps_the_password_where_the_tenant_wants_it_so(world, restic):
    server = world.server()
    server.admin("tenant", "set", "acme", "custody=device").expect(0)
    agent = world.agent(restic)
    told = agent.install(server.url, server.token("acme"), world.folder())
    assert re.fullmatch("[0-9a-f]{64}", agent.password)
    assert str(agent.home / "restic.pw") in told.text, "where the only copy lies has to be said"
    agent.run("backup").expect(0)
    agent.plain_restic().check()


def test_enrolling_when_the_first_answer_was_lost(world, server, restic):
    """Run again after an answer that never came, install finds its device and no token is lost."""
    proxy = world.control_proxy(server)
    agent = world.agent(restic)
    token = server.token("acme")
    proxy.hook = lambda method, path, body: "drop-answer" if path == "/v1/install" else None
    failed = agent.install(proxy.url, token, world.folder(), expect=(1,))
    assert failed.err.strip()
    proxy.hook = None
    agent.install(proxy.url, token, world.room / "source")
    assert len(server.devices()) == 1
    agent.run("backup").expect(0)


def test_an_unreachable_server_leaves_no_half_enrolment(world, restic):
    agent = world.agent(restic)
    port = net.free_port()
    failed = agent.install(f"http://127.0.0.1:{port}", "xit_" + "0" * 64, expect=(1,))
    assert str(port) in failed.err
    assert not (agent.home / "config.json").exists()
    agent.run("backup").expect(4)


def test_output_for_pipes_is_plain(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    for command in (["backup"], ["retention"], ["snapshots"], ["status"], ["config", "show"]):
        told = agent.run(*command).expect(0)
        assert "\x1b" not in told.text and "\r" not in told.text
