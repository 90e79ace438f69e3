"""The restic REST protocol as clients rely on it, over HTTP and HTTPS alike, by raw requests. One test for each line of
the list of what a compatible server must do; refusals of malformed requests are in test_repository_refusals.py, what a
restic makes of it all in test_restic_matrix.py."""

import contextlib
import email.utils
import hashlib
import http.client
import random
import socket
import ssl
import time
import urllib.parse

import pytest
from conftest import World, a_room
from harness import fleet, programs
from harness.server import Repository
from harness.tls import make_certificate

KINDS = ("data", "keys", "locks", "snapshots", "index")
VERSION_1 = "application/vnd.x.restic.rest.v1"
VERSION_2 = "application/vnd.x.restic.rest.v2"


@pytest.fixture(scope="module", params=["http", "https"])
def served(request):
    """A server of that scheme with a tenant, for all tests of this file."""
    with a_room() as room:
        world = World(room)
        options, ca_file = [], None
        if request.param == "https":
            key, ca_file = make_certificate(room)
            options = ["--tls-cert", ca_file, "--tls-key", key]
        try:
            server = world.server(options=options)
            assert server.url.startswith(request.param + "://")
            yield server, ca_file
        finally:
            world.close()


@pytest.fixture
def fresh(served):
    """The repository of a new device; nothing was sent to it yet."""
    server, ca_file = served
    enrolled = fleet.install(server, server.token("acme"), ca_file)
    assert enrolled.status == 200, enrolled
    return Repository(enrolled.data["repo_path"], ca_file)


@pytest.fixture
def repository(fresh):
    assert fresh.request("?create=true", "POST").status == 200
    assert fresh.request("config", "POST", b"the config").status == 200
    return fresh


def named(body):
    return hashlib.sha256(body).hexdigest()


def store(repository, kind, body):
    path = f"{kind}/{named(body)}"
    assert repository.request(path, "POST", body).status == 200
    return path


