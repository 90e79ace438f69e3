"""`status` after no run, a good run, a failed run, and one that waits to be reported."""

import pathlib
import re
import shutil

# Present whatever happened; a job that never ran is absent.
ALWAYS = {"format", "enrolled", "state", "running", "reports_pending", "config", "next_runs", "verdict", "remedy"}


def test_before_anything_was_set_up(world, restic):
    agent = world.agent(restic)
    told = agent.run("status").expect(4)
    assert "install" in told.text, "what to do first"
    data = agent.run("status", "--json").expect(4).data
    assert ALWAYS <= set(data) and data["state"] == "not-enrolled" and data["enrolled"] is False


def test_no_run_yet(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    told = agent.run("status").expect(0)
    assert re.search(r"backup.*(never|no run|none|not yet)", told.out, re.I), told.out
    data = agent.ask("status")
    assert ALWAYS <= set(data) and data["format"] == 1
    assert "backup" not in data and "retention" not in data and data["reports_pending"] == 0
    assert data["state"] == "active" and data["verdict"]


def test_good_failed_and_pending(world, server, restic):
    proxy = world.control_proxy(server)
    source = world.folder()
    agent = world.enrolled(server, restic, source, url=proxy.url)
    agent.run("backup").expect(0)
    agent.run("retention").expect(0)
    good = agent.ask("status")
    assert good["backup"]["status"] == "success" and good["retention"]["status"] == "success"
    assert good["backup"]["metrics"]["files_total"] > 30 and good["backup"]["metrics"]["bytes_total"] > 1000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", good["backup"]["finished_at"])
    assert good["backup"]["duration_ms"] >= 0
    told = agent.run("status").expect(0).out
    assert re.search(r"backup", told, re.I) and re.search(r"success|good|ok", told, re.I)
    assert re.search(r"\d+ files", told), f"metrics for people:\n{told}"
    assert "\x1b" not in told, "no colours where there is no terminal"

    kept = good["backup"]["finished_at"]
    shutil.rmtree(source)
    proxy.down()
    agent.run("backup").expect(1)
    bad = agent.ask("status")
    assert bad["backup"]["status"] == "failure"
    assert bad["backup"]["fault"]["code"] == "source-missing"
    assert bad["reports_pending"] == 1
    assert kept in str(bad), "when the last good backup was is not forgotten over a failed one"
    told = agent.run("status").expect(0).out
    assert re.search(r"fail", told, re.I) and str(source) in told, f"the error and what it is about:\n{told}"
    assert re.search(r"1 (report|pending)|pending.*1|report.*1", told, re.I), told

    assert set(good) == set(bad), "the keys do not depend on how the last run went"


def test_status_needs_no_server_and_changes_nothing(world, server, restic):
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    server.kill()
    before = {p: p.stat().st_mtime_ns for p in agent.home.rglob("*") if p.is_file() and "logs" not in p.parts}
    outcome = agent.run("status").expect(0)
    assert outcome.seconds < 10
    assert before == {p: p.stat().st_mtime_ns for p in agent.home.rglob("*") if p.is_file() and "logs" not in p.parts}


def test_the_documented_keys_are_those_printed(world, server, restic):
    """docs/status.md describes `status --json`, down to the fields of a job."""
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    text = (pathlib.Path(__file__).parents[2] / "docs" / "status.md").read_text()
    told = agent.ask("status")
    for key in [*told.pop("backup"), *(f"config.{name}" for name in told.pop("config")), *told]:
        assert f"`{key}`" in text, f"{key} is not documented"
