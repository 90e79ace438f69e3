"""The control plane is away, or answers nonsense: the backup is made all the same, and its report arrives once."""

import os
import re

import pytest
from harness import net


@pytest.fixture
def pair(world, restic):
    """An agent that reaches the device API through a proxy and the repository directly, after one good backup."""
    server = world.server()
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    assert f":{server.port}/" in agent.repository.address, "the repository must not lie behind the proxy"
    agent.run("backup").expect(0)
    assert len(server.reports(device=agent.device_id)) == 1
    return server, proxy, agent


def assert_backed_up_and_spooled(server, agent, outcome, before=1):
    assert outcome.code == 0, outcome.text
    assert re.search(r"warning: .*config of 20\d\d-", outcome.err), (
        f"the person at the machine has to be told that the cached config was used:\n{outcome.err}"
    )
    assert len(agent.ask("snapshots")) == before + 1
    assert len(server.reports(device=agent.device_id)) == before
    waiting = agent.spooled()
    assert len(waiting) == 1
    assert re.search(r"-backup-success\.json$", agent.spool_names()[0])
    assert agent.state("backup")["status"] == "success"


def assert_arrives_once(server, agent, total):
    agent.run("backup").expect(0)
    assert agent.spooled() == []
    reports = server.reports(device=agent.device_id)
    assert len(reports) == total and len({r["report_id"] for r in reports}) == total
    assert len({r["started_at"] for r in reports}) == total
    agent.run("backup").expect(0)
    assert len(server.reports(device=agent.device_id)) == total + 1


def test_refused_connections(pair):
    server, proxy, agent = pair
    proxy.down()
    assert_backed_up_and_spooled(server, agent, agent.run("backup"))
    proxy.up()
    assert_arrives_once(server, agent, 3)


@pytest.mark.parametrize("what", ["hang-up", "server error", "not found", "login page", "empty answer", "not JSON"])
def test_answers_that_are_none(pair, what):
    server, proxy, agent = pair
    page = b"<html><body>Welcome to our hotel's network. Please log in.</body></html>"
    html = {"content-type": "text/html"}
    verdict = {
        "hang-up": "hang-up",
        "server error": net.Answer(500, html, b"<h1>oops</h1>"),
        "not found": net.Answer(404, html, page),
        "login page": net.Answer(200, html, page),
        "empty answer": net.Answer(200, {"content-type": "application/json"}, b""),
        "not JSON": net.Answer(200, {"content-type": "application/json"}, b"{\"version\": "),
    }[what]
    proxy.hook = lambda *_: verdict
    assert_backed_up_and_spooled(server, agent, agent.run("backup"))
    proxy.hook = None
    assert_arrives_once(server, agent, 3)


def test_an_answer_that_does_not_name_the_report_is_no_receipt(pair):
    """Captive portals answer 200 to everything, some of them with JSON."""
    server, proxy, agent = pair
    proxy.hook = lambda method, path, body: (
        net.Answer(200, {"content-type": "application/json"}, b'{"status": "ok"}') if path == "/v1/report" else None
    )
    agent.run("backup").expect(0)
    assert len(agent.spooled()) == 1 and len(server.reports(device=agent.device_id)) == 1
    proxy.hook = lambda method, path, body: (
        net.Answer(200, {"content-type": "application/json"}, b'{"report_id": "rep_of_somebody_else"}')
        if path == "/v1/report"
        else None
    )
    agent.run("backup").expect(0)
    assert len(agent.spooled()) == 2
    proxy.hook = None
    assert_arrives_once(server, agent, 4)


def test_a_report_whose_answer_was_lost_is_stored_once(pair):
    server, proxy, agent = pair
    proxy.hook = lambda method, path, body: "drop-answer" if path == "/v1/report" else None
    agent.run("backup").expect(0)
    assert len(server.reports(device=agent.device_id)) == 2, "the proxy was to pass the report on"
    assert len(agent.spooled()) == 1
    proxy.hook = None
    assert_arrives_once(server, agent, 3)


def test_a_refused_key_does_not_stop_the_backup(pair):
    """401 without the word that the device was revoked: a server restored from an old backup must not end a fleet's
    backups. Retention, which removes, does not run on what could not be confirmed."""
    server, proxy, agent = pair
    good = agent.config
    agent.config = {**good, "device_api_key": "xdk_" + "0" * 64}
    assert_backed_up_and_spooled(server, agent, agent.run("backup"))
    refused = agent.run("retention")
    assert refused.code == 1, refused.text
    assert len(agent.ask("snapshots")) == 2
    state = agent.state("retention")
    assert state["status"] == "failure"
    agent.config = {**agent.config, "device_api_key": good["device_api_key"]}
    agent.run("backup").expect(0)
    assert agent.spooled() == []
    reports = server.reports(device=agent.device_id)
    assert sorted((r["job"], r["status"]) for r in reports) == [
        ("backup", "success"), ("backup", "success"), ("backup", "success"), ("retention", "failure"),
    ]


