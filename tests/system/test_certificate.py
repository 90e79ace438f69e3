"""A new certificate under a server that serves."""

import hashlib
import http.client
import os
import signal
import ssl
import threading
import urllib.parse

import pytest
from harness import certificates, net, programs
from harness.server import Repository

METADATA = {"hostname": "host", "os": "linux", "arch": "amd64"}


class Site:
    """A server with a certificate that is to be replaced."""

    def __init__(self, world):
        self.key, self.certificate = certificates.make(world.room)
        self.spare = {}
        for name in ("second", "third"):
            self.spare[name] = certificates.make(world.room, name)
        self.first = world.room / "first.crt"
        self.first.write_bytes(self.certificate.read_bytes())
        self.server = world.server(options=["--tls-cert", self.certificate, "--tls-key", self.key])

    def replace(self, name):
        key, certificate = self.spare[name]
        certificates.put(key, self.key)
        certificates.put(certificate, self.certificate)

    def served_with(self, certificate):
        try:
            return net.request(self.server.url + "/healthz", ca_file=certificate).status == 200
        except ssl.SSLCertVerificationError:
            return False


@pytest.fixture
def site(world):
    return Site(world)


def enrolled(site):
    answer = net.request(site.server.url + "/v1/install", "POST", {"metadata": METADATA},
                         net.bearer(site.server.token("acme")), ca_file=site.certificate)
    repository = Repository(answer.data["repo_path"])
    trust = {"ca_file": site.certificate}
    assert repository.request("?create=true", "POST", **trust).status == 200
    assert repository.request("config", "POST", b"config", **trust).status == 200
    return repository


def test_a_new_certificate_cuts_no_upload_and_no_kept_connection(site):
    repository = enrolled(site)
    parts = urllib.parse.urlsplit(repository.url)
    trust = ssl.create_default_context(cafile=site.first)
    kept = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60, context=trust)
    kept.request("GET", "/healthz")
    kept.getresponse().read()

    body = os.urandom(4 << 20)
    name = hashlib.sha256(body).hexdigest()
    under_way, replaced = threading.Event(), threading.Event()

    def pieces():
        yield body[: 1 << 20]
        under_way.set()
        assert replaced.wait(60)
        yield body[1 << 20:]

    answers = []

    def upload():
        line = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60, context=trust)
        line.request("POST", f"{parts.path}data/{name}", body=pieces(),
                     headers={**repository.headers, "Content-Length": str(len(body))})
        answers.append(line.getresponse().status)

    uploading = threading.Thread(target=upload)
    uploading.start()
    assert under_way.wait(60)
    site.replace("second")
    assert site.served_with(site.spare["second"][1]), "without a signal, at the next connection"
    assert not site.served_with(site.first)
    site.server.process.send_signal(signal.SIGHUP)
    programs.wait_until(lambda: site.server.log.count("read again") >= 2, "the signal's own reading")
    replaced.set()
    uploading.join(60)
    assert answers == [200]
    kept.request("GET", "/healthz")
    assert kept.getresponse().status == 200
    assert repository.request(f"data/{name}", ca_file=site.certificate).body == body
    assert "read again from" in site.server.log and site.server.running


@pytest.mark.parametrize("broken", ["garbage", "the key of another", "nothing"])
def test_a_certificate_that_cannot_be_used_changes_nothing(site, broken):
    if broken == "garbage":
        site.certificate.write_text("no certificate")
    elif broken == "the key of another":
        certificates.put(site.spare["second"][0], site.key)
    else:
        site.certificate.unlink()
    for _ in range(3):
        assert site.served_with(site.first)
    assert site.server.log.count("the one before it goes on") == 1, "said once, not for each connection"
    site.server.process.send_signal(signal.SIGHUP)
    programs.wait_until(lambda: site.server.log.count("the one before it goes on") == 2, "the answer to the signal")
    assert site.served_with(site.first)
    site.replace("third")
    assert site.served_with(site.spare["third"][1])
    assert site.server.stop() == 0
