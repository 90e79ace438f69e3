"""Every request to the device API that must be refused, by raw HTTP: the status, a problem that names the fault,
nothing stored, and a server that goes on."""

import hashlib
import json
import sqlite3
import subprocess

import pytest
from harness import net
from harness.fleet import METADATA, install, report_body, without_device, words
from harness.server import Repository

# ---- tokens and keys

def test_a_token_that_never_was(unchanged):
    answer = install(unchanged.server, "xit_" + "0" * 64)
    assert answer.status == 401 and "token" in words(answer.problem)


@pytest.mark.parametrize("headers", [
    {}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}, {"Authorization": "Basic eDp5"},
    {"Authorization": "Bearer " + "x" * 5000}, {"Authorization": "Bearer xit_\u00e9"},
])
def test_no_credential_or_none_of_ours(unchanged, headers):
    for path, body in (("/v1/install", {"metadata": METADATA}), ("/v1/report", report_body(unchanged.device))):
        assert net.request(unchanged.server.url + path, "POST", body, headers).problem["status"] == 401
    assert net.request(unchanged.server.url + "/v1/config", headers=headers).problem["status"] == 401


def test_a_used_token(server):
    token = server.token("acme")
    assert install(server, token).status == 200
    again = install(server, token)
    assert again.status in (401, 403) and "used" in words(again.problem)
    assert len(server.devices()) == 1


def test_an_expired_token(server):
    token = server.token("acme", ttl="1m")
    # A minute is the shortest life of a token; its row is dated back instead of waiting for it.
    with sqlite3.connect(server.data_dir / "xentz.db", timeout=10) as database:
        changed = database.execute("update install_token set expires_at = created_at + 1")
        assert changed.rowcount == 1
    answer = install(server, token)
    assert answer.status in (401, 403) and "expired" in words(answer.problem)
    assert server.devices() == []


def test_a_revoked_token(server):
    made = server.ask("token", "create", "--tenant", "acme")
    server.admin("token", "revoke", made["id"]).expect(0)
    answer = install(server, made["token"])
    assert answer.status in (401, 403) and "revoked" in words(answer.problem)
    assert server.devices() == []


def test_a_token_for_three(server):
    token = server.token("acme", uses=3)
    assert [install(server, token).status for _ in range(3)] == [200] * 3
    assert install(server, token).status in (401, 403)
    assert len(server.devices()) == 3


def test_an_install_token_is_no_device_key_and_the_other_way_round(unchanged):
    token = unchanged.server.token("acme")
    assert net.request(unchanged.server.url + "/v1/config", headers=net.bearer(token)).problem["status"] == 401
    assert install(unchanged.server, unchanged.key).problem["status"] == 401


def test_a_lost_answer_costs_neither_token_nor_device(server):
    token = server.token("acme")
    headers = {**net.bearer(token), "Idempotency-Key": "5f0c4d8e"}
    first, second = (net.request(server.url + "/v1/install", "POST", {"metadata": METADATA}, headers) for _ in range(2))
    assert first.status == second.status == 200
    assert first.data["device_id"] == second.data["device_id"]
    assert first.data["device_api_key"] != second.data["device_api_key"], "the unseen key is void"
    config = server.url + "/v1/config"
    assert net.request(config, headers=net.bearer(first.data["device_api_key"])).status == 401
    assert net.request(config, headers=net.bearer(second.data["device_api_key"])).status == 200
    third = net.request(server.url + "/v1/install", "POST", {"metadata": METADATA}, headers)
    assert third.status in (401, 403, 409), "the first authenticated call ends the window"
    assert third.problem
    assert net.request(config, headers=net.bearer(second.data["device_api_key"])).status == 200
    assert len(server.devices()) == 1


def test_another_devices_key(unchanged):
    server = unchanged.server
    before = server.reports()
    other = install(server, server.token("acme")).data
    # The second device stays; the fixture compares all but it.
    unchanged.everything = without_device(unchanged.everything, other["device_id"])
    answer = unchanged.report(report_body(unchanged.device), key=other["device_api_key"])
    assert answer.status == 403 and "device" in words(answer.problem)
    assert server.reports() == before
    theirs = Repository(other["repo_path"])
    crossed = net.request(unchanged.repository.url + "config", headers=theirs.headers)
    unknown = net.request(
        unchanged.repository.url.replace(unchanged.device, "dev_unknown") + "config", headers=theirs.headers)
    assert crossed.status == unknown.status and crossed.status in (401, 403, 404)
    assert crossed.body == unknown.body, "what is not theirs and what is not there look the same"
    body = b"stolen"
    name = hashlib.sha256(body).hexdigest()
    for method in ("POST", "DELETE", "GET", "HEAD"):
        found = net.request(unchanged.repository.url + f"data/{name}", method, body, theirs.headers)
        assert found.status == crossed.status
    assert theirs.everything() == {}


