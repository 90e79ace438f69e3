"""Two servers of one fleet, over one bucket of a real object store and one PostgreSQL, behind nginx as the manual sets
it: what works with one works with two, and they agree. Labels `object-store` and `nginx`: left out by script/test where
one of them is not installed."""

import hashlib
import http.client
import itertools
import random
import socket
import ssl
import subprocess
import threading
import time

import pytest
from harness import fleet, net, programs
from harness.clients import at_once
from harness.fleet import Fleet
from harness.pair import Pair
# What people do with restic works through nginx and two servers as it does with one on a disk.
from test_restic_matrix import mode, owners, test_the_life_of_a_repository  # noqa: F401

NOTHING = "0" * 64  # a name that no object has


@pytest.fixture
def server(pair):
    """For the tests that know one server only: nothing fails, not even to be repeated."""
    yield pair
    failed = [r for r in pair.nginx.requests() if r.status >= 500 or "," in r.upstream]
    assert not failed, f"{failed}\n{pair.nginx.errors}"


def at_each(pair, count, work):
    """Calls work(url, number) on `count` threads at once, by turns with the address of the one and of the other."""
    return at_once(count, lambda number: work(pair.servers[number % 2].url, number))


def at(url, repository, rest, method="GET", body=None):
    """A request of a device to that one of the two."""
    return net.request(url + repository.path + rest, method, body, repository.headers)


def test_what_is_revoked_is_refused_by_both_within_a_second(pair):
    """While a client asks both without a pause, so that its credential is known to them at every moment."""
    device = Fleet(pair, pair.ca_file)
    answers, stop = [], threading.Event()

    def ask(url):
        while not stop.is_set():
            key = net.request(url + "/v1/config", headers=net.bearer(device.key)).status
            answers.append((time.monotonic(), at(url, device.repository, "config", "HEAD").status, key))

    asking = [threading.Thread(target=ask, args=[server.url]) for server in pair.servers]
    for one in asking:
        one.start()
    try:
        time.sleep(1)
        pair.admin("device", "revoke", device.device).expect(0)
        revoked = time.monotonic()
        time.sleep(1.5)
    finally:
        stop.set()
        for one in asking:
            one.join()
    assert {(stored, key) for moment, stored, key in answers if moment < revoked - 1} <= {(200, 200)}
    late = [(stored, key) for moment, stored, key in answers if moment > revoked + 1]
    assert late and set(late) == {(401, 403)}


def test_one_token_at_both_at_once(pair):
    token = pair.token("acme")
    answers = at_each(pair, 16, lambda url, _: net.request(
        url + "/v1/install", "POST", {"metadata": fleet.METADATA}, net.bearer(token)))
    assert sorted(a.status for a in answers) == [200] + [401] * 15
    assert {a.problem["type"] for a in answers if a.status != 200} == {"token-used"}
    assert len(pair.ask("device", "list")) == 1


def test_the_same_install_at_both_at_once(pair):
    headers = {**net.bearer(pair.token("acme")), "Idempotency-Key": "one-and-the-same"}
    answers = at_each(pair, 8, lambda url, _: net.request(
        url + "/v1/install", "POST", {"metadata": fleet.METADATA}, headers))
    assert {a.status for a in answers} == {200} and len({a.data["device_id"] for a in answers}) == 1
    opens = [net.request(pair.servers[0].url + "/v1/config", headers=net.bearer(a.data["device_api_key"])).status
             for a in answers]
    assert sorted(opens) == [200] + [401] * 7, "the last key that was handed out, and no other"
    assert len(pair.ask("device", "list")) == 1


def test_the_same_report_at_both_at_once(pair):
    device = Fleet(pair, pair.ca_file, fill=False)
    for number in range(10):
        body = fleet.report_body(device.device, report_id=f"rep_{number}")
        answers = at_each(pair, 8, lambda url, _: net.request(
            url + "/v1/report", "POST", body, net.bearer(device.key)))
        assert [(a.status, a.data) for a in answers] == [(200, {"report_id": f"rep_{number}"})] * 8
    assert pair.rows("select count(*), count(distinct report_id) from report") == [["10", "10"]]


