"""Who gets in: credentials that are known and then revoked, guessing, and the credentials an administrator makes."""

import hashlib
import threading
import time

import pytest
from harness import net, trees
from harness.fleet import Fleet
from harness.server import Repository, Restic

NOTHING = "0" * 64  # a name that no object has


def status(fleet, secret=None, **headers):
    repository = fleet.repository
    return net.request(repository.url + "config", "HEAD",
                       headers={**net.basic(repository.user, secret or repository.secret), **headers}).status


def test_a_revocation_from_another_process_holds_within_a_second(fleet):
    """While a client asks without a pause, so that its credential is known at every moment."""
    answers = []
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            answers.append((time.monotonic(), status(fleet)))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        time.sleep(1)
        fleet.server.admin("device", "revoke", fleet.device).expect(0)
        revoked = time.monotonic()
        time.sleep(1.5)
    finally:
        stop.set()
        asking.join()
    assert {s for at, s in answers if at < revoked - 1} <= {200}
    late = [s for at, s in answers if at > revoked + 1]
    assert late and set(late) == {401}


def guess_until_refused(fleet, **headers):
    answers = [status(fleet, f"{number:064x}", **headers) for number in range(6)]
    assert answers == [401] * 5 + [429], answers


def test_guessing_is_slowed_and_locks_nobody_out(world):
    # As behind a proxy on this host, so that there are several sources.
    server = world.server(options=["--trusted-proxy", "127.0.0.1"])
    fleet, other = Fleet(server), Fleet(server)
    server.stop()
    server.restart()  # what it knew of its devices is forgotten
    guess_until_refused(fleet, **{"X-Forwarded-For": "192.0.2.7"})
    refused = fleet.repository.request("config", headers={"X-Forwarded-For": "192.0.2.7"})
    assert refused.status == 429 and refused.problem["type"] == "too-many-attempts"
    assert int(refused.headers["retry-after"]) >= 1
    assert status(other, **{"X-Forwarded-For": "192.0.2.7"}) == 200, "another account from the same address"
    assert status(fleet, **{"X-Forwarded-For": "192.0.2.8"}) == 200, "the device from its own address"
    guess_until_refused(fleet, **{"X-Forwarded-For": "192.0.2.9"})
    assert status(fleet, **{"X-Forwarded-For": "192.0.2.9"}) == 200, "the device beside the guesser, once it was in"
    assert server.log.count("192.0.2.7") == 5, "a guesser does not fill the log"


def test_without_a_trusted_proxy_nobody_chooses_his_address(fleet):
    for number in range(5):
        assert status(fleet, f"{number:064x}", **{"X-Forwarded-For": f"192.0.2.{number}"}) == 401
    assert status(fleet, "f" * 64, **{"X-Forwarded-For": "192.0.2.9"}) == 429


# ---- credentials beside that of the device


class Holder:
    """A device with two snapshots, and what an administrator makes of its repository."""

    def __init__(self, world, server, restic):
        self.world, self.server = world, server
        self.source = world.folder()
        self.agent = world.enrolled(server, restic, self.source)
        for text in ("first", "second"):
            (self.source / "changing").write_text(text)
            self.agent.run("backup").expect(0)

    def repo(self, *command):
        return self.server.ask("repo", *command, "--device", self.agent.device_id)

    def credential(self, *more):
        made = self.repo("credential", "create", "--public-url", self.server.url, *more)
        return made, Repository(made["repository"])

    def restic(self, repository):
        return Restic(self.agent.restic, self.world.room, repository.address, self.agent.password)


@pytest.fixture
def holder(world, server, restic):
    return Holder(world, server, restic)


def test_a_read_only_credential_restores_and_changes_nothing(holder):
    made, repository = holder.credential("--for", "7d")
    assert made["kind"] == "read-only" and repository.user == made["id"] and repository.secret == made["secret"]
    assert repository.path == made["path"] == holder.agent.repository.path
    reader = holder.restic(repository)
    assert len(reader.run("snapshots", "--json").expect(0).data) == 2
    target = holder.world.room / "restored"
    reader.run("restore", "latest", "--target", target).expect(0)
    trees.assert_same(holder.source, trees.below(target, holder.source))
    reader.check()
    assert repository.names("locks") == {}, "it takes its own locks away"

    before = holder.agent.repository.everything()
    for kind in ("data", "index", "snapshots", "keys"):
        body = f"{kind} of a reader".encode()
        refused = repository.request(f"{kind}/{hashlib.sha256(body).hexdigest()}", "POST", body)
        assert (refused.status, refused.problem["type"]) == (403, "read-only"), kind
        for name in repository.names(kind):
            assert repository.request(f"{kind}/{name}", "DELETE").status == 403
    assert repository.request("config", "DELETE").status == 403
    assert repository.request("config", "POST", b"another").status == 403
    assert repository.request("?create=true", "POST").status == 403
    assert reader.run("backup", holder.source).code != 0
    assert reader.run("forget", "--keep-last", "1").code != 0 or len(holder.agent.repository.names("snapshots")) == 2
    everything = holder.agent.repository.everything()
    assert {k: v for k, v in everything.items() if k[0] != "locks"} == before
    holder.agent.run("backup").expect(0)


