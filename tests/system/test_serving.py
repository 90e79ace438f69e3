"""How the server serves: its ready line, its addresses, TLS, a prefix, settings, and a clean stop."""

import hashlib
import os
import socket
import stat
import subprocess
import threading
import urllib.parse

from harness import certificates, net, programs, trees
from harness.server import Repository
from harness.tls import make_certificate

METADATA = {"hostname": "host", "os": "linux", "arch": "amd64"}


def enrol(server, url=None, ca_file=None):
    answer = net.request((url or server.url) + "/v1/install", "POST", {"metadata": METADATA},
                         net.bearer(server.token("acme")), ca_file=ca_file)
    assert answer.status == 200, answer
    return answer.data


def test_ready_line_and_a_free_port(world):
    server = world.server(serve=False)
    server.start(listen="127.0.0.1:0")
    assert len(server.ready_lines) == 1, server.log
    port = urllib.parse.urlsplit(server.url).port
    assert port and net.request(server.url + "/healthz").status == 200
    assert net.request(server.url + "/readyz").status == 200
    assert f":{port}/" in enrol(server)["repo_path"]


def test_a_taken_port_is_said(world):
    server = world.server()
    second = world.server(serve=False, port=server.port)
    second.begin()
    programs.wait_until(lambda: not second.running, "the second server to give up")
    assert second.wait() == 1 and str(server.port) in second.log


def test_serving_without_init(world):
    outcome = programs.run(
        [programs.program("xentz-server"), "serve", "--data-dir", world.room / "nothing", "--listen", "127.0.0.1:0"],
        programs.clean_environment(), limit=30)
    assert outcome.code == 4 and "init" in outcome.err


def test_two_addresses_and_a_public_one(world, restic):
    server = world.server(serve=False)
    second = net.free_port()
    server.start("--listen", f"127.0.0.1:{second}", "--public-url", f"http://127.0.0.1:{second}")
    for port in (server.port, second):
        assert net.request(f"http://127.0.0.1:{port}/healthz").status == 200
    agent = world.enrolled(server, restic, world.folder(), url=f"http://127.0.0.1:{server.port}")
    assert f"@127.0.0.1:{second}/repo/" in agent.repository.address
    agent.run("backup").expect(0)


def test_below_a_prefix(world, restic):
    server = world.server(options=["--url-prefix", "/control"])
    base = f"http://127.0.0.1:{server.port}"
    assert net.request(base + "/control/healthz").status == 200
    assert net.request(base + "/v1/config").status == 404
    source = world.folder()
    agent = world.enrolled(server, restic, source, url=base + "/control")
    assert "/control/repo/" in agent.repository.address
    agent.run("backup").expect(0)
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    assert [r["status"] for r in server.reports(job="backup")] == ["success"]


def test_settings_by_environment_and_file(world):
    server = world.server(serve=False)
    port = net.free_port()
    by_environment = programs.begin(
        [programs.program("xentz-server"), "serve"],
        {**server.environment, "XENTZ_DATA_DIR": str(server.data_dir), "XENTZ_STORAGE": f"file:{server.storage}",
         "XENTZ_LISTEN": f"127.0.0.1:{port}", "XENTZ_URL_PREFIX": "/here"})
    assert_serves(by_environment, f"http://127.0.0.1:{port}/here/healthz")
    file = world.room / "server.conf"
    file.write_text(
        f'data-dir = "{server.data_dir}"\nstorage = "file:{server.storage}"\n[serve]\n'
        f'listen = "127.0.0.1:{port}"\nurl-prefix = "/there"\n')
    by_file = programs.begin([programs.program("xentz-server"), "serve", "--config", str(file)], server.environment)
    assert_serves(by_file, f"http://127.0.0.1:{port}/there/healthz")


def assert_serves(process, url):
    def there():
        assert process.poll() is None, process.communicate()
        try:
            return net.request(url).status == 200
        except OSError:
            return False

    try:
        programs.wait_until(there, f"an answer of {url}", limit=20)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_tls_with_a_certificate_of_ones_own(world, restic):
    key, certificate = certificates.make(world.room)
    server = world.server(options=["--tls-cert", certificate, "--tls-key", key])
    assert server.url.startswith("https://")
    source = world.folder()

    stranger = world.agent(restic)
    token = server.token("acme")
    refused = stranger.install(server.url, token, source, expect=(1,))
    assert "certificate" in refused.err and "--ca-file" in refused.err
    assert server.devices() == []

    agent = world.agent(restic)
    agent.install(server.url, token, source, options=["--ca-file", certificate])
    assert agent.repository.address.startswith("rest:https://")
    agent.run("backup").expect(0)
    agent.run("retention").expect(0)
    agent.run("restore", "latest", "--target", world.room / "restored").expect(0)
    trees.assert_same(source, trees.below(world.room / "restored", source))
    assert len(server.reports(device=agent.device_id)) == 3