@pytest.mark.parametrize("protection", ["guarded", "full"])
def test_the_same_upload_and_the_same_deletion_at_both_at_once(pair, protection):
    """As when a client or nginx repeats what is still being worked on."""
    pair.admin("tenant", "set", "acme", f"protection={protection}").expect(0)
    repository = Fleet(pair, pair.ca_file).repository
    dice = random.Random(5)
    for number in range(12):
        kind = ("data", "locks", "index", "snapshots")[number % 4]
        body = dice.randbytes(dice.choice([100, 100_000]))
        name = hashlib.sha256(body).hexdigest()
        for method in ("POST", "DELETE", "POST") + ("DELETE",) * (number % 3 == 0):
            answers = at_each(pair, 8, lambda url, _: at(
                url, repository, f"{kind}/{name}", method, body if method == "POST" else None))
            assert [a.status for a in answers] == [200] * 8, f"{method} {kind}: {answers}"
            said, found = pair.journal_and_bucket()
            assert said == found, f"after {method} of {kind}/{name}"
            pair.assert_counted()
    device, = pair.ask("device", "list")
    pair.ask("repo", "verify", "--device", device["device_id"], "--trash")
    assert " 500 " not in pair.log and " 503 " not in pair.log


def test_a_config_that_goes_and_comes_is_known_to_both_at_once(pair):
    """restic's migration replaces it; what the other one remembers of the repository must not be in the way."""
    repository = Fleet(pair, pair.ca_file).repository
    for number, (one, other) in enumerate(itertools.permutations([s.url for s in pair.servers])):
        for url in (one, other):
            assert at(url, repository, "config").status == 200
        assert at(one, repository, "config", "DELETE").status == 200
        assert at(other, repository, "config").status == 404
        assert at(other, repository, "config", "POST", b"config %d" % number).status == 200
        assert at(one, repository, "config").body == b"config %d" % number


def test_nginx_asks_the_other_one_where_one_has_lost_its_bucket(world, bucket, database):
    line = world.tcp_proxy(bucket.port)
    pair = Pair(world, bucket, database, storage_of_second=bucket.address(port=line.port))
    device = Fleet(pair, pair.ca_file)
    line.target_port = net.free_port()
    line.cut()
    time.sleep(1.1)  # so long a server goes by what it knows of a bucket
    assert [net.request(s.url + "/readyz", limit=60).status for s in pair.servers] == [200, 503]
    for _ in range(20):
        answer = device.repository.request(f"data/{device.name}")
        assert (answer.status, answer.body) == (200, device.content)
    assert any("503, 200" in r.upstream for r in pair.nginx.requests())


def test_a_refusal_comes_through_nginx_before_the_body(world, pair):
    repository = Fleet(pair, pair.ca_file).repository
    pair.admin("tenant", "set", "acme", "quota=1MiB").expect(0)
    body = world.room / "body"
    body.write_bytes(random.Random(6).randbytes(64 << 20))
    command = ["curl", "-sS", "--cacert", pair.ca_file, "--user", f"{repository.user}:{repository.secret}", "-H",
               "Expect:", "--data-binary", f"@{body}", "-o", world.room / "answer", "-w", "%{http_code} %{size_upload}"]
    said = subprocess.run([*command, f"{repository.url}data/{NOTHING}"], capture_output=True, text=True, timeout=60,
                          check=False).stdout
    status, sent = map(int, said.split())
    assert status == 507 and sent < 32 << 20, said
    assert b"quota-exceeded" in (world.room / "answer").read_bytes()


