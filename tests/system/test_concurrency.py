"""Many at once: devices that enrol and report together, and two runs of one agent."""

from harness import net, programs, trees
from harness.clients import at_once

METADATA = {"hostname": "host", "os": "linux", "arch": "amd64"}


def test_one_token_and_many_who_want_it(server):
    token = server.token("acme")
    answers = at_once(16, lambda _: net.request(
        server.url + "/v1/install", "POST", {"metadata": METADATA}, net.bearer(token)))
    assert sorted(a.status for a in answers)[0] == 200
    assert [a.status for a in answers].count(200) == 1
    assert all(a.status in (401, 403) and a.problem for a in answers if a.status != 200)
    assert len(server.devices()) == 1


def test_a_token_for_five_and_many_who_want_it(server):
    token = server.token("acme", uses=5)
    answers = at_once(16, lambda _: net.request(
        server.url + "/v1/install", "POST", {"metadata": METADATA}, net.bearer(token)))
    assert [a.status for a in answers].count(200) == 5
    assert len(server.devices()) == 5


def test_the_same_install_sent_many_times_at_once(server):
    headers = {**net.bearer(server.token("acme")), "Idempotency-Key": "one-and-the-same"}
    answers = at_once(8, lambda _: net.request(server.url + "/v1/install", "POST", {"metadata": METADATA}, headers))
    assert {a.status for a in answers} == {200}
    assert len({a.data["device_id"] for a in answers}) == 1 and len(server.devices()) == 1


def test_twenty_devices_report_at_once(server):
    token = server.token("acme", uses=20)

    def device(number):
        enrolled = net.request(server.url + "/v1/install", "POST", {"metadata": METADATA}, net.bearer(token)).data
        for run in range(10):
            body = {
                "device_id": enrolled["device_id"], "job": "backup", "status": "success", "duration_ms": 1,
                "started_at": f"2026-11-{run + 1:02d}T02:00:00Z", "finished_at": f"2026-11-{run + 1:02d}T02:01:00Z",
                "metrics": {}, "report_id": f"rep_{number}_{run}",
            }
            assert net.request(server.url + "/v1/config", headers=net.bearer(enrolled["device_api_key"])).status == 200
            for _ in range(2):
                answer = net.request(server.url + "/v1/report", "POST", body, net.bearer(enrolled["device_api_key"]))
                assert answer.data == {"report_id": f"rep_{number}_{run}"}
        return enrolled["device_id"]

    devices = at_once(20, device)
    assert len(set(devices)) == 20
    reports = server.reports()
    assert len(reports) == 200 and len({r["report_id"] for r in reports}) == 200
    for one in devices:
        assert len([r for r in reports if r["device_id"] == one]) == 10


def test_administration_while_it_serves(server):
    """The command line works on the same database at the same time."""
    made = at_once(6, lambda number: [server.ask("tenant", "create", f"tenant-{number}")] +
                   [server.token(f"tenant-{number}") for _ in range(3)])
    assert len({t for one in made for t in one[1:]}) == 18
    assert len(server.ask("tenant", "list")) == 7


def test_five_devices_back_up_at_once(world, server, restic):
    devices = []
    for number in range(5):
        source = world.room / f"source {number}"
        trees.make_small(source, 100, seed=number)
        trees.make_bulk(source / "bulk", 4, pieces=2, seed=number + 100)
        devices.append((world.enrolled(server, restic, source), source))
    for outcome in at_once(5, lambda number: devices[number][0].run("backup")):
        outcome.expect(0)
    assert len(server.reports()) == 5
    for number, (agent, source) in enumerate(devices):
        target = world.room / f"restored {number}"
        agent.run("restore", "latest", "--target", target).expect(0)
        trees.assert_same(source, trees.below(target, source))
    devices[0][0].plain_restic().check()


def test_two_runs_of_one_agent(world, restic):
    server = world.server(policy={"restic": {"limit_upload_kib": 4096}})
    source = world.folder()
    trees.make_bulk(source / "bulk", 24)
    agent = world.enrolled(server, restic, source)
    first = agent.begin("backup")
    programs.wait_until(lambda: any("/data/" in f for f in server.stored_files()), "the first run at work")
    for job in ("backup", "retention"):
        refused = agent.run(job, limit=30).expect(5)
        assert "backup" in refused.err, f"who holds the lock:\n{refused.err}"
    agent.run("status").expect(0)  # reading needs no lock
    agent.finish(first).expect(0)
    assert len(agent.ask("snapshots")) == 1
    reports = server.reports(device=agent.device_id, job="backup")
    assert [r["status"] for r in reports if r.get("outcome") != "skipped"] == ["success"]
    agent.run("backup").expect(0)
