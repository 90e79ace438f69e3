"""An attacker with a device's full credentials, and what an administrator gets back. Guarded is the default."""

import hashlib
import json
import subprocess
import threading
import time

import pytest
from harness import net, trees
from harness.server import Restic

KINDS = ("data", "index", "snapshots", "keys", "locks")
VERSION_2 = {"Accept": "application/vnd.x.restic.rest.v2"}


@pytest.fixture
def victim(world, server, restic):
    """A device with three snapshots, and the place of the journal right after them."""
    source = world.folder()
    agent = world.enrolled(server, restic, source)
    for round_number in range(3):
        (source / "changing").write_text(f"version {round_number}")
        agent.run("backup").expect(0)
    return Victim(world, server, agent, source)


class Victim:
    def __init__(self, world, server, agent, source):
        self.world, self.server, self.agent, self.source = world, server, agent, source
        self.repository = agent.repository
        self.restic = agent.plain_restic()
        self.snapshots = {s["id"] for s in self.restic.snapshots()}
        assert len(self.snapshots) == 3
        self.place = self.show()["place"]

    def show(self):
        return self.server.ask("repo", "show", "--device", self.agent.device_id)

    def undelete(self, *more, place=None):
        return self.server.ask("repo", "undelete", "--device", self.agent.device_id, "--before",
                               str(self.place if place is None else place), *more)

    def delete(self, kind, names=None):
        for name in names or self.repository.names(kind):
            assert self.repository.request(f"{kind}/{name}", "DELETE").status == 200

    def post(self, kind, body):
        name = hashlib.sha256(body).hexdigest()
        return self.repository.request(f"{kind}/{name}", "POST", body).status

    def assert_recovered(self):
        """Every snapshot is there, whole, and restores bit by bit; the server's own reading agrees."""
        fresh = self.agent.plain_restic()
        assert self.snapshots <= {s["id"] for s in fresh.snapshots()}
        fresh.check()
        self.server.ask("repo", "verify", "--device", self.agent.device_id, "--trash")
        target = self.world.room / f"restored-{self.show()['place']}"
        self.agent.run("restore", "latest", "--target", target).expect(0)
        trees.assert_same(self.source, trees.below(target, self.source))


@pytest.mark.parametrize("kind", ["data", "index", "snapshots"])
def test_deleting_all_objects_of_a_type(victim, kind):
    before = victim.repository.everything()
    victim.delete(kind)
    assert victim.repository.names(kind) == {}, "to the device it is gone"
    victim.undelete()
    assert victim.repository.everything() == before
    victim.assert_recovered()


def test_deleting_everything_and_making_the_repository_anew(victim):
    """The worst that the protocol has: the password is the device's own, so the new keys open with it."""
    for kind in KINDS:
        victim.delete(kind)
    assert victim.repository.request("config", "DELETE").status == 200
    assert victim.repository.request("config").status == 404
    victim.restic.run("init").expect(0)
    victim.restic.run("backup", victim.world.folder("decoy", 3)).expect(0)
    refused = victim.server.admin("repo", "undelete", "--device", victim.agent.device_id, "--before",
                                  str(victim.place), "--exact")
    assert refused.code == 1 and "--keys" in refused.text, "it would leave the repository without a key"
    done = victim.undelete("--exact", "--keys")
    assert not done["lost"] and done["restored"] and done["buried"]
    victim.assert_recovered()
    assert {s["id"] for s in victim.restic.snapshots()} == victim.snapshots


def test_adding_a_key_and_removing_the_old(victim):
    (victim.restic.room / "new").write_text("a thief's password")
    victim.restic.run("key", "passwd", "--new-password-file", victim.restic.room / "new").expect(0)
    assert victim.agent.plain_restic().run("snapshots").code != 0, "locked out"
    done = victim.undelete("--exact", "--keys")
    assert [o["type"] for o in done["restored"]].count("keys") == 1
    victim.assert_recovered()
    thief = Restic(victim.agent.restic, victim.world.room, victim.repository.address, "a thief's password")
    assert thief.run("snapshots", "--no-lock").code != 0


def test_objects_that_mislead(victim):
    for kind in ("data", "index", "snapshots", "keys"):
        for number in range(3):
            assert victim.post(kind, f"{kind} {number} that is no such thing".encode()) == 200
    assert victim.restic.run("check").code != 0
    done = victim.undelete("--exact")
    assert len(done["buried"]) == 12 and not done["restored"]
    victim.assert_recovered()


def test_forgetting_with_faked_times_and_pruning(victim):
    # The device's clock may say what it likes: the journal has the server's.
    victim.restic.run("backup", "--time", "2037-01-01 00:00:00", victim.world.folder("decoy", 2)).expect(0)
    victim.restic.run("forget", "--group-by", "", "--keep-last", "1", "--prune").expect(0)
    assert len(victim.restic.snapshots()) == 1
    victim.undelete()
    victim.assert_recovered()
    assert len(victim.restic.snapshots()) == 4, "a union keeps what came later"
    victim.undelete("--exact")
    victim.assert_recovered()
    assert {s["id"] for s in victim.restic.snapshots()} == victim.snapshots