# ---- bodies

@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("path", ["/v1/install", "/v1/report"])
def test_a_body_of_100_mb(unchanged, path, chunked):
    token = unchanged.server.token("acme") if path == "/v1/install" else unchanged.key
    answer, sent = net.oversized(unchanged.server.url + path, 100_000_000, net.bearer(token), chunked)
    assert answer.status == 413 and answer.problem
    assert sent < 20_000_000, f"{sent} bytes were taken before the refusal"


def test_curl_sees_the_413_as_well(unchanged, room):
    big = room / "big"
    with open(big, "wb") as out:
        out.truncate(100_000_000)
    told = subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Content-Type: application/json",
         "-H", f"Authorization: Bearer {unchanged.key}",
         "--data-binary", f"@{big}", unchanged.server.url + "/v1/report"],
        capture_output=True, text=True, timeout=60)
    assert told.stdout == "413", told.stderr


@pytest.mark.parametrize("body", [
    b"", b"{", b"{]", b"null", b"[]", b'"text"', b"5", b"\xff\xfe", b'{"a":1}}', b"[" * 5000 + b"]" * 5000,
    b'{"metadata": {"hostname": "\xff", "os": "linux", "arch": "amd64"}}',
])
def test_what_is_no_json_object(unchanged, body):
    headers = {"Content-Type": "application/json"}
    for path, credential in (("/v1/install", unchanged.server.token("acme")), ("/v1/report", unchanged.key)):
        answer = net.request(unchanged.server.url + path, "POST", body, {**headers, **net.bearer(credential)})
        assert answer.status in (400, 422) and answer.problem, body


@pytest.mark.parametrize("missing", ["device_id", "job", "started_at", "finished_at", "status"])
def test_a_report_without(unchanged, missing):
    answer = unchanged.report(report_body(unchanged.device, **{missing: ...}))
    assert answer.status in (400, 422) and missing in words(answer.problem)


@pytest.mark.parametrize("field, value", [
    ("job", "format-disk"), ("job", 5), ("status", "splendid"), ("started_at", "yesterday"), ("started_at", 17),
    ("finished_at", "2026-13-40T02:00:00Z"), ("duration_ms", "long"), ("duration_ms", 1.5), ("duration_ms", -1),
    ("metrics", []), ("metrics", {"files_total": -1}), ("metrics", {"files_total": "many"}), ("device_id", 7),
    ("report_id", 7), ("report_id", "x" * 5000), ("error", 5), ("fault", "bad"),
])
def test_a_report_with_a_wrong(unchanged, field, value):
    answer = unchanged.report(report_body(unchanged.device, **{field: value}))
    assert answer.status in (400, 422), (field, value, answer)
    assert field in words(answer.problem), answer.problem


@pytest.mark.parametrize("body, field", [
    ({}, "metadata"), ({"metadata": {}}, "hostname"), ({"metadata": "host"}, "metadata"),
    ({"metadata": {**METADATA, "hostname": 5}}, "hostname"), ({"metadata": {"hostname": "h", "os": "linux"}}, "arch"),
    ({"metadata": METADATA, "user_id": ".."}, "user_id"), ({"metadata": METADATA, "user_id": "a/b"}, "user_id"),
    ({"metadata": METADATA, "user_id": ""}, "user_id"), ({"metadata": METADATA, "user_id": "x" * 65}, "user_id"),
    ({"metadata": METADATA, "user_id": "GROSS"}, "user_id"), ({"metadata": METADATA, "include": "/etc"}, "include"),
    ({"metadata": METADATA, "include": ["relative"]}, "include"),
    ({"metadata": METADATA, "include": ["/with\nbreak"]}, "include"),
])
def test_an_install_with_a_wrong(unchanged, body, field):
    token = unchanged.server.token("acme")
    answer = net.request(unchanged.server.url + "/v1/install", "POST", body, net.bearer(token))
    assert answer.status in (400, 422) and field in words(answer.problem), answer
    assert install(unchanged.server, token).status == 200, "a refused request burns no token"
    newest = sorted(unchanged.server.devices(), key=lambda d: d["enrolled_at"])[-1]["device_id"]
    unchanged.everything = without_device(unchanged.everything, newest)