def test_a_credential_ends_and_is_revoked_and_survives_its_device(holder):
    made, repository = holder.credential("--for", "1h", "--reason", "a restore by hand")
    other, other_repository = holder.credential("--for", "1h")
    holder.server.admin("device", "revoke", holder.agent.device_id).expect(0)
    wait_for(holder.agent.repository, 401)
    assert repository.request("config").status == 200, "it belongs to the repository, not to the device"
    holder.repo("credential", "list")
    holder.server.admin("repo", "credential", "revoke", made["id"], "--device", holder.agent.device_id).expect(0)
    wait_for(repository, 401)
    assert other_repository.request("config").status == 200
    assert [(c["id"], c["state"], c["reason"]) for c in holder.repo("credential", "list")] == [
        (made["id"], "revoked", "a restore by hand"), (other["id"], "active", "")]
    assert made["secret"] not in holder.server.log


def test_a_credential_opens_one_repository_and_only_with_its_secret(holder, world, server, restic):
    made, repository = holder.credential("--for", "1h")
    neighbour = Fleet(server)
    for url, user, secret in [
        (neighbour.repository.url, made["id"], made["secret"]),
        (repository.url, made["id"], holder.agent.repository.secret),
        (repository.url, holder.agent.device_id, made["secret"]),
        (repository.url, "cred_00000000000000000000", made["secret"]),
        (repository.url, "\u00ff\u00fe", made["secret"]),
        (repository.url, "", made["secret"]),
    ]:
        assert net.request(url + "config", headers=net.basic(user, secret)).status == 401, user


def test_rotating_voids_every_credential_and_the_device_gets_its_new_one(holder):
    _, repository = holder.credential("--for", "1h")
    old = holder.agent.repository
    assert holder.repo("credential", "rotate")["generation"] == 2
    wait_for(repository, 401)
    wait_for(old, 401)
    holder.agent.run("backup").expect(0)
    assert len(holder.agent.ask("snapshots")) == 3


def test_maintenance_of_an_append_only_repository(holder):
    holder.server.admin("tenant", "set", "acme", "protection=append-only").expect(0)
    device = holder.agent.repository
    wait_for(device, 403, f"snapshots/{NOTHING}", "DELETE")
    restic = holder.agent.plain_restic()
    (restic.room / "new").write_text("another password")

    until = holder.repo("maintain", "--for", "1h")["maintenance_until"]
    assert holder.repo("show")["maintenance_until"] == until
    time.sleep(0.6)
    restic.run("forget", "--group-by", "", "--keep-last", "1", "--prune").expect(0)
    assert len(device.names("snapshots")) == 1
    restic.run("key", "add", "--new-password-file", restic.room / "new").expect(0)
    assert any(o["type"] == "snapshots" for o in holder.repo("trash", "list")), "it is still in the trash"

    assert "maintenance_until" not in holder.repo("maintain", "--end")
    wait_for(device, 403, f"snapshots/{NOTHING}", "DELETE")
    body = b"a thief's key"
    assert device.request(f"keys/{hashlib.sha256(body).hexdigest()}", "POST", body).status == 403
    assert "maintenance_until" not in holder.repo("show")


def test_a_maintenance_credential_prunes_while_the_device_may_not(holder):
    holder.server.admin("tenant", "set", "acme", "protection=append-only").expect(0)
    assert "7 days" in holder.server.admin("repo", "credential", "create", "--kind", "maintenance", "--for", "8d",
                                           "--device", holder.agent.device_id).expect(1).text
    _, repository = holder.credential("--kind", "maintenance", "--for", "1h")
    device = holder.agent.repository
    wait_for(device, 403, f"snapshots/{NOTHING}", "DELETE")
    holder.restic(repository).run("forget", "--group-by", "", "--keep-last", "1", "--prune").expect(0)
    assert len(device.names("snapshots")) == 1
    assert device.request(f"snapshots/{next(iter(device.names('snapshots')))}", "DELETE").status == 403


def wait_for(repository, status, rest="config", method="GET"):
    """Within a second, as the server promises."""
    end = time.monotonic() + 1
    while (found := repository.request(rest, method).status) != status:
        assert time.monotonic() < end, f"{found} instead of {status}"
        time.sleep(0.02)
