"""Commands around a job: in their order, with a time limit, a clean environment and nothing left behind; the server
names them, and only this machine says what the names stand for."""

import json
import os
import pathlib
import signal
import time

from harness import programs


def define(agent, *commands, mode=0o600):
    path = agent.home / "commands.json"
    path.write_text(json.dumps({"format": 1, "commands": list(commands)}))
    path.chmod(mode)
    return path


def shell(name, script, **more):
    return {"name": name, "run": ["/bin/sh", "-c", script], **more}


def hooked_world(world, restic, hooks, **options):
    server = world.server(policy={"hooks": hooks})
    agent = world.enrolled(server, restic, world.folder(), **options)
    return server, agent


def newest(server, agent, job="backup"):
    return server.reports(device=agent.device_id, job=job)[0]


def running(mark):
    """Processes whose command line holds the mark, zombies too."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "cmdline").read_text() or mark in (entry / "comm").read_text():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_before_and_after(world, restic):
    log = world.room / "log"
    server, agent = hooked_world(world, restic, [
        {"command": "stop"}, {"command": "descriptors"}, {"command": "start", "when": "after"},
        {"command": "tidy", "job": "check"}])
    define(agent,
           shell("stop", f"echo stop $XENTZ_JOB $XENTZ_WHEN >> {log}; echo the service is down"),
           shell("start", f"echo start $XENTZ_STATUS $XENTZ_SNAPSHOT >> {log}; env >> {log}.env"),
           {"name": "descriptors", "run": ["/bin/ls", "/proc/self/fd"]},
           shell("tidy", f"echo tidy >> {log}"))
    agent.run("backup", environment={"SECRET_OF_THE_CALLER": "seen"}).expect(0)
    snapshot = agent.state("backup")["metrics"]["snapshot_id"]
    assert log.read_text().splitlines() == ["stop backup before", f"start success {snapshot}"]
    environment = dict(line.split("=", 1) for line in pathlib.Path(f"{log}.env").read_text().splitlines())
    assert "SECRET_OF_THE_CALLER" not in environment
    assert not [key for key in environment if key.startswith("RESTIC")], environment
    assert environment["LANG"] == "C.UTF-8" and environment["HOME"], environment
    commands = newest(server, agent)["details"]["commands"]
    assert [(c["name"], c["when"], c["status"]) for c in commands] == [
        ("stop", "before", "success"), ("descriptors", "before", "success"), ("start", "after", "success")]
    assert commands[0]["output"] == ["the service is down"]
    assert commands[1]["output"] == ["0", "1", "2", "3"], "3 is the folder that ls reads"
    assert "stop: the service is down" in (agent.home / "logs" / "agent.log").read_text()


def test_a_failing_command_stops_the_run(world, restic):
    log = world.room / "log"
    server, agent = hooked_world(world, restic, [{"command": "stop"}, {"command": "start", "when": "after"}])
    define(agent, shell("stop", "echo no such unit >&2; exit 4"), shell("start", f"echo $XENTZ_STATUS > {log}"))
    told = agent.run("backup").expect(1)
    assert "the backup did not begin: the command stop failed before it (it ended with exit code 4)" in told.err
    assert log.read_text() == "failure\n", "what was stopped is started again"
    report = newest(server, agent)
    assert (report["status"], report["fault"]["code"]) == ("failure", "hook-failed")
    assert report["details"]["commands"][0]["output"] == ["no such unit"]
    assert "command before it: stop, failed: it ended with exit code 4" in agent.run("status").out
    # As soon as it works again, so does the backup.
    define(agent, shell("stop", "true"), shell("start", "true"))
    agent.run("backup").expect(0)


def test_a_failing_command_that_may(world, restic):
    server, agent = hooked_world(world, restic, [{"command": "stop", "on_failure": "continue"}])
    define(agent, shell("stop", "exit 4"))
    agent.run("backup").expect(0)
    report = newest(server, agent)
    assert report["status"] == "success"
    assert report["details"]["commands"][0]["message"] == "it ended with exit code 4"


def test_a_hanging_command_is_ended_with_all_that_it_started(world, restic):
    mark = f"xentz-hang-{os.getpid()}"
    server, agent = hooked_world(world, restic, [{"command": "hang"}])
    define(agent, shell("hang", f"trap '' INT TERM; /bin/sh -c 'trap \"\" INT TERM; while :; do sleep 1; done' {mark} & "
                        "while :; do sleep 1; done", time_limit_seconds=1))
    began = time.monotonic()
    told = agent.run("backup").expect(1)
    assert time.monotonic() - began < 60
    assert "it was ended after 1.0 s, its time limit" in told.err, told.err
    assert running(mark) == []
    assert newest(server, agent)["fault"]["code"] == "hook-failed"


def test_a_flooding_command(world, restic):
    server, agent = hooked_world(world, restic, [{"command": "flood"}])
    define(agent, shell("flood", "head -c 60000000 /dev/zero | tr '\\0' x; echo; yes | head -n 2000000; echo the end"))
    agent.run("backup").expect(0)
    output = newest(server, agent)["details"]["commands"][0]["output"]
    assert len(output) == 20 and output[-1] == "the end"
    log = agent.home / "logs" / "agent.log"
    assert log.stat().st_size < 2_000_000
    assert "more lines were not logged" in log.read_text()


def test_what_a_command_leaves_behind_holds_nobody_up(world, restic):
    mark = f"xentz-left-{os.getpid()}"
    server, agent = hooked_world(world, restic, [{"command": "leave"}])
    define(agent, shell("leave", f"/bin/sh -c 'while :; do sleep 1; done' {mark} & echo left"))
    began = time.monotonic()
    agent.run("backup").expect(0)
    assert time.monotonic() - began < 30
    assert running(mark) == [], "it has its time limit only while its command runs"


def test_the_server_cannot_say_what_is_run(world, restic):
    log = world.room / "log"
    server = world.server(policy={
        "hooks": [{"command": "remote", "on_failure": "continue"}],
        "commands": [shell("remote", f"echo remote >> {log}")]})
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    agent.run("backup").expect(0)
    assert not log.exists()
    assert "is the server's, and this machine runs none but its own" in newest(server, agent)["details"]["commands"][0]["message"]
    doctor = agent.run("doctor").expect(1)
    assert "runs none but its own" in doctor.out
    trusting = world.enrolled(server, restic, source, options=("--allow-remote-commands",))
    trusting.run("backup").expect(0)
    assert log.read_text() == "remote\n"


def test_a_file_that_others_may_write_is_not_used(world, restic):
    server, agent = hooked_world(world, restic, [{"command": "stop"}])
    path = define(agent, shell("stop", "true"), mode=0o666)
    told = agent.run("backup").expect(1)
    assert "others than its owner may write it" in told.err and f"chmod go-w {path}" in told.err
    assert "others than its owner may write it" in agent.run("doctor").expect(1).out
    path.chmod(0o644)
    os.chown(path, 12345, 12345)
    assert "belongs to user 12345" in agent.run("backup").expect(1).err
    os.chown(path, 0, 0)
    agent.run("backup").expect(0)
    assert "1 command to be run around the jobs" in agent.run("doctor").out


def test_an_interrupt_during_a_command(world, restic):
    log = world.room / "log"
    server, agent = hooked_world(world, restic, [{"command": "slow"}, {"command": "start", "when": "after"}])
    define(agent, shell("slow", f"echo began > {log}; sleep 1000"), shell("start", f"echo after >> {log}"))
    process = agent.begin("backup")
    programs.wait_until(log.exists, "the command to begin")
    process.send_signal(signal.SIGTERM)
    agent.finish(process).expect(130)
    assert log.read_text() == "began\nafter\n"
    assert newest(server, agent)["outcome"] == "interrupted"


def test_a_policy_with_mistakes_is_refused(world, restic):
    server = world.server()
    for hooks, words in [
        ([{"command": "a", "when": "during"}], "hooks[0].when must be before"),
        ([{"command": "a", "shell": True}], "hooks[0].shell: no policy has such a key"),
        ([{}], "hooks[0].command"),
    ]:
        file = world.room / "policy.json"
        file.write_text(json.dumps({"include": ["/srv"], "hooks": hooks}))
        told = server.admin("policy", "apply", file, "--tenant", "acme", "--name", "other")
        assert told.code != 0 and words in told.err, told.text