def test_unknown_fields_are_ignored_and_flat_metrics_taken(fleet):
    body = report_body(fleet.device, metrics=..., files_total=5, bytes_total=6, data_added_bytes=7, tomorrow={"x": [1]})
    assert fleet.report(body).data == {"report_id": "rep_1"}
    stored, = fleet.server.reports()
    assert {k: stored["metrics"][k] for k in ("files_total", "bytes_total", "data_added_bytes")} == {
        "files_total": 5, "bytes_total": 6, "data_added_bytes": 7}


def test_a_report_is_stored_once_whatever_is_repeated(fleet):
    for _ in range(3):
        assert fleet.report(report_body(fleet.device)).data == {"report_id": "rep_1"}
    changed = report_body(fleet.device, status="failure")
    assert fleet.report(changed).status == 200
    nameless = report_body(fleet.device, report_id=..., started_at="2026-11-24T02:00:00Z")
    first = fleet.report(nameless).data["report_id"]
    assert fleet.report(nameless).data["report_id"] == first
    assert sorted(r["status"] for r in fleet.server.reports()) == ["success", "success"]


def test_an_endless_error_text(fleet):
    """At most 4096 bytes are kept; whether the rest is cut or refused, nothing longer is stored."""
    answer = fleet.report(report_body(fleet.device, status="failure", error="x" * 20_000))
    assert answer.status in (200, 400, 413, 422)
    assert all(len((r["error"] or "").encode()) <= 4096 for r in fleet.server.reports())


def test_config_is_sent_once(fleet):
    url = fleet.server.url + "/v1/config"
    first = net.request(url, headers=net.bearer(fleet.key))
    assert first.status == 200 and first.headers["etag"]
    same = net.request(url, headers={**net.bearer(fleet.key), "If-None-Match": first.headers["etag"]})
    assert same.status == 304 and same.body == b""
    fleet.server.policy("acme", {"include": ["/etc"], "retention": {"keep_last": 2}})
    other = net.request(url, headers={**net.bearer(fleet.key), "If-None-Match": first.headers["etag"]})
    assert other.status == 200 and other.data["include"] == ["/etc"] and other.data["version"] != first.data["version"]


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/v1/install", 405), ("PUT", "/v1/report", 405), ("DELETE", "/v1/config", 405), ("GET", "/v1/nothing", 404),
    ("POST", "/v2/report", 404), ("GET", "/v1", 404), ("GET", "/v1/config/", 404), ("BREW", "/v1/config", 405),
])
def test_wrong_method_and_unknown_path(unchanged, method, path, status):
    answer = net.request(unchanged.server.url + path, method, headers=net.bearer(unchanged.key))
    assert answer.status == status and answer.problem
    assert status == 404 or answer.headers["allow"]


# ---- the agent, refused

def test_the_agent_with_a_used_token_says_so_and_keeps_nothing(world, server, restic):
    token = server.token("acme")
    world.agent(restic).install(server.url, token)
    second = world.agent(restic)
    refused = second.install(server.url, token, expect=(1,))
    assert "token" in refused.err and "used" in refused.err
    assert not (second.home / "config.json").exists()
    assert second.run("backup").code == 4
    assert len(server.devices()) == 1


def test_the_agent_refuses_plain_http_to_a_machine_far_away(world, restic):
    agent = world.agent(restic)
    refused = agent.install("http://192.0.2.1:8080", "xit_" + "0" * 64, expect=(1, 2))
    assert "--allow-http" in refused.err or "https" in refused.err.lower()
    assert refused.seconds < 5, "it was not even tried"
    named = agent.install("http://localhost:1", "xit_" + "0" * 64, expect=(1, 2))
    assert "http" in named.err, "a name is not a literal loopback address"


def test_problem_documents_do_not_repeat_what_was_sent(unchanged):
    secret = "xit_" + "5ec4e7" * 10 + "abcd"
    answers = [
        install(unchanged.server, secret),
        net.request(unchanged.server.url + "/v1/report", "POST", b'{"device_id": "' + secret.encode() + b'"',
                    net.bearer(unchanged.key)),
        unchanged.repository.request("data/" + secret, "POST", b"x"),
    ]
    for answer in answers:
        assert answer.status >= 400 and secret.encode() not in answer.body
    assert secret not in unchanged.server.log
    assert json.dumps(answers[0].data)
