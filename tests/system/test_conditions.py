"""Scheduled runs that wait: on battery, outside their window; each told once, and run at the deadline at the latest. The
power supplies are files of a mount namespace of the agent's own, in the place of the kernel's."""

import datetime
import json
import shutil

from harness import programs


def window_without_now():
    """Two hours that lie as far from now as can be."""
    now = datetime.datetime.now()
    begin = now + datetime.timedelta(hours=11)
    return {"from": begin.strftime("%H:%M"), "to": (begin + datetime.timedelta(hours=2)).strftime("%H:%M")}


def waiting_world(world, restic, conditions):
    server = world.server(policy={"conditions": conditions})
    agent = world.enrolled(server, restic, world.folder())
    agent.run("config", "show").expect(0)  # the policy is known from now on
    return server, agent


def backups(server, agent):
    return [(r["status"], r.get("outcome")) for r in server.reports(device=agent.device_id, job="backup")]


def test_outside_its_window_a_run_waits_and_says_so(world, restic):
    window = window_without_now()
    server, agent = waiting_world(world, restic, {"only_within": {**window, "deadline_hours": 48}})
    agent.run("run-due").expect(0)  # the first backup of a machine is due at once
    assert backups(server, agent) == [("failure", "postponed")]
    agent.run("run-due").expect(0)
    assert len(backups(server, agent)) == 1, "told once"
    why = f"it is not between {window['from']} and {window['to']}"
    fault = server.reports(device=agent.device_id)[0]["fault"]
    assert fault["code"] == "postponed" and why in fault["message"]
    told = agent.run("status").expect(0).out
    assert "waits, because " + why in told
    assert agent.ask("status")["postponed"][0]["why"] == why
    table = server.admin("device", "list").expect(0).out
    assert "postponed" in table and "failure" not in table
    # By hand nothing waits, and then nothing is waiting any more.
    agent.run("backup").expect(0)
    assert agent.ask("status")["postponed"] == []
    assert backups(server, agent)[0] == ("success", None)


def test_within_its_window_a_run_comes(world, restic):
    now = datetime.datetime.now()
    window = {"from": (now - datetime.timedelta(hours=1)).strftime("%H:%M"),
              "to": (now + datetime.timedelta(hours=2)).strftime("%H:%M")}
    server, agent = waiting_world(world, restic, {"only_within": window})
    agent.run("run-due").expect(0)
    assert backups(server, agent) == [("success", None)]


def test_at_its_deadline_a_run_comes(world, restic):
    server, agent = waiting_world(world, restic, {"only_within": {**window_without_now(), "deadline_hours": 48}})
    agent.run("run-due").expect(0)
    path = agent.home / "state" / "postponed.json"
    kept = json.loads(path.read_text())
    long_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=48, seconds=5)
    kept["waiting"][0]["due_at"] = long_ago.strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(kept))
    agent.run("run-due").expect(0)
    assert backups(server, agent) == [("success", None), ("failure", "postponed")]


def with_power(agent, supplies, *args):
    """The agent, on a machine with these power supplies."""
    folder = agent.room / "power"
    shutil.rmtree(folder, ignore_errors=True)
    for name, files in supplies.items():
        (folder / name).mkdir(parents=True)
        for file, text in files.items():
            (folder / name / file).write_text(text + "\n")
    command = ["unshare", "--mount", "sh", "-c",
               'mount -t tmpfs none /sys/class && mkdir /sys/class/power_supply && '
               'mount --bind "$0" /sys/class/power_supply && exec "$@"', folder, agent.binary, *args]
    return programs.run([str(part) for part in command], agent.environment)


def test_on_battery_a_run_waits_for_the_mains(world, restic):
    server, agent = waiting_world(world, restic, {"not_on_battery": {}})
    battery = {"type": "Battery", "status": "Discharging"}
    with_power(agent, {"BAT0": battery, "AC": {"type": "Mains", "online": "0"}}, "run-due").expect(0)
    assert backups(server, agent) == [("failure", "postponed")]
    assert "this machine runs on battery" in agent.run("status").out
    with_power(agent, {"BAT0": battery, "AC": {"type": "Mains", "online": "1"}}, "run-due").expect(0)
    assert backups(server, agent) == [("success", None), ("failure", "postponed")]


def test_a_wish_of_the_control_plane_does_not_wait(world, restic):
    server, agent = waiting_world(world, restic, {"only_within": window_without_now()})
    agent.run("run-due").expect(0)
    server.admin("device", "backup-now", agent.device_id).expect(0)
    agent.run("backup", "--scheduled")
    agent.run("config", "show").expect(0)
    agent.run("run-due").expect(0)
    assert backups(server, agent)[0] == ("success", None)
