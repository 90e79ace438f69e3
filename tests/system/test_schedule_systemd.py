"""The real systemd, as the first process of a container over a copy of this machine that is thrown away: root's timers,
and those of a user who logs in and out. Needs root."""

import datetime
import json
import os
import shutil
import subprocess

from harness import programs

SERVICE = """[Unit]
After=basic.target systemd-logind.service
Wants=basic.target systemd-logind.service
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'bash /out/script > /out/said 2>&1; echo $? > /out/status'
ExecStopPost=/bin/systemctl --no-block poweroff
"""

SCRIPT = """set -ex
export HOME=/root XENTZ_INSTALL_TOKEN={token} XENTZ_RESTIC={restic} XENTZ_AGENT_HOME="/srv/a 100% home"
agent() {{ {agent} "$@"; }}
wait_for() {{ for _ in $(seq 2000); do if "$@"; then return 0; fi; sleep .1; done; return 1; }}
bash /out/lingering > /out/said-of-lingering 2>&1 & lingering=$!
mkdir -p /srv/source; echo hello > /srv/source/file
agent install --server {url} --include /srv/source --scheduler auto | tee /out/install
agent install --scheduler systemd
systemd-analyze verify --man=no /etc/systemd/system/xentz-agent-*.timer /etc/systemd/system/xentz-agent-*.service
agent status --json > /out/status.json
agent doctor | grep -q "systemd starts the runs"
wait_for bash -c "journalctl -u 'xentz-agent-backup*' --no-pager | grep -q Snapshot"
wait_for test ! -e "$XENTZ_AGENT_HOME/state/running.json"
journalctl -u 'xentz-agent-backup*' --no-pager > /out/journal
cp "$XENTZ_AGENT_HOME/state/backup.json" /out/first.json
touch /out/backed-up
wait_for test -e /out/policy-changed
systemctl start "$(basename /etc/systemd/system/xentz-agent-run-due-*.service)"
agent backup
cat /etc/systemd/system/xentz-agent-backup-*.timer > /out/timer
cp "$XENTZ_AGENT_HOME/state/retention.json" /out/
systemctl stop xentz-agent-backup-*.timer
rm /etc/systemd/system/xentz-agent-backup-*.timer
agent status | grep -q "will not come by itself"
agent backup
test -e /etc/systemd/system/xentz-agent-backup-*.timer
agent uninstall
test -z "$(ls /etc/systemd/system | grep xentz || true)"
test -z "$(systemctl list-timers --all --no-legend 'xentz*')"
wait $lingering
"""

# A user's own systemd, beside it: a real login (PAM, logind) that ends before the time of the schedule.
LINGERING = """set -ex
useradd -m -u 4711 ada
as_ada() {{ setpriv --reuid=ada --regid=ada --init-groups env -i HOME=/home/ada USER=ada LOGNAME=ada PATH=/usr/bin:/bin \\
    XDG_RUNTIME_DIR=/run/user/4711 XENTZ_RESTIC=/out/restic XENTZ_INSTALL_TOKEN={token} "$@"; }}
agent() {{ as_ada /out/xentz-agent "$@"; }}
wait_for() {{ for _ in $(seq 900); do if "$@"; then return 0; fi; sleep .1; done; return 1; }}
manager_is() {{ test "$(systemctl is-active user@4711.service)" = $1; }}
systemd-run --unit=login -p User=ada -p PAMName=login sleep infinity
wait_for test -S /run/user/4711/systemd/private
as_ada mkdir /home/ada/source; as_ada touch /home/ada/source/file
agent install --server {url} --include /home/ada/source --scheduler auto > /out/ada-install
as_ada systemctl --user list-timers --all --no-legend 'xentz*' > /out/ada-timers
agent status > /out/ada-status
systemctl stop login.service
wait_for manager_is inactive
while [ "$(date +%s)" -lt {after} ]; do sleep .2; done
test ! -e /home/ada/.xentz-agent/state/backup.json
loginctl enable-linger ada
wait_for test -e /home/ada/.xentz-agent/state/backup.json
wait_for test ! -e /home/ada/.xentz-agent/state/running.json
test "$(loginctl list-sessions --no-legend | grep -c ada)" = 0
cp /home/ada/.xentz-agent/state/backup.json /out/ada-backup.json
agent status > /out/ada-status-lingering
"""


