"""The recorded texts of the schedulers, read by programs that have nothing to do with us."""

import os
import pathlib
import plistlib
import re
import subprocess

import pytest

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "schedule"
ODD_PROGRAM = "/opt/my 100% \"b\\ck'up\" $HOME/xentz-agent"
ODD_CONFIG = "/srv/Über & <söhne>/%h $x 'c' \"q\"/config.json"
ODD_HOME = '/home/a b/100%/$HOME/"x"/日本'


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def units(name, room):
    found = []
    for part in (GOLDEN / name).read_text().split("==> ")[1:]:
        title, body = part.split("\n", 1)
        # systemd looks whether the program is there.
        path = room / title
        path.write_text(body.replace("/usr/bin/xentz-agent", "/bin/true"))
        found.append(path)
    return found


@pytest.mark.parametrize("name", ["systemd.user.txt", "systemd.system.odd.txt"])
def test_systemd_finds_nothing_wrong_with_the_units(name, room):
    runtime = room / "run"
    runtime.mkdir(mode=0o700)
    mine = ["--user"] if "user" in name else []
    outcome = run("systemd-analyze", "verify", "--man=no", *mine, *map(str, units(name, room)),
                  env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)})
    assert outcome.returncode == 0, outcome.stderr
    assert "xentz-agent" not in outcome.stderr, outcome.stderr


@pytest.mark.parametrize("name", ["systemd.user.txt", "systemd.system.odd.txt"])
def test_systemd_understands_every_time(name):
    times = re.findall(r"^OnCalendar=(.*)$", (GOLDEN / name).read_text(), re.M)
    assert len(times) == 4
    for time in times:
        outcome = run("systemd-analyze", "calendar", time)
        assert outcome.returncode == 0 and "Next elapse: never" not in outcome.stdout, outcome.stdout + outcome.stderr


def test_the_documented_expressions_mean_something_to_systemd():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "scheduling.md").read_text()
    examples = re.findall(r"^\| `([^`]*\d\d)` \| ", text, re.M)
    assert len(examples) == 7
    for time in examples:
        outcome = run("systemd-analyze", "calendar", time)
        assert outcome.returncode == 0 and "Next elapse: never" not in outcome.stdout, outcome.stdout + outcome.stderr


@pytest.mark.parametrize("task", ["backup", "retention", "check", "run-due"])
def test_property_lists_say_the_same_to_two_parsers(task, room):
    path = GOLDEN / f"com.xentz.agent.{task}.plist"
    said = plistlib.loads(path.read_bytes())
    scheduled = [] if task == "run-due" else ["--scheduled"]
    assert said["ProgramArguments"] == [ODD_PROGRAM, task, *scheduled, "--config", ODD_CONFIG]
    assert said["EnvironmentVariables"] == {"XENTZ_AGENT_HOME": ODD_HOME}
    assert said["Label"] == f"com.xentz.agent.{task}"
    binary = room / "binary.plist"
    run("plistutil", "-i", str(path), "-o", str(binary), "-f", "bin")
    # libplist ends with 0 whatever it found; what it wrote tells.
    assert plistlib.loads(binary.read_bytes()) == said


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("task.*.xml")), ids=lambda p: p.stem)
def test_tasks_keep_to_the_rules_of_their_schema(path):
    outcome = run("xmllint", "--noout", "--schema", str(pathlib.Path(__file__).parent / "schedule" / "task.xsd"),
                  str(path))
    assert outcome.returncode == 0, outcome.stderr