def test_through_two_connections_at_once(victim):
    everything = list(victim.repository.everything())
    failures = []

    def destroy(order):
        for kind, name in order:
            answer = victim.repository.request(f"{kind}/{name}", "DELETE")
            again = victim.repository.request(f"{kind}/{name}", "HEAD")
            if (answer.status, again.status) != (200, 404):
                failures.append((kind, name, answer.status, again.status))

    threads = [threading.Thread(target=destroy, args=(order,)) for order in (everything, everything[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    victim.undelete("--keys")
    victim.assert_recovered()


def test_an_undelete_can_be_looked_at_and_undone(victim):
    kept = victim.repository.everything()
    victim.delete("snapshots")
    wrecked = victim.repository.everything()
    plan = victim.undelete("--dry-run")
    assert plan["dry_run"] and len(plan["restored"]) == 3
    assert victim.repository.everything() == wrecked, "a dry run changes nothing"
    done = victim.undelete()
    assert victim.repository.everything() == kept
    victim.undelete("--exact", "--keys", place=done["undo_place"])
    assert victim.repository.everything() == wrecked
    victim.undelete()
    victim.assert_recovered()


def test_at_an_instant(victim):
    import datetime

    instant = datetime.datetime.now(datetime.timezone.utc).isoformat()
    victim.delete("snapshots")
    victim.server.ask("repo", "undelete", "--device", victim.agent.device_id, "--before", instant)
    victim.assert_recovered()


def test_a_hold_outlasts_an_emptied_trash(victim):
    held = victim.server.ask("repo", "hold", "--device", victim.agent.device_id, "--reason", "an inquiry")
    victim.delete("snapshots")
    victim.post("data", b"came after the hold")
    victim.delete("data", [hashlib.sha256(b"came after the hold").hexdigest()])
    purged = victim.server.ask("repo", "trash", "purge", "--device", victim.agent.device_id, "--older-than", "0")
    assert (purged["objects"], purged["held"] >= 3) == (1, True)
    victim.undelete()
    victim.assert_recovered()
    victim.server.admin("repo", "hold", "--device", victim.agent.device_id, "--release", str(held["place"])).expect(0)
    victim.delete("snapshots")
    assert victim.server.ask("repo", "trash", "purge", "--device", victim.agent.device_id, "--older-than",
                             "0")["held"] == 0
    lost = victim.undelete()
    assert [o["type"] for o in lost["lost"]].count("snapshots") == 3 and not victim.restic.snapshots(), "what was purged is gone, and is said to be"


def test_locks_are_not_kept(victim):
    victim.post("locks", b"a lock")
    victim.delete("locks")
    assert all(o["type"] != "locks" for o in victim.server.ask("repo", "trash", "list", "--device",
                                                               victim.agent.device_id))


def test_append_only(victim):
    victim.server.admin("tenant", "set", "acme", "protection=append-only").expect(0)
    assert victim.agent.run("backup").expect(0)
    config = net.request(victim.server.url + "/v1/config", headers=net.bearer(victim.agent.device_key)).data
    assert config["restic"]["protection"] == "append-only"
    names = victim.repository.names("snapshots")
    for rest in ["config", *(f"{kind}/{name}" for kind in ("data", "keys", "index", "snapshots")
                             for name in victim.repository.names(kind))]:
        answer = victim.repository.request(rest, "DELETE")
        assert answer.status == 403 and answer.problem["type"] == "append-only", rest
    assert victim.post("keys", b"a thief's key") == 403
    assert victim.restic.run("forget", "--keep-last", "1").code != 0 or victim.repository.names("snapshots") == names
    assert victim.repository.names("snapshots") == names
    victim.snapshots |= {s["id"] for s in victim.restic.snapshots()}
    victim.assert_recovered()


def test_full_protection_is_none(victim):
    victim.server.admin("tenant", "set", "acme", "protection=full").expect(0)
    time.sleep(0.6)  # so long a server goes by what it knows of a credential
    victim.delete("snapshots")
    assert not victim.server.ask("repo", "trash", "list", "--device", victim.agent.device_id)
    assert not victim.undelete()["restored"]


def test_what_the_trash_holds_is_counted_and_listed(victim):
    before = victim.show()
    names = victim.repository.names("data")
    victim.delete("data")
    after = victim.show()
    assert after["bytes"] == before["bytes"] - sum(names.values())
    assert after["trash_bytes"] == before["trash_bytes"] + sum(names.values())
    listed = victim.server.ask("repo", "trash", "list", "--device", victim.agent.device_id)
    assert {o["name"] for o in listed if o["type"] == "data"} == set(names)
    assert all(o["kept_until"] > o["deleted_at"] for o in listed)
    row = next(r for r in victim.server.ask("repo", "list") if r["device_id"] == victim.agent.device_id)
    assert row["newest_snapshot_at"] and row["trash_objects"] == after["trash_objects"]


def test_verify_finds_what_the_disk_has_altered(victim):
    victim.server.ask("repo", "verify", "--device", victim.agent.device_id)
    pack = next(p for p in victim.server.storage.rglob("data/*/*") if p.is_file())
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    found = victim.server.admin("repo", "verify", "--device", victim.agent.device_id, "--json")
    assert found.code == 1 and "damaged" in found.err
    assert [d["name"] for d in json.loads(found.out)["damaged"]] == [pack.name]
    pack.unlink()
    assert victim.server.admin("repo", "verify", "--device", victim.agent.device_id).code == 1


def test_a_repository_needs_no_journal_to_be_read(victim):
    """restic alone reads the folder, also one that has a trash beside it."""
    victim.delete("snapshots", list(victim.repository.names("snapshots"))[:1])
    folder = next(p for p in (victim.server.storage / "repositories").iterdir())
    local = Restic(victim.agent.restic, victim.world.room, str(folder), victim.agent.password)
    assert len(local.snapshots()) == 2
    assert subprocess.run(["ls", victim.server.storage / "trash" / folder.name], check=True, capture_output=True).stdout