def test_tls_speaks_no_old_protocol_and_no_plain_text(world):
    key, certificate = certificates.make(world.room)
    server = world.server(options=["--tls-cert", certificate, "--tls-key", key])
    told = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert "Cipher is (NONE)" in told.stdout
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"200" not in line.recv(100)
        except ConnectionError:
            pass
    assert net.request(server.url + "/healthz", ca_file=certificate).status == 200


class SlowUpload(threading.Thread):
    """Sends an object in two halves; the second one waits for `go_on`."""

    def __init__(self, repository, size=4 << 20):
        super().__init__(daemon=True)
        self.body = os.urandom(size)
        self.name_of = hashlib.sha256(self.body).hexdigest()
        self.repository = repository
        self.go_on = threading.Event()
        self.answer = b""

    def run(self):
        parts = urllib.parse.urlsplit(self.repository.url)
        head = (f"POST {parts.path}data/{self.name_of} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                f"Content-Length: {len(self.body)}\r\n"
                f"Authorization: {self.repository.headers['Authorization']}\r\n\r\n")
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as line:
            half = len(self.body) // 2
            line.sendall(head.encode() + self.body[:half])
            self.go_on.wait(60)
            line.sendall(self.body[half:])
            while more := line.recv(65536):
                self.answer += more
                if b"\r\n\r\n" in self.answer:
                    break


def test_a_clean_stop_finishes_the_upload_under_way(world):
    server = world.server()
    repository = Repository(enrol(server)["repo_path"])
    assert repository.request("?create=true", "POST").status == 200
    before = server.stored_files()
    upload = SlowUpload(repository)
    upload.start()
    programs.wait_until(lambda: len(server.stored_files()) > len(before), "the upload under way")
    server.process.terminate()
    programs.wait_until(lambda: refuses(server.port), "the server to take nothing new")
    assert server.running, "the upload is not finished yet"
    upload.go_on.set()
    upload.join(60)
    assert upload.answer.startswith(b"HTTP/1.1 200"), upload.answer
    assert server.wait() == 0
    server.restart()
    assert repository.request(f"data/{upload.name_of}").body == upload.body


def refuses(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return False
    except OSError:
        return True


def test_a_backup_under_way_survives_a_restart_of_the_server(world, restic):
    server = world.server(policy={"restic": {"limit_upload_kib": 6144}})
    source = world.folder()
    trees.make_bulk(source / "bulk", 24)
    agent = world.enrolled(server, restic, source)
    running = agent.begin("backup")
    programs.wait_until(lambda: any("/data/" in f for f in server.stored_files()), "the first pack on the server")
    assert server.stop() == 0
    server.restart()
    agent.finish(running).expect(0)
    agent.plain_restic().check()


def test_an_idle_server_stops_at_once(world):
    server = world.server()
    idle = socket.create_connection(("127.0.0.1", server.port))
    try:
        assert server.stop(limit=20) == 0
    finally:
        idle.close()


def test_files_of_the_server_are_its_own(world, restic):
    server = world.server()
    agent = world.enrolled(server, restic, world.folder())
    agent.run("backup").expect(0)
    for root in (server.data_dir, server.storage):
        for path in [root, *root.rglob("*")]:
            allowed = 0o700 if path.is_dir() else 0o600
            assert stat.S_IMODE(path.stat().st_mode) & ~allowed == 0, f"{path}: {oct(path.stat().st_mode)}"


def test_init_twice_changes_nothing(world):
    server = world.server(serve=False)
    key = server.master_key()
    assert server.admin("init").code == 1
    assert server.master_key() == key
    server.start()
    assert [t["name"] for t in server.ask("tenant", "list")] == ["acme"]


def test_metrics_and_health_need_no_key_on_loopback(world):
    server = world.server()
    for path in ("/metrics", "/healthz", "/readyz"):
        assert net.request(server.url + path).status == 200
    assert net.request(server.url + "/").status < 500
