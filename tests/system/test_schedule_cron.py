"""The real cron daemon, for an ordinary user. It runs in a mount namespace of its own, with a spool and a /run of its
own, so that the machine's crontabs are not touched. Needs root, to make that namespace and to become that user."""

import datetime
import json
import os
import pwd
import shutil
import subprocess
import time

import pytest

from harness import programs

USER = "nobody"
FOREIGN = b"# mine\nMAILTO=\"\"\n\n5 4 1 1 * echo  '\\%d' \t\n"


class Cron:
    """A shell inside of the namespace in which the daemon runs."""

    def __init__(self, room):
        self.room = room
        script = room / "cron"
        script.write_text(
            "set -e\nmount -t tmpfs tmpfs /run\nmount -t tmpfs tmpfs /var/spool/cron\n"
            "mkdir -m 1730 /var/spool/cron/crontabs\nchgrp crontab /var/spool/cron/crontabs\n"
            "exec cron -f -L 15\n"
        )
        self.daemon = subprocess.Popen(["unshare", "-m", "bash", str(script)], start_new_session=True)
        programs.wait_until(lambda: self.call("cat", "/run/crond.pid").returncode == 0, "cron to start")
        # The daemon tells a changed spool by its second: what changes in the second of its start, it does not see.
        time.sleep(2)

    def call(self, *command, user=None, stdin=None, environment=None):
        become = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"] if user else []
        return subprocess.run(
            ["nsenter", "-m", "-t", str(self.daemon.pid), *become, *map(str, command)],
            input=stdin, capture_output=True, timeout=120, env={"PATH": os.environ["PATH"], **(environment or {})},
        )

    def close(self):
        self.daemon.terminate()
        self.daemon.wait(timeout=30)


@pytest.fixture
def cron(room):
    made = Cron(room)
    yield made
    made.close()


def test_cron_backs_up_for_a_user_and_leaves_the_rest_of_the_crontab_alone(world, restic, cron, room):
    room.chmod(0o755)
    uid = pwd.getpwnam(USER).pw_uid
    source = world.folder()
    at = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0) + datetime.timedelta(minutes=2)
    daily_at = at.astimezone().strftime("%H:%M")
    server = world.server(policy={"schedule": {"daily_at": daily_at, "jitter_minutes": 0}})
    # Where the checkout is in a home, nobody else may look into it.
    for program in (programs.program("xentz-agent"), restic):
        shutil.copy(program, room / os.path.basename(program))
    agent = world.agent(room / os.path.basename(restic), user=uid, binary=room / "xentz-agent")
    environment = {**agent.environment, "LOGNAME": USER, "XENTZ_INSTALL_TOKEN": server.token("acme")}

    def call(*args):
        outcome = cron.call(agent.binary, *args, user=USER, environment=environment)
        assert outcome.returncode == 0, outcome.stderr.decode()
        return outcome.stdout.decode()

    def crontab():
        return cron.call("crontab", "-l", user=USER).stdout

    assert cron.call("crontab", "-", user=USER, stdin=FOREIGN).returncode == 0
    said = call("install", "--server", server.url, "--include", source, "--scheduler", "cron")
    assert "Scheduled with cron" in said, said
    assert crontab().startswith(FOREIGN) and b"backup --scheduled" in crontab()
    with_block = crontab()
    call("install", "--scheduler", "cron")
    assert crontab() == with_block, "a second time changes nothing"

    # The minute of the hourly run comes from the device's id: where it lies before the time of the schedule, that run
    # makes the first backup, since there is none yet. The time of the schedule asks for one all the same.
    def at_its_time():
        path = agent.home / "state" / "backup.json"
        return path.exists() and not agent.marker and agent.state("backup")["started_at"] >= at.strftime("%Y-%m-%dT%H:%M:%S")

    programs.wait_until(at_its_time, "cron to start the backup", limit=200)
    assert agent.state("backup")["status"] == "success"
    made = agent.state("backup")["metrics"]["snapshot_id"]

    assert crontab() == with_block, "a run by cron, whose HOME is another one, changes nothing either"
    # The hourly run and the timer again: the time was met, nobody runs twice.
    call("run-due")
    call("backup", "--scheduled")
    assert agent.state("backup")["metrics"]["snapshot_id"] == made

    # The server's word reaches the crontab, and the report says so.
    server.policy("acme", {"schedule": {"daily_at": "13:37", "jitter_minutes": 0}, "include": [],
                           "retention": {"keep_last": 10, "prune": True}})
    call("backup")
    assert b"\n37 13 * * * " in crontab() and crontab().startswith(FOREIGN)
    assert any("timers of cron were set" in text for text in agent.state("backup")["warnings"])

    # A missed run is caught up once: by a state of three days ago.
    path = agent.home / "state" / "backup.json"
    old = path.read_text()
    state = json.loads(old)
    for_days = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    state["started_at"] = state["finished_at"] = state["last_good"]["finished_at"] = for_days
    path.write_text(json.dumps(state))
    (agent.home / "state" / "schedule.json").unlink()
    call("run-due")
    caught_up = agent.state("backup")["metrics"]["snapshot_id"]
    assert caught_up != made
    call("run-due")
    assert agent.state("backup")["metrics"]["snapshot_id"] == caught_up

    # A crontab that somebody emptied is seen, and healed.
    assert cron.call("crontab", "-", user=USER, stdin=FOREIGN).returncode == 0
    assert "no block of xentz-agent" in call("status")
    call("backup")
    assert b"backup --scheduled" in crontab()

    call("uninstall")
    assert crontab() == FOREIGN

    # What `crontab -l` does not show as it is cannot be kept as it is: then nothing is changed.
    assert cron.call("crontab", "-", user=USER, stdin=b"# theirs\r\n").returncode == 0
    refused = cron.call(agent.binary, "install", "--scheduler", "cron", user=USER, environment=environment)
    assert refused.returncode == 1 and b"carriage return" in refused.stderr, refused.stderr.decode()
    assert cron.call("cat", f"/var/spool/cron/crontabs/{USER}").stdout.endswith(b"# theirs\r\n")
