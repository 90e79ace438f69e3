"""A device that enrolled by hand, for tests that speak to the server by raw HTTP."""

import hashlib

from . import net
from .server import Repository

METADATA = {"hostname": "host", "os": "linux", "arch": "amd64"}


def install(server, token, ca_file=None, **more):
    body = {"metadata": METADATA, **more}
    return net.request(server.url + "/v1/install", "POST", body, net.bearer(token), ca_file=ca_file)


def report_body(device, **changes):
    """A report that is fine but for the changes; `...` takes a field away."""
    body = {
        "device_id": device, "job": "backup", "started_at": "2026-11-23T02:00:00Z",
        "finished_at": "2026-11-23T02:01:00Z", "status": "success", "duration_ms": 60000,
        "metrics": {"files_total": 1}, "report_id": "rep_1",
    }
    return {k: v for k, v in {**body, **changes}.items() if v is not ...}


def words(problem):
    """What a problem says, to people and programs."""
    return " ".join(str(problem.get(k, "")) for k in ("type", "title", "detail")).lower()


class Fleet:
    """One device, with a config and one pack in its repository, or, without `fill`, with nothing in it."""

    def __init__(self, server, ca_file=None, fill=True):
        self.server = server
        enrolled = install(server, server.token("acme"), ca_file)
        assert enrolled.status == 200, enrolled
        self.device = enrolled.data["device_id"]
        self.key = enrolled.data["device_api_key"]
        self.repository = Repository(enrolled.data["repo_path"], ca_file)
        self.content = b"a pack"
        self.name = hashlib.sha256(self.content).hexdigest()
        for rest, body in [("?create=true", None), ("config", b"config"), (f"data/{self.name}", self.content)]:
            if fill:
                assert self.repository.request(rest, "POST", body).status == 200

    def everything(self):
        """All that a request could have stored."""
        devices = [{k: v for k, v in d.items() if k != "last_seen_at"} for d in self.server.devices()]
        return devices, self.server.reports(), self.server.stored_files(), self.repository.everything()

    def report(self, body, key=None):
        return net.request(self.server.url + "/v1/report", "POST", body, net.bearer(key or self.key))

    def assert_goes_on(self):
        assert self.server.running
        assert net.request(self.server.url + "/v1/config", headers=net.bearer(self.key)).status == 200
        answer = self.repository.request(f"data/{self.name}")
        assert (answer.status, answer.body) == (200, self.content)


def without_device(everything, device):
    """`everything` but for one device that a test has added on purpose."""

    def kept():
        devices, *rest = everything()
        return [d for d in devices if d["device_id"] != device], *rest

    return kept