def boot(room, script):
    """Starts it; what the script writes below /out is in `room`."""
    (room / "script").write_text(script)
    (room / "service").write_text(SERVICE)
    (room / "boot").write_text(f"""set -e
mkdir {room}/over; mount -t tmpfs tmpfs {room}/over; mkdir {room}/over/upper {room}/over/work {room}/over/root
mount -t overlay overlay -o lowerdir=/,upperdir={room}/over/upper,workdir={room}/over/work {room}/over/root
rm -rf {room}/over/root/etc/systemd/system/*.wants
cp {room}/service {room}/over/root/etc/systemd/system/the-test.service
exec systemd-nspawn -q -b -D {room}/over/root --register=no --keep-unit --console=pipe --bind={room}:/out \\
  systemd.unit=the-test.service
""")
    return subprocess.Popen(["unshare", "-m", "bash", str(room / "boot")], stdin=subprocess.DEVNULL,
                            stdout=(room / "boot.log").open("wb"), stderr=subprocess.STDOUT, start_new_session=True)


def test_systemd_fires_the_timer_and_follows_the_server(world, restic, room):
    at = datetime.datetime.now().replace(second=0) + datetime.timedelta(minutes=2)
    policy = {"schedule": {"daily_at": at.strftime("%H:%M"), "jitter_minutes": 0}}
    server = world.server(policy=policy)
    server.tenant("home")
    server.policy("home", policy)
    out = room / "out"
    out.mkdir()
    # Whatever folder they lie in: the container may not see it.
    shutil.copy(programs.program("xentz-agent"), out / "xentz-agent")
    shutil.copy(restic, out / "restic")
    (out / "lingering").write_text(LINGERING.format(token=server.token("home"), url=server.url,
                                                    after=int(at.timestamp()) + 5))
    machine = boot(out, SCRIPT.format(token=server.token("acme"), url=server.url, restic="/out/restic",
                                      agent="/out/xentz-agent"))

    def said():
        return "".join((out / name).read_text(errors="replace") for name in ("boot.log", "said", "said-of-lingering") if (out / name).exists())

    try:
        programs.wait_until(lambda: (out / "backed-up").exists() or machine.poll() is not None, "the timer to fire",
                            limit=240)
        assert (out / "backed-up").exists(), said()
        assert "Scheduled with systemd, because systemd runs here" in (out / "install").read_text()
        assert len(json.loads((out / "status.json").read_text())["next_runs"]) == 2
        assert json.loads((out / "first.json").read_text())["status"] == "success", said()
        assert "Snapshot" in (out / "journal").read_text(), "systemd has started it, not we"
        server.policy("acme", {"schedule": {"daily_at": "13:37", "jitter_minutes": 0}, "include": [],
                               "retention": {"keep_last": 10, "prune": True}})
        (out / "policy-changed").touch()
        machine.wait(timeout=180)
        assert (out / "status").read_text().strip() == "0", said()
        assert "OnCalendar=*-*-* 13:37:00" in (out / "timer").read_text()
        # The hourly run found retention due, and that run brought the server's word.
        said_by_run = json.loads((out / "retention.json").read_text())["warnings"]
        assert any("timers of systemd were set" in text for text in said_by_run), said_by_run

        caveat = "runs happen only while ada is logged in; `sudo loginctl enable-linger ada` makes them happen always"
        assert caveat in (out / "ada-install").read_text()
        assert caveat in (out / "ada-status").read_text()
        assert "xentz-agent-backup" in (out / "ada-timers").read_text()
        assert json.loads((out / "ada-backup.json").read_text())["status"] == "success", "caught up, with nobody there"
        assert "logged in" not in (out / "ada-status-lingering").read_text()
    finally:
        if machine.poll() is None:
            machine.kill()
            machine.wait()
        for tree in ("systemd", "unified"):
            shutil.rmtree(f"/sys/fs/cgroup/{tree}/payload", ignore_errors=True)
    assert os.path.exists(out / "said")