@contextlib.contextmanager
def line_to(repository):
    """A connection of one's own, for what http.client would not send."""
    parts = urllib.parse.urlsplit(repository.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as raw:
        if repository.scheme == "http":
            yield raw
        else:
            trust = ssl.create_default_context(cafile=repository.ca_file)
            with trust.wrap_socket(raw, server_hostname=parts.hostname) as line:
                yield line


def head_of(repository, method, rest, *more):
    lines = [f"{method} {repository.path}{rest} HTTP/1.1", f"Host: {repository.host}",
             f"Authorization: {repository.headers['Authorization']}", *more, "", ""]
    return "\r\n".join(lines).encode()


def test_a_repository_is_created_once_or_again(fresh):
    assert fresh.request("config", "HEAD").status == 404, "what restic asks first"
    assert fresh.request("data/").status == 404 and fresh.request("config", "POST", b"c").status == 404
    for _ in range(2):
        assert fresh.request("?create=true", "POST").status == 200
    assert fresh.request("?create=false", "POST").status == 400
    for kind in KINDS:
        answer = fresh.request(f"{kind}/", headers={"Accept": VERSION_2})
        assert (answer.status, answer.body) == (200, b"[]")


def test_a_config_is_stored_once_and_no_other_takes_its_place(repository):
    head = repository.request("config", "HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, "10", b"")
    assert repository.request("config", "POST", b"the config").status == 200, "a lost answer makes restic send it again"
    assert repository.request("config", "POST", b"another one").status == 403
    assert repository.request("config").body == b"the config"


@pytest.mark.parametrize("kind", KINDS)
def test_objects_come_and_go(repository, kind):
    body = f"an object of {kind}".encode()
    path = f"{kind}/{named(body)}"
    assert repository.request(path, "HEAD").status == repository.request(path).status == 404
    assert repository.request(path, "POST", body).status == 200, "exactly 200"
    assert repository.request(path, "POST", body).status == 200, "the same bytes again"
    head = repository.request(path, "HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(body)), b"")
    assert repository.request(path).body == body
    assert repository.names(kind) == {named(body): len(body)}
    for _ in range(2):
        assert repository.request(path, "DELETE").status == 200, "also where it is missing"
    assert repository.request(path).status == 404 and repository.names(kind) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_that_do_not_have_the_hash_of_the_name(repository, kind):
    path = store(repository, kind, b"right")
    for wrong in (b"wrong", b"righ", b"right!", b""):
        assert repository.request(path, "POST", wrong).status == 400
        assert repository.request(f"{kind}/{'a' * 64}", "POST", wrong).status == 400
    assert repository.request(path).body == b"right" and list(repository.names(kind)) == [named(b"right")]


def test_lists_are_of_the_version_that_was_asked_for(repository):
    names = {named(str(n).encode()): len(str(n)) for n in range(50)}
    for n in range(50):
        store(repository, "data", str(n).encode())
    second = repository.request("data/", headers={"Accept": VERSION_2})
    assert second.headers["content-type"] == VERSION_2, "anything else is version 1 to restic"
    assert {entry["name"]: entry["size"] for entry in second.data} == names
    assert all(set(entry) == {"name", "size"} for entry in second.data)
    for headers in ({}, {"Accept": "*/*"}, {"Accept": VERSION_1}):
        first = repository.request("data/", headers=headers)
        assert first.headers["content-type"] == VERSION_1 and sorted(first.data) == sorted(names)
    assert second.headers.get("transfer-encoding") == "chunked", "a list is sent while it is read"


def test_ranges(repository):
    path = store(repository, "data", b"0123456789")

    def part(value):
        answer = repository.request(path, headers={"Range": value})
        return answer.status, answer.headers.get("content-range"), answer.body

    assert part("bytes=0-") == (206, "bytes 0-9/10", b"0123456789"), "restic sends this for the whole object"
    assert part("bytes=3-5") == (206, "bytes 3-5/10", b"345")
    assert part("bytes=8-99") == (206, "bytes 8-9/10", b"89")
    assert part("bytes=-2") == (206, "bytes 8-9/10", b"89")
    assert part("bytes=10-")[:2] == (416, "bytes */10")
    assert part("items=0-1") == (200, None, b"0123456789")
    whole = repository.request(path)
    assert (whole.status, whole.headers["content-length"]) == (200, "10")


def test_the_servers_time_of_an_object(repository):
    before = time.time()
    path = store(repository, "locks", b"a lock")
    for method in ("HEAD", "GET"):
        told = repository.request(path, method).headers["last-modified"]
        assert before - 1 <= email.utils.parsedate_to_datetime(told).timestamp() <= time.time()


def test_other_methods_and_other_paths(repository):
    path = store(repository, "data", b"bytes")
    for rest, allowed in (("", {"POST"}), ("data/", {"GET"}), (path, {"GET", "HEAD", "POST", "DELETE"}),
                          ("config", {"GET", "HEAD", "POST", "DELETE"})):
        answer = repository.request(rest, "PUT", b"bytes")
        assert answer.status == 405 and set(answer.headers["allow"].split(", ")) == allowed
    assert repository.request("", "DELETE").status == 405
    for rest in ("nothing", "nothing/", "data/x", "configs", "config/"):
        assert repository.request(rest).status in (400, 404)


def test_who_has_no_credential(repository):
    for headers in ({"Authorization": "Basic eDp5"}, {"Authorization": ""}, {"Authorization": "Bearer x"}):
        answer = repository.request("config", headers=headers)
        assert answer.status == 401 and answer.problem["type"] == "unauthorized"


def test_lengths_that_are_missing_or_too_large(repository):
    name = named(b"bytes")
    answer = repository.request(f"data/{name}", "POST", iter([b"bytes"]), {"Transfer-Encoding": "chunked"})
    assert answer.status == 411
    for rest in ("config", f"keys/{name}", f"locks/{name}"):
        with line_to(repository) as line:
            line.sendall(head_of(repository, "POST", rest, f"Content-Length: {64 << 20}"))
            assert line.recv(12) == b"HTTP/1.1 413", rest
    with line_to(repository) as line:
        line.sendall(head_of(repository, "POST", f"data/{name}", f"Content-Length: {1 << 40}"))
        assert line.recv(12) == b"HTTP/1.1 413"


def test_a_client_that_waits_to_be_told_to_go_on(repository):
    body = b"sent after the server said so"
    with line_to(repository) as line:
        line.sendall(head_of(repository, "POST", f"data/{named(body)}", f"Content-Length: {len(body)}",
                             "Expect: 100-continue"))
        assert line.recv(25).startswith(b"HTTP/1.1 100")
        line.sendall(body)
        assert line.recv(12) == b"HTTP/1.1 200"
    assert repository.names("data") == {named(body): len(body)}


def test_a_full_quota_is_said_before_the_body(served, repository):
    server, _ = served
    store(repository, "data", b"x" * 1000)
    server.admin("tenant", "set", "acme", "repository-quota=2000").expect(0)
    try:
        with line_to(repository) as line:
            line.sendall(head_of(repository, "POST", f"data/{'a' * 64}", "Content-Length: 5000",
                                 "Expect: 100-continue"))
            assert line.recv(12) == b"HTTP/1.1 507", "instead of 100"
        store(repository, "data", b"y" * 900)
    finally:
        server.admin("tenant", "set", "acme", "repository-quota=default").expect(0)


def test_an_upload_under_way_is_not_visible_and_one_that_is_cut_leaves_nothing(served, repository):
    server, _ = served
    before = server.stored_files()
    with line_to(repository) as line:
        line.sendall(head_of(repository, "POST", f"data/{'a' * 64}", f"Content-Length: {4 << 20}") + bytes(1 << 20))
        programs.wait_until(lambda: server.stored_files() != before, "the upload's temporary file")
        assert repository.names("data") == {} and repository.request(f"data/{'a' * 64}").status == 404
    programs.wait_until(lambda: server.stored_files() == before, "the temporary file to go away")


def test_clients_that_pause(repository):
    """Shorter and longer than a thread of the server waits for one, in the middle of what TLS calls a record, too."""
    dice = random.Random(8)
    body = dice.randbytes(24 << 20)
    path, pauses = f"data/{named(body)}", (0, 0, 0.03, 0.3)
    with line_to(repository) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        for _ in range(2):
            line.sendall(head_of(repository, "POST", path, f"Content-Length: {len(body)}"))
            sent = 0
            while sent < len(body):
                size = dice.randint(1, 4 << 20)
                line.sendall(body[sent:sent + size])
                sent += size
                time.sleep(dice.choice(pauses))
            assert line.recv(4000).startswith(b"HTTP/1.1 200")
            line.sendall(head_of(repository, "GET", path))
            head, got = b"", bytearray()
            while not head.endswith(b"\r\n\r\n"):
                head += line.recv(1)
            since = 0
            while len(got) < len(body):
                some = line.recv(200_000)
                assert some, f"the answer ends after {len(got)} bytes"
                got += some
                since += len(some)
                if since > 3 << 20:
                    since = 0
                    time.sleep(dice.choice(pauses))
            assert got == body
            assert repository.request(path, "DELETE").status == 200


def test_many_requests_on_one_connection(repository):
    parts = urllib.parse.urlsplit(repository.url)
    if repository.scheme == "https":
        trust = ssl.create_default_context(cafile=repository.ca_file)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=30, context=trust)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    with contextlib.closing(connection):
        connection.connect()
        line = connection.sock
        for n in range(20):
            body = str(n).encode()
            for method, sent, expected in (("POST", body, b""), ("GET", None, body), ("HEAD", None, b"")):
                connection.request(method, f"{repository.path}data/{named(body)}", sent, repository.headers)
                answer = connection.getresponse()
                assert (answer.status, answer.read()) == (200, expected)
        assert connection.sock is line, "kept alive"
