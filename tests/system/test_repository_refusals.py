"""Every request to the repository server that must be refused, by raw HTTP, and the answers that restic relies on."""

import hashlib

import pytest
from harness import net
from harness.fleet import words

HASH = "a" * 64


@pytest.mark.parametrize("rest", [
    "../", "../../", "data/../config", "data/..", "data/../../../../../etc/passwd", "data/..%2f..%2fconfig",
    "data%2f" + HASH,
    "%2e%2e/config", "data/%2e%2e/config", "data/.", "./config", "data//" + HASH, "data/\\..\\config",
    "data/" + HASH + "/..", "data/" + HASH + "/x", "data/%00" + HASH[3:], "config/..",
])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_path_with_dots_and_other_tricks(unchanged, method, rest):
    answer = unchanged.repository.request(rest, method, b"evil" if method == "POST" else None)
    assert answer.status in (400, 401, 403, 404, 405), answer
    assert b"root:" not in answer.body and answer.problem


@pytest.mark.parametrize("name", [
    "short", "A" * 64, HASH[:-1] + "g", HASH + "a", HASH[:-1], HASH + ".tmp", "", "a" * 63 + "%41", ".tmp-" + "a" * 59,
])
@pytest.mark.parametrize("kind", ["data", "keys", "locks", "snapshots", "index"])
def test_a_name_that_is_no_hash(unchanged, kind, name):
    answer = unchanged.repository.request(f"{kind}/{name}", "POST", b"evil")
    assert answer.status in ((400, 404) if name else (400, 404, 405)), answer
    assert answer.problem


@pytest.mark.parametrize("kind", ["data", "keys", "locks", "snapshots", "index"])
def test_a_body_that_does_not_match_its_hash(unchanged, kind):
    right = hashlib.sha256(b"right").hexdigest()
    answer = unchanged.repository.request(f"{kind}/{right}", "POST", b"wrong")
    assert answer.status == 400 and ("hash" in words(answer.problem) or "sha" in words(answer.problem))
    assert unchanged.repository.request(f"{kind}/{right}").status == 404
    assert unchanged.repository.request(f"{kind}/{right}", "HEAD").status == 404


def test_an_unknown_type(unchanged):
    assert unchanged.repository.request("secrets/" + HASH).status in (400, 404)
    assert unchanged.repository.request("secrets/" + HASH, "POST", b"x").status in (400, 404)


def test_no_length(unchanged):
    """restic always says how long its objects are."""
    body = iter([b"pack"])
    name = hashlib.sha256(b"pack").hexdigest()
    answer = unchanged.repository.request(f"data/{name}", "POST", body, {"Transfer-Encoding": "chunked"})
    assert answer.status == 411 and answer.problem


def test_another_config(unchanged):
    assert unchanged.repository.request("config", "POST", b"config").status == 200, "the same bytes again"
    answer = unchanged.repository.request("config", "POST", b"another")
    assert answer.status == 403 and answer.problem
    assert unchanged.repository.request("config").body == b"config"


def test_an_endless_lock(unchanged):
    """What restic keeps small has to be small here."""
    url = unchanged.repository.url + "locks/" + HASH
    answer, sent = net.oversized(url, 1_000_000_000, unchanged.repository.headers)
    assert answer.status == 413 and sent < 100_000_000


def test_create_without_saying_so(unchanged):
    for query in ("", "?create=false", "?create=", "?created=true"):
        assert unchanged.repository.request(query, "POST").status == 400


def test_the_repository_without_a_credential(unchanged):
    for headers in ({}, net.basic(unchanged.repository.user, "wrong"), net.basic("", ""), net.bearer(unchanged.key),
                    net.basic(unchanged.repository.user, unchanged.repository.secret[:-1])):
        for rest in ("config", "data/", f"data/{unchanged.name}", "?create=true"):
            method = "POST" if "create" in rest else "GET"
            assert net.request(unchanged.repository.url + rest, method, headers=headers).status == 401


def test_ranges(fleet):
    url = f"data/{fleet.name}"
    def part(value):
        return fleet.repository.request(url, headers={"Range": value})
    assert (part("bytes=2-").status, part("bytes=2-").body) == (206, b"pack")
    assert part("bytes=0-0").body == b"a" and part("bytes=0-0").headers["content-range"] == "bytes 0-0/6"
    assert part("bytes=-2").body == b"ck"
    assert part("bytes=0-").body == fleet.content
    assert part("bytes=6-").status == 416 and part("bytes=6-").headers["content-range"] == "bytes */6"


def test_deleting_what_is_missing(unchanged):
    assert unchanged.repository.request("data/" + HASH, "DELETE").status == 200
    assert unchanged.repository.request("locks/" + HASH, "DELETE").status == 200
