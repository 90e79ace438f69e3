"""What an operator sees: metrics, the access log, request ids, settings of one device, and the alarm about deletions."""

import re
import shlex

import pytest
from harness import fleet, net, programs
from harness.fleet import Fleet

TOKEN = "a token of the tests"


def metrics(server, **labels):
    """Every sample of /metrics that has these labels: (name, labels) -> value."""
    answer = net.request(server.url + "/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {}
    for line in answer.body.decode().splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line), line
            continue
        name, text, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
        has = dict(re.findall(r'([a-z_]+)="([^"]*)"', text or ""))
        if labels.items() <= has.items():
            found[name, tuple(sorted((k, v) for k, v in has.items() if k not in labels))] = float(value)
    return found


def test_the_counters_that_users_of_rest_server_know(server):
    device = Fleet(server)
    path = f"data/{device.name}"
    assert device.repository.request(path).body == device.content
    assert device.repository.request(path, "HEAD").status == 200
    for _ in range(2):
        assert device.repository.request(path, "DELETE").status == 200
    tenant = device.repository.path.split("/")[2]
    found = metrics(server, user=device.device, repo=f"{tenant}/{device.device}/default")
    data, size = (("type", "data"),), len(device.content)
    for kind in ("write", "read", "delete"):
        assert found[f"rest_server_blob_{kind}_total", data] == 1
        assert found[f"rest_server_blob_{kind}_bytes_total", data] == size
    assert found["rest_server_blob_write_total", (("type", "config"),)] == 1


def test_more_than_they_know(server):
    server.admin("tenant", "set", "acme", "quota=1GiB", "repository-quota=1MiB").expect(0)
    device = Fleet(server)
    assert device.repository.request("snapshots/" + "0" * 64).status == 404
    own = metrics(server, user=device.device)
    assert own["xentz_repository_objects", (("repo", _repo(device)), ("type", "data"))] == 1
    assert own["xentz_repository_bytes", (("repo", _repo(device)),)] == len(device.content) + len(b"config")
    assert own["xentz_repository_quota_bytes", (("repo", _repo(device)),)] == 1 << 20
    assert own["xentz_repository_deletion_alarms", (("repo", _repo(device)),)] == 0
    assert own["xentz_repository_last_access_timestamp_seconds", (("repo", _repo(device)),)] > 1e9
    everything = metrics(server)
    assert everything["xentz_storage_ready", ()] == 1 and everything["xentz_storage_free_bytes", ()] > 0
    assert 1 << 30 in [v for (name, _), v in everything.items() if name == "xentz_tenant_quota_bytes"]
    get = metrics(server, route="/repo/snapshots/NAME", method="GET")
    assert get["xentz_http_requests_total", (("status", "404"),)] == 1
    assert get["xentz_http_request_duration_seconds_count", ()] == 1
    assert get["xentz_http_request_duration_seconds_bucket", (("le", "+Inf"),)] == 1
    # Whoever makes up paths and methods makes no new series.
    before = len(metrics(server))
    for number in range(20):
        net.request(f"{server.url}/made-up/{number}")
        net.request(f"{server.url}/repo/a/b/c/made-up{number}", f"METHOD{number}")
    assert len(metrics(server)) <= before + 50


def _repo(device):
    return "/".join(device.repository.path.split("/")[2:5])


def test_who_may_see_the_metrics(world):
    file = world.room / "token"
    file.write_text(TOKEN.replace(" ", "-") + "\n")
    token = net.bearer(TOKEN.replace(" ", "-"))
    server = world.server(options=["--metrics-token-file", file])
    url = server.url + "/metrics"
    assert net.request(url).status == 200
    passed_on = {"X-Forwarded-For": "192.0.2.1"}
    refused = net.request(url, headers=passed_on)
    assert refused.status == 401 and refused.headers["www-authenticate"].startswith("Bearer") and refused.problem
    assert net.request(url, headers={**passed_on, **net.bearer("another-token-1234")}).status == 401
    assert net.request(url, headers={**passed_on, **token}).status == 200
    assert net.request(url, "POST", b"x").status == 405
    server.stop()
    server.options = []
    server.start()
    assert net.request(url, headers={**passed_on, **token}).status == 401, "no token, no other machine"
    file.write_text("short")
    server.stop()
    server.begin("--metrics-token-file", file)
    assert server.wait() == 1 and "fewer than 16" in server.log