def test_the_log_names_who_is_behind_nginx(pair):
    repository = Fleet(pair, pair.ca_file).repository
    host, port = pair.url.removeprefix("https://").split(":")
    trust = ssl.create_default_context(cafile=pair.ca_file)
    connection = http.client.HTTPSConnection(host, int(port), source_address=("127.0.0.2", 0), context=trust)
    connection.request("GET", repository.path + "config",
                       headers={**net.basic(repository.user, "wrong"), "X-Forwarded-For": "192.0.2.66"})
    assert connection.getresponse().status == 401
    connection.close()
    programs.wait_until(lambda: "refused 127.0.0.2 at" in pair.log, "the line about a refusal")
    assert "192.0.2.66" not in pair.log
    assert pair.request("/metrics").status == 404
    for server in pair.servers:
        assert b"xentz_storage_ready 1" in net.request(server.url + "/metrics").body


def test_a_start_of_one_disturbs_nothing_that_the_other_does(pair):
    """A server that starts compares rows and objects. What the other one stores and deletes meanwhile, again and again
    the same, as restic repeats an upload, must be there after it was acknowledged, and gone after it was."""
    repository = Fleet(pair, pair.ca_file).repository
    busy, starting = pair.servers
    over = threading.Event()

    def come_and_go(number):
        body = b"%d" % number
        rest, rounds = f"{('data', 'index', 'locks')[number % 3]}/{hashlib.sha256(body).hexdigest()}", 0
        while not over.is_set():
            rounds += 1
            for method, after in (("POST", 200), ("DELETE", 404)):
                assert at(busy.url, repository, rest, method, body if method == "POST" else None).status == 200
                for _ in range(3):
                    status = at(busy.url, repository, rest).status
                    assert status == after, f"{rest} is {status} after {method} in round {rounds}"
        return rounds

    def start_again():
        try:
            for _ in range(15):
                assert starting.stop() == 0
                starting.restart()
                time.sleep(0.3)
        finally:
            over.set()

    starter = threading.Thread(target=start_again)
    starter.start()
    try:
        at_once(6, come_and_go)
    finally:
        over.set()
        starter.join()
    programs.wait_until(pair.is_settled, "the journal to say what is in the bucket", limit=30)
    pair.assert_counted()
    assert "is missing from" not in pair.log


def test_a_quota_is_exact_to_the_byte_across_both(pair):
    """Sixteen uploads at once, by turns through the one and the other, into two repositories of one tenant."""
    devices = [Fleet(pair, pair.ca_file) for _ in range(2)]

    def used():
        return sum(pair.ask("repo", "show", "--device", d.device)["bytes"] for d in devices)

    quota = used()
    for attempt in range(4):
        quota += 500_000
        pair.admin("tenant", "set", "acme", f"quota={quota}", "trash-factor=100").expect(0)
        dice = random.Random(attempt)
        bodies = [dice.randbytes(100_000) for _ in range(16)]
        answers = at_each(pair, 16, lambda url, number: at(  # noqa: B023
            url, devices[number % 4 // 2].repository, f"data/{hashlib.sha256(bodies[number]).hexdigest()}", "POST",
            bodies[number]))
        assert sorted(a.status for a in answers) == [200] * 5 + [507] * 11, "no more, and no fewer"
        assert used() == quota
    pair.assert_counted()
    assert pair.rows("select count(*) from upload_reservation") == [["0"]]


def test_what_a_killed_server_had_reserved_is_free_again(pair):
    device = Fleet(pair, pair.ca_file)
    used = pair.ask("repo", "show", "--device", device.device)["bytes"]
    pair.admin("tenant", "set", "acme", f"quota={used + 1_000_000}").expect(0)
    first, second = pair.servers
    head = (f"POST {device.repository.path}data/{NOTHING} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            f"Authorization: {device.repository.headers['Authorization']}\r\n\r\n")
    with socket.create_connection(("127.0.0.1", first.port)) as slow:
        slow.sendall(head.encode() + bytes(1000))
        programs.wait_until(lambda: pair.rows("select count(*) from upload_reservation") == [["1"]], "the reservation")
        body = random.Random(9).randbytes(1_000_000)
        name = f"data/{hashlib.sha256(body).hexdigest()}"
        assert at(second.url, device.repository, name, "POST", body).status == 507
        first.kill()
        assert at(second.url, device.repository, name, "POST", body).status == 200
    first.restart()