def test_retention_runs_on_the_cached_config_when_the_server_is_merely_away(pair):
    server, proxy, agent = pair
    proxy.down()
    agent.run("retention").expect(0)
    assert agent.state("retention")["status"] == "success"
    assert re.search(r"-retention-success\.json$", agent.spool_names()[0])


def test_without_a_cache_the_agent_says_what_to_do(world, restic):
    server = world.server()
    proxy = world.control_proxy(server)
    agent = world.enrolled(server, restic, world.folder(), url=proxy.url)
    (agent.home / "config.cached.json").unlink(missing_ok=True)
    proxy.down()
    refused = agent.run("backup").expect(4)
    assert proxy.url in refused.err or "server" in refused.err
    assert len(refused.err.strip().splitlines()[-1]) > 40, "a sentence: what failed, why, and what to do"
    proxy.up()
    agent.run("backup").expect(0)


def test_pending_reports_go_first_and_oldest_first_and_stop_at_the_first_failure(pair):
    server, proxy, agent = pair
    proxy.down()
    for _ in range(3):
        agent.run("backup").expect(0)
    waiting = [r["started_at"] for r in agent.spooled()]
    assert waiting == sorted(waiting) and len(waiting) == 3

    proxy.up()
    proxy.seen.clear()
    proxy.hook = lambda method, path, body: "hang-up" if path == "/v1/report" else None
    agent.run("backup").expect(0)
    assert len(proxy.calls("POST", "/v1/report")) <= 2, "one pending report was tried, then the run's own at most"
    assert len(agent.spooled()) == 4

    proxy.hook = None
    proxy.seen.clear()
    agent.run("backup").expect(0)
    assert agent.spooled() == []
    moments = [re.search(rb'"started_at": *"([^"]+)"', c[3]).group(1) for c in proxy.calls("POST", "/v1/report")]
    assert moments == sorted(moments) and len(moments) == 5
    assert len(server.reports(device=agent.device_id)) == 6


def test_twenty_reports_a_run_and_no_more(pair):
    server, proxy, agent = pair
    agent.run("backup").expect(0)
    proxy.down()
    agent.run("backup").expect(0)
    name, = agent.spool_names()
    report = agent.spooled()[0]
    original = (agent.home / "spool" / name).read_text()
    started = report["started_at"]
    # 24 further ones, as if the control plane had been away for weeks.
    for number in range(24):
        text = original.replace(started, re.sub(r":\d\d(\.\d+)?Z$", f":{number:02d}Z", started))
        if "report_id" in report:
            fresh = report["report_id"][:-2] + f"{number:02d}"
            text = text.replace(report["report_id"], fresh)
        (agent.home / "spool" / name.replace("-backup-", f"-{number:02d}-backup-")).write_text(text)
    assert len(agent.spooled()) == 25
    proxy.up()
    proxy.seen.clear()
    agent.run("backup").expect(0)
    assert len(agent.spooled()) == 5
    assert len(proxy.calls("POST", "/v1/report")) == 21, "twenty pending ones and the run's own"


def test_old_reports_are_cleaned_up_and_the_loss_is_reported(pair):
    server, proxy, agent = pair
    proxy.down()
    agent.run("backup").expect(0)
    name, = agent.spool_names()
    path = agent.home / "spool" / name
    text = path.read_text()
    report = agent.spooled()[0]
    # 31 days old by everything that tells its age: its name, its content, its date.
    old = report["started_at"]
    path.unlink()
    for year in ("2020", "2021"):
        aged = agent.home / "spool" / re.sub(r"^\d{4}", year, name)
        aged.write_text(re.sub(r'"20\d\d-', f'"{year}-', text).replace(old, year + old[4:]))
        os.utime(aged, (1_600_000_000, 1_600_000_000))
    agent.run("backup").expect(0)
    assert len(agent.spooled()) == 1, "what is older than 30 days is removed while it cannot be sent"
    proxy.up()
    agent.run("backup").expect(0)
    dropped = [r["metrics"].get("reports_dropped") or 0 for r in server.reports(device=agent.device_id)]
    assert sum(dropped) == 2, "what clean-up removed is counted in a report"


def test_a_report_that_the_server_will_never_take_does_not_block_the_others(pair):
    server, proxy, agent = pair
    proxy.down()
    agent.run("backup").expect(0)
    name, = agent.spool_names()
    (agent.home / "spool" / ("0" + name)).write_text("{ this is no report")
    proxy.up()
    agent.run("backup").expect(0)
    assert len(server.reports(device=agent.device_id)) == 3