def parsed(line):
    words = shlex.split(line.split("request ", 1)[1])
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_the_access_log(world):
    file = world.room / "access.log"
    server = world.server(options=["--access-log", file])
    device = Fleet(server)
    answer = device.repository.request(f"data/{device.name}", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1", "from the own machine, as a proxy would"
    given = device.repository.request("locks/" + "b" * 64, "POST", b"no lock")
    assert given.status == 400 and re.fullmatch("[0-9a-f]{16}", given.headers["x-request-id"])
    net.request(server.url + '/odd"path%20?secret=1')
    net.request(device.repository.url + "config", headers=net.basic(device.device, "wrong"))

    def lines():
        return [parsed(one) for one in file.read_text().splitlines()]

    programs.wait_until(lambda: len(lines()) >= 8, "the lines")
    by_id = {one["id"]: one for one in lines()}
    read = by_id["mine-1"]
    assert (read["method"], read["status"], read["out"], read["in"], read["user"], read["remote"]) == (
        "GET", "200", str(len(device.content)), "0", device.device, "127.0.0.1")
    assert read["path"] == f"{device.repository.path}data/{device.name}" and float(read["ms"]) >= 0
    refused = by_id[given.headers["x-request-id"]]
    assert (refused["method"], refused["status"], refused["in"]) == ("POST", "400", "7")
    programs.wait_until(lambda: given.headers["x-request-id"] in server.log, "the warning that names the request")
    text = file.read_text()
    assert "secret=1" not in text and "wrong" not in text and device.key not in text
    assert device.repository.secret not in text
    assert [one["user"] for one in lines() if one["status"] == "401"] == [""]
    assert file.stat().st_mode & 0o077 == 0


def test_a_device_may_be_kept_in_another_way_than_its_tenant(server):
    device, other = Fleet(server), Fleet(server)
    server.admin("device", "set", device.device, "protection=append-only", "trash-days=90", "quota=1000").expect(0)
    shown = server.ask("repo", "show", "--device", device.device)
    assert (shown["protection"], shown["trash_days"], shown["quota_bytes"]) == ("append-only", 90, 1000)

    def refuses():
        return device.repository.request("data/" + "b" * 64, "DELETE").status == 403

    # Within a second: so long a server may go by what it has seen of a credential.
    programs.wait_until(refuses, "the deletion of what is not there to be refused", limit=1)
    assert device.repository.request(f"data/{device.name}", "DELETE").status == 403
    assert device.repository.request("data/" + "a" * 64, "POST", b"x" * 2000).status == 507
    assert other.repository.request(f"data/{other.name}", "DELETE").status == 200
    server.admin("device", "set", device.device, "protection=default").expect(0)
    programs.wait_until(lambda: not refuses(), "it to be refused no more", limit=1)
    assert device.repository.request(f"data/{device.name}", "DELETE").status == 200
    for wrong in ("protection=none", "custody=server", "nothing", "trash-days=0"):
        assert server.admin("device", "set", device.device, wrong).code in (1, 2), wrong
    assert server.admin("device", "set", "dev_nobody", "quota=1").code == 1


@pytest.fixture
def thinned_out(world, restic):
    """A device whose policy keeps three snapshots, after five backups and a retention."""
    server = world.server(policy={"retention": {"keep_last": 3, "prune": True}})
    source = world.folder(files=3)
    agent = world.enrolled(server, restic, source)
    for number in range(5):
        (source / "changing").write_text(str(number))
        agent.run("backup").expect(0)
    agent.run("retention").expect(0)
    return server, agent


def test_an_alarm_about_deletions_that_the_policy_does_not_explain(thinned_out):
    server, agent = thinned_out

    def alarms():
        shown = server.ask("repo", "show", "--device", agent.device_id)["alarms"]
        assert server.ask("device", "show", agent.device_id)["alarms"] == shown
        return shown

    assert alarms() == [], "a retention by the policy is none"
    place = server.ask("repo", "show", "--device", agent.device_id)["place"]
    names = list(agent.repository.names("snapshots"))
    assert len(names) == 3
    for name in names[:2]:
        assert agent.repository.request(f"snapshots/{name}", "DELETE").status == 200
    # The device may report what it likes.
    report = fleet.report_body(agent.device_id, job="retention", report_id="rep_lie")
    net.request(server.url + "/v1/report", "POST", report, net.bearer(agent.device_key))
    told, = alarms()
    assert "1 are left" in told and "at least 3" in told
    for command in (("repo", "show", "--device", agent.device_id), ("device", "show", agent.device_id)):
        assert "ALARM" in server.admin(*command).out and told in server.admin(*command).out
    # What metrics say of it is computed anew every ten minutes, and first when it is first asked for.
    assert metrics(server, user=agent.device_id)["xentz_repository_deletion_alarms", (
        ("repo", "/".join(agent.repository.path.split("/")[2:5])),)] == 1
    server.admin("repo", "undelete", "--device", agent.device_id, "--before", str(place)).expect(0)
    assert alarms() == []
